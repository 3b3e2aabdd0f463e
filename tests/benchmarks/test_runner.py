"""Runs are repeatable, stored once, and summarised by hand-sized numbers."""

import csv
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from process_table import environment, running, wait_until

import problems
import synthetic
from contract_wrapper.errors import ContractsError
from optimiser_bench import runner
from optimiser_bench.optimisers import GROUPS, chosen, table_of
from optimiser_bench.runner import Job, Run, forget, read_runs, run, run_all
from optimiser_bench.tables import (
    ahead_of_reference,
    behind_reference,
    curves_of,
    draw,
    print_rows,
    rows_of,
    write_rows,
)

RESULTS = Path(synthetic.__file__).parent / "results"
JOB = Job(problem="cleanup-1", optimiser="random", seed=0, evaluations=6, batch=4)


def result(optimiser, seed, *regrets, problem="p"):
    job = Job(problem=problem, optimiser=optimiser, seed=seed, evaluations=len(regrets) - 1)
    return Run(job=job, regrets=regrets, first=1, seconds=0.5)


def test_a_run_is_a_function_of_its_job():
    first, again = run(JOB), run(JOB)
    assert first.regrets == again.regrets
    assert len(first.regrets) == 7
    assert first.first == 1  # the status quo
    assert run(replace(JOB, seed=1)).regrets != first.regrets


def test_all_optimisers_begin_with_the_same_prior_set():
    starts = {run(replace(JOB, optimiser=o, evaluations=1)).regrets[0] for o in ("random", "cEI")}
    assert len(starts) == 1


def test_what_is_stored_is_not_run_again(tmp_path, monkeypatch):
    path, said = tmp_path / "runs.jsonl", []
    jobs = [replace(JOB, seed=seed) for seed in range(2)]
    first = run_all(jobs, path, 1, said.append)
    assert read_runs(path) == first
    with path.open("a") as file:
        file.write(first[0].to_line()[:50])  # as a crash leaves it
    monkeypatch.setattr(runner, "run", None)
    assert run_all(jobs, path, 1, said.append) == first
    monkeypatch.undo()
    run_all([replace(JOB, seed=2)], path, 1, said.append)
    assert len(read_runs(path)) == 3
    forget(path, ["random"])
    assert read_runs(path) == []


def test_a_run_that_fails_is_told_and_the_others_go_on(tmp_path):
    said = []
    bad = replace(JOB, problem="nowhere")
    assert len(run_all([bad, JOB], tmp_path / "runs.jsonl", 1, said.append)) == 1
    assert "failed: KeyError" in said[0]


HOLD = """
import os, sys, time
from pathlib import Path
from optimiser_bench.runner import Job, Run, carry_out

def hold(job):
    (Path(sys.argv[0]).parent / f"{job.seed}.pid").write_text(str(os.getpid()))
    time.sleep(600)

if __name__ == "__main__":
    jobs = [Job(problem="gramacy", optimiser="random", seed=seed, evaluations=1) for seed in range(2)]
    carry_out(jobs, Path(sys.argv[0]).parent / "runs.jsonl", 2, print, hold, Run.from_line)
"""


def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    (tmp_path / "hold.py").write_text(HOLD)
    places = os.pathsep.join([environment()["PYTHONPATH"], str(RESULTS.parent)])
    parent = subprocess.Popen([sys.executable, tmp_path / "hold.py"], env={**environment(), "PYTHONPATH": places})
    wait_until(lambda: len([path for path in tmp_path.glob("*.pid") if path.read_text()]) == 2)
    workers = {int(path.read_text()) for path in tmp_path.glob("*.pid")}
    parent.kill()
    parent.wait()
    wait_until(lambda: not workers & running(), seconds=60)


def test_with_no_processes_stored_runs_are_read_and_nothing_is_run(tmp_path, monkeypatch):
    path, said = tmp_path / "runs.jsonl", []
    jobs = [replace(JOB, seed=seed) for seed in range(3)]
    first = run_all(jobs[:2], path, 1, said.append)
    monkeypatch.setattr(runner, "run", None)
    assert run_all(jobs, path, 0, said.append) == first
    assert said[-1] == "1 of 3 runs are not stored, and left out"
    with pytest.raises(SystemExit, match="none of these runs is stored"):
        run_all(jobs, tmp_path / "none.jsonl", 0, said.append)
    assert not (tmp_path / "none.jsonl").exists()


def test_differences_are_within_pairs_and_solved_is_a_share(tmp_path, capsys):
    runs = [result("cPMES", 0, 9, 1), result("cPMES", 1, 9, 0), result("cEI", 0, 9, 3), result("cEI", 1, 9, 4)]
    ours, other = rows_of(runs, "here", [1], unit="run")
    assert (ours.optimiser, ours.mean, ours.solved, ours.behind, ours.behind_half) == ("cPMES", 0.5, 0.5, 0.0, 0.0)
    assert (other.mean, other.solved, other.behind, other.runs, other.units) == (3.5, 0.0, 3.0, 2, 2)
    assert other.behind_half == pytest.approx(
        12.706, rel=1e-4
    )  # of 2 and 4: standard error 1, t with 1 degree of freedom
    write_rows(tmp_path / "table.csv", [ours, other])
    with (tmp_path / "table.csv").open() as file:
        assert [row["behind"] for row in csv.DictReader(file)] == ["0", "3"]
    print_rows("title", [ours, other], {"cEI": (1891.4,)})
    lines = capsys.readouterr().out.splitlines()
    said = lines.index("cEI                         3 ± 13")
    assert lines[said + 1 : said + 4] == [
        "ahead of it beyond the interval: none",
        "behind it beyond the interval: none",
        "±: half the 95 % interval, Student's t over 2 runs",
    ]
    assert any(line.split() == ["cEI", "(printed)", "1891.4"] for line in lines)


def test_runs_on_one_instance_are_one_unit():
    runs = [result("cPMES", seed, 9, 0, problem=f"p{seed % 2}") for seed in range(8)]
    runs += [result("cEI", seed, 9, 1 + 2 * (seed % 2) + (seed > 3), problem=f"p{seed % 2}") for seed in range(8)]
    (_, by_instance), (_, by_run) = (rows_of(runs, "here", [1], unit=unit) for unit in ("instance", "run"))
    assert (by_instance.units, by_run.units, by_instance.behind) == (2, 8, by_run.behind)
    assert by_instance.behind_half == pytest.approx(12.706, rel=1e-4)  # of 1.5 and 3.5
    assert by_run.behind_half < 1.1
    assert by_instance.solved_high > by_run.solved_high


def test_where_all_instances_are_alike_no_interval_is_printed(capsys):
    runs = [result(name, seed, 9, 0, problem=f"p{seed}") for name in ("cPMES", "cEI") for seed in range(3)]
    rows = rows_of(runs, "here", [1])
    print_rows("title", rows, {})
    text = capsys.readouterr().out
    assert "0 ± 0" not in text
    assert text.splitlines()[-1].startswith("in all: alike in all of them")
    assert "100% (29% to 100%)" in text  # 0.025 ** (1 / 3)
    assert ahead_of_reference(rows) == behind_reference(rows) == []


def test_an_unknown_optimiser_is_named_beside_those_there_are():
    with pytest.raises(ContractsError, match=r"'luck'.*cPMES"):
        chosen("luck")
    assert chosen("cEI, random") == ["cEI", "random"]


def test_what_is_stored_needs_no_library(monkeypatch):
    monkeypatch.setattr("optimiser_bench.optimisers.why_missing", lambda name: "not installed")
    assert chosen("cEI, BoTorch logCEI") == []
    assert chosen("cEI, BoTorch logCEI", stored=True) == ["cEI", "BoTorch logCEI"]


def test_a_part_of_a_comparison_is_not_written_over_the_whole():
    assert [table_of("t", choice) for choice in ("own", "all", "cEI,random")] == ["t", "t-all", "t-chosen"]


def test_without_the_reference_nothing_is_said_to_be_ahead_or_behind(capsys):
    runs = [result(name, seed, 9.0, 5.0 - seed) for name in ("cEI", "MACE") for seed in range(2)]
    print_rows("title", rows_of(runs, "here", [1]), {})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[3:5]] == ["cEI", "MACE"]  # after an empty line, title and head
    assert "ahead" not in "".join(lines)


def test_ahead_and_behind_are_only_what_is_so_by_more_than_the_interval():
    runs = [result("cPMES", seed, 9, 5 + seed) for seed in range(3)]
    runs += [result("cEI", seed, 9, 4 + 1.1 * seed) for seed in range(3)]  # by -1, -0.9 and -0.8
    runs += [result("cMES", seed, 9, 8 * (seed > 0)) for seed in range(3)]  # by -5, 2 and 1
    runs += [result("MACE", seed, 9.5 + seed, 7 + 1.1 * seed) for seed in range(3)]  # by 2, 2.1 and 2.2
    rows = rows_of(runs, "here", [1], unit="run")
    assert ahead_of_reference(rows) == ["cEI at T = 1"]
    assert behind_reference(rows) == ["MACE at T = 1"]


def test_curves_average_the_runs_of_an_instance_first():
    runs = [result("cEI", seed, 9, seed, problem=problem) for seed, problem in enumerate(("a", "a", "b"))]
    assert curves_of(runs, ["cPMES", "cEI"])["cEI"].tolist() == [[9.0, 0.5], [9.0, 2.0]]
    assert list(curves_of(runs, ["cPMES", "cEI"])) == ["cEI"]


def test_curves_are_drawn_for_every_optimiser(tmp_path):
    draw(tmp_path / "f.png", {"one": {"cPMES": np.ones((2, 3)), "cEI": np.zeros((1, 3))}}, "regret", over="2 instances")
    assert 1000 < (tmp_path / "f.png").stat().st_size < 60_000


UNDRAWN = ("engineering", "scratch_search", "textbook", "unseen")
"""Commands that print tables alone."""


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in RESULTS.glob("*.jsonl") if not path.stem.startswith(UNDRAWN))
)
def test_pictures_of_stored_runs_are_small(name):
    pictures = list(RESULTS.glob(f"{name}*.png"))
    assert pictures
    assert max(path.stat().st_size for path in pictures) < 60_000


@pytest.mark.parametrize(
    ("part", "table"),
    [([], "problems"), (["--problems", "g24"], "problems-chosen"), (["--first-seed", "7"], "problems-chosen")],
)
def test_a_part_of_the_problems_is_not_written_over_the_whole(tmp_path, monkeypatch, part, table):
    monkeypatch.setitem(GROUPS, "own", ["random"])
    common = ["--seeds", "2", "--processes", "1", "--folder", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["problems.py", *common, *part])
    problems.main()
    assert {path.name for path in tmp_path.iterdir()} == {"problems.jsonl", f"{table}.csv", f"{table}.png"}


def test_over_several_problems_the_problems_are_the_units(tmp_path, monkeypatch):
    common = ["--problems", "g24,floudas-mi2", "--optimisers", "random", "--processes", "1", "--folder", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["problems.py", *common, "--seeds", "3"])
    problems.main()
    with (tmp_path / "problems-chosen.csv").open() as file:
        rows = {(row["setting"], row["unit"], row["units"], row["runs"]) for row in csv.DictReader(file)}
    assert rows == {("g24", "run", "3", "3"), ("floudas-mi2", "run", "3", "3"), ("all problems", "problem", "2", "6")}


def test_seeds_begin_where_one_says(tmp_path, monkeypatch):
    common = ["--problems", "g24", "--optimisers", "random", "--processes", "1", "--folder", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["problems.py", *common, "--seeds", "2", "--first-seed", "7"])
    problems.main()
    assert [run.job.seed for run in read_runs(tmp_path / "problems.jsonl")] == [7, 8]


def test_every_run_on_the_made_up_clean_up_has_a_prior_set_of_its_own(tmp_path, monkeypatch):
    common = ["--instances", "3", "--priors", "2", "--batches", "1,4", "--optimisers", "random", "--processes", "1"]
    monkeypatch.setattr("sys.argv", ["synthetic.py", *common, "--folder", str(tmp_path)])
    synthetic.main()
    seeds = {(run.job.problem, run.job.seed) for run in read_runs(tmp_path / "synthetic.jsonl")}
    assert len(seeds) == len({seed for _, seed in seeds}) == 6


@pytest.mark.parametrize(
    ("module", "option", "message"),
    [
        (problems, "--problems", "no problem"),
        (problems, "--optimisers", "no optimiser"),
        (synthetic, "--optimisers", "no optimiser"),
    ],
)
def test_a_name_that_there_is_not_is_refused_in_one_line(monkeypatch, capsys, module, option, message):
    monkeypatch.setattr("sys.argv", ["benchmark", option, "nothing"])
    with pytest.raises(SystemExit):
        module.main()
    assert f"{message} is called 'nothing': choose" in capsys.readouterr().err

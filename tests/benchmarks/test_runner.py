"""Runs are repeatable, stored once, and summarised by hand-sized numbers."""

import csv
from dataclasses import replace

import numpy as np
import pytest

import problems
import synthetic
from contract_wrapper.errors import ContractsError
from optimiser_bench import runner
from optimiser_bench.optimisers import GROUPS, chosen, table_of
from optimiser_bench.runner import Job, Run, forget, read_runs, run, run_all
from optimiser_bench.tables import Interval, ahead_of_reference, draw, print_rows, rows_of, write_rows

JOB = Job(problem="cleanup-1", optimiser="random", seed=0, evaluations=6, batch=4)


def result(optimiser, seed, *regrets):
    job = Job(problem="p", optimiser=optimiser, seed=seed, evaluations=len(regrets) - 1)
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


def test_an_interval_is_students():
    interval = Interval.of([1.0, 2.0, 3.0])  # standard error 1 / sqrt(3), t quantile 4.303
    assert interval.mean == 2.0
    assert interval.half == pytest.approx(4.303 / np.sqrt(3), rel=1e-3)


def test_differences_are_within_pairs_and_solved_is_a_share(tmp_path, capsys):
    runs = [result("cPMES", 0, 9, 1), result("cPMES", 1, 9, 0), result("cEI", 0, 9, 3), result("cEI", 1, 9, 2)]
    ours, other = rows_of(runs, "here", [1])
    assert (ours.optimiser, ours.mean, ours.solved, ours.behind) == ("cPMES", 0.5, 0.5, 0.0)
    assert (other.mean, other.solved, other.behind, other.behind_half, other.runs) == (2.5, 0.0, 2.0, 0.0, 2)
    write_rows(tmp_path / "table.csv", [ours, other])
    with (tmp_path / "table.csv").open() as file:
        assert [row["behind"] for row in csv.DictReader(file)] == ["0", "2"]
    print_rows("title", [ours, other], {"cEI": (1891.4,)})
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == ["cEI                          2 ± 0", "ahead of it beyond the interval: none"]
    assert any(line.split() == ["cEI", "(printed)", "1891.4"] for line in lines)


def test_an_unknown_optimiser_is_named_beside_those_there_are():
    with pytest.raises(ContractsError, match=r"'luck'.*cPMES"):
        chosen("luck")
    assert chosen("cEI, random") == ["cEI", "random"]


def test_a_part_of_a_comparison_is_not_written_over_the_whole():
    assert [table_of("t", choice) for choice in ("own", "all", "cEI,random")] == ["t", "t-all", "t-chosen"]


def test_without_the_reference_nothing_is_said_to_be_ahead_or_behind(capsys):
    runs = [result(name, seed, 9.0, 5.0 - seed) for name in ("cEI", "MACE") for seed in range(2)]
    print_rows("title", rows_of(runs, "here", [1]), {})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[3:]] == ["cEI", "MACE"]  # after an empty line, title and head


def test_ahead_is_only_what_is_ahead_by_more_than_the_interval():
    runs = [result("cPMES", seed, 9, 5 + seed) for seed in range(3)]
    runs += [result("cEI", seed, 9, 4 + seed) for seed in range(3)]  # by 1 each time
    runs += [result("cMES", seed, 9, 8 * (seed > 0)) for seed in range(3)]  # by -5, 2 and 1
    assert ahead_of_reference(rows_of(runs, "here", [1])) == ["cEI at T = 1"]


def test_curves_are_drawn_for_every_optimiser(tmp_path):
    draw(tmp_path / "f.png", {"one": {"cPMES": np.ones((2, 3)), "cEI": np.zeros((1, 3))}}, "regret")
    assert (tmp_path / "f.png").stat().st_size > 1000


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

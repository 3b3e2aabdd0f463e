"""Searches on landscapes: what is recommended, in pairs, with intervals that count runs and trainings."""

import csv
import re
from dataclasses import replace

import numpy as np
import pytest

import landscape_search
from contract_wrapper.bo.noise.recommend import recommend
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes.tabular import TabularProblem
from optimiser_bench.landscape_runs import (
    EVERYTHING,
    N_PATHS,
    Searched,
    SearchRun,
    choices,
    digest,
    everything,
    search,
    search_on,
    short_name,
)
from optimiser_bench.landscape_tables import Counted, landscape_rows, table_lines, truths, verdict
from optimiser_bench.runner import Job, read_stored
from tests.contract_wrapper.made_up_landscapes import made_up_landscape

LAND = made_up_landscape(n_seeds=3, spread=20.0, noise=15.0)
MINE = Searched.of(LAND)
JOB = Job(problem="made@0", optimiser="random", seed=0, evaluations=4, n_prior=8, batch=2)


def result(optimiser, seed, *recommended, luckiest=None, batch=1):
    job = Job(
        problem="made@0", optimiser=optimiser, seed=seed, evaluations=len(recommended) - 1, n_prior=1, batch=batch
    )
    return SearchRun(job=job, recommended=recommended, luckiest=luckiest or recommended, seconds=0.5)


def by_hand():
    """Three trainings, and contracts of the taxes 0.02 and 1 for one cleaner to five: everybody accepts the first five."""
    land = made_up_landscape(n_seeds=3, n_taxes=2)
    welfare = np.tile(np.arange(11.0), (3, 1))
    welfare[:, 1:3] += np.array([[-1.0, 4.0], [0.0, 4.0], [1.0, 4.0]])
    utilities = np.where(np.isnan(land.utilities), np.nan, 5.0)
    utilities[:, 6:, 0] = 4.0  # below the 5 of no contract
    return replace(land, welfare=welfare, utilities=utilities)


def test_the_space_has_every_contract_once():
    assert sorted(MINE.number(row) for row in MINE.space.grid()) == list(range(1, len(LAND.tax)))


def test_taxes_that_are_not_evenly_spaced_are_refused():
    tax = LAND.tax.copy()
    tax[tax == 1.0] = 0.99
    with pytest.raises(ContractsError, match="evenly spaced"):
        Searched.of(replace(LAND, tax=tax))


def test_a_run_is_a_function_of_its_job():
    first, again = search_on(MINE, JOB), search_on(MINE, JOB)
    assert (first.recommended, first.luckiest) == (again.recommended, again.luckiest)
    assert len(first.recommended) == len(first.luckiest) == 5
    assert {search_on(MINE, replace(JOB, seed=seed)).luckiest[0] for seed in range(6)} != {first.luckiest[0]}


def test_a_contract_reads_the_same_whoever_asks_for_it_and_when():
    early = MINE.add(MINE.add(MINE.begin(3), 7, 3), 9, 3)
    late = MINE.add(MINE.add(MINE.begin(3), 9, 3), 7, 3)
    assert early.objective[1] == late.objective[2]
    read = {MINE.add(MINE.begin(seed), 7, seed).objective[1] for seed in range(30)}
    assert read == set(LAND.welfare[:, 7])


def test_all_optimisers_begin_with_the_same_contracts_and_readings():
    starts = {
        search_on(MINE, replace(JOB, optimiser=o, batch=b)).luckiest[0] for o in ("random", "cEI") for b in (1, 4)
    }
    assert len(starts) == 1


def test_within_a_batch_what_was_recommended_before_stands():
    at_once, one_by_one = (search_on(MINE, replace(JOB, seed=6, batch=batch)).recommended for batch in (4, 1))
    assert len(set(one_by_one[1:])) > 1  # these four are chosen at random, the same at once
    assert at_once == (*[one_by_one[0]] * 4, one_by_one[-1])
    assert at_once[0] != at_once[-1]


def test_the_baseline_is_known_and_never_recommended_as_a_contract():
    history = MINE.begin(0)
    assert history.designs.tolist() == [[0.0, 0.0]]
    assert history.objective[0] in LAND.welfare[:, 0]
    assert choices(MINE, history, []) == (0, 0)


def test_recommended_is_what_is_worth_most_of_the_accepted_and_luckiest_what_read_best():
    history, numbers = MINE.begin(0), [1, 4, 11, 15, 20, 26, 31, 44]
    for k in numbers:
        history = MINE.add(history, k, 0)
    read, accepted = history.objective[1:], history.feasible()[1:]
    found = recommend(MINE.space, MINE.as_told(history), otherwise=float(history.objective[0]), n_paths=N_PATHS)
    order = [MINE.number(b.design) for b in found.ranked]
    good = [k for k, yes in zip(numbers, accepted, strict=True) if yes]
    assert not accepted[read.argmax()]
    luckiest = numbers[int(np.where(accepted, read, 0.0).argmax())]
    assert choices(MINE, history, numbers) == (min(good, key=order.index), luckiest)


def test_a_contract_that_is_read_again_is_read_from_a_training_drawn_anew_and_counts_by_its_mean():
    history = MINE.begin(3)
    for _ in range(30):
        history = MINE.add(history, 7, 3)
    assert set(history.objective[1:]) == set(LAND.welfare[:, 7])
    assert len(MINE.as_told(history).constraints) == 2


def test_what_is_believed_best_is_better_than_the_luckiest_of_many_readings():
    land = made_up_landscape(n_seeds=200, spread=0.0, noise=40.0, n_taxes=21)
    land = replace(land, utilities=land.utilities + (land.n_cleaners > 0)[:, None] * 1000.0)  # nobody refuses
    mine, regrets = Searched.of(land), truths(land).regrets[0]
    job = replace(JOB, optimiser=EVERYTHING, evaluations=0, n_prior=105)
    runs = [everything(mine, replace(job, seed=seed)) for seed in range(4)]
    believed = np.mean([regrets[run.recommended[0]] for run in runs])
    assert believed < 0.8 * np.mean([regrets[run.luckiest[0]] for run in runs])


def test_everything_once_reads_every_contract():
    run = everything(MINE, replace(JOB, optimiser=EVERYTHING, evaluations=0, n_prior=55))
    history = MINE.begin(0)
    for k in range(1, 56):
        history = MINE.add(history, k, 0)
    assert history.objective[run.luckiest[0]] == history.objective[history.feasible()].max()


def test_a_run_on_a_landscape_that_changed_is_refused(tmp_path):
    LAND.save(tmp_path / "made.npz")
    with pytest.raises(ContractsError, match="has changed"):
        search(str(tmp_path / "made.npz"), JOB)
    assert digest(LAND) == digest(replace(LAND)) != digest(replace(LAND, welfare=LAND.welfare + 1.0))


def test_a_landscape_is_called_by_its_file_or_folder():
    assert [short_name(s) for s in ("effort", "a/odd.npz", "/a/b/landscape.npz")] == ["effort", "odd", "b"]


def test_regrets_by_the_truth_are_those_of_the_tabular_problem():
    lost = LAND.welfare - (LAND.n_cleaners > 0) * 1000.0  # no contract is better than all
    refused = LAND.utilities - (LAND.n_cleaners > 0)[:, None] * 1000.0
    for land in (LAND, replace(LAND, welfare=lost), replace(LAND, utilities=refused)):
        problem = TabularProblem(landscape=land)
        contracts = [Contract.none(), *land.contracts()[1:]]
        assert truths(land).regrets[0] == pytest.approx([problem.regret(c) for c in contracts])


def test_a_truth_drawn_again_judges_by_means_and_acceptance_of_the_drawn_trainings():
    land = by_hand()
    assert truths(land).regrets[0].tolist() == [6.0, 5.0, 0.0, 3.0, 2.0, 1.0, 6.0, 6.0, 6.0, 6.0, 6.0]
    drawn = truths(land).regrets[1:, 1]  # 6 less the mean of what was drawn of 0, 1 and 2
    assert (drawn.min(), drawn.max()) == (4.0, 6.0)
    assert drawn.var() == pytest.approx(2.0 / 9.0, rel=0.15)  # variance 2 / 3 of one training, of a mean of three
    assert truths(replace(land, utilities=land.utilities + 1.0)).luck == 0.0  # contract 2 is best in every training


def test_the_wider_interval_adds_the_variance_over_trainings():
    off = 1 / np.sqrt(3)
    values = np.array([[1.0, 2.0, 3.0], [1.0 - off, 2.0 - off, 3.0 - off], [1.0 + off, 2.0 + off, 3.0 + off]])
    found = Counted.of(values, n_trainings=2)
    assert (found.mean, found.runs) == (2.0, pytest.approx(4.3027 / np.sqrt(3), rel=1e-4))
    # 1/3 over runs, of 2 degrees of freedom; 1/3 over draws, times 2 / (2 - 1), of 1: together 1, of 1 / (1/18 + 4/9) = 2
    assert found.both == pytest.approx(4.3027, rel=1e-4)
    assert Counted.of(values, n_trainings=2, among=5).runs == pytest.approx(9.9248 / np.sqrt(3), rel=1e-4)
    assert np.isnan(Counted.of(values[:1], n_trainings=1).both)


def test_runs_that_are_all_alike_do_not_tell_how_others_differ():
    alike = Counted.of(np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]), n_trainings=2)
    assert alike.mean == 0.0
    assert np.isnan([alike.runs, alike.both]).all()
    assert verdict(alike) == "not told apart from cPMES"


@pytest.mark.parametrize(
    ("mean", "runs", "both", "said"),
    [
        (3.0, 1.0, 2.0, "behind cPMES"),
        (-3.0, 1.0, 2.0, "ahead of cPMES"),
        (3.0, 1.0, 4.0, "behind cPMES on these trainings, but not told apart on others"),
        (3.0, 1.0, float("nan"), "behind cPMES on these trainings, but not told apart on others"),
        (3.0, 4.0, 5.0, "not told apart from cPMES"),
        (0.0, 0.0, 0.0, "not told apart from cPMES"),
        (3.0, float("nan"), float("nan"), "not told apart from cPMES"),
    ],
)
def test_a_difference_within_its_interval_is_none(mean, runs, both, said):
    assert verdict(Counted(mean=mean, runs=runs, both=both)) == said


def test_differences_are_paired_and_a_refused_contract_counts_as_none():
    land = by_hand()
    runs = [result("cPMES", 0, 1, 2), result("cPMES", 1, 1, 3), result("random", 1, 1, 5), result("random", 0, 1, 10)]
    runs += [result(EVERYTHING, 0, 2, luckiest=(6,))]
    runs = [*runs[:4], replace(runs[4], job=replace(runs[4].job, n_prior=10))]
    rows = landscape_rows("made", land, truths(land), runs, [1, 2])
    ours, other, all_once = rows[1], rows[3], rows[4]
    assert (ours.optimiser, ours.evaluations, ours.regret, ours.refused, ours.verdict) == ("cPMES", 2, 1.5, 0.0, "")
    assert (other.optimiser, other.regret, other.behind, other.refused) == ("random", 3.5, 2.0, 0.5)
    assert (other.refused_low, other.refused_high) == pytest.approx((1 - 0.975**0.5, 0.975**0.5))  # one run of two
    assert (ours.refused_low, ours.refused_high) == pytest.approx((0.0, 1 - 0.025**0.5))
    # of 0 and 3 pairs 6 - 0 and 1 - 3; one comparison alone: t = 12.706, standard error 4
    assert other.behind_runs == pytest.approx(12.7062 * 4.0, rel=1e-4)
    assert (all_once.evaluations, all_once.regret, all_once.luckiest) == (10, 0.0, 6.0)
    text = "\n".join(table_lines("made", land, truths(land), rows))
    assert "not told apart from cPMES: random (batch 1)" in text
    assert "all 1 intervals" in text
    assert "after the initial designs, 1 evaluations: 5.0" in text


def test_with_more_comparisons_each_interval_is_wider():
    runs = [result(o, s, 1, 2 + (o == "random") * s) for o in ("cPMES", "random", "cEI") for s in range(3)]
    land = by_hand()
    two = {r.optimiser: r for r in landscape_rows("made", land, truths(land), runs, [2])}
    one = {r.optimiser: r for r in landscape_rows("made", land, truths(land), runs[:6], [2])}
    assert two["random"].behind_runs / one["random"].behind_runs == pytest.approx(6.2053 / 4.3027, rel=1e-4)


def command(monkeypatch, folder, *more):
    made_up_landscape(n_seeds=2, spread=20.0, noise=15.0).save(folder / "made.npz")
    common = ["--landscapes", str(folder / "made.npz"), "--folder", str(folder)]
    monkeypatch.setattr("sys.argv", ["landscape_search.py", *common, *more])
    landscape_search.main()


def test_the_command_writes_table_csv_and_picture_and_goes_on_where_it_stopped(tmp_path, monkeypatch, capsys):
    small = ("--small", "--processes", "1")
    command(monkeypatch, tmp_path, *small, "--optimisers", "cPMES,random")
    stem = "small-landscape_search-made"
    assert {p.name for p in tmp_path.glob("small*")} == {f"{stem}.{end}" for end in ("txt", "csv", "png", "jsonl")}
    table = (tmp_path / f"{stem}.txt").read_text()
    assert table in capsys.readouterr().out
    with (tmp_path / f"{stem}.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {(row["optimiser"], row["batch"]) for row in rows} == {
        ("cPMES", "1"), ("cPMES", "4"), ("random", "1"), ("random", "4"), (EVERYTHING, "1"),
    }  # fmt: skip
    stored = (tmp_path / f"{stem}.jsonl").read_text()
    assert len(stored.splitlines()) == 2 * (2 * 2 + 1)
    monkeypatch.setattr(landscape_search, "search", lambda source, job: 1 / 0)
    command(monkeypatch, tmp_path, *small, "--optimisers", "cPMES,random")
    assert (tmp_path / f"{stem}.jsonl").read_text() == stored
    assert (tmp_path / f"{stem}.txt").read_text() == table


def test_two_processes_find_what_one_finds(tmp_path, monkeypatch):
    found = []
    for processes in ("1", "2"):
        (tmp_path / processes).mkdir()
        command(monkeypatch, tmp_path / processes, "--small", "--processes", processes, "--optimisers", "cEI,random")
        stored = read_stored(tmp_path / processes / "small-landscape_search-made.jsonl", SearchRun.from_line)
        found.append({run.job: (run.recommended, run.luckiest) for run in stored})
    assert found[0] == found[1]


def test_a_part_of_the_comparison_is_not_written_over_the_whole(tmp_path, monkeypatch):
    part = ("--runs", "2", "--budget", "11", "--batches", "1", "--optimisers", "random", "--processes", "1")
    command(monkeypatch, tmp_path, *part)
    assert (tmp_path / "landscape_search-made-chosen.txt").exists()
    assert not (tmp_path / "landscape_search-made.txt").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--optimisers", "luck"), "no optimiser is called 'luck'"),
        (("--landscapes", "nowhere.npz"), "there is no landscape"),
        (("--budget", "56"), r"at most as many as contracts \(55\)"),
        (("--initial", "30"), "more evaluations than initial designs"),
        (("--batches", "0"), "batches of at least 1"),
    ],
)
def test_bad_input_is_refused_in_one_line(tmp_path, monkeypatch, capsys, more, said):
    with pytest.raises(SystemExit):
        command(monkeypatch, tmp_path, *more)
    assert re.search(said, capsys.readouterr().err.replace("\n", " "))

"""Searches from scratch share what they train, go on where they were, and are judged by other trainings."""

from pathlib import Path

import numpy as np
import pytest

import scratch_search
from contract_wrapper import Contract, EvaluationSettings, Outcome
from contract_wrapper.evaluation.estimate import Estimate
from optimiser_bench import scratch_runs


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Contract, int]]:
    """A game in a formula, best at a tax of 0.5 with two cleaners; which trainings were asked for that no folder holds."""
    kept, asked = dict[tuple[Contract, int], Outcome](), list[tuple[Contract, int]]()

    def evaluate(contract: Contract, settings: EvaluationSettings, seed: int, *, folder: Path) -> Outcome:
        if (contract, seed) not in kept:
            asked.append((contract, seed))
            noise = float(np.random.default_rng(seed).normal(0.0, 0.5))
            harvest = 30.0 if contract.is_none else 40.0 - 20.0 * (contract.tax - 0.5) ** 2 + noise
            work = 20.0 - 5.0 * abs(contract.n_cleaners - 2) + noise
            homes = {f"harvester_{k}": harvest for k in range(5)}
            homes |= {f"cleaner_{k}": work for k in range(contract.n_cleaners)}
            nothing = Estimate(mean=0.0)
            kept[contract, seed] = Outcome(
                contract=contract, welfare=Estimate(mean=sum(homes.values()), se=0.1), seed=seed,
                utilities={agent: Estimate(mean=home, se=0.1) for agent, home in homes.items()},
                harvest=nothing, cleaned=nothing, shots=nothing,
            )  # fmt: skip
        return kept[contract, seed]

    monkeypatch.setattr(scratch_runs, "evaluate", evaluate)
    return asked


def command(folder: Path, *words: str) -> None:
    common = ["--optimisers", "cPMES,random", "--initial", "4", "--search", "4", "--processes", "1"]
    scratch_search.main([*common, "--runs", "2", "--results", str(folder), *words])


def test_a_contract_is_trained_once_in_a_run_and_runs_are_not_repeated(
    trained: list[tuple[Contract, int]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(tmp_path)
    table = capsys.readouterr().out
    assert "4 of 4 runs" in table
    runs = 2 * (1 + 4 + 4 + 4)  # baseline, initial contracts once for both optimisers, and what each chose
    judging = 2 * (3 + 3 * 2)  # in each run, without a contract and for what each optimiser recommends
    assert len(trained) <= runs + judging
    assert len(trained) == len(set(trained))
    before = len(trained)
    command(tmp_path)
    assert len(trained) == before  # nothing was trained again
    assert capsys.readouterr().out == table
    (lines,) = tmp_path.glob("*.jsonl")
    lines.write_text(lines.read_text().replace("@", "@older-"))
    command(tmp_path, "--stored")
    assert capsys.readouterr().out == table  # as it was printed, by whichever code
    command(tmp_path)
    assert len(lines.read_text().splitlines()) == 8  # runs of other code do not count


def test_a_recommended_contract_is_judged_by_trainings_that_its_search_did_not_read(
    trained: list[tuple[Contract, int]], tmp_path: Path
) -> None:
    command(tmp_path, "--runs", "1")
    lines = next(tmp_path.glob("*.jsonl")).read_text().splitlines()
    (run,) = scratch_runs.rows_of([scratch_runs.ScratchRun.from_line(line) for line in lines])["cPMES"]
    of_it = [seed for contract, seed in trained if (contract.tax, contract.n_cleaners) == (run.tax, run.n_cleaners)]
    assert len(of_it) > scratch_runs.JUDGES
    assert len(run.welfare) == scratch_runs.JUDGES
    assert run.read not in run.welfare


def test_runs_share_no_training(trained: list[tuple[Contract, int]], tmp_path: Path) -> None:
    command(tmp_path, "--runs", "1")
    first = set(trained)
    trained.clear()
    command(tmp_path)
    assert trained
    assert {seed for _, seed in trained}.isdisjoint(seed for _, seed in first)


def test_a_search_in_which_every_training_fails_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object, **__: object) -> Outcome:
        raise RuntimeError("no game today")

    monkeypatch.setattr(scratch_runs, "evaluate", fails)
    with pytest.raises(SystemExit, match="no run ended"):
        command(tmp_path)
    assert "no game today" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.txt"))

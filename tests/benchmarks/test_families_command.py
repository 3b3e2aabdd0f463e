"""What the commands of benchmarks/families.py compute from what crews played, with numbers small enough to check by head."""

from pathlib import Path

import numpy as np
import pytest

from contract_families.grids import kept, over_trainings
from contract_families.piece_rate import bound
from contract_families.unequal import OUTSIDE, margins, merit
from contract_wrapper import ContractGrid, Estimate, cleanup_problem

PROBLEM = cleanup_problem("tax-per-harvester", outside=OUTSIDE)
WITHOUT = {f"harvester_{j}": Estimate(mean=30.0) for j in range(2)}


def played(*utilities: float) -> ContractGrid:
    """One contract, two equal episodes."""
    each = np.array([[utilities, utilities]])
    nothing = np.zeros((1, 2))
    return ContractGrid(
        n_cleaners=1, agents=("harvester_0", "harvester_1", "cleaner_0"), terms=np.zeros((1, 1)),
        welfare=each.sum(axis=2), utilities=each, harvest=nothing, shots=nothing, waste=nothing,
    )  # fmt: skip


def test_margins_are_against_the_better_of_no_contract_and_the_offer() -> None:
    assert margins(played(120.0, 40.0, 50.0), 0, PROBLEM, WITHOUT) == (
        210.0,
        {"harvester_0": 10.0, "harvester_1": 10.0, "cleaner_0": 5.0},
    )


def test_the_best_single_tax_is_accepted_by_all_before_it_has_most_welfare() -> None:
    good, rich = ([margins(one, 0, PROBLEM, WITHOUT)] for one in (played(111.0, 31.0, 46.0), played(109.0, 90.0, 90.0)))
    assert merit(good) == (0.0, 188.0)
    assert merit(rich) == (-1.0, 289.0)
    assert merit(good) > merit(rich)


def test_what_was_played_is_read_and_not_played_again(tmp_path: Path) -> None:
    first = kept(tmp_path, ["grid", "crew", 2, [[0.1]], 4, 7], lambda: {"welfare": np.array([1.5])})
    again = kept(tmp_path, ["grid", "crew", 2, [[0.1]], 4, 7], lambda: pytest.fail("played twice"))
    assert first["welfare"].tolist() == again["welfare"].tolist() == [1.5]
    other = kept(tmp_path, ["grid", "crew", 2, [[0.2]], 4, 7], lambda: {"welfare": np.array([2.5])})
    assert other["welfare"].tolist() == [2.5]


def test_a_bound_lies_below_the_mean_by_what_the_episodes_leave_open() -> None:
    assert bound(np.array([[1.0, 3.0], [2.0, 2.0]])).tolist() == pytest.approx([2.0 - 1.645, 2.0], abs=1e-3)
    assert over_trainings([1.0]) == "1.00"
    assert over_trainings([0.1, float("inf")]) == "0.10 inf"
    assert over_trainings([1.0, 3.0], ".1f") == "2.0 (-10.7 to 14.7)"

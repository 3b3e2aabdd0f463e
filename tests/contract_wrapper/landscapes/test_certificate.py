"""Certificates as functions of utilities."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.landscapes.bounds import simultaneous
from contract_wrapper.landscapes.certificate import (
    RoleGain,
    Verdict,
    certify,
    decided,
    default_epsilon,
    gain,
    strongest,
)

CONTRACT = Contract(tax=0.3, n_cleaners=1)


def measured(mean: float, se: float = 0.1, n: int = 1) -> list[Estimate]:
    return [Estimate(mean=mean, se=se)] * n


def lone(role: str, mean: float, se: float = 0.1, utility: float = 30.0) -> RoleGain:
    return RoleGain(role=role, gains=measured(mean, se), deviations=["never work"], utility=utility)


def certificate(harvester: float = 5.0, cleaner: float = 3.0, gain: float = -1.0, se: float = 0.1, **other: Any):  # type: ignore[no-untyped-def]
    margins = {"harvester_0": measured(harvester, se), "cleaner_0": measured(cleaner, se)}
    gains = [lone("cleaner", gain, se), lone("harvester", -1.0, se)]
    return certify(CONTRACT, margins, other.pop("gains", gains), epsilon=other.pop("epsilon", 0.6), **other)


def test_a_gain_is_paired_episode_by_episode() -> None:
    found = gain([11.0, 22.0, 33.0], [10.0, 20.0, 30.0])
    assert found.mean == 2.0
    assert found.se == pytest.approx(1.0 / math.sqrt(3))  # of 1, 2, 3; the utilities themselves spread far more


def test_the_strongest_is_the_largest_of_those_that_were_tried() -> None:
    assert strongest([1.0, math.nan, 3.0, 2.0]) == 2
    assert strongest([[math.nan, math.nan], [-2.0, math.nan]]).tolist() == [-1, 0]


def test_epsilon_is_two_percent_of_a_harvesters_utility_without_contract() -> None:
    assert default_epsilon([29.0, 31.0]) == pytest.approx(0.6)
    assert default_epsilon([-5.0]) == 0.0


def test_who_accepts_and_gains_nothing_is_certified() -> None:
    found = certificate()
    assert found.verdict is Verdict.CERTIFIED
    assert found.certified
    assert found.deciding.name == "minus the gain of a cleaner"


def test_a_loss_below_epsilon_is_forgiven_if_its_bound_is_too() -> None:
    assert certificate(gain=0.3).certified  # 0.3 + 2.24 * 0.1 = 0.52 < 0.6
    assert certificate(gain=0.4).verdict is Verdict.UNDECIDED  # 0.62
    assert certificate(gain=0.7).verdict is Verdict.UNDECIDED  # 0.48 to 0.92
    assert certificate(gain=0.9).verdict is Verdict.REFUTED  # at least 0.68


def test_a_refusal_beyond_the_error_refutes_whatever_else_is_good() -> None:
    found = certificate(cleaner=-1.0)
    assert found.verdict is Verdict.REFUTED
    assert found.deciding.name == "cleaner_0"
    assert not found.certified


def test_nothing_is_certified_of_a_role_whose_deviations_were_not_tried() -> None:
    found = certificate(gains=[lone("cleaner", -1.0)])
    assert found.missing == ("harvester",)
    assert found.verdict is Verdict.UNDECIDED
    assert "no deviation was tried" in str(found)
    unmeasured = certificate(gains=[lone("cleaner", -1.0), lone("harvester", math.nan, math.nan)])
    assert unmeasured.missing == ("harvester",)


def test_trainings_are_the_unit_where_there_are_two() -> None:
    apart = [Estimate(mean=1.0, se=0.01), Estimate(mean=3.0, se=0.01)]
    gains = [RoleGain(role=r, gains=measured(-9.0, n=2), deviations=["a", "b"], utility=1.0) for r in ("h", "c")]
    by_trainings = certify(CONTRACT, {"h_0": apart, "c_0": measured(9.0, n=2)}, gains, epsilon=0.6)
    assert by_trainings.unit == "trainings"
    assert by_trainings.verdict is Verdict.UNDECIDED
    by_episodes = certify(CONTRACT, {"h_0": apart, "c_0": measured(9.0, n=2)}, gains, epsilon=0.6, unit="episodes")
    assert by_episodes.certified
    assert by_episodes.gains[0].deviation == "a (1 of 2), b (1 of 2)"


def test_bounds_are_bonferroni_over_margins_and_gains() -> None:
    found = certificate(se=1.0)
    assert found.margins[0].lower == pytest.approx(5.0 - 2.2414, abs=1e-3)  # normal, 1 - 0.05 / 4
    assert found.gains[0].upper == pytest.approx(-1.0 + 2.2414, abs=1e-3)


def test_a_gain_is_told_in_percent_of_what_the_deviator_has() -> None:
    cleaner = certificate(gain=0.3).gains[0]
    assert cleaner.percent() == pytest.approx(1.0)
    assert cleaner.percent(cleaner.upper) == pytest.approx(100 * (0.3 + 0.22414) / 30, abs=1e-3)
    nothing = certificate(gains=[lone("cleaner", 0.3, utility=0.0), lone("harvester", 0.0)]).gains[0]
    assert math.isnan(nothing.percent())


def test_the_text_says_verdict_bounds_and_what_decides() -> None:
    text = str(certificate())
    assert text.splitlines()[0].startswith("tax 0.3, 1 cleaner: certified, epsilon 0.60")
    together = "4 one-sided bounds, which hold together with 95% (normal, over the episodes of 1 training)"
    assert together in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80
    assert "never work" in text
    assert text.splitlines()[-1] == "the verdict hangs on: minus the gain of a cleaner, at least 0.78 (needed: -0.60)"


finite = st.floats(-5.0, 5.0)


@given(finite, finite, finite, st.floats(0.01, 2.0), st.floats(0.0, 2.0))
def test_the_verdict_of_arrays_is_that_of_the_certificate(
    harvester: float, cleaner: float, deviation: float, se: float, epsilon: float
) -> None:
    found = certificate(harvester, cleaner, deviation, se, epsilon=epsilon)
    lower, upper = (np.array([[getattr(b, side) for b in found.bounds]]) for side in ("lower", "upper"))
    certified, refuted = decided(lower, upper, np.ones_like(lower, np.bool_), epsilon)
    assert (certified.item(), refuted.item()) == (
        found.verdict is Verdict.CERTIFIED,
        found.verdict is Verdict.REFUTED,
    )


@pytest.mark.parametrize("seeds", [1, 3, 5])
def test_false_verdicts_are_as_rare_as_they_say(seeds: int) -> None:
    rng = np.random.default_rng(0)
    needed = np.ones((4_000, 4), np.bool_)
    for worst, verdict in ((-1e-6, 0), (0.0, 1)):  # just refuted is called certified, just certified is called refuted
        values = np.array([worst, 50.0, 50.0, 50.0]) + rng.normal(size=(seeds, 4_000, 4))
        found = simultaneous(values, np.ones_like(values))
        share = decided(found.lower, found.upper, needed, 0.0)[verdict].mean()
        assert share <= 0.05
        if verdict == 0:
            assert share > 0.0  # the border is not out of reach


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (lambda: gain([1.0], [1.0]), "at least 2 episodes"),
        (lambda: gain([1.0, 2.0], [1.0, 2.0, 3.0]), r"got \(2,\) and \(3,\)"),
        (lambda: certify(CONTRACT, {}, [], epsilon=0.6), "got none"),
        (lambda: certify(CONTRACT, {"a_0": measured(1.0), "b_0": measured(1.0, n=2)}, [], epsilon=0.6), "1, 2"),
        (lambda: certificate(epsilon=-1.0), "epsilon must be"),
        (lambda: certificate(epsilon=math.nan), "epsilon must be"),
    ],
)
def test_mistakes_are_named(mistake: Any, words: str) -> None:
    with pytest.raises(ContractsError, match=words):
        mistake()

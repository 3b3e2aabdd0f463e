"""Who accepts, decided by one rule; and margins taken seed by seed."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_studies import BASELINE, fake_outcome

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.outcome import Outcome, mean_outcome, paired_margins
from contract_wrapper.evaluation.participation import PARTICIPATION, Acceptance, acceptance, in_words
from contract_wrapper.evaluation.seeds import verdict

CONTRACT = Contract(tax=0.1, n_cleaners=2)
ESTIMATES = st.builds(
    lambda mean, se: Estimate(mean=mean, se=se),
    mean=st.floats(-100, 100),
    se=st.floats(0, 100),
)


@pytest.mark.parametrize(
    ("margins", "word"),
    [
        ([(1.0, 0.5)], "accepted"),  # 1 - 2 * 0.5 is 0
        ([(1.0, 0.51)], "undecided"),
        ([(-1.0, 0.5)], "undecided"),  # -1 + 2 * 0.5 is 0
        ([(-1.0, 0.49)], "refused"),
        ([(0.0, 0.0)], "accepted"),  # the baseline's own
        ([(5.0, 1.0), (-0.1, 0.3)], "undecided"),
        ([(-0.1, 0.3), (-5.0, 1.0), (9.0, 0.1)], "refused"),
    ],
)
def test_two_standard_errors_decide_between_three_words(margins: list[tuple[float, float]], word: str) -> None:
    assert acceptance([Estimate(mean=mean, se=se) for mean, se in margins]) == word


@given(st.lists(ESTIMATES, min_size=1, max_size=6))
def test_the_words_never_contradict_the_measurement(margins: list[Estimate]) -> None:
    word, feasible = acceptance(margins), all(m.mean >= 0 for m in margins)
    assert feasible or word is not Acceptance.ACCEPTED
    assert not feasible or word is not Acceptance.REFUSED
    exact = [dataclasses.replace(m, se=0.0) for m in margins]
    assert acceptance(exact) is (Acceptance.ACCEPTED if feasible else Acceptance.REFUSED)


@given(st.lists(ESTIMATES, min_size=1, max_size=6), st.floats(1.0, 10.0))
def test_larger_errors_only_make_things_undecided(margins: list[Estimate], factor: float) -> None:
    wider = acceptance([dataclasses.replace(m, se=m.se * factor) for m in margins])
    assert wider in (acceptance(margins), Acceptance.UNDECIDED)


def test_who_refuses_and_of_whom_it_is_undecided_is_told() -> None:
    sure, unsure, bad = Estimate(mean=3.0, se=1.0), Estimate(mean=-0.1, se=0.2), Estimate(mean=-3.0, se=1.0)
    margins = {"harvester_0": bad, "harvester_1": unsure, "harvester_2": sure, PARTICIPATION: unsure}
    assert in_words(margins) == "refused by 1 of 3 harvesters (undecided: 1 of 3 harvesters, the cleaners)"
    assert in_words(margins, names=True) == "refused by harvester_0 (undecided: harvester_1, the cleaners)"
    assert in_words({**margins, "harvester_0": sure}) == "undecided for 1 of 3 harvesters, the cleaners"
    assert in_words(dict.fromkeys(margins, sure)) == "accepted by everybody"


def _of_seed(seed: int, harvester: float, contract: Contract = CONTRACT, cleaner: float = 1.0) -> Outcome:
    harvesters = [harvester + extra for extra in range(5)]
    return dataclasses.replace(fake_outcome(contract, harvesters, cleaner), seed=seed)


def test_margins_of_several_seeds_are_differences_within_each_seed() -> None:
    """Trainings that go up and down together leave the difference as it is: +2, +2, +5, so 3 ± 1."""
    none = Contract.none()
    mine = [_of_seed(seed, u) for seed, u in enumerate((12.0, 32.0, 55.0))]
    without = [_of_seed(seed, u, none) for seed, u in enumerate((10.0, 30.0, 50.0))]
    margin = paired_margins(mine, without)["harvester_0"]
    assert (margin.mean, margin.se) == pytest.approx((3.0, 1.0))
    apart = mean_outcome(mine).margins(mean_outcome(without))["harvester_0"]
    assert apart.mean == pytest.approx(3.0)
    assert apart.se > 10
    assert list(paired_margins(mine, without)) == list(mine[0].margins(without[0]))


def test_one_seed_keeps_the_errors_of_its_episodes() -> None:
    mine, without = _of_seed(0, 12.0), _of_seed(0, 10.0, Contract.none())
    assert paired_margins([mine], [without]) == mine.margins(without)


@pytest.mark.parametrize("seeds", [(0,), (1, 0), (0, 1, 2)])
def test_a_baseline_of_other_seeds_is_refused(seeds: tuple[int, ...]) -> None:
    mine = [_of_seed(seed, 12.0) for seed in (0, 1)]
    with pytest.raises(ContractsError, match=r"the baselines must have the seeds \[0, 1\], got"):
        paired_margins(mine, [_of_seed(seed, 10.0, Contract.none()) for seed in seeds])


def test_every_standard_error_says_over_what_it_is() -> None:
    mine = [_of_seed(seed, u) for seed, u in enumerate((12.0, 32.0, 55.0))]
    without = [_of_seed(seed, u, Contract.none()) for seed, u in enumerate((10.0, 30.0, 50.0))]
    text = verdict(CONTRACT, without, mine)
    assert "± is the standard error over 3 trainings, of one seed each; without contract over 3 others" in text
    assert "harvesters: ± over the 3 differences with and without contract of one seed each" in text
    assert "undecided" not in text  # 3 ± 1 is 0 by three standard errors, cleaners have 1 ± 0
    one = verdict(CONTRACT, without[:1], mine[:1])
    assert "over the 100 episodes of one training, without contract of another one" in one
    assert "what other trainings would bring is not in it" in one


def test_an_agent_within_two_standard_errors_refuses_nothing() -> None:
    contract = Contract(tax=0.1, n_cleaners=1)
    near = fake_outcome(contract, [27.9, 32.0, 24.0, 28.0, 33.0], cleaner=5.0)  # harvester_0: -0.1 ± 0.71
    text = verdict(contract, [BASELINE], [near])
    assert "refused by" not in text
    assert not any(line.endswith(" refused") for line in text.splitlines())
    assert "undecided for harvester_0, " in text
    assert near.acceptance(BASELINE) is Acceptance.UNDECIDED
    assert not near.feasible(BASELINE)

"""Who accepts, decided by one rule; and margins taken seed by seed."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_studies import BASELINE, fake_outcome

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.outside_options import OutsideOptions
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.outcome import Outcome, mean_outcome, paired_margins
from contract_wrapper.evaluation.participation import (
    PARTICIPATION,
    Acceptance,
    acceptance,
    crew_margin,
    harvester_margins,
    in_words,
    stay_margins,
)
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


# Outside options.

UTILITIES = {"cleaner_0": Estimate(mean=6.0, se=0.1), "cleaner_1": Estimate(mean=9.0, se=0.2)}
BEFORE = {"harvester_0": Estimate(mean=30.0, se=3.0), "harvester_1": Estimate(mean=20.0, se=3.0)}
AFTER = {"harvester_0": Estimate(mean=34.0, se=4.0), "harvester_1": Estimate(mean=34.0, se=4.0)}


def test_each_cleaner_has_its_own_option_and_the_least_margin_counts() -> None:
    assert crew_margin(UTILITIES) == Estimate(mean=6.0, se=0.1)
    assert crew_margin(UTILITIES, 5.0) == Estimate(mean=1.0, se=0.1)
    assert crew_margin(UTILITIES, "cleaner:5;cleaner_1:8.5") == Estimate(mean=0.5, se=0.2)
    assert crew_margin(UTILITIES, OutsideOptions.of(cleaner_1=8.5)) == Estimate(mean=0.5, se=0.2)
    assert crew_margin({"porter_0": Estimate(mean=6.0)}, 5.0) == Estimate(mean=1.0)  # a number is that of all


@given(
    st.dictionaries(st.sampled_from(["cleaner_0", "cleaner_1", "cleaner_2"]), ESTIMATES, min_size=1), st.floats(-9, 9)
)
def test_one_option_for_all_moves_the_margin_by_it(utilities: dict[str, Estimate], c_min: float) -> None:
    assert crew_margin(utilities, OutsideOptions.of(cleaner=c_min)) == crew_margin(utilities, c_min)
    assert crew_margin(utilities, c_min).mean == pytest.approx(crew_margin(utilities).mean - c_min, abs=1e-12)


def test_a_harvesters_option_counts_where_it_is_more_than_the_baseline() -> None:
    margins = harvester_margins(AFTER, BEFORE, "harvester:25")
    assert margins["harvester_0"] == Estimate(mean=4.0, se=5.0)  # its baseline of 30 is more
    assert margins["harvester_1"] == Estimate(mean=9.0, se=4.0)  # 34 less 25, which has no error
    assert harvester_margins(AFTER, BEFORE, 25.0) == harvester_margins(AFTER, BEFORE)  # a number is of cleaners


@given(st.dictionaries(st.sampled_from([*BEFORE, "harvester"]), st.floats(-50, 50)))
def test_options_only_make_contracts_harder_to_accept(listed: dict[str, float]) -> None:
    options = OutsideOptions.of(**listed)
    with_them, without = harvester_margins(AFTER, BEFORE, options), harvester_margins(AFTER, BEFORE)
    assert all(with_them[agent].mean <= without[agent].mean for agent in BEFORE)
    stay = stay_margins(BEFORE, options)
    for agent, margin in stay.items():
        assert margin.mean == min(0.0, BEFORE[agent].mean - (options.of_agent(agent) or 0.0))
    assert set(stay_margins(BEFORE, OutsideOptions()).values()) == {Estimate(mean=0.0)}


def test_an_outcome_takes_options_as_text_and_refuses_those_of_nobody() -> None:
    mine, without = _of_seed(0, 12.0, cleaner=6.0), _of_seed(0, 10.0, Contract.none())
    margins = mine.margins(without, "cleaner:5;cleaner_1:5.5;harvester_2:13")
    assert margins[PARTICIPATION].mean == 0.5
    assert margins["harvester_2"].mean == 14.0 - 13.0
    assert margins["harvester_0"] == mine.margins(without)["harvester_0"]
    assert mine.feasible(without, "harvester:14") is False
    assert mine.acceptance(without, OutsideOptions.of(cleaner=60)) is Acceptance.REFUSED
    assert without.margins(without, "harvester_0:11;cleaner:99") == {
        **without.margins(without), "harvester_0": Estimate(mean=-1.0, se=without.utilities["harvester_0"].se),
    }  # fmt: skip
    with pytest.raises(ContractsError, match="the outside options name the role 'cleanr'"):
        mine.margins(without, "cleanr:5")


def test_over_seeds_an_option_binds_against_the_mean_baseline() -> None:
    """Baselines 10, 30, 50: an option of 29 is less than their mean, though more than the first."""
    none = Contract.none()
    mine = [_of_seed(seed, u) for seed, u in enumerate((12.0, 32.0, 55.0))]
    without = [_of_seed(seed, u, none) for seed, u in enumerate((10.0, 30.0, 50.0))]
    assert paired_margins(mine, without, "harvester_0:29") == paired_margins(mine, without)
    beyond = paired_margins(mine, without, "harvester_0:31;cleaner:0.25")
    assert beyond["harvester_0"].mean == pytest.approx(33.0 - 31.0)
    assert beyond["harvester_0"].se == pytest.approx(mean_outcome(mine).utilities["harvester_0"].se)
    assert beyond["harvester_1"] == paired_margins(mine, without)["harvester_1"]
    assert beyond[PARTICIPATION].mean == 0.75

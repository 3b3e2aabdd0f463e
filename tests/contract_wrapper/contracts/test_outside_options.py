"""What agents have elsewhere, by role or agent: text, and what cannot be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_wrapper.contracts.outside_options import OutsideOptions, as_outside_options, get_outside_options
from contract_wrapper.errors import ContractsError

AGENTS = ("harvester_0", "harvester_1", "cleaner_0")


def test_text_gives_options_by_role_and_agent():
    options = get_outside_options(" cleaner:5; cleaner_2 : 8 ")
    assert options == OutsideOptions.of(cleaner=5, cleaner_2=8)
    assert [options.of_agent(f"cleaner_{k}") for k in range(3)] == [5.0, 5.0, 8.0]
    assert options.of_agent("harvester_0") is None
    assert get_outside_options("") == OutsideOptions()


@given(st.dictionaries(st.sampled_from(["cleaner", "harvester", *AGENTS]), st.floats(-1e9, 1e9)))
def test_text_of_options_reads_back(listed):
    options = OutsideOptions.of(**listed)
    assert get_outside_options(str(options)) == options


def test_a_number_is_that_of_every_cleaner_and_options_stay_what_they_are():
    options = OutsideOptions.of(cleaner_2=8)
    assert as_outside_options(options) is options
    assert as_outside_options("cleaner_2:8") == options
    assert as_outside_options(-2) == OutsideOptions.of(cleaner=-2.0)


def test_options_of_nobody_are_refused():
    OutsideOptions.of(cleaner=1, harvester_1=2, cleaner_7=3).check(AGENTS)
    with pytest.raises(
        ContractsError, match=r"the outside options name the role 'cleanr', which no agent has; .*'cleaner'"
    ):
        OutsideOptions.of(cleanr=1).check(AGENTS)
    with pytest.raises(
        ContractsError, match="the outside options name the agent 'harvester_2', which the game does not"
    ):
        OutsideOptions.of(harvester_2=1).check(AGENTS)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: get_outside_options("cleaner"), "cannot read 'cleaner' in outside options: write role:apples"),
        (lambda: get_outside_options("cleaner:much"), "cannot read 'cleaner:much' in outside options"),
        (lambda: get_outside_options(":5"), "cannot read ':5' in outside options"),
        (lambda: get_outside_options("cleaner:nan"), "the outside option of 'cleaner' must be a finite number"),
        (lambda: get_outside_options("cleaner:1;cleaner:2"), "list each role or agent once, got cleaner, cleaner"),
        (lambda: get_outside_options(5), "outside options are written as text such as 'cleaner:5', got 5"),
        (lambda: OutsideOptions.of(cleaner=2e9), "must be a finite number of apples, at most 1,000,000,000 in size"),
        (lambda: OutsideOptions.of(cleaner="5"), "the outside option of 'cleaner' must be .* got '5'"),
        (lambda: OutsideOptions(by_name={"cleaner": 5}), r"by_name must be pairs .* OutsideOptions.of\(cleaner=5\)"),
        (lambda: OutsideOptions(by_name=((7, 5),)), "by_name must be pairs of a role or agent"),
        (lambda: as_outside_options(None), "the outside option of 'cleaner' must be a finite number"),
    ],
)
def test_what_cannot_be_an_option_is_refused(call, message):
    with pytest.raises(ContractsError, match=message):
        call()

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.roles import ABSENT, Roles
from contract_wrapper.errors import ContractsError


def test_contract_reads_as_a_sentence():
    assert str(Contract(tax=0.04, n_cleaners=5)) == "tax 0.04, 5 cleaners"
    assert str(Contract(tax=1.0, n_cleaners=1)) == "tax 1, 1 cleaner"
    assert str(Contract.none()) == "no contract (tax 0, 0 cleaners)"


def test_no_contract_recruits_nobody_and_takes_nothing():
    none = Contract.none()
    assert none.is_none
    assert (none.tax, none.n_cleaners) == (0.0, 0)
    assert not Contract(tax=0.0, n_cleaners=1).is_none


def test_equal_numbers_make_equal_contracts_and_one_key():
    trials = {Contract(tax=0.5, n_cleaners=2): "first"}
    assert trials[Contract(tax=np.float64(0.5), n_cleaners=np.int32(2))] == "first"


def test_numpy_numbers_become_plain_python_numbers():
    contract = Contract(tax=np.float32(0.25), n_cleaners=np.int64(3))
    assert type(contract.tax) is float
    assert type(contract.n_cleaners) is int
    assert Contract(tax=Fraction(1, 4), n_cleaners=3) == contract
    assert type(Contract(tax=1, n_cleaners=1).tax) is float


def test_tax_is_never_rounded():
    assert Contract(tax=0.1 + 0.2, n_cleaners=1).tax == 0.1 + 0.2 != 0.3


def test_minus_zero_is_zero_in_text_too():
    assert json.dumps(Contract(tax=-0.0, n_cleaners=1).as_dict()) == '{"tax": 0.0, "n_cleaners": 1}'


@given(st.floats(0, 1), st.integers(1, 100))
def test_contract_survives_json(tax, n_cleaners):
    contract = Contract(tax=tax, n_cleaners=n_cleaners)
    assert Contract.from_dict(json.loads(json.dumps(contract.as_dict()))) == contract


@given(st.floats().filter(lambda x: not 0 <= x <= 1))
def test_tax_outside_the_unit_interval_is_refused(tax):
    with pytest.raises(ContractsError, match=r"tax must lie in \[0, 1\], got"):
        Contract(tax=tax, n_cleaners=1)


@pytest.mark.parametrize("tax", ["0.1", None, True, np.True_, 1j, [0.1], np.array([0.1])])
def test_tax_that_is_no_number_is_refused(tax):
    with pytest.raises(ContractsError, match="tax must be a number"):
        Contract(tax=tax, n_cleaners=1)


def test_tax_without_cleaners_is_refused_with_the_way_out():
    with pytest.raises(ContractsError, match=r"tax 0\.3 and no cleaners: recruit at least one .* Contract\.none"):
        Contract(tax=0.3, n_cleaners=0)


def test_negative_cleaners_are_refused():
    with pytest.raises(ContractsError, match="n_cleaners must be at least 0, got -1"):
        Contract(tax=0.1, n_cleaners=-1)


@pytest.mark.parametrize("count", [2.5, float("nan"), float("inf"), "2", None, True, np.True_])
def test_cleaners_that_are_no_integer_are_refused(count):
    with pytest.raises(ContractsError, match="n_cleaners must be an integer"):
        Contract(tax=0.1, n_cleaners=count)


def test_whole_float_of_cleaners_is_refused_with_the_way_out():
    with pytest.raises(ContractsError, match=r"got 3\.0: write n_cleaners=3"):
        Contract(tax=0.1, n_cleaners=3.0)


@pytest.mark.parametrize("data", [{"tax": 0.1}, {"tax": 0.1, "n_cleaners": 1, "bonus": 2}, {}])
def test_wrong_keys_are_refused(data):
    with pytest.raises(ContractsError, match="keys 'tax' and 'n_cleaners'"):
        Contract.from_dict(data)


def test_contract_cannot_be_changed_after_birth():
    with pytest.raises(AttributeError):
        Contract.none().tax = 0.5


def test_role_is_the_name_up_to_the_last_underscore():
    roles = Roles.from_agents(["harvester_0", "big_fish_12", "judge"])
    assert roles.names == ("harvester", "big_fish", "judge")


def test_masks_say_who_is_who():
    roles = Roles(names=("harvester", "cleaner", "free"))
    assert roles.harvester.tolist() == [True, False, False]
    assert roles.cleaner.tolist() == [False, True, False]
    assert roles.mask("free").tolist() == [False, False, True]


def test_who_left_is_absent_and_in_no_mask():
    roles = Roles(names=("harvester", "cleaner")).present([True, False])
    assert roles.names == ("harvester", ABSENT)
    assert not roles.cleaner.any()


def test_roles_that_do_not_match_the_agents_are_refused():
    with pytest.raises(ContractsError, match="1 roles were given for 2 agents"):
        Roles(names=("cleaner",), agents=("a", "b"))
    with pytest.raises(ContractsError, match="got 7 for agent 0"):
        Roles(names=(7,))

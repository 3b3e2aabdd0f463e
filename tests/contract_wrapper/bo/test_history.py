import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_wrapper.bo.history import History, Result, as_constraints, as_margins
from contract_wrapper.bo.space import contract_space
from contract_wrapper.errors import ContractsError

SPACE = contract_space()
FIRST = Result(
    design=(0.1, 2), objective=5.0, margins={"harvest": 1.0, "slack": -0.5},
    objective_se=0.2, margins_se={"harvest": 0.3, "slack": 0.4},
)  # fmt: skip
SECOND = Result(design=(0.2, 3), objective=6.0, margins={"slack": 2.0, "harvest": 0.0})
FAILED = Result(design=(0.9, 5), failed=True)


def equal(one: History, other: History) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in (
            "designs", "objective", "margins", "constraints", "participation", "binary", "objective_se", "margins_se", "failed",
        )
    )  # fmt: skip


@given(st.dictionaries(st.text(max_size=3), st.floats(allow_nan=False)))
def test_constraints_are_minus_the_margins_and_back(margins):
    assert all(as_constraints(margins)[name] == -margin for name, margin in margins.items())
    assert as_margins(as_constraints(margins)) == margins
    assert as_constraints(as_margins(margins)) == margins


def test_results_in_plain_values_give_the_history_that_adding_them_gives():
    added = History.empty(SPACE, ("harvest", "slack"), participation=1)
    added = added.add((0.1, 2), 5.0, [1.0, -0.5], objective_se=0.2, margins_se=[0.3, 0.4])
    added = added.add((0.2, 3), 6.0, [0.0, 2.0]).add_failed((0.9, 5))
    together = History.of(SPACE, [FIRST, FAILED, SECOND], constraints=("harvest", "slack"), participation="slack")
    assert equal(together, added)


def test_without_names_the_constraints_are_what_results_have_in_alphabetical_order():
    history = History.of(SPACE, [SECOND, FAILED])
    assert history.constraints == ("harvest", "slack")
    assert history.margins.tolist() == [[0.0, 2.0]]
    assert History.of(SPACE, []).constraints == ()
    assert History.of(SPACE, []).designs.shape == History.of(SPACE, []).failed.shape == (0, 2)


def test_standard_errors_that_no_result_has_are_none():
    history = History.of(SPACE, [SECOND])
    assert history.objective_se is None
    assert history.margins_se is None
    both = History.of(SPACE, [SECOND, FIRST])
    assert both.objective_se.tolist() == [0.0, 0.2]
    assert both.margins_se.tolist() == [[0.0, 0.0], [0.3, 0.4]]


@pytest.mark.parametrize(
    "broken",
    [
        Result(design=(0.3, 1), objective=1.0, margins={"harvest": 1.0}),
        Result(design=(0.3, 1), objective=float("inf"), margins=SECOND.margins),
        Result(design=(0.3, 1), margins=SECOND.margins),
        Result(design=(0.3, 1), objective=1.0, margins={"harvest": float("nan"), "slack": 0.0}),
        Result(design=(0.3, 1), objective=1.0, margins=SECOND.margins, failed=True),
    ],
)
def test_a_result_that_lacks_a_finite_value_or_failed_is_a_failure(broken):
    history = History.of(SPACE, [SECOND, broken])
    assert history.designs.tolist() == [[0.2, 3.0]]
    assert history.failed.tolist() == [[0.3, 1.0]]


def test_binary_constraints_are_named_and_unknown_names_refused():
    rows = [Result(design=(0.1, 1), objective=1.0, margins={"a": -3.0, "phi": 1.0})]
    history = History.of(SPACE, rows, participation="phi", binary=("phi",))
    assert (history.participation, history.binary) == (1, (1,))
    with pytest.raises(ContractsError, match=r"among the constraints \('a', 'phi'\), but got \['psi'\]"):
        History.of(SPACE, rows, participation="psi")
    with pytest.raises(ContractsError, match="must hold 0 or 1"):
        History.of(SPACE, rows, binary=("a",))

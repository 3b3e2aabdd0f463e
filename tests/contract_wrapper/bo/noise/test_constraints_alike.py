"""Constraints of agents that are alike, told as one: their mean, with its error."""

import numpy as np
import pytest

from contract_wrapper.bo.history import History
from contract_wrapper.bo.noise.pooling import pooled
from contract_wrapper.errors import ContractsError

HISTORY = History(
    designs=np.array([[0.0], [1.0]]),
    objective=np.array([1.0, 2.0]),
    margins=np.array([[1.0, 3.0, 0.5, 5.0], [-2.0, 4.0, 1.5, 0.0]]),
    constraints=("h0", "h1", "crew", "h2"),
    participation=2,
    margins_se=np.array([[3.0, 4.0, 1.0, 0.0]] * 2),
)


def test_a_group_becomes_its_mean_and_its_error_that_of_a_mean():
    found = pooled(HISTORY, {"h": ("h0", "h1")})
    assert found.constraints == ("h", "crew", "h2")
    assert found.margins.tolist() == [[2.0, 0.5, 5.0], [1.0, 1.5, 0.0]]
    assert found.margins_se.tolist() == [[2.5, 1.0, 0.0]] * 2
    assert found.participation == 1
    assert found.objective.tolist() == [1.0, 2.0]


def test_groups_stand_where_their_first_stood_and_binary_columns_follow():
    history = History(
        designs=np.zeros((1, 1)), objective=np.zeros(1), margins=np.array([[1.0, 2.0, 0.0, 4.0]]),
        constraints=tuple("abcd"), binary=(2,),
    )  # fmt: skip
    found = pooled(history, {"bd": ("b", "d")})
    assert (found.constraints, found.binary, found.margins.tolist()) == (("a", "bd", "c"), (2,), [[1.0, 3.0, 0.0]])
    assert found.margins_se is None


def test_no_group_changes_nothing():
    assert pooled(HISTORY, {}).margins.tolist() == HISTORY.margins.tolist()


@pytest.mark.parametrize(
    "groups", [{"h": ("h0", "h0")}, {"a": ("h0",), "b": ("h0",)}, {"h": ("h0", "crew")}, {"h": ("h9",)}]
)
def test_what_cannot_be_told_as_one_is_refused(groups):
    with pytest.raises(ContractsError, match="told as one"):
        pooled(HISTORY, groups)

"""Other libraries' optimisers answer our ask; BoTorch need not be installed."""

import importlib.util

import numpy as np
import pytest

from contract_wrapper.bo.dimensions import Integer, Real
from contract_wrapper.bo.history import History
from contract_wrapper.bo.space import DesignSpace
from optimiser_bench import library
from optimiser_bench.library import LIBRARY, _margins, why_missing

SPACE = DesignSpace(dimensions=(Real(name="x", low=0.0, high=1.0, step=0.1), Integer(name="n", low=1, high=4)))


def history_of(n):
    history = History.empty(SPACE, ("sum", "phi"), binary=(1,))
    for x, whole in SPACE.sample(np.random.default_rng(0), n):
        history = history.add((x, whole), x + whole, [4.0 - x - whole, float(x < 0.8)])
    return history


@pytest.mark.parametrize("name", ["Optuna TPE", "Optuna GP", "skopt penalty", "BoTorch logCEI"])
def test_a_library_is_asked_like_our_own_and_answers_alike_again(name):
    if importlib.util.find_spec("botorch") is None and name == "BoTorch logCEI":
        pytest.skip("BoTorch is in the extra `bench`")
    first, second = LIBRARY[name](SPACE, history_of(6), [(0.5, 2)], 2, seed=1)
    again = LIBRARY[name](SPACE, history_of(6), [(0.5, 2)], 2, seed=1)
    assert [pick.design for pick in again] == [first.design, second.design]
    assert SPACE.contains(first.design)
    assert SPACE.contains(second.design)


def test_what_is_observed_as_0_or_1_has_its_bound_in_the_middle():
    assert set(_margins(history_of(6))[:, 1]) <= {-0.5, 0.5}


def test_what_is_not_installed_is_left_out_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(library, "_NEEDS", {"BoTorch logCEI": ("no_such_module",)})
    assert why_missing("BoTorch logCEI") == "no_such_module is not installed: pip install -e '.[bench]'"
    assert why_missing("Optuna TPE") == ""

import matplotlib as mpl
import numpy as np
import pytest
from skopt.plots import plot_convergence, plot_evaluations
from skopt.space import Integer, Real

from contract_wrapper import DesignSpace, History, as_optimize_result
from contract_wrapper.errors import ContractsError

mpl.use("Agg")
SPACE = DesignSpace(dimensions=(Real(0.0, 1.0, name="x"), Integer(1, 5, name="n")))


def history_of(*results):
    history = History.empty(SPACE, ("c",))
    for x, n, value, margin in results:
        history = history.add((x, n), value, [margin])
    return history


HISTORY = history_of((0.1, 1, 5.0, 1.0), (0.2, 2, 9.0, -1.0), (0.3, 3, 7.0, 0.0), (0.4, 4, 6.0, 1.0))


def test_the_best_feasible_result_is_the_minimum_and_no_infeasible_one_looks_better():
    result = as_optimize_result(SPACE, HISTORY)
    assert result.success
    assert result.x == [0.3, 3]
    assert result.fun == -7.0 == result.func_vals.min()
    assert result.func_vals.tolist() == [-5.0, -5.0, -7.0, -6.0]  # the second counts as the worst
    assert result.objective.tolist() == [5.0, 9.0, 7.0, 6.0]
    assert result.x_iters[1] == [0.2, 2]
    assert result.nfev == 4


def test_scikit_optimize_draws_it():
    result = as_optimize_result(SPACE, HISTORY)
    axes = plot_convergence(result)
    assert axes.lines[-1].get_ydata().tolist() == [-5.0, -5.0, -7.0, -7.0]
    plot_evaluations(result)  # needs the space and the types of the designs


def test_nothing_feasible_is_no_success_and_nothing_at_all_an_error():
    result = as_optimize_result(SPACE, history_of((0.1, 1, 5.0, -1.0)))
    assert not result.success
    assert result.x is None
    assert np.isnan(result.fun)
    with pytest.raises(ContractsError, match="no results"):
        as_optimize_result(SPACE, history_of())

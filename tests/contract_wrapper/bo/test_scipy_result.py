import matplotlib as mpl
import numpy as np
import pytest
import skopt.space
from matplotlib import pyplot as plt
from skopt import plots
from skopt.plots import plot_convergence, plot_evaluations

from contract_wrapper import (
    Categorical,
    DesignSpace,
    History,
    Integer,
    Real,
    as_optimize_result,
    contract_space,
    from_skopt,
)
from contract_wrapper.bo.scipy_result import to_skopt
from contract_wrapper.errors import ContractsError

mpl.use("Agg")
SPACE = DesignSpace(dimensions=(Real(name="x", low=0.0, high=1.0), Integer(name="n", low=1, high=5)))


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


def results_in(space, n, *, feasible=True):
    """Results of a bowl with its best at 0.3 of each width, of which all or none are feasible."""
    history = History.empty(space, ("c",))
    for row in space.sample(np.random.default_rng(0), n):
        distance = float(((space.to_unit([row])[0] - 0.3) ** 2).sum())
        history = history.add(space.as_design(row), 5.0 - distance, [1.0 if feasible else -1.0])
    return as_optimize_result(space, history)


CURVE = DesignSpace(dimensions=(Real(name="x", low=0.0, high=4.0),))
PLANE = DesignSpace(
    dimensions=(Real(name="x", low=1e-3, high=1.0, log=True), Integer(name="n", low=1, high=5), Integer(name="m", low=3, high=3))
)  # fmt: skip


@pytest.mark.parametrize("feasible", [True, False])
@pytest.mark.parametrize("n", [1, 9])
def test_every_plot_of_scikit_optimize_draws_it(n, feasible):
    """Of one result and of several, with a logarithm and a fixed number, whether anything is feasible or not."""
    plane, curve = results_in(PLANE, n, feasible=feasible), results_in(CURVE, n, feasible=feasible)
    for draw in (
        lambda: plots.plot_convergence(plane, curve),
        lambda: plots.plot_regret(plane, curve),
        lambda: plots.plot_evaluations(plane),
        lambda: plots.plot_objective(plane, n_points=4, n_samples=5),
        lambda: plots.plot_objective(plane, sample_source="result", n_points=4, n_samples=5),
        lambda: plots.plot_objective(curve, n_points=4, n_samples=5),
        lambda: plots.plot_objective_2D(plane, "x", "n", n_points=4, n_samples=5),
        lambda: plots.plot_histogram(plane, "n"),
        lambda: plots.plot_gaussian_process(curve, n_points=5, show_acq_func=True),
    ):
        assert draw() is not None
        plt.close("all")


def test_the_model_of_the_plots_is_minus_the_objective():
    result = results_in(CURVE, 9)
    (model,) = result.models
    mean, sd = model.predict(result.space.transform(result.x_iters), return_std=True)
    assert mean == pytest.approx(-result.objective, abs=0.05)
    assert (sd >= 0).all()
    assert model.predict(result.space.transform([[1.2]])) == pytest.approx([-5.0], abs=0.05)  # the bowl's best
    assert as_optimize_result(SPACE, HISTORY, models=()).models == []


def test_nothing_feasible_is_no_success_and_nothing_at_all_an_error():
    result = as_optimize_result(SPACE, history_of((0.1, 1, 5.0, -1.0)))
    assert not result.success
    assert result.x == [0.1, 1]
    nearest = as_optimize_result(SPACE, history_of((0.1, 1, 9.0, -1.0), (0.2, 2, 5.0, -0.1)))
    assert (nearest.x, nearest.success) == ([0.2, 2], False)
    assert np.isnan(result.fun)
    with pytest.raises(ContractsError, match="no results"):
        as_optimize_result(SPACE, history_of())


MIXED = DesignSpace(
    dimensions=(
        Real(name="x", low=0.0, high=1.0),
        Real(name="rate", low=1e-3, high=1.0, log=True),
        Integer(name="n", low=1, high=5),
        Integer(name="width", low=1, high=64, log=True),
        Integer(name="crew", low=3, high=3),
        Real(name="price", low=0.3, high=0.3),
        Categorical(name="rule", choices=("a", "b", "c")),
        Categorical(name="only", choices=("one",)),
    )
)
ODD = DesignSpace(
    dimensions=(Real(name="x", low=0.0, high=1.0), Categorical(name="kind", choices=(None, True, 1, "a", 2.5)))
)


def test_choices_are_drawn_by_their_names_and_their_model_reads_them():
    """Choices of several kinds are texts there, as scikit-optimize keeps them in one array."""
    rng = np.random.default_rng(0)
    designs = ODD.sample(rng, 12)
    objective = designs[:, 1] - (designs[:, 0] - 0.5) ** 2
    result = as_optimize_result(ODD, History(designs=designs, objective=objective, margins=np.empty((12, 0))))
    assert {point[1] for point in result.x_iters} <= {"None", "True", "1", "'a'", "2.5"}
    assert result.x[1] == "2.5"
    (model,) = result.models
    mean = model.predict(result.space.transform(result.x_iters))
    assert mean == pytest.approx(-objective, abs=0.05)
    for draw in (plots.plot_evaluations, lambda r: plots.plot_objective(r, n_points=4, n_samples=5)):
        assert draw(result) is not None
        plt.close("all")


def test_a_space_given_out_and_taken_back_is_the_same():
    assert from_skopt(to_skopt(MIXED)) == MIXED
    assert from_skopt(to_skopt(contract_space()), steps={"tax": 0.01}) == contract_space()


def test_scikit_optimize_means_the_same_by_a_dimension():
    theirs = to_skopt(MIXED)
    assert [dimension.name for dimension in theirs] == list(MIXED.names)
    designs = [MIXED.named(row).values() for row in MIXED.sample(np.random.default_rng(0), 20)]
    assert all(list(design) in theirs for design in designs)
    theirs = skopt.space.Real(1e-3, 1.0, "log-uniform", transform="normalize", name="rate")
    np.testing.assert_allclose(from_skopt([theirs]).to_unit([[1e-2], [0.5]])[:, 0], theirs.transform([1e-2, 0.5]))


@pytest.mark.parametrize(
    ("dimensions", "steps", "message"),
    [
        ([skopt.space.Categorical(["x", "y"])], {}, "needs a name"),
        ([skopt.space.Categorical(["x"], name="a")], {"a": 0.1}, "steps are for Real"),
        ([skopt.space.Real(0, 1)], {}, "needs a name"),
        ([skopt.space.Real(0, 1, name="a")], {"a": 0.3}, "a whole number of times"),
        ([skopt.space.Real(0, 1, name="a")], {"b": 0.1}, "got some for \\['b'\\]"),
        ([skopt.space.Integer(0, 3, name="a")], {"a": 1}, "steps are for Real"),
        ([(0.0, 1.0)], {}, "scikit-optimize's Real"),
    ],
)
def test_what_scikit_optimize_has_and_the_search_has_not_is_refused(dimensions, steps, message):
    with pytest.raises(ContractsError, match=message):
        from_skopt(dimensions, steps)

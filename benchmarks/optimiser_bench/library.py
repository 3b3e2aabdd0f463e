"""Rivals from other libraries behind the same ask: Optuna's constrained GP and TPE, BoTorch, scikit-optimize.

The extra `bench` installs them. Every ask builds the library's optimiser anew from the history, so
that it is a function of its arguments; what a library would keep between asks it must find again.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.ask import Ask, Rule, ask_with, taken
from contract_wrapper.bo.candidates.sampling import without
from contract_wrapper.bo.dimensions import Categorical, Dimension, Integer
from contract_wrapper.bo.history import History
from contract_wrapper.bo.space import DesignSpace
from contract_wrapper.bo.suggestion import Suggestion

if TYPE_CHECKING:
    import optuna

Floats = npt.NDArray[np.float64]
Pick = Callable[[DesignSpace, History, Floats, int], Sequence[float] | None]
"""Space, results, pending designs (p, d) and a seed -> a design, None if none is left."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LibraryRule(Rule):
    """A library's rule; it predicts nothing that we could tell."""

    pick: Pick

    def step(self, pending: Floats, t: int, rng: np.random.Generator) -> Iterator[Suggestion]:
        """Yield the library's design, if it has one."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = self.pick(self.space, self.history, pending, int(rng.integers(2**31)))
        if found is not None:
            yield Suggestion.unpredicted(self.space.as_design(np.asarray(found, dtype=float)))


def _rival(pick: Pick) -> Ask:
    return ask_with(lambda space, history: LibraryRule(space=space, history=history, pick=pick))


def _margins(history: History) -> Floats:
    """Margins with 0 between good and bad, (n, m)."""
    margins = history.margins.copy()
    margins[:, list(history.binary)] -= 0.5
    return margins


# ---- Optuna


def _optuna(sampler: Callable[[int], optuna.samplers.BaseSampler]) -> Pick:
    def pick(space: DesignSpace, history: History, pending: Floats, seed: int) -> Sequence[float]:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        study = optuna.create_study(direction="maximize", sampler=sampler(seed))
        distributions = _distributions(space)

        def params(row: Floats) -> dict[str, float]:
            return dict(zip(space.names, space.as_design(row), strict=True))

        for row, value, margins in zip(history.designs, history.objective, _margins(history), strict=True):
            study.add_trial(
                optuna.trial.create_trial(
                    params=params(row),
                    distributions=distributions,
                    value=float(value),
                    constraints={name: -float(m) for name, m in zip(history.constraints, margins, strict=True)},
                )
            )
        for row in pending:
            state = optuna.trial.TrialState.RUNNING
            study.add_trial(optuna.trial.create_trial(params=params(row), distributions=distributions, state=state))
        asked = study.ask(distributions)
        return [asked.params[name] for name in space.names]

    return pick


def _distributions(space: DesignSpace) -> dict[str, Any]:
    """Optuna's names for the dimensions; of choices, for their places."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    def of(d: Dimension) -> Any:
        if isinstance(d, Categorical):
            return CategoricalDistribution(tuple(range(d.count)))
        if isinstance(d, Integer):
            return IntDistribution(d.low, d.high, log=d.log)
        return FloatDistribution(d.low, d.high, log=d.log, step=d.step)

    return {d.name: of(d) for d in space.dimensions}


def _gp_sampler(seed: int) -> optuna.samplers.BaseSampler:
    import optuna

    return optuna.samplers.GPSampler(seed=seed, n_startup_trials=1)


def _tpe_sampler(seed: int) -> optuna.samplers.BaseSampler:
    import optuna

    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=1, multivariate=True, constant_liar=True)


# ---- BoTorch


def _botorch(space: DesignSpace, history: History, pending: Floats, seed: int) -> Sequence[float] | None:
    """Constrained log EI (Ament et al. 2023) of BoTorch's own GPs; log Pr(feasible) while nothing is.

    Pending designs are believed: they enter with the models' own means. A grid is scored whole.
    """
    import torch
    from botorch.acquisition.analytic import LogConstrainedExpectedImprovement, LogProbabilityOfFeasibility
    from botorch.models import ModelListGP

    torch.manual_seed(seed)
    x = torch.tensor(space.to_unit(history.designs))
    y = np.column_stack([history.objective, _margins(history)])
    # not centred where 0 is the bound; a margin that never varied keeps a spread of its own size
    scale = np.where(y.std(axis=0) > 0, y.std(axis=0), np.maximum(np.abs(y).max(axis=0), 1.0))
    shift = np.array([y[:, 0].mean(), *[0.0] * len(history.constraints)])
    y = (y - shift) / scale
    models = [_botorch_gp(x, column, space.to_unit(pending)) for column in y.T]
    model = ModelListGP(*models)
    bounds = {1 + j: (0.0, None) for j in range(len(history.constraints))}
    feasible = history.feasible()
    if feasible.any():
        best = float(y[feasible, 0].max())
        acquisition: Any = LogConstrainedExpectedImprovement(model, best, objective_index=0, constraints=bounds)
    else:
        acquisition = LogProbabilityOfFeasibility(model, constraints=bounds)
    return _botorch_best(acquisition, space, taken(history, pending), seed)


def _botorch_gp(x: Any, column: Floats, pending: Floats) -> Any:
    import torch
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from gpytorch.mlls import ExactMarginalLogLikelihood

    def gp(inputs: Any, outputs: Any) -> Any:
        return SingleTaskGP(inputs, outputs, outcome_transform=None)

    y = torch.tensor(column)[:, None]
    model = gp(x, y)
    fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    if not len(pending):
        return model
    more = torch.tensor(pending)
    with torch.no_grad():
        believed = gp(torch.cat([x, more]), torch.cat([y, model.posterior(more).mean]))
    believed.load_state_dict(model.state_dict())
    return believed.eval()


def _botorch_best(acquisition: Any, space: DesignSpace, taken: Floats, seed: int) -> Sequence[float] | None:
    import torch
    from botorch.optim import optimize_acqf, optimize_acqf_mixed

    grid = space.grid()
    if grid is not None:
        left = without(space, grid, taken)
        if not len(left):
            return None
        with torch.no_grad():
            values = acquisition(torch.tensor(space.to_unit(left))[:, None, :])
        return list(left[int(values.argmax())])
    bounds = torch.tensor([[0.0] * len(space), [1.0] * len(space)], dtype=torch.double)
    whole = {i: n for i, n in enumerate(space.counts) if n is not None and n <= 20}
    options: dict[str, Any] = {"bounds": bounds, "q": 1, "num_restarts": 5, "raw_samples": 256}
    if whole:
        import itertools

        values = [[(i, k / max(n - 1, 1)) for k in range(n)] for i, n in whole.items()]
        found, _ = optimize_acqf_mixed(
            acquisition, fixed_features_list=[dict(c) for c in itertools.product(*values)], **options
        )
    else:
        found, _ = optimize_acqf(acquisition, **options)
    return list(space.from_unit(found.detach().numpy())[0])


# ---- scikit-optimize


def _skopt(space: DesignSpace, history: History, pending: Floats, seed: int) -> Sequence[float]:
    """`gp_minimize`'s optimiser on penalised values; pending designs are told as its own mean ("cl_mean").

    A result that is not feasible counts as the worst result of all, plus the spread of the results
    times how much its margins lack, each in units of the most that any lacks.
    """
    import skopt

    counts = space.counts
    dimensions = [skopt.space.Real(0.0, 1.0) if n is None else skopt.space.Integer(0, n - 1) for n in counts]
    width = np.array([1.0 if n is None else n - 1.0 for n in counts])

    def places(designs: Floats) -> list[list[Any]]:
        rows = space.to_unit(designs) * width
        return [[float(v) if n is None else round(v) for v, n in zip(row, counts, strict=True)] for row in rows]

    lacking = np.maximum(0.0, -_margins(history))
    share = (lacking / np.maximum(lacking.max(axis=0, initial=0.0), 1e-12)).sum(axis=1)
    loss = -history.objective
    spread = float(loss.std()) or 1.0
    loss = np.where(history.feasible(), loss, loss.max() + spread * share)
    optimizer = skopt.Optimizer(dimensions, "GP", n_initial_points=0, random_state=seed, acq_func="gp_hedge")
    told = [*zip(places(history.designs), loss, strict=True)]
    told += [(place, float(loss.mean())) for place in places(pending)]
    optimizer.tell([place for place, _ in told], [float(value) for _, value in told])
    found = np.asarray([optimizer.ask()], dtype=float) / width
    return list(space.from_unit(found)[0])


LIBRARY: dict[str, Ask] = {
    "Optuna GP": _rival(_optuna(_gp_sampler)),
    "Optuna TPE": _rival(_optuna(_tpe_sampler)),
    "BoTorch logCEI": _rival(_botorch),
    "skopt penalty": _rival(_skopt),
}
"""Name in tables -> ask."""

_NEEDS = {"Optuna GP": ("optuna", "torch"), "BoTorch logCEI": ("botorch",)}


def why_missing(name: str) -> str:
    """Say why an optimiser cannot be used; empty if it can."""
    lacking = [module for module in _NEEDS.get(name, ()) if importlib.util.find_spec(module) is None]
    return f"{lacking[0]} is not installed: pip install -e '.[bench]'" if lacking else ""

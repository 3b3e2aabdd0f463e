"""cPMES as an Optuna sampler, for any study with one objective and any constraints.

Constraints are those of Optuna 5, `trial.set_constraint(name, value)` with value <= 0 feasible; here
they become margins >= 0. What is suggested depends on the seed, the trial's number and the other
trials alone, so a study that is resumed goes on as if it had not been stopped.
"""

from __future__ import annotations

import contextlib
import json
import warnings
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from contract_wrapper.bo.ask import MOST_PENDING
from contract_wrapper.bo.cpmes import ask
from contract_wrapper.bo.cpmes_config import CPMESConfig, check_config
from contract_wrapper.bo.dimensions import MOST_CHOICES, SMALLEST_STEP, Categorical, Dimension, Integer, Real
from contract_wrapper.bo.history import MOST_RESULTS, History, Result, as_margins
from contract_wrapper.bo.numbers_in import check_count, check_seed, in_range, is_number
from contract_wrapper.bo.space import GRID_LIMIT, DesignSpace
from contract_wrapper.bo.suggestion import LARGEST_BATCH, SpaceExhausted
from contract_wrapper.errors import ContractsError

Floats = npt.NDArray[np.float64]
Distributions = Mapping[str, BaseDistribution]
_NUMERIC = (FloatDistribution, IntDistribution)

_ATTEMPTS = 5  # to find a design that no other worker takes at the same moment
_ASKED = "cpmes:asked"  # system attribute: what a running trial was given, before it has suggested it all
_WHY = "cpmes:why"  # system attribute: the reason, for people


class CPMESSampler(optuna.samplers.BaseSampler):
    """Suggest parameters of an Optuna study by cPMES.

    >>> import optuna
    >>> optuna.logging.set_verbosity(optuna.logging.ERROR)
    >>> def objective(trial):
    ...     x = trial.suggest_float("x", 0, 1)
    ...     trial.set_constraint("limit", x - 0.5)  # feasible up to 0.5
    ...     return x
    >>> study = optuna.create_study(sampler=CPMESSampler(seed=0), direction="maximize")
    >>> study.optimize(objective, n_trials=3)

    Floats and integers, with steps and logarithms, and categorical parameters of up to 1000 choices are searched
    together; what only some trials have is drawn at random. Trials that run elsewhere are pending;
    failed and pruned ones, and those with a value that is not finite or larger than 1e60, or a constraint that others
    have and they lack, are neither fitted nor repeated; those with parameters of other kinds are ignored. When a finite space is used up, the study is
    stopped, and a warning says so.
    """

    def __init__(self, *, seed: int, config: CPMESConfig | None = None, n_startup_trials: int | None = None) -> None:
        """Choose how to search.

        Args:
            seed: of the whole study; workers of one study share it.
            config: see `CPMESConfig`; None for the default.
            n_startup_trials: finished trials before the first suggestion, until then parameters are random;
                None for 2 d + 3 with d parameters, the size of the contract paper's prior set.
        """
        if n_startup_trials is not None:
            check_count(n_startup_trials, "n_startup_trials, if not None,", 1, MOST_RESULTS)
        check_config(config)
        self._seed, self._config, self._n_startup = check_seed(seed, "CPMESSampler"), config, n_startup_trials

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the parameters that all completed trials have and the search knows, by name."""
        self._raise_error_if_multi_objective(study)
        completed = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        found = optuna.search_space.intersection_search_space(completed)
        return {name: d for name, d in sorted(found.items()) if _is_searched(d)}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Suggest the parameters of one trial; none while parameters are random."""
        if not search_space:
            return {}
        for _ in range(_ATTEMPTS):
            trials = [t for t in study.get_trials(deepcopy=False) if t.number != trial.number]
            params, why = self._choose(study, trials, trial.number, search_space)
            if not params:
                return {}
            _publish(study, trial, {_ASKED: json.dumps(_plain(params, search_space)), _WHY: why})
            # Another worker may have taken the same design since we looked. Each writes before it looks again,
            # so at least one of two sees it, and chooses anew.
            again = [_params(t, search_space) for t in study.get_trials(deepcopy=False) if t.number != trial.number]
            if _design(params, search_space) not in [_design(other, search_space) for other in again]:
                break
        return params

    def _choose(
        self, study: optuna.Study, trials: Sequence[FrozenTrial], number: int, search_space: Distributions
    ) -> tuple[dict[str, Any], str]:
        """Return parameters for a trial, and why; none while parameters are random, or where none are left."""
        space = space_of(search_space)
        history = history_of(trials, search_space, space, study.direction)
        startup = 2 * len(search_space) + 3 if self._n_startup is None else self._n_startup
        if len(history) + len(history.failed) < startup:
            return {}, ""
        pending, choosing = _running(trials, search_space, number)
        try:
            # Trials with a smaller number that have chosen nothing yet choose first, by the same rule.
            choosing = choosing[-(LARGEST_BATCH - 1) :]
            first = number - len(choosing)
            pending = pending[-MOST_PENDING:]
            picks = ask(space, history, pending, 1 + len(choosing), seed=self._seed, trial=first, config=self._config)
        except SpaceExhausted:
            warnings.warn(
                f"every design of {sorted(search_space)} is evaluated, failed or pending: the study is stopped, "
                "and its last trial repeats one at random; search a larger space or a finer step",
                stacklevel=3,
            )
            with contextlib.suppress(RuntimeError):  # asked from outside `optimize`
                study.stop()
            return {}, ""
        values = zip(search_space.items(), picks[-1].design, strict=True)
        params = {name: _external(d, value) for (name, d), value in values}
        return params, picks[-1].why(tuple(params.values()) if space.categorical else None)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Draw one parameter at random, from the seed, the trial's number and the parameter's name."""
        entropy = [self._seed, trial.number, zlib.crc32(param_name.encode())]
        state = int(np.random.SeedSequence(entropy).generate_state(1, np.uint32)[0])
        return optuna.samplers.RandomSampler(seed=state).sample_independent(
            study, trial, param_name, param_distribution
        )


def space_of(distributions: Distributions) -> DesignSpace:
    """Return the design space of distributions, in their order.

    Numbers with more values than `GRID_LIMIT` are searched as if continuous, and rounded afterwards. Choices may be
    anything; the space has their places.
    """
    return DesignSpace(dimensions=tuple(_dimension(name, d) for name, d in distributions.items()))


def _dimension(name: str, distribution: BaseDistribution) -> Dimension:
    if isinstance(distribution, CategoricalDistribution):
        return Categorical(name=name, choices=tuple(range(len(distribution.choices))))
    if not isinstance(distribution, _NUMERIC):
        raise ContractsError(
            f"{name} is a {type(distribution).__name__}, but cPMES searches floats, integers and choices only: "
            "leave it to sample_independent"
        )
    low, high, step, log = distribution.low, distribution.high, distribution.step, distribution.log
    known = in_range(low) and in_range(high)  # else the dimension says what is wrong
    countable = known and step is not None and step >= SMALLEST_STEP and (high - low) / step + 1 <= GRID_LIMIT
    if isinstance(distribution, IntDistribution) and step == 1 and countable:
        return Integer(name=name, low=distribution.low, high=distribution.high, log=log)
    return Real(name=name, low=low, high=high, step=step if countable else None, log=log)


def history_of(
    trials: Sequence[FrozenTrial],
    distributions: Distributions,
    space: DesignSpace,
    direction: optuna.study.StudyDirection,
) -> History:
    """Return what finished trials say: objectives to be maximised, margins >= 0 good, and failures."""
    sign = 1.0 if direction == optuna.study.StudyDirection.MAXIMIZE else -1.0
    finished = [(t, _design(t.params, distributions)) for t in trials if t.state.is_finished()]
    return History.of(space, [_result(t, design, sign) for t, design in finished if design is not None])


def _result(trial: FrozenTrial, design: Sequence[float], sign: float) -> Result:
    if trial.state != TrialState.COMPLETE or not all(map(is_number, [trial.value, *trial.constraints.values()])):
        return Result(design=design, failed=True)
    return Result(design=design, objective=sign * float(trial.value or 0.0), margins=as_margins(trial.constraints))


def _design(params: Mapping[str, Any], distributions: Distributions) -> list[float] | None:
    """Return the parameters in the order of the distributions; None where one is missing or no value for them."""
    design = []
    for name, distribution in distributions.items():
        value = params.get(name)
        if isinstance(distribution, CategoricalDistribution):
            place = _place(distribution, value) if name in params else None
            if place is None:
                return None
            design.append(float(place))
        elif (
            value is None
            or not in_range(value)
            or (isinstance(distribution, _NUMERIC) and distribution.log and value <= 0)
        ):
            return None
        else:
            design.append(float(value))
    return design


def _is_searched(distribution: BaseDistribution) -> bool:
    """Tell whether the search knows a parameter: numbers and not too many choices, more than one of them.

    Choices between which Optuna's own storage makes no difference, such as 1 and True, are left to chance.
    """
    if not isinstance(distribution, CategoricalDistribution):
        return isinstance(distribution, _NUMERIC) and not distribution.single()
    places = range(len(distribution.choices))
    return 1 < len(places) <= MOST_CHOICES and all(_place(distribution, distribution.choices[i]) == i for i in places)


def _place(distribution: CategoricalDistribution, choice: Any) -> int | None:
    """Return where a choice stands, from 0; None if it is none."""
    try:
        return int(distribution.to_internal_repr(choice))
    except ValueError:
        return None


def _external(distribution: BaseDistribution, value: float) -> Any:
    """Return the parameter that a value of a design stands for."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[round(value)]
    if not isinstance(distribution, _NUMERIC):
        raise TypeError(distribution)  # the search space has none of these
    return _nearest(distribution, value)


def _plain(params: Mapping[str, Any], distributions: Distributions) -> dict[str, Any]:
    """Return parameters as JSON takes them: numbers, and places of choices, which may be anything."""
    return {
        name: _place(d, params[name]) if isinstance(d, CategoricalDistribution) else params[name]
        for name, d in distributions.items()
    }


def _running(
    trials: Sequence[FrozenTrial], distributions: Distributions, number: int
) -> tuple[list[list[float]], list[int]]:
    """Return designs under evaluation elsewhere, and numbers before ours of trials still choosing."""
    pending, choosing = [], []
    for t in trials:
        if t.state != TrialState.RUNNING:
            continue
        design = _design(_params(t, distributions), distributions)
        if design is not None:
            pending.append(design)
        elif t.number < number:
            choosing.append(t.number)
    return pending, choosing


def _publish(study: optuna.Study, trial: FrozenTrial, attributes: Mapping[str, str]) -> None:
    """Store system attributes of a running trial, where the other workers of the study see them.

    A sampler is handed a `FrozenTrial`, for which Optuna 5 has no public setter; its own samplers write to the
    storage in this way, too. Nothing else here uses a private name of Optuna's.
    """
    for key, value in attributes.items():
        study._storage.set_trial_system_attr(trial._trial_id, key, value)


def _params(trial: FrozenTrial, distributions: Distributions) -> dict[str, Any]:
    """Return what a trial has suggested, and what it was given and has yet to suggest."""
    try:
        asked = json.loads(trial.system_attrs.get(_ASKED, "{}"))
    except (TypeError, ValueError):  # not written here
        asked = {}
    given = asked if isinstance(asked, dict) else {}
    for name, distribution in distributions.items():
        if name in given and isinstance(distribution, CategoricalDistribution):
            place = given.pop(name)
            if isinstance(place, int) and 0 <= place < len(distribution.choices):
                given[name] = _external(distribution, place)
    return {**given, **trial.params}


def _nearest(distribution: FloatDistribution | IntDistribution, value: float) -> float | int:
    """Return the value of the distribution that is nearest to this one."""
    if distribution.step is not None:
        last = round((distribution.high - distribution.low) / distribution.step)
        k = min(max(round((value - distribution.low) / distribution.step), 0), last)
        value = distribution.low + k * distribution.step
    value = min(max(value, distribution.low), distribution.high)
    return round(value) if isinstance(distribution, IntDistribution) else float(value)

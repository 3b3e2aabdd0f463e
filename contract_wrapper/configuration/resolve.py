"""From assignments, the later ones over the earlier ones, to checked settings.

A wrong value is told with its key and the file or `--set` that gives it, whatever part of the settings refuses it: the
assignments at fault are those without which the error would be another one or none.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from cleanup_env import CleanupConfig, make_config
from contract_wrapper.configuration.faults import ERRORS as ERRORS
from contract_wrapper.configuration.faults import explained
from contract_wrapper.configuration.keys import (
    NAME,
    NONE,
    PRESET,
    PROFILE,
    Key,
    Kind,
    all_keys,
    alternatives,
    below,
    is_shared,
    keys_of,
    nearest,
    roots,
    used_by,
    words_of,
)
from contract_wrapper.configuration.sources import SET, Assignment, last, placed
from contract_wrapper.configuration.value_types import called, fits, has_parts
from contract_wrapper.contracts.costs import get_costs
from contract_wrapper.engines.engine import Engine
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.judging.chosen_problem import ChosenProblem
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.landscapes.building.landscape_settings import LandscapeSettings
from contract_wrapper.learners.registry import DEFAULT, get_learner, learner_of
from contract_wrapper.problems.cleanup import CleanupProblem
from contract_wrapper.studies.settings import SearchSettings

USUAL_PROFILE = "fast"
"""Profile of a learner of which none is named."""

T = TypeVar("T")
Assignments = Sequence[Assignment]
Reader = Callable[[str], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """Builds settings from assignments."""

    assignments: tuple[Assignment, ...]
    """All that is said, the later over the earlier."""

    payment: Reader
    """Reads the name of a payment rule."""

    def evaluation(self) -> EvaluationSettings:
        """Settings of evaluations.

        Raises:
            ContractsError: a value is out of range; the message names its key and where it stands.
            CleanupError, LearnerError: an option of the command is, and no key of a file.
        """
        if self._chosen().usual:
            return self._build(EvaluationSettings(), self._of(keys_of(EvaluationSettings)), ())

        def build(some: list[Assignment]) -> EvaluationSettings:
            """Game and costs are the problem's, everything else is the evaluation's."""
            own = {name: [a for a in some if a.key[0] == name] for name in ("game", "costs")}
            keys, usual = keys_of(EvaluationSettings), EvaluationSettings()
            named = _table(ChosenProblem(), some, path=(), payment=self.payment)
            mine = named.own
            if mine is not None and any(own.values()):
                raise ContractsError(
                    f"the problem {mine.name} says for itself which game is played and what work costs: leave out "
                    f"{' and '.join(name for name, said in own.items() if said)}"
                )
            game = _read(keys["game"], usual.game, own["game"], ("game",), self.payment)
            costs = get_costs(own["costs"][-1].value) if own["costs"] else usual.costs
            base = dataclasses.replace(usual, problem=mine or named.problem(game, costs, self.search().max_cleaners))
            rest = [a for a in some if a.key[0] in keys and a.key[0] not in own]
            made: EvaluationSettings = _table(base, rest, path=(), payment=self.payment)
            return made

        return explained(build, self._of({*keys_of(EvaluationSettings), *keys_of(ChosenProblem)}))

    def search(self) -> SearchSettings:
        """Settings of a search; errors as in `evaluation`."""
        return self._build(SearchSettings(), self._of(("search",)), ("search",))

    def engine(self) -> Engine:
        """Where the work is done; errors as in `evaluation`."""
        return self._build(Engine(), self._of(("engine",)), ("engine",))

    def landscape(self) -> LandscapeSettings:
        """Settings of a landscape, with game and costs of the top; errors as in `evaluation`, and as payment is not its."""
        paid = last(self.assignments, "payment")
        if paid is not None and self.payment(paid.value) is not None:
            raise ContractsError(
                f"{paid.place}: a landscape plays the contracts of tax and share, got {shown(paid.value)}; leave it out"
            )
        shared = [name for name, key in keys_of(LandscapeSettings).items() if is_shared(key)]
        usual = self._chosen().usual

        def build(some: list[Assignment]) -> LandscapeSettings:
            kept = [a for a in some if usual or a.key[0] not in shared]  # else they are the problem's
            moved = [dataclasses.replace(a, key=("landscape", *a.key)) if a.key[0] in shared else a for a in kept]
            made: LandscapeSettings = _table(LandscapeSettings(), moved, path=("landscape",), payment=self.payment)
            return made

        return explained(build, self._of((*shared, "landscape")))

    def designed(self) -> CleanupProblem | None:
        """Design problem of a landscape, with game and costs of the top; None: that of the tax. Errors as in `evaluation`.

        The tax, too, is designed where single agents have prices of their own, so that each of them deviates.
        """
        if not self._chosen().usual:
            problem = self.evaluation().problem
            if not isinstance(problem, CleanupProblem):
                raise ContractsError(
                    f"a landscape needs agents that know all contracts, and those of {self._chosen().contract} cannot be shown "
                    "to them: make the problem by cleanup_problem(family), or search it (optimize)"
                )
            return problem
        tax = self.landscape()
        if not tax.costs.singled_out:
            return None
        return ChosenProblem().problem(tax.game, tax.costs, self.search().max_cleaners)

    def check(self, command: str) -> None:
        """Refuse keys that there are not, values of another type, and by `--set` keys that a command does not read.

        Raises:
            ContractsError: naming the key, where it stands, and the nearest known one.
        """
        types = self._learners()
        for one in self.assignments:
            self._check(one, types)
        for one in self.assignments:
            if one.where == SET and one.key[0] not in used_by()[command]:
                users = [name for name, used in used_by().items() if one.key[0] in used and name != "show"]
                raise ContractsError(
                    f"{one.place} changes nothing here: {command} does not read {one.key[0]}, which is for "
                    f"{', '.join(users)}; leave it out"
                )

    def _chosen(self) -> ChosenProblem:
        return self._build(ChosenProblem(), self._of(keys_of(ChosenProblem)), ())

    def _of(self, names: Any) -> list[Assignment]:
        return [a for a in self.assignments if a.key[0] in names]

    def _build(self, base: T, assignments: list[Assignment], path: tuple[str, ...]) -> T:
        made: T = explained(partial(_table, base, path=path, payment=self.payment), assignments)
        return made

    # ---- checks of keys and types

    def _learners(self) -> dict[str, type]:
        """Dotted key of each learner -> type of its settings, by the name that counts."""
        found = {}
        for path, key in _learner_keys():
            named = last(self.assignments, f"{path}.{NAME}")
            if named is None:
                config = type(_default(path))
            elif not isinstance(named.value, str):
                raise ContractsError(f"{named.place} must be text, got {shown(named.value)}")
            else:
                config = explained(lambda some: get_learner(some[0].value if some else DEFAULT).config, [named])
            if all(dataclasses.is_dataclass(one) for one in alternatives(key.hint)) and not issubclass(
                config, alternatives(key.hint)
            ):
                its = learner_of(_default(path)).name
                place = path if named is None else named.place
                raise ContractsError(
                    f"{place} must be {its}, which alone learns here, got {shown(named and named.value)}"
                )
            found[path] = config
        return found

    def _check(self, one: Assignment, types: Mapping[str, type]) -> None:
        known: Mapping[str, Key] = roots()
        words: tuple[str, ...] = ()
        key: Key | None = None
        for depth, name in enumerate(one.key):
            path = ".".join(one.key[: depth + 1])
            if name in words and depth == len(one.key) - 1:
                _check_type(one, str)
                return
            if name not in known:
                raise _unknown(one, path, [*words, *known], types)
            key, words = known[name], words_of(known[name])
            known = keys_of(types[path]) if key.kind is Kind.LEARNER else below(key)
        assert key is not None
        if one.inside and not has_parts(key.hint):
            raise _unknown(one, str(one), (), types)
        if key.kind in (Kind.COSTS, Kind.PAYMENT):
            _check_type(one, str)
        elif key.optional and one.value in (None, NONE) and not one.inside:
            return
        elif key.kind is not Kind.VALUE:  # only an empty table is left whole
            if one.value != {}:
                raise ContractsError(f"{one.place} must be a table of settings, got {shown(one.value)}")
        elif one.inside:
            _check_type(dataclasses.replace(one, value={one.inside: one.value}), key.hint)
        else:
            _check_type(one, key.hint, key.optional)


def _table(base: Any, assignments: Assignments, *, path: tuple[str, ...], payment: Reader) -> Any:
    """Settings with some of their fields changed."""
    changes: dict[str, Any] = {}
    for name, key in keys_of(type(base)).items():
        mine = [a for a in assignments if a.key[: len(path) + 1] == (*path, name)]
        if mine:
            changes[name] = _read(key, getattr(base, name), mine, (*path, name), payment)
    return dataclasses.replace(base, **changes) if changes else base


def _read(key: Key, base: Any, mine: Assignments, path: tuple[str, ...], payment: Reader) -> Any:
    if key.kind is Kind.GAME:
        values = _fields(mine, path, {}, keys_of(CleanupConfig))
        return make_config(values.pop(PRESET, "contract"), **values)
    if key.kind is Kind.LEARNER:
        return _learner(base, mine, path)
    if key.kind is Kind.TABLE:
        nothing = [i for i, a in enumerate(mine) if a.key == path and a.value in (None, NONE)]
        left = mine[nothing[-1] + 1 :] if nothing else mine
        if not left:
            return None
        return _table(key.hint() if base is None else base, left, path=path, payment=payment)
    value = mine[-1].value
    if key.kind is Kind.COSTS:
        return get_costs(value)
    if key.kind is Kind.PAYMENT:
        return payment(value)
    return _fields(mine, path[:-1], {key.name: base}, {key.name: key})[key.name]


def _learner(base: Any, mine: Assignments, path: tuple[str, ...]) -> Any:
    chosen = {a.key[-1]: a.value for a in mine if a.key in ((*path, NAME), (*path, PROFILE))}
    if chosen:
        name = chosen.get(NAME, learner_of(base).name)
        if PROFILE in chosen or name != learner_of(base).name:
            base = get_learner(name).profile(chosen.get(PROFILE, USUAL_PROFILE))
    values = _fields(mine, path, base.to_dict(), keys_of(type(base)))
    return type(base).from_dict({k: v for k, v in values.items() if k not in chosen})


def _fields(
    mine: Assignments, path: tuple[str, ...], base: Mapping[str, Any], keys: Mapping[str, Key]
) -> dict[str, Any]:
    """Values of fields after all assignments."""
    values = dict(base)
    for one in mine:
        if len(one.key) == len(path):  # an empty table
            continue
        name, value = one.key[-1], one.value
        if one.inside:
            whole = values[name]
            if not isinstance(whole, Mapping):
                raise ContractsError(
                    f"{one.place} is a part of {'.'.join(one.key)}, which is {shown(whole)} for all: give the whole table"
                )
            value = {**whole, one.inside: value}
        values[name] = None if value == NONE and name in keys and keys[name].optional else value
    return values


def _learner_keys() -> list[tuple[str, Key]]:
    """Dotted key of every learner, and its key."""

    def walk(path: str, key: Key) -> list[tuple[str, Key]]:
        if key.kind is Kind.LEARNER:
            return [(path, key)]
        return [found for name, inner in below(key).items() for found in walk(f"{path}.{name}", inner)]

    return [found for name, key in roots().items() for found in walk(name, key)]


def _default(path: str) -> Any:
    """Settings of a learner that nobody changes."""
    value: Any = None
    key = None
    for name in path.split("."):
        key = roots()[name] if key is None else below(key)[name]
        if value is not None:
            value = getattr(value, name)
        elif key.kind is Kind.LEARNER:
            value = get_learner(DEFAULT).profile(USUAL_PROFILE)
        else:
            value = key.hint()
    return value


def _check_type(one: Assignment, hint: Any, optional: bool = False) -> None:
    if not fits(one.value, hint):
        raise ContractsError(f"{one.place} must be {called(hint, optional)}, got {shown(one.value)}")


def _unknown(one: Assignment, path: str, siblings: Sequence[str], types: Mapping[str, type]) -> ContractsError:
    head, _, name = path.rpartition(".")
    place = placed(path, one.where)
    near = nearest(name, siblings)
    elsewhere = next((key for key in all_keys(types) if key.rpartition(".")[2] == name), "")
    hint = f"{head}.{near}".lstrip(".") if near and not elsewhere else elsewhere
    if hint:
        return ContractsError(f"there is no key {place}: did you mean {hint}?")
    if not siblings:
        return ContractsError(f"there is no key {place}: {head} has no parts")
    return ContractsError(f"there is no key {place}: {head or 'the top'} has {', '.join(siblings)}")

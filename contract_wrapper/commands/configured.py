"""What the options of a command come to: presets and profiles, under a file, under the options, under `--set`."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_wrapper.commands.options import read_map
from contract_wrapper.commands.own_problem import own_problem
from contract_wrapper.commands.payments import named_payment
from contract_wrapper.configuration.keys import NONE, roots, used_by
from contract_wrapper.configuration.resolve import ERRORS, Resolver
from contract_wrapper.configuration.sources import Assignment, by_option, last, read_file, read_set
from contract_wrapper.configuration.tree import Tree, leaves, tree_of
from contract_wrapper.contracts.costs import COSTS, get_costs
from contract_wrapper.engines.engine import Engine
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.judging.chosen_problem import ChosenProblem
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.landscapes.building.landscape_settings import LandscapeSettings
from contract_wrapper.learners.registry import get_learner
from contract_wrapper.problems.cleanup import CleanupProblem
from contract_wrapper.studies.settings import MAY_CHANGE, SearchSettings

OPTIONS = {
    "preset": "game.preset", "harvesters": "game.n_harvesters", "costs": "costs", "payment": "payment",
    "learner": "learner.name", "profile": "learner.profile", "episodes": "learner.episodes",
    "contract": "contract", "objective": "objective", "outside": "outside", "epsilon": "epsilon",
}  # fmt: skip
"""Options that several commands have, and the key that each stands for; `--map` names a file."""

ENGINE = {"engine": "name", "ray_memory": "ray_memory"}
"""Options that say where the work is done, and their keys; the address of a cluster is given by its option alone, so
that no file makes a program connect anywhere."""

FOLDED = ("preset", "costs", "learner", "profile")
"""Of these, those that name what a file chooses by their keys, so that folders are named after it."""

PROBLEMS = ("search.max_cleaners",)
"""Keys of other tables that a design problem is made of, whatever the command."""

CREWS, SCRATCH = "crews", "scratch"
"""Who judges a contract, as `--inner` says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """The settings of one command."""

    command: str
    """Its name."""

    options: argparse.Namespace
    """As given, with what the file and `--set` choose in their place by the same keys."""

    file: tuple[Assignment, ...]
    """What the file says."""

    sets: tuple[Assignment, ...]
    """What `--set` says."""

    def asked_inner(self) -> str | None:
        """Who judges contracts, as far as `--set`, the options or the file say it, in this order."""
        for said in (self.sets, None, self.file):
            inner = getattr(self.options, "inner", None) if said is None else _inner(said)
            if inner is not None:
                return str(inner)
        return None

    def evaluation(self, crews: Sequence[Assignment] | None = None) -> EvaluationSettings:
        """Settings of evaluations; `crews`: what the options say of crews that judge contracts, None without crews.

        Raises:
            ContractsError, CleanupError, LearnerError: a value is out of range.
        """
        return self._resolver(crews).evaluation()

    def search(self, options: Sequence[Assignment]) -> SearchSettings:
        """Settings of a search; `options`: what the options say of it. Errors as in `evaluation`."""
        return self._resolver(options).search()

    def landscape(self, options: Sequence[Assignment]) -> LandscapeSettings:
        """Settings of a landscape; `options`: what the options say of it. Errors as in `evaluation`."""
        return self._resolver(options).landscape()

    def engine(self) -> Engine:
        """Where the work is done. Errors as in `evaluation`, and its package is not installed."""
        said = [
            by_option(f"engine.{key}", getattr(self.options, name), f"--{name.replace('_', '-')}")
            for name, key in ENGINE.items()
            if getattr(self.options, name, None) is not None
        ]
        address = getattr(self.options, "ray_address", None)
        found = dataclasses.replace(self._resolver(said).engine(), ray_address=address)
        found.check_installed()
        return found

    def designed(self, options: Sequence[Assignment]) -> CleanupProblem | None:
        """Design problem of a landscape; None: that of the tax. Errors as in `evaluation`."""
        return self._resolver(options).designed()

    def tree(self, *parts: EvaluationSettings | SearchSettings | LandscapeSettings | CleanupProblem | Engine) -> Tree:
        """Settings under the names of their keys, as documents and `show` give them."""
        said = last((*self.file, *own_options(self.options), *self.sets), "payment")
        unused = set(roots()) - used_by()[self.command]
        return tree_of(*parts, payment="share" if said is None else str(said.value), without=unused)

    def alone(self) -> Configured:
        """The same options without file and `--set`, but with what these name in place of options."""
        given = argparse.Namespace(**{**vars(self.options), "given": frozenset((*OPTIONS, "seed", "batch"))})
        return Configured(command=self.command, options=given, file=(), sets=())

    def _resolver(self, options: Sequence[Assignment] | None) -> Resolver:
        file, sets = self.file, self.sets
        if "crews" in used_by()[self.command]:  # who judges is decided before
            file, sets = (tuple(a for a in some if options is not None or a.key[0] != "crews") for some in (file, sets))
            file, sets = (tuple(a for a in some if not _is_none(a)) for some in (file, sets))
        else:
            file = tuple(a for a in file if a.key[0] in used_by()[self.command] or str(a) in PROBLEMS)
        if getattr(self.options, "quick", False) and getattr(self.options, "profile", None) == "quick":
            file = tuple(a for a in file if str(a) != "learner.episodes")  # or else the look would not be quick
        said = (*file, *own_options(self.options), *(options or ()), *sets)
        return Resolver(assignments=said, payment=named_payment)


def configure(options: argparse.Namespace, command: str) -> Configured:
    """Read the file and the `--set` of a command, and check their keys and types.

    Raises:
        ContractsError: the file cannot be read, a key is unknown, or a value is of another type.
    """
    own = getattr(options, "problem", None)
    if own is not None:
        if getattr(options, "contract", None) is not None:
            raise ContractsError("--problem names what is designed: leave out --contract")
        options = argparse.Namespace(**{**vars(options), "contract": own_problem(own).name})
    if options.seed < 0:
        raise ContractsError(f"--seed must be at least 0, got {options.seed}")
    file = () if options.config is None else tuple(read_file(options.config))
    sets = tuple(a for text in options.set for a in read_set(text))
    Resolver(assignments=(*file, *own_options(options), *sets), payment=named_payment).check(command)
    chosen = {name: OPTIONS[name] for name in FOLDED if hasattr(options, name)}
    if command == "optimize":
        chosen["seed"] = "search.seed"
    changes: dict[str, Any] = {}
    for name, key in chosen.items():
        above, under = last(sets, key), None if is_given(options, name) else last(file, key)
        found = above or under
        if found is not None:
            changes[name] = _as_named(found.value) if name == "costs" else found.value
    changes["own"] = _is_own(last((*file, *own_options(options), *sets), "contract"))
    return Configured(command=command, options=argparse.Namespace(**{**vars(options), **changes}), file=file, sets=sets)


def _is_own(contract: Assignment | None) -> bool:
    """Whether what is designed is a problem of the user's own, whose contracts no agents can be shown."""
    if contract is None or not isinstance(contract.value, str):
        return False
    own = ChosenProblem(contract=contract.value).own
    return own is not None and not isinstance(own, CleanupProblem)


def is_given(options: argparse.Namespace, name: str) -> bool:
    """Whether an option was given, and is not at its default."""
    value = getattr(options, name, None)
    if name in ("preset", "costs", "payment", "learner", "seed", "batch"):
        return name in getattr(options, "given", ())
    return value is not None


def own_options(options: argparse.Namespace) -> list[Assignment]:
    """What the options that several commands have say of the keys.

    Raises:
        ContractsError: the file of the map cannot be read.
    """
    said = [
        by_option(key, getattr(options, name), f"--{name}")
        for name, key in OPTIONS.items()
        if hasattr(options, name) and is_given(options, name) and getattr(options, name) is not None
    ]
    path: Path | None = getattr(options, "map", None)
    return said if path is None else [*said, by_option("game.map", list(read_map(path)), "--map")]


def differing(mine: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of a tree, dotted, with values that another tree has not; what a study may change is left out."""
    known = leaves(others)
    free = {f"search.{name}" for name in MAY_CHANGE}
    return {
        key: value
        for key, value in leaves(mine).items()
        if key not in free and (key not in known or known[key] != value)
    }


def suffix(differs: Mapping[str, Any]) -> list[str]:
    """Part of a folder's name for settings that no option says: none, or a short hash of them."""
    if not differs:
        return []
    text = json.dumps(differs, sort_keys=True, default=str)
    return [f"set-{hashlib.sha256(text.encode()).hexdigest()[:8]}"]


def tree_or_nothing(make: Any) -> Tree:
    """A tree, or an empty one where the settings are no valid ones by themselves."""
    try:
        found: Tree = make()
        return found
    except ERRORS:
        return {}


def training_settings(run: Configured, crews: Sequence[Assignment] | None = None) -> EvaluationSettings:
    """Settings of a command that trains, after a look at whether its learner is installed; errors as `evaluation`."""
    get_learner(run.options.learner).check_installed()
    return run.evaluation(crews)


def _inner(said: Iterable[Assignment]) -> str | None:
    """Who judges, by the last word on crews."""
    found = [a for a in said if a.key[0] == "crews"]
    return None if not found else SCRATCH if _is_none(found[-1]) else CREWS


def _is_none(one: Assignment) -> bool:
    return one.key == ("crews",) and one.value in (None, NONE)


def _as_named(costs: str) -> str:
    """Name of a cost rule that has one; text that is none is refused where the settings are made."""
    try:
        rule = get_costs(costs)
    except ContractsError:
        return costs
    return next((name for name, named in COSTS.items() if named == rule), costs)

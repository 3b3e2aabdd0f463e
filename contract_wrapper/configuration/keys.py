"""The keys of a configuration, derived from the frozen dataclasses that it sets: every field is a key.

At the top are the fields of `EvaluationSettings` (`game`, `costs`, `learner`, ...), then `search`, `landscape` and `engine`. A
landscape has its game and its costs from the top, too, so that one file serves every command.
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import types
import typing
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cleanup_env import CleanupConfig
from contract_wrapper.contracts.costs import CostRule
from contract_wrapper.engines.engine import Engine
from contract_wrapper.evaluation.judging.chosen_problem import ChosenProblem
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.landscapes.building.landscape_settings import LandscapeSettings
from contract_wrapper.learners.learner import LearnerConfig
from contract_wrapper.studies.settings import SearchSettings

NONE = "none"
"""How a value is written that is None in Python; TOML has no word for it."""

PRESET, NAME, PROFILE = "preset", "name", "profile"
"""Keys that are no fields: they choose the settings from which a game or a learner begins."""


class Kind(enum.Enum):
    """What stands behind a key."""

    VALUE = "value"
    TABLE = "table"
    GAME = "game"
    LEARNER = "learner"
    COSTS = "costs"
    PAYMENT = "payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key: a field of a dataclass."""

    name: str
    """Of the field."""

    hint: Any
    """Type of the field, without None; of a learner's settings that of the field as it is annotated."""

    optional: bool
    """Whether it may be None."""

    kind: Kind
    """How its value is read."""


def keys_of(cls: type) -> Mapping[str, Key]:
    """Keys of a dataclass, in the order of its fields."""
    return _keys_of(typing.cast(Hashable, cls))


@lru_cache
def _keys_of(cls: Any) -> Mapping[str, Key]:
    try:
        hints = typing.get_type_hints(cls)
    except (NameError, TypeError, AttributeError):  # of a learner from elsewhere, whose names cannot be looked up
        hints = {}
    return {
        f.name: _key(f.name, hints.get(f.name, Any))
        for f in dataclasses.fields(cls)
        if f.init and f.metadata.get("key", True)
    }


@lru_cache
def roots() -> Mapping[str, Key]:
    """Keys at the top of a configuration."""
    others: dict[str, type] = {"search": SearchSettings, "landscape": LandscapeSettings, "engine": Engine}
    tables = {name: Key(name=name, hint=cls, optional=False, kind=Kind.TABLE) for name, cls in others.items()}
    return {**keys_of(EvaluationSettings), **keys_of(ChosenProblem), **tables}


@lru_cache
def used_by() -> Mapping[str, frozenset[str]]:
    """Command -> the keys at the top that it reads; a file may hold the others, too."""
    whole = frozenset((*keys_of(EvaluationSettings), *keys_of(ChosenProblem)))
    one = whole - {"crews"}  # a contract that is certified or shown has agents of its own, or files of crews
    shared = {name for name, key in keys_of(LandscapeSettings).items() if is_shared(key)}
    return {
        "evaluate": whole, "certify": one, "play": one, "optimize": whole | {"search", "engine"},
        "landscape": frozenset({*shared, *keys_of(ChosenProblem), "payment", "landscape", "engine"}), "show": frozenset(roots()),
    }  # fmt: skip


def is_shared(key: Key) -> bool:
    """Whether a table below the top has no key of its own for a field, because the top has it."""
    return key.kind in (Kind.GAME, Kind.COSTS)


def below(key: Key) -> Mapping[str, Key]:
    """Keys in the table of a key; none for what is no table, and for learners, whose name decides."""
    if key.kind is Kind.TABLE:
        return {name: inner for name, inner in keys_of(key.hint).items() if not is_shared(inner)}
    return keys_of(CleanupConfig) if key.kind is Kind.GAME else {}


def words_of(key: Key) -> tuple[str, ...]:
    """Keys in a table that are no fields."""
    return {Kind.GAME: (PRESET,), Kind.LEARNER: (NAME, PROFILE)}.get(key.kind, ())


def all_keys(settings_of: Mapping[str, type]) -> Iterator[str]:
    """All keys, dotted; `settings_of`: dotted key of a learner -> type of its settings."""

    def walk(path: str, key: Key) -> Iterator[str]:
        yield path
        inner = keys_of(settings_of[path]) if key.kind is Kind.LEARNER and path in settings_of else below(key)
        yield from (f"{path}.{word}" for word in words_of(key))
        for name, one in inner.items():
            yield from walk(f"{path}.{name}", one)

    for name, key in roots().items():
        yield from walk(name, key)


def nearest(wrong: str, known: Collection[str]) -> str:
    """The known name that is most like a wrong one; empty if none is."""
    found = difflib.get_close_matches(wrong, known, n=1)
    return found[0] if found else ""


def _key(name: str, hint: Any) -> Key:
    parts = alternatives(hint)
    inner = tuple(part for part in parts if part is not type(None))
    plain = typing.Union[inner] if inner else hint  # noqa: UP007  (built from a tuple)
    return Key(name=name, hint=plain, optional=len(inner) < len(parts), kind=_kind(plain))


def _kind(hint: Any) -> Kind:
    if hint is CleanupConfig:
        return Kind.GAME
    if hint is CostRule:
        return Kind.COSTS
    if hint is LearnerConfig or _is_learners(hint):
        return Kind.LEARNER
    if typing.get_origin(hint) is Callable:
        return Kind.PAYMENT
    return Kind.TABLE if dataclasses.is_dataclass(hint) else Kind.VALUE


def _is_learners(hint: Any) -> bool:
    """Whether a type, or each of several, is that of a learner's settings: it has what all of them have."""
    return all(
        dataclasses.is_dataclass(one) and {"episodes", "n_games"} <= {f.name for f in dataclasses.fields(one)}
        for one in alternatives(hint)
    )


def alternatives(hint: Any) -> tuple[Any, ...]:
    """The types that a type allows."""
    return typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)

"""Settings as plain data under the names of their keys, and as TOML that is read back to the same settings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from contract_wrapper.configuration.keys import NAME, NONE, Key, Kind, below, is_shared, keys_of, roots
from contract_wrapper.engines.engine import Engine
from contract_wrapper.evaluation.judging.chosen_problem import ChosenProblem
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.landscapes.building.landscape_settings import LandscapeSettings
from contract_wrapper.learners.registry import learner_of
from contract_wrapper.problems.cleanup import CleanupProblem
from contract_wrapper.studies.settings import SearchSettings

Tree = dict[str, Any]


def tree_of(
    *parts: EvaluationSettings | SearchSettings | LandscapeSettings | CleanupProblem | Engine,
    payment: str = "share",
    without: Iterable[str] = (),
) -> Tree:
    """Settings as nested plain values, by the names of their keys; None is None.

    payment: name of the payment rule, which the settings hold as a function. without: keys at the top that are left out.

    >>> tree_of(SearchSettings(n_search=7))["search"]["n_search"]
    7
    """
    found: Tree = {}
    for part in parts:
        if isinstance(part, EvaluationSettings):
            found.update(_table(keys_of(EvaluationSettings), part, payment))
            found.update(_designed(part, payment))
            continue
        if isinstance(part, CleanupProblem):
            found.update(_of_problem(part, payment))
            continue
        name = next(name for name, key in roots().items() if key.hint is type(part))
        found.update(_table({n: k for n, k in keys_of(type(part)).items() if is_shared(k)}, part, payment))
        found[name] = _table(below(roots()[name]), part, payment)
    return {name: value for name, value in found.items() if name not in set(without)}


def _designed(settings: EvaluationSettings, payment: str) -> Tree:
    """What is designed; game and costs then are the problem's. Of a problem of the user's its name alone."""
    problem = settings.problem
    if problem is not None and not isinstance(problem, CleanupProblem):
        return {"contract": problem.name}
    return (
        _table(keys_of(ChosenProblem), ChosenProblem(), payment) if problem is None else _of_problem(problem, payment)
    )


def _of_problem(problem: CleanupProblem, payment: str) -> Tree:
    keys = keys_of(EvaluationSettings)
    return {
        **_table(keys_of(ChosenProblem), ChosenProblem.of(problem), payment),
        **{name: _plain(keys[name], getattr(problem, name), payment) for name in ("game", "costs")},
    }


def leaves(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> dict[str, Any]:
    """Every key of a tree, dotted, with its value; tables of settings are divided, a table that is one value is not.

    >>> leaves({"a": {"b": [1], "c": None}})
    {'a.b': [1], 'a.c': None}
    """
    found = {}
    for name, value in tree.items():
        if isinstance(value, Mapping) and not _is_value(path, name):
            found.update(leaves(value, (*path, name)))
        else:
            found[".".join((*path, name))] = value
    return found


def to_toml(tree: Mapping[str, Any], notes: Iterable[str] = ()) -> str:
    """Write a tree as TOML, with notes as comments above.

    >>> print(to_toml({"costs": "paper", "crews": None, "search": {"n_search": 7}}, ["as an example"]), end="")
    # as an example
    costs = "paper"
    crews = "none"
    <BLANKLINE>
    [search]
    n_search = 7
    """
    comments = [f"# {' '.join(note.split())}" for note in notes]
    return "\n".join([*comments, *_lines(tree, ())]).lstrip("\n") + "\n"


def toml_value(value: Any) -> str:
    """Write one value as TOML, in one line.

    >>> toml_value({"cleaner": 0.99, "hidden": [64, 64], "on": True})
    '{cleaner = 0.99, hidden = [64, 64], on = true}'
    """
    if value is None:
        return f'"{NONE}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_name(name)} = {toml_value(item)}" for name, item in value.items()) + "}"
    return "[" + ", ".join(map(toml_value, value)) + "]"


def _table(keys: Mapping[str, Key], settings: Any, payment: str) -> Tree:
    return {name: _plain(key, getattr(settings, name), payment) for name, key in keys.items()}


def _plain(key: Key, value: Any, payment: str) -> Any:
    if key.kind is Kind.PAYMENT:
        return payment
    if key.kind is Kind.COSTS:
        return str(value)
    if key.kind is Kind.LEARNER:
        return {NAME: learner_of(value).name, **_table(keys_of(type(value)), value, payment)}
    if key.kind is Kind.VALUE or value is None:
        return _values(value)
    return _table(keys_of(type(value)), value, payment)


def _values(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _values(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_values(item) for item in value]
    return value.item() if hasattr(value, "item") else value


def _lines(tree: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    tables = {name: value for name, value in tree.items() if isinstance(value, Mapping) and not _is_value(path, name)}
    for name, value in tree.items():
        if name not in tables:
            yield f"{_name(name)} = {_folded(value)}"
    for name, value in tables.items():
        yield f"\n[{'.'.join(map(_name, (*path, name)))}]"
        yield from _lines(value, (*path, name))


def _is_value(path: tuple[str, ...], name: str) -> bool:
    """Whether what stands under a name is the value of one key, although it is a mapping: a discount by type."""
    node = roots().get(path[0]) if path else None
    for part in path[1:]:
        node = None if node is None else below(node).get(part)
    return node is not None and node.kind is Kind.LEARNER


def _folded(value: Any) -> str:
    """A list of texts (a map) has a line for each."""
    if isinstance(value, list) and len(value) > 1 and all(isinstance(item, str) for item in value):
        return "[\n" + "".join(f"  {toml_value(item)},\n" for item in value) + "]"
    return toml_value(value)


def _name(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _text(text: str) -> str:
    """Write text in quotes; what has no shape of its own is written by its number."""
    letters = (f"\\{c}" if c in '"\\' else c if c.isprintable() else f"\\U{ord(c):08x}" for c in text)
    return '"' + "".join(letters) + '"'

"""Writes the reference of the keys of `--config` and `--set` from the dataclasses: `python docs/configuration_page.py`.

`text()` is the page; a test compares it with the file.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cleanup_env import PRESETS, CleanupConfig
from contract_wrapper.bo.cpmes_config import CPMESConfig
from contract_wrapper.commands.payments import NAMES
from contract_wrapper.configuration.keys import NAME, PRESET, PROFILE, Key, Kind, is_shared, keys_of, used_by
from contract_wrapper.configuration.tree import leaves, toml_value, tree_of
from contract_wrapper.configuration.value_types import called
from contract_wrapper.engines.engine import Engine
from contract_wrapper.evaluation.by_crews.crew_settings import CrewSettings
from contract_wrapper.evaluation.judging.chosen_problem import ChosenProblem
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.landscapes.building.landscape_settings import LandscapeSettings
from contract_wrapper.learners.mtmfq_profiles import MTMFQ_PROFILES
from contract_wrapper.learners.ppo.config import PPO_PROFILES, PPOConfig
from contract_wrapper.learners.registry import LEARNERS
from contract_wrapper.studies.settings import SearchSettings
from mtmfq.config import MTMFQConfig

PAGE = Path(__file__).parent / "reference" / "configuration.md"

HEAD = """# Configuration

<!-- Written by `python docs/configuration_page.py`: edit the docstrings of the fields, not this page. -->

The keys that a file for `--config` and `--set KEY=VALUE` can have, with the default of each. They are the fields of the
package's frozen dataclasses. [Configure a run](../how_to/configure_a_run.md) says how to use them, and
`cleanup-contracts show` prints what they come to. Where a value may be `"none"`, it is None in Python.
"""

WORDS = {
    PRESET: ("text", '"contract"', f"The named rules from which the game begins: {', '.join(f'`{n}`' for n in PRESETS)}."),
    NAME: ("text", '"mtmfq"', f"Who learns: {', '.join(f'`{n}`' for n in LEARNERS)}."),
    PROFILE: (
        "text", '"fast"',
        f"The named settings from which the learner begins. Of mtmfq: {', '.join(f'`{n}`' for n in MTMFQ_PROFILES)}; of "
        f"ppo: {', '.join(f'`{n}`' for n in PPO_PROFILES)}.",
    ),
}  # fmt: skip
"""Keys that are no fields."""


def text() -> str:
    """Return the page."""
    return "\n".join([HEAD, _readers(), *_sections()])


def fields_told(cls: type) -> dict[str, str]:
    """The docstring of each field of a dataclass, as one line."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(body, ast.ClassDef)
    told = {}
    for field, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(after, ast.Expr):
            assert isinstance(after.value, ast.Constant)
            told[field.target.id] = " ".join(str(after.value.value).split())
    return told


def _readers() -> str:
    rows = [
        f"| `{name}` | {', '.join(f'`{key}`' for key in ORDER if key in used)} |"
        for name, used in used_by().items()
        if name != "show"
    ]
    return "\n".join(["| command | reads |", "|---|---|", *rows]) + "\n"


ORDER = (*keys_of(EvaluationSettings), *keys_of(ChosenProblem), "search", "landscape", "engine")


def _sections() -> Iterator[str]:
    crews = tree_of(EvaluationSettings(crews=CrewSettings()))
    usual = leaves({**crews, **tree_of(SearchSettings(), LandscapeSettings(), Engine())})
    ppo = leaves(tree_of(EvaluationSettings(learner=PPOConfig())))
    own = {n: k for n, k in keys_of(LandscapeSettings).items() if not is_shared(k)}
    yield _section("At the top", "Settings of an evaluation.", EvaluationSettings, "", usual)
    about = (
        "Which contracts there are, and for what ([design a problem](../how_to/design_a_problem.md)), also at the top."
    )
    yield _section("What is designed", about, ChosenProblem, "", usual)
    yield _section("game", "The game without recruits.", CleanupConfig, "game.", usual, words=(PRESET,))
    about = 'With `name = "mtmfq"`, the default. The same keys stand under `crews.learner`, `landscape.crews`, '
    about += "`landscape.deviators` and `landscape.baseline`, with defaults that `cleanup-contracts show` prints."
    yield _section("learner: mtmfq", about, MTMFQConfig, "learner.", usual, words=(NAME, PROFILE))
    yield _section("learner: ppo", 'With `name = "ppo"`.', PPOConfig, "learner.", ppo)
    about = "Crews that know every contract; the table, even an empty one, says that they judge."
    yield _section("crews", about, CrewSettings, "crews.", usual)
    yield _section("search", "The search of `optimize`.", SearchSettings, "search.", usual)
    yield _section("search.optimiser", "How cPMES takes a step.", CPMESConfig, "search.optimiser.", usual)
    yield _section(
        "landscape",
        "A landscape; its game and its costs are those at the top.",
        LandscapeSettings,
        "landscape.",
        usual,
        own,
    )
    about = "Where `optimize` and `landscape` have their work done ([several machines](../how_to/run_on_several_machines.md)). "
    about += (
        "No result depends on it. The address of a cluster is an option alone, so that no file makes a program connect."
    )
    yield _section("engine", about, Engine, "engine.", usual)


def _section(
    title: str, about: str, cls: type, head: str, usual: Mapping[str, Any], keys: Mapping[str, Key] | None = None,
    words: tuple[str, ...] = (),
) -> str:  # fmt: skip
    told = fields_told(cls)
    rows = [_row(f"{head}{word}", *WORDS[word]) for word in words]
    for name, key in (keys_of(cls) if keys is None else keys).items():
        rows.append(_row(f"{head}{name}", _type(key), _usual(f"{head}{name}", usual), told[name]))
    table = ["| key | value | default | meaning |", "|---|---|---|---|", *rows]
    return "\n".join([f"## {title}\n", f"{textwrap.fill(about, 120)}\n", *table]) + "\n"


def _row(key: str, kind: str, usual: str, meaning: str) -> str:
    return f"| `{key}` | {kind} | {f'`{usual}`' if usual else ''} | {plain(meaning)} |"


def _type(key: Key) -> str:
    names = {Kind.GAME: "a table", Kind.TABLE: "a table", Kind.LEARNER: "a table", Kind.COSTS: "text, as for `--costs`"}
    if key.kind is Kind.PAYMENT:
        return "text, as for `--payment`: " + ", ".join(f"`{name}`" for name in NAMES)
    if key.kind is Kind.VALUE:
        return plain(re.sub(r'"([^"]*)"', r'`"\1"`', called(key.hint, key.optional)))
    return names[key.kind] + (' or `"none"`' if key.optional else "")


def _usual(key: str, usual: Mapping[str, Any]) -> str:
    if key not in usual or key == "game.map":
        return ""
    value = usual[key]
    if isinstance(value, list) and len(value) > 20:
        return f"[{toml_value(value[0])}, {toml_value(value[1])}, ..., {toml_value(value[-1])}]"
    return toml_value(value)


def plain(words: str) -> str:
    """Return words that Markdown shows as they are, code apart."""
    parts = words.split("`")
    for i, part in enumerate(parts):
        part = part.replace("|", "\\|")
        parts[i] = part if i % 2 else re.sub(r"([*_<\[])", r"\\\1", part)
    return "`".join(parts)


if __name__ == "__main__":
    PAGE.write_text(text())
    print(PAGE)

"""Everything that can be compared, by the name it has in tables."""

from __future__ import annotations

import functools
from collections.abc import Callable

from contract_wrapper.bo.ask import Ask
from contract_wrapper.bo.cpmes import ask
from contract_wrapper.bo.cpmes_config import CPMESConfig
from contract_wrapper.bo.rivals import RIVALS
from contract_wrapper.errors import ContractsError
from optimiser_bench.library import LIBRARY, why_missing

REFERENCE = "cPMES"
OWN: dict[str, Ask] = {
    REFERENCE: ask,
    "cPMES paper": functools.partial(ask, config=CPMESConfig.paper()),
    **RIVALS,
}
ABLATIONS: dict[str, Ask] = {
    "cPMES one term": functools.partial(ask, config=CPMESConfig(local_term=False)),
    "cPMES plain IBO": functools.partial(ask, config=CPMESConfig(score="ibo")),
    "cPMES UCB front": functools.partial(
        ask, config=CPMESConfig(objective_acquisition="ucb", feasibility_objective="ucb")
    ),
}
"""The default with one of its parts as it is without our changes."""
EVERYWHERE: dict[str, Ask] = {"cPMES everywhere": functools.partial(ask, config=CPMESConfig(trust_region=False))}
"""The default without boxes, which are there in spaces of three dimensions or more that are no grid."""
OPTIMISERS: dict[str, Ask] = {**OWN, **ABLATIONS, **EVERYWHERE, **LIBRARY}


GROUPS: dict[str, list[str]] = {
    "own": list(OWN),
    "all": [*OWN, *LIBRARY],
    "ablations": [REFERENCE, *ABLATIONS],
}


def table_of(name: str, choice: str) -> str:
    """Name the table of a choice of optimisers, so that no part of a comparison is written over the whole of it."""
    return name if choice == "own" else f"{name}-{choice if choice in GROUPS else 'chosen'}"


def chosen(text: str, say: Callable[[str], None] = print, *, stored: bool = False) -> list[str]:
    """Read a choice: own, all, ablations, or names with commas between; what is not installed is left out, and said.

    With `stored` nothing is to be run, so that nothing need be installed.
    """
    names = GROUPS.get(text) or [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in OPTIMISERS]:
        raise ContractsError(
            f"no optimiser is called {unknown[0]!r}: choose own, all, ablations, or of {', '.join(OPTIMISERS)}"
        )
    missing = {} if stored else {name: reason for name in names if (reason := why_missing(name))}
    for name, reason in missing.items():
        say(f"{name} is left out: {reason}")
    return [name for name in names if name not in missing]

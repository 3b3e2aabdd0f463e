"""The command `show`: the configuration that options, a file and `--set` come to, or that of a result, as TOML."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract_wrapper import main_job
from contract_wrapper.commands.options import (
    StudyAddress,
    add_configuration,
    add_json,
    add_payment,
    add_shared,
    add_study,
    study_address,
)
from contract_wrapper.commands.output import Output
from contract_wrapper.commands.own_problem import add_problem, own_problem
from contract_wrapper.errors import ContractsError

if TYPE_CHECKING:
    from contract_wrapper.commands.configured import Configured

COMMANDS = ("evaluate", "certify", "optimize", "landscape", "play")
"""Commands that read a configuration."""


def add_show(sub: argparse.ArgumentParser) -> None:
    """Add the options of `show`."""
    add_study(
        sub, "study, landscape or folder of outcomes, or a file in one, whose configuration is shown (default: that of the "
        "options)", dest="folder", metavar="FOLDER",
    )  # fmt: skip
    add_configuration(sub)
    add_shared(sub)
    add_payment(sub)
    add_problem(sub)
    main_job.add_crew_options(sub, "as the command has it")
    sub.add_argument(
        "--for", choices=COMMANDS, dest="reader", help="show what this command reads (default: what any of them does)"
    )
    add_json(sub)


def show(options: argparse.Namespace, output: Output) -> int:
    """Print a configuration as TOML that `--config` reads back."""
    from contract_wrapper.commands.configured import configure
    from contract_wrapper.configuration.tree import to_toml
    from contract_wrapper.evaluation.judging.code_version import versions

    if (options.folder, options.storage, options.study_name) == (None, None, None):
        run = configure(options, options.reader or "show")
        tree, versions_of = _resolved(run), versions(run.options.learner)
        kind, title = "settings", "What the options come to" + _reader(options)
        source: str | Path | None = None
        made_by: tuple[str, ...] = ()
    else:
        from contract_wrapper.configuration.stored import read_stored

        at = study_address(options, options.folder)
        _check_alone(options, at)
        if options.problem is not None:
            own_problem(options.problem)
        stored = read_stored(at.folder, storage=at.storage, study=at.name)
        tree, versions_of, kind, source = stored.tree, dict(stored.versions), stored.kind, stored.source
        made_by = stored.made_by
        title = f"The configuration of the {kind} in {source}"
    output.configuration = tree
    notes = [f"{title}; --config reads it.", *(f"{name}: {version}" for name, version in versions_of.items()), *made_by]
    told: Mapping[str, Any] = {"kind": kind, "source": source, "versions": versions_of, "made_by": made_by}
    output.result(to_toml(tree, notes).rstrip("\n"), lambda: told, fold=False)
    return 0


def _reader(options: argparse.Namespace) -> str:
    return "" if options.reader is None else f" for {options.reader}"


def _resolved(run: Configured) -> dict[str, Any]:
    """All settings that the command reads, or any command."""
    reader, parts = run.command, list[Any]()
    if reader != "landscape":
        crews = None
        if reader in ("evaluate", "optimize", "show"):
            by_crews = reader != "evaluate" and run.options.learner == "mtmfq" and not run.options.own
            usual = main_job.CREWS if by_crews else main_job.SCRATCH
            crews = main_job.crew_options(run.options, run.asked_inner() or usual)
        parts.append(run.evaluation(crews))
    if reader in ("optimize", "show"):
        parts.append(run.search(main_job.search_options(run.options)))
    if reader in ("landscape", "show"):
        parts.append(run.landscape([]))
    if reader in ("optimize", "landscape", "show"):
        parts.append(run.engine())
    return run.tree(*parts)


def _check_alone(options: argparse.Namespace, at: StudyAddress) -> None:
    """Refuse options beside a folder, whose configuration is what it is."""
    from contract_wrapper.commands.configured import is_given

    names = ("config", "preset", "harvesters", "map", "costs", "learner", "profile", "episodes", "seed", "payment")
    given = [name for name in (*names, "inner", "crews", "crews_episodes", "reader") if is_given(options, name)]
    if options.set or given:
        name = "set" if options.set else {"reader": "for"}.get(given[0], given[0]).replace("_", "-")
        raise ContractsError(
            f"the configuration of {at} is shown as it is stored: leave out --{name}, or leave out the folder"
        )

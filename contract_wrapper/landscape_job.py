"""The command `landscape`: what is made, in which folder, and what is said about it."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract_wrapper.commands.engine_options import add_engine
from contract_wrapper.commands.options import (
    FAMILIES,
    add_epsilon,
    add_objective,
    add_outside,
    game_name,
    logging_to,
    typed,
)
from contract_wrapper.errors import ContractsError

if TYPE_CHECKING:
    from contract_wrapper.commands.configured import Configured
    from contract_wrapper.commands.output import Output
    from contract_wrapper.landscapes.building.landscape_settings import LandscapeSettings
    from contract_wrapper.problems.cleanup import CleanupProblem

N_SEEDS, N_QUICK_SEEDS = 5, 2
"""Conditioned trainings of a landscape, and of a quick look at one."""


def add_options(sub: argparse.ArgumentParser) -> None:
    """Options of the command, besides those that say which game and which costs."""
    sub.add_argument(
        "--seeds", type=int, metavar="N", help="independent trainings, from --seed on (default: 5; quick: 2)"
    )
    sub.add_argument("--seed", type=int, default=0, help="seed of the first training (default: 0)")
    sub.add_argument(
        "--quick", action="store_true", help="two minutes: short trainings, few contracts; a look, no result"
    )
    sub.add_argument("--contract", metavar="NAME", help=f"whose contracts are played: {FAMILIES}")
    add_objective(sub)
    add_outside(sub)
    add_epsilon(sub)
    sub.add_argument(
        "--steps", type=int, metavar="N",
        help="values of each number of such a contract, where it has one or two besides the crew (default: 21; quick: 5)",
    )  # fmt: skip
    sub.add_argument(
        "--samples", type=int, metavar="N",
        help="contracts of each crew size, drawn to cover the space, where it has more (default: 200; quick: 20)",
    )  # fmt: skip
    sub.add_argument("--crews-episodes", type=int, metavar="N", help="episodes of a training (default: 25000)")
    sub.add_argument(
        "--processes", type=int, metavar="N",
        help="processes that share the work (default: 2; with --ray-address: all that the cluster has room for)",
    )  # fmt: skip
    add_engine(sub)
    sub.add_argument(
        "--folder", type=Path, help="folder of the landscape (default: landscapes/ and a name made of the options)"
    )


def landscape(options: argparse.Namespace, output: Output) -> int:
    """Make a landscape, draw it, and say what it shows."""
    from contract_wrapper.commands.configured import configure
    from contract_wrapper.commands.told_landscape import landscape_told
    from contract_wrapper.errors import require_package
    from contract_wrapper.evaluation.judging.code_version import versions
    from contract_wrapper.landscapes.building.landscape_folder import make_landscape
    from contract_wrapper.landscapes.designs.design_settings import DesignLandscapeSettings
    from contract_wrapper.reports.landscape_report import report_folder

    require_package("torch", "agents", "training crews for every contract")
    run = configure(options, "landscape")
    options, settings, problem = run.options, settings_of(run), problem_of(run)
    engine = run.engine()
    processes = options.processes if options.processes is not None else engine.usual_processes(2)
    output.configuration = tree_of_run(run)
    plan = settings if problem is None else DesignLandscapeSettings(problem=problem, base=settings)
    folder = options.folder or Path("landscapes") / folder_name(run)
    n = options.seeds if options.seeds is not None else N_QUICK_SEEDS if options.quick else N_SEEDS
    if n < 1 or options.seed < 0:
        raise ContractsError(f"--seeds must be at least 1 and --seed at least 0, got {n} and {options.seed}")
    output.say(f"landscape: {folder} (stop with Ctrl-C at any time; the same command goes on)")
    output.say(
        f"{n} training{'s' * (n > 1)} of crews that know every contract, then {len(plan.contracts()) - 1} contracts are "
        "played and single agents try to gain by leaving the crew"
    )
    if options.quick:
        full = type(settings)()
        fewer = (
            f"and {len(settings.taxes)} taxes instead of {len(full.taxes)}" if problem is None else "and few contracts"
        )
        output.say(
            f"quick: {settings.crews.episodes:,} training episodes instead of {full.crews.episodes:,} {fewer}; crews are half "
            "trained, so the figures show what a landscape is and not what a contract is worth"
        )
    output.detail("versions", versions())
    output.detail("settings", plan.about())
    with logging_to(options, folder):
        made = make_landscape(
            plan, range(options.seed, options.seed + n), folder, processes=processes, stream=output.progress,
            command=command_of(run, n), typed=typed(options), engine=engine,
        )  # fmt: skip
    told = landscape_told(made, report_folder(folder / "landscape.npz"))
    text = [
        *([] if output.quiet else [""]),
        told.summary,
        f"\nfigures and report: {told.files[0]}",
        f"all contracts:      {folder / 'landscape.csv'} and {folder / 'landscape.npz'}",
    ]
    output.result("\n".join(text), told.document)
    return 0


def settings_of(run: Configured) -> LandscapeSettings:
    """What the options, the file and `--set` ask for.

    Raises:
        ContractsError, CleanupError, LearnerError: something is out of range.
    """
    from contract_wrapper.configuration.sources import by_option
    from contract_wrapper.configuration.tree import leaves, tree_of
    from contract_wrapper.landscapes.building.landscape_settings import QUICK, LandscapeSettings

    said = []
    if run.options.quick:
        usual, quick = (leaves(tree_of(each)) for each in (LandscapeSettings(), LandscapeSettings(**QUICK)))
        said += [by_option(key, value, "--quick") for key, value in quick.items() if usual[key] != value]
    if run.options.crews_episodes is not None:
        said.append(by_option("landscape.crews.episodes", run.options.crews_episodes, "--crews-episodes"))
    said += [
        by_option(f"landscape.{n}", value, f"--{n}") for n in ("steps", "samples") if (value := getattr(run.options, n))
    ]
    return run.landscape(said)


def problem_of(run: Configured) -> CleanupProblem | None:
    """The design problem whose contracts are played; None: the tax. Errors as in `settings_of`."""
    return run.designed([])


def tree_of_run(run: Configured) -> dict[str, Any]:
    """The whole configuration; what is designed is no part of it where it is the tax and the crew."""
    problem = problem_of(run)
    return run.tree(settings_of(run), *([] if problem is None else [problem]))


def folder_name(run: Configured) -> str:
    """Name a landscape by what may not change in it, so that the same command finds it again."""
    from contract_wrapper.commands.configured import suffix

    options = run.options
    costs = re.sub(r"[^A-Za-z0-9.]+", "-", options.costs).strip("-")
    episodes = [] if options.crews_episodes is None else [f"{options.crews_episodes}-episodes"]
    quick = ["quick"] if options.quick else []
    designed = [
        re.sub(r"[^A-Za-z0-9.]+", "-", getattr(options, name) or "") for name in ("contract", "objective", "outside")
    ]
    designed += [] if options.epsilon is None else [f"epsilon{options.epsilon:g}"]
    grid = [f"{getattr(options, name)}-{name}" for name in ("steps", "samples") if getattr(options, name) is not None]
    parts = [*game_name(options), costs, *filter(None, designed), *grid, *quick, *episodes]
    return "-".join([*parts, *suffix(by_hand(run))])


def by_hand(run: Configured) -> dict[str, Any]:
    """Keys whose values no option says, but the file or `--set`."""
    from contract_wrapper.commands.configured import differing, tree_or_nothing

    alone = run.alone()
    return differing(tree_of_run(run), tree_or_nothing(lambda: tree_of_run(alone)))


def command_of(run: Configured, n_seeds: int) -> str:
    """The command that makes the landscape again, in any folder: what a file said is given by `--set`."""
    from contract_wrapper.configuration.tree import toml_value

    options = run.options
    parts = ["cleanup-contracts landscape", f"--costs {options.costs}", f"--seeds {n_seeds}"]
    if options.preset != "contract":
        parts.insert(1, f"--preset {options.preset}")
    if options.harvesters is not None:
        parts.append(f"--harvesters {options.harvesters}")
    if options.map is not None:
        parts.append(f"--map {shlex.quote(str(options.map))}")
    for name in ("contract", "objective", "outside", "epsilon", "steps", "samples"):
        if getattr(options, name) is not None:
            parts.append(f"--{name} {shlex.quote(str(getattr(options, name)))}")
    if options.seed:
        parts.append(f"--seed {options.seed}")
    if options.crews_episodes is not None:
        parts.append(f"--crews-episodes {options.crews_episodes}")
    if options.quick:
        parts.append("--quick")
    return " ".join([*parts, *(f"--set {shlex.quote(f'{k}={toml_value(v)}')}" for k, v in by_hand(run).items())])

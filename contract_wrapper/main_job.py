"""The command `optimize`: which crews judge, in which folder, how much is done, and what is said about it."""

from __future__ import annotations

import argparse
import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract_wrapper.commands.engine_options import add_engine
from contract_wrapper.commands.options import (
    FAMILIES,
    Given,
    add_epsilon,
    add_objective,
    add_outside,
    add_storage,
    game_name,
    logging_to,
    typed,
)
from contract_wrapper.commands.own_problem import add_problem
from contract_wrapper.engines.engine import RAY
from contract_wrapper.errors import ContractsError

if TYPE_CHECKING:
    from contract_wrapper.commands.configured import Configured
    from contract_wrapper.commands.output import Output
    from contract_wrapper.configuration.sources import Assignment
    from contract_wrapper.evaluation.by_crews.crew_settings import CrewSettings
    from contract_wrapper.evaluation.settings import EvaluationSettings
    from contract_wrapper.studies.settings import SearchSettings

CREWS, SCRATCH = INNER = ("crews", "scratch")
"""Who judges a contract: crews that know every contract, or agents trained under it alone, from scratch."""

QUICK = {"n_initial": 5, "n_search": 4, "n_confirm": 0}
"""What `optimize --quick` does instead of the full job."""

QUICK_CREWS = {"trainings": 1, "learner.episodes": 2_500, "learner.hidden": [64, 64], "learner.n_games": 32}
"""Settings of crews that `--quick` changes."""

SEARCH = {
    "seed": "seed", "initial": "n_initial", "evaluations": "n_search", "batch": "batch", "confirm": "n_confirm",
}  # fmt: skip
"""Option -> setting of the search."""

QUICK_PPO_CREWS = {
    "trainings": 1, "learner.episodes": 2_500, "learner.n_games": 16, "learner.batch_size": 800,
}  # fmt: skip
"""The same of PPO."""


def add_options(sub: argparse.ArgumentParser) -> None:
    """Options of the command, besides those that it shares with others."""
    sub.add_argument(
        "--folder", type=Path, help="folder of the study (default: studies/ and a name made of the options)"
    )
    sub.add_argument(
        "--quick", action="store_true", help="two minutes: short trainings, few contracts; a look, no result"
    )
    sub.add_argument("--contract", metavar="NAME", help=f"what is designed: {FAMILIES}")
    add_problem(sub)
    add_objective(sub)
    add_outside(sub)
    add_epsilon(sub)
    add_crew_options(sub, "crews; with --learner ppo: scratch; in a folder with a study: as it was begun")
    sub.add_argument("--initial", type=int, metavar="N", help="initial designs: corners and random (default: 10)")
    sub.add_argument("--evaluations", type=int, metavar="N", help="contracts that cPMES chooses (default: 20)")
    sub.add_argument(
        "--batch",
        action=Given,
        type=int,
        default=2,
        metavar="N",
        help="contracts that cPMES chooses at once (default: 2)",
    )
    sub.add_argument(
        "--confirm", type=int, metavar="N", help="fresh trainings of the best contract from scratch (default: 5)"
    )
    sub.add_argument(
        "--processes", type=int, metavar="N",
        help="trainings at once of a worker (default: 2; with --workers: 1; with --ray-address: all that the cluster has "
        "room for)",
    )  # fmt: skip
    add_engine(sub)
    sub.add_argument(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help="workers on this machine, each of which takes evaluations and chooses contracts on its own (default: 1)",
    )
    add_storage(sub)


def add_crew_options(sub: argparse.ArgumentParser, default: str) -> None:
    """Options that say who judges a contract; `default` says who does if none is given."""
    sub.add_argument(
        "--inner",
        choices=INNER,
        help="who judges a contract: crews that know every contract, trained once, or agents trained under it alone, "
        f"from scratch (default: {default})",
    )
    sub.add_argument("--crews", type=int, metavar="N", help="independent trainings of such crews (default: 2)")
    sub.add_argument(
        "--crews-episodes", type=int, metavar="N", help="episodes of each of them (default: 25000; of ppo 12500)"
    )


def crew_options(options: argparse.Namespace, inner: str, quick: bool = False) -> list[Assignment] | None:
    """What the options say of the crews that judge; None if contracts are trained from scratch.

    Raises:
        ContractsError: options of crews are given, and none are asked for; another learner than mtmfq and ppo is to
            train them.
    """
    if inner == SCRATCH:
        for name, value in (("--crews", options.crews), ("--crews-episodes", options.crews_episodes)):
            if value is not None:
                raise ContractsError(
                    f"{name} belongs to crews that know every contract, but every contract is trained from scratch here: "
                    f"leave out {name}, or give --inner crews (with the learner mtmfq or ppo)"
                )
        return None
    if options.learner not in ("mtmfq", "ppo"):
        raise ContractsError(
            f"crews that know every contract are trained by mtmfq or ppo, and {options.learner} learns one contract at a "
            f"time, from scratch: give --inner scratch, or leave out --learner {options.learner}"
        )
    from contract_wrapper.commands.configured import is_given
    from contract_wrapper.configuration.sources import by_option

    said = [by_option("crews", {}, "--inner")]
    if options.learner == "ppo":
        said += [by_option(f"crews.learner.{key}", value, "--learner") for key, value in _ppo_crews().items()]
    if quick:
        changes = QUICK_PPO_CREWS if options.learner == "ppo" else QUICK_CREWS
        said += [by_option(f"crews.{key}", value, "--quick") for key, value in changes.items()]
    if is_given(options, "seed"):
        said.append(by_option("crews.seed", options.seed, "--seed"))
    if options.crews is not None:
        said.append(by_option("crews.trainings", options.crews, "--crews"))
    if options.crews_episodes is not None:
        said.append(by_option("crews.learner.episodes", options.crews_episodes, "--crews-episodes"))
    return said


def _ppo_crews() -> dict[str, object]:
    """Settings by which PPO trains crews, where they are not those of its profile `fast`; and its name."""
    from contract_wrapper.evaluation.crews import PPO_CREWS
    from contract_wrapper.learners.ppo.config import get_ppo_profile

    usual = get_ppo_profile("fast").to_dict()
    return {"name": "ppo", **{key: value for key, value in PPO_CREWS.to_dict().items() if value != usual[key]}}


def search_options(options: argparse.Namespace) -> list[Assignment]:
    """What the options say of the search."""
    from contract_wrapper.commands.configured import is_given
    from contract_wrapper.configuration.sources import by_option

    return [
        by_option(f"search.{key}", getattr(options, name), f"--{name}")
        for name, key in SEARCH.items()
        if is_given(options, name)
    ]


def optimize(options: argparse.Namespace, output: Output) -> int:
    """Run the main job."""
    from contract_wrapper.commands.configured import configure, training_settings

    if options.quick:
        make_quick(options)
    run = configure(options, "optimize")
    options, inner = run.options, run.asked_inner() or usual_inner(run.options)
    crews = crew_options(options, inner, options.quick)
    settings, search = training_settings(run, crews), run.search(search_options(options))
    engine = run.engine()
    if engine.name == RAY and options.workers > 1:
        raise ContractsError(
            f"--workers are processes of this machine, and --engine ray spreads the trainings of one worker: give "
            f"--processes {options.workers} and --batch {options.workers} in place of --workers"
        )

    from contract_wrapper.commands.documents import study_document
    from contract_wrapper.evaluation.judging.code_version import versions
    from contract_wrapper.evaluation.worker_pool import MOST_PROCESSES, check_processes
    from contract_wrapper.reports.report import write_report
    from contract_wrapper.reports.summary_table import closing_table
    from contract_wrapper.studies.running.fellow_workers import fellow_workers
    from contract_wrapper.studies.search import Search
    from contract_wrapper.studies.study import Study
    from contract_wrapper.studies.suggest import next_suggestions

    usual = engine.usual_processes(2 if options.workers == 1 else 1)
    processes = options.processes if options.processes is not None else usual
    check_processes(processes)
    if not 1 <= options.workers <= MOST_PROCESSES:
        raise ContractsError(f"--workers must be from 1 to {MOST_PROCESSES}, got {options.workers}")
    output.configuration = run.tree(settings, search)
    folder = options.folder or Path("studies") / (options.study or folder_name(run))
    study = Study(folder, settings, search, storage=options.storage, study=options.study, command=typed(options))
    output.say(f"study: {folder} (stop with Ctrl-C at any time; the same command goes on)")
    output.say("\n".join(_about(options, settings, search)))
    output.detail("versions", versions(options.learner))
    output.detail("settings", settings.to_dict())
    try:
        with logging_to(options, folder), fellow_workers(study, options.workers - 1, output.say):
            record = Search(study, processes=processes, stream=output.progress, engine=engine).run()
    finally:
        study.close()
    suggestions, files = next_suggestions(record), write_report(record)
    text = [
        *([] if output.quiet else [""]),
        closing_table(record, suggestions),
        f"\nfigures and report: {files[-1].parent}",
        f"all evaluations:    {folder / 'trials.csv'}",
    ]
    output.result("\n".join(text), lambda: study_document(record, suggestions, files))
    return 0


def make_quick(options: argparse.Namespace) -> None:
    """Fill in what `--quick` stands for, where nothing else is asked for."""
    options.profile = options.profile or "quick"
    for name, key in (("initial", "n_initial"), ("evaluations", "n_search"), ("confirm", "n_confirm")):
        if getattr(options, name) is None:
            setattr(options, name, QUICK[key])


def usual_inner(options: argparse.Namespace) -> str:
    """Who judges where nobody says it: who did when the study in the folder was begun; else crews, where they can."""
    if options.learner != "mtmfq" or options.own:
        return SCRATCH
    if options.folder is not None or options.study is not None:
        from contract_wrapper.studies.sharing.place import NoStudy
        from contract_wrapper.studies.study import read_study

        folder = options.folder or Path("studies") / options.study
        with contextlib.suppress(NoStudy):
            by_crews = read_study(folder, storage=options.storage, study=options.study).by_crews
            return CREWS if by_crews else SCRATCH
    return CREWS


def folder_name(run: Configured) -> str:
    """Name a study by what may not change in it, so that the same command finds it again.

    Settings that no option says, but a file or `--set`, are in it as a short hash.
    """
    from contract_wrapper.commands.configured import differing, suffix, tree_or_nothing

    options, inner = run.options, run.asked_inner() or usual_inner(run.options)

    def tree(one: Configured) -> dict[str, Any]:
        crews = crew_options(one.options, inner, options.quick)
        return one.tree(one.evaluation(crews), one.search(search_options(one.options)))

    others = suffix(differing(tree(run), tree_or_nothing(lambda: tree(run.alone()))))
    costs = re.sub(r"[^A-Za-z0-9.]+", "-", options.costs).strip("-")
    designed = [
        re.sub(r"[^A-Za-z0-9.]+", "-", getattr(options, name) or "") for name in ("contract", "objective", "outside")
    ]
    designed += [] if options.epsilon is None else [f"epsilon{options.epsilon:g}"]
    parts = [*([] if options.own else [*game_name(options), costs]), *filter(None, designed)]
    if options.learner != "mtmfq":
        parts.append(options.learner)
    if inner == CREWS:
        parts.append("crews" if options.crews is None else f"{options.crews}-crews")
        if options.crews_episodes is not None:
            parts.append(f"{options.crews_episodes}-crews-episodes")
    parts.append(options.profile or "fast")
    if options.quick and inner == CREWS and options.profile != "quick":
        parts.append("quick")
    if options.episodes is not None:
        parts.append(f"{options.episodes}-episodes")
    if options.initial is not None and not (options.quick and options.initial == QUICK["n_initial"]):
        parts.append(f"{options.initial}-initial")
    if options.batch != 2:
        parts.append(f"batch{options.batch}")
    return "-".join([*parts, f"seed{options.seed}", *others])


def _about(options: argparse.Namespace, settings: EvaluationSettings, search: SearchSettings) -> list[str]:
    """What is about to be done, where it is not what every study does."""
    from contract_wrapper.evaluation.by_crews.crew_settings import CrewSettings
    from contract_wrapper.evaluation.crews import PPO_CREWS
    from contract_wrapper.learners.registry import get_learner
    from contract_wrapper.studies.settings import SearchSettings

    lines, crews = [], settings.crews
    if crews is None:
        if options.inner is None and options.learner != "mtmfq":
            lines.append(f"the learner is {options.learner}: every contract is trained from scratch (--inner scratch)")
    else:
        lines.append(
            f"crews that know every contract are trained first ({_trainings(crews)}), then every contract is played in seconds"
        )
    if options.quick:
        usual, full = SearchSettings(), get_learner(options.learner).profile("fast")
        if crews is None:
            less = f"{settings.learner.episodes} training episodes instead of {full.episodes}"
        else:
            usual_crews = CrewSettings(learner=PPO_CREWS) if options.learner == "ppo" else CrewSettings()
            less = f"{_trainings(crews)} instead of {_trainings(usual_crews)}"
        lines.append(
            f"quick: {less}, and {search.n_initial + search.n_search} contracts instead of "
            f"{usual.n_initial + usual.n_search}; crews are half trained, so the figures show how the search works and "
            "not what a contract is worth"
        )
    return lines


def _trainings(crews: CrewSettings) -> str:
    many = f"{crews.trainings} training{'s' if crews.trainings > 1 else ''}"
    return f"{many} of {crews.learner.episodes:,} episodes"

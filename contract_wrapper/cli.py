"""The command `cleanup-contracts`: optimize, evaluate, certify, play, report.

Heavy imports stay inside the functions that need them, so that `--help` answers at once. What a
user can put right ends in one line on the error stream, never in a traceback (`program`).
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract_wrapper import landscape_job, main_job, program
from contract_wrapper.errors import ContractsError

if TYPE_CHECKING:
    from contract_wrapper.evaluation.settings import EvaluationSettings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code (see `program`)."""
    options = build_parser().parse_args(arguments)
    return program.run(lambda: int(options.run(options)), "cleanup-contracts")


def build_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = argparse.ArgumentParser(
        prog="cleanup-contracts",
        description="Design contracts for learning agents in a Clean-up game, and find the best one that everybody "
        "accepts.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    sub = _command(commands, "optimize", _optimize, "search for the best contract that everybody accepts")
    _shared(sub)
    sub.add_argument(
        "--folder", type=Path, help="folder of the study (default: studies/ and a name made of the options)"
    )
    sub.add_argument(
        "--quick", action="store_true", help="two minutes: short trainings, few contracts; a look, no result"
    )
    main_job.add_crew_options(sub, "crews; with --learner ppo: scratch; in a folder with a study: as it was begun")
    sub.add_argument("--initial", type=int, metavar="N", help="initial designs: corners and random (default: 10)")
    sub.add_argument("--evaluations", type=int, metavar="N", help="contracts that cPMES chooses (default: 20)")
    sub.add_argument(
        "--batch", type=int, default=2, metavar="N", help="contracts that cPMES chooses at once (default: 2)"
    )
    sub.add_argument(
        "--confirm", type=int, metavar="N", help="fresh trainings of the best contract from scratch (default: 5)"
    )
    sub.add_argument("--processes", type=int, default=2, metavar="N", help="processes that train (default: 2)")

    sub = _command(
        commands, "evaluate", _evaluate, "train agents under one contract and say whether everybody accepts it"
    )
    _contract(sub)
    _shared(sub)
    sub.add_argument(
        "--seeds",
        type=int,
        default=1,
        metavar="N",
        help="independent trainings with the contract, and as many without, from --seed on (default: 1)",
    )
    sub.add_argument("--processes", type=int, default=2, metavar="N", help="processes that train (default: 2)")
    sub.add_argument(
        "--folder", type=Path, default=Path("studies/evaluations"), help="where results and policies are kept"
    )
    main_job.add_crew_options(sub, "scratch")

    sub = _command(
        commands, "certify", _certify, "say of one contract whether everybody accepts it and nobody gains by leaving it",
        aliases=("best-response",),
    )  # fmt: skip
    _contract(sub)
    _shared(sub)
    sub.add_argument(
        "--crews", type=Path, nargs="+", default=[], metavar="FILE",
        help="files of crews that know many contracts, one per training (default: train from scratch)",
    )  # fmt: skip
    sub.add_argument(
        "--seeds",
        type=int,
        default=1,
        metavar="N",
        help="trainings from scratch with the contract, and as many without, from --seed on (default: 1)",
    )
    sub.add_argument(
        "--roles", default="cleaner,harvester", help="whose deviations are tried (default: cleaner,harvester)"
    )
    sub.add_argument("--ppo", action="store_true", help="let PPO learn to deviate, too (needs the extra sb3)")
    sub.add_argument("--deviator-episodes", type=int, metavar="N", help="training episodes of each deviator")
    sub.add_argument("--processes", type=int, default=2, metavar="N", help="processes that train (default: 2)")
    sub.add_argument(
        "--folder", type=Path, default=Path("studies/evaluations"), help="where what was trained is kept and looked for"
    )

    sub = _command(
        commands,
        "landscape",
        _landscape,
        "train crews for every contract, play all contracts, and draw what comes of it",
    )
    _game(sub)
    landscape_job.add_options(sub)

    sub = _command(commands, "play", _play, "show an episode: an animated GIF, or an animation in the terminal")
    _contract(sub, required=False)
    _shared(sub)
    sub.add_argument(
        "--players", choices=("scripted", "trained"), default="scripted", help="who plays (default: scripted)"
    )
    sub.add_argument("--policy", type=Path, help="policy file of trained players (an outcome's .policy.npz)")
    sub.add_argument(
        "--study", type=Path, help="take the best contract and the players trained under it from this study"
    )
    sub.add_argument(
        "--gif", type=Path, metavar="FILE", help="write an animated GIF instead of playing in the terminal"
    )
    sub.add_argument("--mp4", type=Path, metavar="FILE", help="write a video (needs the extra render)")
    sub.add_argument("--flows", action="store_true", help="show in the file who paid whom, as golden lines")
    sub.add_argument("--steps", type=int, help="steps to show (default: the whole episode)")
    sub.add_argument("--fps", type=float, default=12.0, help="frames per second (default: 12)")

    sub = _command(commands, "report", _report, "draw the figures of a study")
    sub.add_argument("study", type=Path, metavar="STUDY", help="folder of the study")
    return parser


def _command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int], text: str, aliases: Sequence[str] = ()
) -> argparse.ArgumentParser:
    about = text[0].upper() + text[1:] + "."
    sub: argparse.ArgumentParser = commands.add_parser(name, help=text, description=about, aliases=aliases)
    sub.set_defaults(run=run)
    return sub


def _contract(sub: argparse.ArgumentParser, required: bool = True) -> None:
    sub.add_argument("--tax", type=float, required=required, help="share of harvest income for the cleaners, 0 to 1")
    sub.add_argument("--cleaners", type=int, required=required, help="number of recruited cleaners")


def _game(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--preset", default="contract", help="rules of the game (default: contract)")
    sub.add_argument(
        "--costs",
        default="effort",
        help="what work costs: effort (default), paper, costly, none, or prices such as cleaner:per_shot=0.05",
    )


def _shared(sub: argparse.ArgumentParser) -> None:
    _game(sub)
    sub.add_argument("--learner", default="mtmfq", help="who learns: mtmfq (default), or ppo of stable-baselines3")
    sub.add_argument("--profile", help="its settings: smoke, quick or fast (default); mtmfq also paper and faithful")
    sub.add_argument("--episodes", type=int, metavar="N", help="training episodes, instead of the profile's")
    sub.add_argument("--seed", type=int, default=0, help="seed of everything drawn (default: 0)")


def _settings(options: argparse.Namespace) -> EvaluationSettings:
    from contract_wrapper.evaluation.settings import EvaluationSettings
    from contract_wrapper.learners.registry import get_learner

    if options.seed < 0:
        raise ContractsError(f"--seed must be at least 0, got {options.seed}")
    changes = {} if options.episodes is None else {"episodes": options.episodes}
    return EvaluationSettings(
        game=options.preset,
        costs=options.costs,
        learner=get_learner(options.learner).profile(options.profile or "fast", **changes),
    )


def _training_settings(options: argparse.Namespace) -> EvaluationSettings:
    """Settings of a command that trains, after a look at whether its learner is installed."""
    from contract_wrapper.learners.registry import get_learner

    get_learner(options.learner).check_installed()
    return _settings(options)


def _optimize(options: argparse.Namespace) -> int:
    if options.quick:
        main_job.make_quick(options)
    return main_job.optimize(options, _training_settings(options))


def _evaluate(options: argparse.Namespace) -> int:
    from contract_wrapper.contracts.contract import Contract
    from contract_wrapper.evaluation.seeds import evaluate_seeds, verdict

    if options.seeds < 1:
        raise ContractsError(f"--seeds must be at least 1, got {options.seeds}")
    contract = Contract(tax=options.tax, n_cleaners=options.cleaners)
    crews = main_job.crew_settings(options, options.inner or main_job.SCRATCH)
    if crews is not None and options.seeds > 1:
        raise ContractsError(f"the number of trainings of crews is given by --crews, got --seeds {options.seeds}")
    baselines, outcomes = evaluate_seeds(
        contract,
        dataclasses.replace(_training_settings(options), crews=crews),
        range(options.seed, options.seed + options.seeds),
        folder=options.folder,
        processes=options.processes,
        stream=sys.stderr,
    )
    print(verdict(contract, baselines, outcomes))
    return 0


def _certify(options: argparse.Namespace) -> int:
    from contract_wrapper.contracts.contract import Contract
    from contract_wrapper.landscapes.certify import certify_command

    if options.seeds < 1:
        raise ContractsError(f"--seeds must be at least 1, got {options.seeds}")
    certificate = certify_command(
        Contract(tax=options.tax, n_cleaners=options.cleaners), _training_settings(options),
        range(options.seed, options.seed + options.seeds), crews=options.crews,
        roles=[role.strip() for role in options.roles.split(",")], ppo=options.ppo,
        deviator_episodes=options.deviator_episodes, folder=options.folder, processes=options.processes,
        stream=sys.stderr,
    )  # fmt: skip
    print(certificate)
    return 0


def _landscape(options: argparse.Namespace) -> int:
    return landscape_job.landscape(options)


def _play(options: argparse.Namespace) -> int:
    from contract_wrapper.contracts.contract import Contract
    from contract_wrapper.playback.play import play_command

    contract = None
    if options.cleaners is None and options.tax is not None:
        raise ContractsError(
            f"a contract is a tax and a number of cleaners, got --tax {options.tax:g} alone: add --cleaners, for example "
            "--cleaners 5"
        )
    if options.cleaners is not None:
        if options.tax is None and (options.policy or options.study):
            raise ContractsError(
                f"trained players play under a tax and a number of cleaners, got --cleaners {options.cleaners} alone: add "
                "--tax (scripted players look at no tax, and play at 0)"
            )
        contract = Contract(tax=options.tax or 0.0, n_cleaners=options.cleaners)
    play_command(
        settings=_settings(options), contract=contract, players=options.players, policy=options.policy, study=options.study,
        gif=options.gif, mp4=options.mp4, flows=options.flows, steps=options.steps, fps=options.fps, seed=options.seed, stream=sys.stdout,
    )  # fmt: skip
    return 0


def _report(options: argparse.Namespace) -> int:
    from contract_wrapper.landscapes.landscape import Landscape
    from contract_wrapper.reports.landscape_report import find_landscape, report_folder, write_landscape_report
    from contract_wrapper.reports.landscape_summary import summary
    from contract_wrapper.reports.report import write_report
    from contract_wrapper.reports.summary_table import closing_table
    from contract_wrapper.studies.study import read_study
    from contract_wrapper.studies.suggest import next_suggestions

    file = find_landscape(options.study)
    if file is not None:
        landscape = Landscape.load(file)
        print(summary(landscape))
        print(*write_landscape_report(landscape, report_folder(file)), sep="\n")
        return 0
    record = read_study(options.study)
    print(closing_table(record, next_suggestions(record)))
    for path in write_report(record):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The commands `evaluate` and `certify`: one contract, judged."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from contract_wrapper import main_job
from contract_wrapper.commands.contract_terms import contract_of
from contract_wrapper.commands.documents import certificate_document, evaluation_document
from contract_wrapper.commands.options import (
    add_configuration,
    add_contract,
    add_epsilon,
    add_json,
    add_log,
    add_objective,
    add_outside,
    add_payment,
    add_shared,
    logging_to,
)  # fmt: skip
from contract_wrapper.commands.output import Output
from contract_wrapper.commands.own_problem import add_problem
from contract_wrapper.commands.payments import BySharing
from contract_wrapper.errors import ContractsError

FOLDER = Path("studies/evaluations")
"""Where what was trained is kept and looked for."""


def add_evaluate(sub: argparse.ArgumentParser) -> None:
    """Add the options of `evaluate`."""
    add_contract(sub)
    add_problem(sub)
    add_objective(sub)
    add_outside(sub)
    add_configuration(sub)
    add_shared(sub)
    add_payment(sub)
    sub.add_argument(
        "--seeds", type=int, default=1, metavar="N",
        help="independent trainings with the contract, and as many without, from --seed on (default: 1)",
    )  # fmt: skip
    sub.add_argument("--processes", type=int, default=2, metavar="N", help="processes that train (default: 2)")
    sub.add_argument("--folder", type=Path, default=FOLDER, help="where results and policies are kept")
    main_job.add_crew_options(sub, "scratch")
    add_log(sub)
    add_json(sub)


def evaluate(options: argparse.Namespace, output: Output) -> int:
    """Train agents under a contract, and say whether everybody accepts it."""
    from contract_wrapper.commands.configured import configure, training_settings
    from contract_wrapper.evaluation.evaluate import contracted_game
    from contract_wrapper.evaluation.judging.code_version import versions
    from contract_wrapper.evaluation.seeds import evaluate_seeds, verdict

    _check_seeds(options)
    run = configure(options, "evaluate")
    options = run.options
    crews = main_job.crew_options(options, run.asked_inner() or main_job.SCRATCH)
    if crews is not None and options.seeds > 1:
        raise ContractsError(f"the number of trainings of crews is given by --crews, got --seeds {options.seeds}")
    settings = training_settings(run, crews)
    contract = contract_of(options, settings)
    output.configuration = run.tree(settings)
    output.detail("versions", versions(options.learner))
    output.detail("settings", dataclasses.replace(settings, payment=None).to_dict())
    if contract.is_none and isinstance(settings.payment, BySharing):
        raise ContractsError(
            "without cleaners there is no contract, which is what contracts are judged against: give --cleaners 1 or more, "
            "or compare EvaluationSettings(payment=...) with and without RewardSharing in Python"
        )
    kept: Path | None = options.folder
    if settings.payment is not None:
        contracted_game(contract, settings, 1)  # a rule that does not fit the contract is refused before the training
        kept = None
        output.say("a custom payment rule is not kept: the same command trains again")
    with logging_to(options, options.folder):
        baselines, outcomes = evaluate_seeds(
            contract, settings, range(options.seed, options.seed + options.seeds), folder=kept,
            processes=options.processes, stream=output.progress,
        )  # fmt: skip
    output.result(
        verdict(contract, baselines, outcomes, settings.problem),
        lambda: evaluation_document(baselines, outcomes, settings.problem),
    )
    return 0


def add_certify(sub: argparse.ArgumentParser) -> None:
    """Add the options of `certify`."""
    add_contract(sub)
    add_problem(sub)
    add_outside(sub)
    add_epsilon(sub)
    add_configuration(sub)
    add_shared(sub)
    sub.add_argument(
        "--crews", type=Path, nargs="+", default=[], metavar="FILE",
        help="files of crews that know many contracts, one per training (default: train from scratch)",
    )  # fmt: skip
    sub.add_argument(
        "--seeds", type=int, default=1, metavar="N",
        help="trainings from scratch with the contract, and as many without, from --seed on (default: 1)",
    )  # fmt: skip
    sub.add_argument("--roles", metavar="ROLE,...", help="whose deviations are tried (default: all roles of the game)")
    sub.add_argument("--ppo", action="store_true", help="let PPO learn to deviate, too (needs the extra sb3)")
    sub.add_argument("--deviator-episodes", type=int, metavar="N", help="training episodes of each deviator")
    sub.add_argument("--processes", type=int, default=2, metavar="N", help="processes that train (default: 2)")
    sub.add_argument("--folder", type=Path, default=FOLDER, help="where what was trained is kept and looked for")
    add_log(sub)
    add_json(sub)


def certify(options: argparse.Namespace, output: Output) -> int:
    """Say of a contract who accepts it, and whether anybody gains by leaving."""
    from contract_wrapper.commands.configured import configure, training_settings
    from contract_wrapper.evaluation.judging.code_version import versions
    from contract_wrapper.landscapes.certify import certify_command

    _check_seeds(options)
    run = configure(options, "certify")
    options, settings = run.options, training_settings(run)
    contract = contract_of(options, settings)
    output.configuration = run.tree(settings)
    output.detail("versions", versions(options.learner))
    output.detail("settings", settings.to_dict())
    with logging_to(options, options.folder):
        certificate = certify_command(
            contract, settings, range(options.seed, options.seed + options.seeds), crews=options.crews,
            roles=None if options.roles is None else [role.strip() for role in options.roles.split(",")],
            ppo=options.ppo, deviator_episodes=options.deviator_episodes, folder=options.folder, processes=options.processes,
            stream=output.progress,
        )  # fmt: skip
    output.result(str(certificate), lambda: certificate_document(certificate))
    return 0


def _check_seeds(options: argparse.Namespace) -> None:
    if options.seeds < 1:
        raise ContractsError(f"--seeds must be at least 1, got {options.seeds}")

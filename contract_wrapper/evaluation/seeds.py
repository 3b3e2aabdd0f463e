"""Judge one contract: train it and the baseline, over one seed or several, and say who accepts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import TextIO

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.envs.batch_game import check_game
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.judging.margins import objective_of, paired
from contract_wrapper.evaluation.outcome import Outcome, mean_outcome
from contract_wrapper.evaluation.participation import SURE, acceptance, in_words
from contract_wrapper.evaluation.settings import EvaluationSettings, check_seed
from contract_wrapper.evaluation.worker_pool import CrewJob, Job, crew_jobs, working
from contract_wrapper.evaluation.workers import Task, TrainingStatus
from contract_wrapper.files import make_folder
from contract_wrapper.problems.cleanup import CleanupProblem
from contract_wrapper.problems.problem import DesignProblem
from contract_wrapper.progress import Progress

MOST_SEEDS = 10_000
"""Trainings of one contract; each takes seconds at least."""


def evaluate_seeds(
    contract: AnyContract, settings: EvaluationSettings, seeds: Iterable[int], *,
    folder: Path | None, processes: int, stream: TextIO,
) -> tuple[list[Outcome], list[Outcome]]:  # fmt: skip
    """Train the contract and the baseline with every seed; return the baselines and the outcomes, both by seed.

    In the baseline nobody is paid, also where a payment rule of the settings needs no cleaners (`RewardSharing`).

    Crews that judge the contract in the settings are trained, if they are missing, in place of agents of its own.
    Finished trainings are kept in `folder` and not repeated; stopped ones go on; without a folder nothing is kept.

    Raises:
        ContractsError: there are no seeds or more than 10,000, one of them is no seed, the folder cannot be made,
            crews do not know the crew size, or a training failed.
    """
    numbered = [check_seed(seed) for seed in islice(seeds, MOST_SEEDS + 1)]
    if not 1 <= len(numbered) <= MOST_SEEDS:
        got = f"more than {MOST_SEEDS:,}" if numbered else "none"
        raise ContractsError(f"a contract is judged over 1 to {MOST_SEEDS:,} seeds, got {got}")
    if isinstance(contract, Contract):
        check_game(settings.game, contract.n_cleaners)
    if settings.crews is not None and isinstance(contract, Contract) and not contract.is_none:
        settings.crews.check_knows(contract.n_cleaners)
    if folder is not None:
        make_folder(folder)
    n = len(numbered)
    baselines = [Job(number=i, contract=settings.none(), seed=seed, unpaid=True) for i, seed in enumerate(numbered)]
    mine = baselines
    if not contract.is_none:
        mine = [Job(number=n + i, contract=contract, seed=seed) for i, seed in enumerate(numbered)]
    jobs = [*baselines, *(mine if mine is not baselines else ())]
    results: dict[int, Outcome] = {}
    crews = [] if contract.is_none or folder is None else crew_jobs(folder, settings)
    by_crews = settings.crews is not None
    progress, state = Progress(stream), dict[int, TrainingStatus]()
    names = {job.number: f"{job}, seed {job.seed}" for job in jobs} | {job.number: str(job) for job in crews}
    done: set[int] = set()

    def on_result(job: CrewJob | Job, result: Outcome | str | None) -> None:
        if isinstance(result, str):
            raise ContractsError(f"the training of {names[job.number]} failed: {result}")
        if result is not None:
            results[job.number] = result
        done.add(job.number)
        state.pop(job.number, None)

    def on_tick() -> None:
        parts = [f"{names[n]}: episode {s.episode}/{s.episodes}" for n, s in state.items()]
        progress.show([f"trained  {len(done)}/{len(names)}", "training " + ("; ".join(parts) or progress.starting())])

    first: list[Task] = [*crews, *baselines] if by_crews else []  # the others wait for the crews
    steps: list[Sequence[Task]] = [first, jobs[n:] if by_crews else jobs]
    with working(min(processes, len(names))) as workers:
        for some in filter(None, steps):
            workers.run(some, settings, folder, on_result, lambda s: state.__setitem__(s.number, s), on_tick)
    progress.say("")
    return [results[job.number] for job in baselines], [results[job.number] for job in mine]


def verdict(
    contract: AnyContract, baselines: list[Outcome], outcomes: list[Outcome], problem: DesignProblem | None = None
) -> str:
    """Say what a contract brought about, against the baseline of each seed; of a problem, if there is one.

    Raises:
        ContractsError: the baselines are of other seeds than the outcomes.
    """
    margins = paired(outcomes, baselines, problem)
    mean, without = mean_outcome(outcomes), mean_outcome(baselines)
    n, many = len(outcomes), f"{mean.episodes:,} episodes"
    if mean.by_crew:
        made = f"{len(mean.by_crew)} training{'s' if len(mean.by_crew) > 1 else ''}"
        lines = [
            f"{contract}   (crews of {made} that know every contract)",
            f"  ± is the standard error over the {many} of these crews, without contract over the "
            f"{without.episodes:,} of one training (seed {without.seed}): what other trainings would bring is not in it",
        ]
    elif n > 1:
        lines = [
            f"{contract}   (seeds {', '.join(str(o.seed) for o in outcomes)})",
            f"  ± is the standard error over {n} trainings, of one seed each"
            + ("" if contract.is_none else f"; without contract over {n} others, of the same seeds"),
        ]
    else:
        lines = [
            f"{contract}   (seed {mean.seed})",
            f"  ± is the standard error over the {many} of one training"
            + ("" if contract.is_none else ", without contract of another one")
            + ": what other trainings would bring is not in it (--seeds)",
        ]
    lines += _brought(mean, without, problem)
    if contract.is_none:
        return "\n".join(lines)
    lines.append(f"  margins (accepted: at least 0 by {SURE:g} standard errors; refused: below 0 by as many)")
    if n > 1:
        whose = "harvesters" if problem is None else "who is there without contract"
        lines.append(f"  {whose}: ± over the {n} differences with and without contract of one seed each")
    lines += [f"    {name:16} {margin!s:>18}   {acceptance([margin])}" for name, margin in margins.items()]
    lines.append(f"  {in_words(margins, names=True)}")
    if len(mean.by_crew) > 1:
        lines.append("  welfare by training of crews: " + ", ".join(f"{welfare:.1f}" for welfare in mean.by_crew))
    if n > 1:
        lines.append("  welfare by seed: " + ", ".join(f"{o.seed}: {o.welfare.mean:.1f}" for o in outcomes))
        lines.append("  without contract: " + ", ".join(f"{o.seed}: {o.welfare.mean:.1f}" for o in baselines))
    if not mean.by_crew:
        lines.append(f"  CPU time per training: {mean.cpu_seconds / n:.0f} s")
    return "\n".join(lines)


def _brought(mean: Outcome, without: Outcome, problem: DesignProblem | None) -> list[str]:
    """What was earned and done, and what the worst-off agent of each role has."""
    lines = [f"  welfare            {mean.welfare!s:>18}   without contract {without.welfare}"]
    if problem is not None and problem.objective != "welfare":
        value, before = objective_of(mean, without, problem), objective_of(without, without, problem)
        lines.append(f"  {problem.objective:19}{value!s:>18}   without contract {before}")
    if problem is None or isinstance(problem, CleanupProblem):
        lines += [
            f"  harvest            {mean.harvest!s:>18}   without contract {without.harvest}",
            f"  shots              {mean.shots!s:>18}   cells cleaned {mean.cleaned}",
        ]
    outside = {} if problem is None else dict(problem.outside.by_name)
    for role in sorted(dict.fromkeys(map(mean.role, mean.utilities)), key=lambda role: not without.of_role(role)):
        worst = min(mean.of_role(role).values(), key=lambda u: u.mean)
        there = without.of_role(role).values()
        against = f"wants at least {outside.get(role, 0.0):g}"
        if there:
            against = f"without contract {min(there, key=lambda u: u.mean)}"
        lines.append(f"  {f'worst {role}':19}{worst!s:>18}   {against}")
    return lines

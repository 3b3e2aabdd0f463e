"""Judge one contract: train it and the baseline, over one seed or several, and say who accepts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import TextIO

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.envs.batch_game import check_game
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.outcome import Outcome, mean_outcome
from contract_wrapper.evaluation.participation import accepts
from contract_wrapper.evaluation.settings import EvaluationSettings, check_seed
from contract_wrapper.evaluation.worker_pool import CrewJob, Job, Task, TrainingStatus, crew_jobs, working
from contract_wrapper.files import make_folder
from contract_wrapper.progress import STARTING, Progress

MOST_SEEDS = 10_000
"""Trainings of one contract; each takes seconds at least."""


def evaluate_seeds(
    contract: Contract, settings: EvaluationSettings, seeds: Iterable[int], *,
    folder: Path | None, processes: int, stream: TextIO,
) -> tuple[Outcome, list[Outcome]]:  # fmt: skip
    """Train the contract with every seed and the baseline with the first; return baseline and outcomes.

    Crews that judge the contract in the settings are trained, if they are missing, in place of agents of its own. Finished trainings are kept in `folder` and not repeated; stopped ones go on; without a folder nothing is kept.

    Raises:
        ContractsError: there are no seeds or more than 10,000, one of them is no seed, the folder cannot be made,
            crews do not know the crew size, or a training failed.
    """
    numbered = [check_seed(seed) for seed in islice(seeds, MOST_SEEDS + 1)]
    if not 1 <= len(numbered) <= MOST_SEEDS:
        got = f"more than {MOST_SEEDS:,}" if numbered else "none"
        raise ContractsError(f"a contract is judged over 1 to {MOST_SEEDS:,} seeds, got {got}")
    check_game(settings.game, contract.n_cleaners)
    if settings.crews is not None and not contract.is_none:
        settings.crews.check_knows(contract.n_cleaners)
    if folder is not None:
        make_folder(folder)
    jobs = [Job(number=0, contract=Contract.none(), seed=numbered[0])]
    if not contract.is_none:
        jobs += [Job(number=i, contract=contract, seed=seed) for i, seed in enumerate(numbered, start=1)]
    else:
        jobs += [Job(number=i, contract=contract, seed=seed) for i, seed in enumerate(numbered[1:], start=1)]
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
        progress.show([f"trained  {len(done)}/{len(names)}", "training " + ("; ".join(parts) or STARTING)])

    first: list[Task] = [*crews, jobs[0]] if by_crews else []  # the others wait for the crews
    steps: list[Sequence[Task]] = [first, jobs[1:] if by_crews else jobs]
    with working(min(processes, len(names))) as workers:
        for some in filter(None, steps):
            workers.run(some, settings, folder, on_result, lambda s: state.__setitem__(s.number, s), on_tick)
    progress.say("")
    mine = [results[job.number] for job in jobs if job.contract == contract]
    return results[0], mine


def verdict(contract: Contract, baseline: Outcome, outcomes: list[Outcome]) -> str:
    """Say what a contract brought about, against the baseline."""
    mean = mean_outcome(outcomes)
    seeds = ", ".join(str(o.seed) for o in outcomes)
    how = "between trainings" if len(outcomes) > 1 else "between episodes of one training"
    head = f"{contract}   (seed {seeds}; ± is the standard error {how})"
    if mean.by_crew:
        many = f"{len(mean.by_crew)} training{'s' if len(mean.by_crew) > 1 else ''}"
        head = (
            f"{contract}   (crews of {many} that know every contract; ± is the standard error of their episodes alone)"
        )
    lines = [
        head,
        f"  welfare            {mean.welfare!s:>18}   without contract {baseline.welfare}",
        f"  harvest            {mean.harvest!s:>18}   without contract {baseline.harvest}",
        f"  shots              {mean.shots!s:>18}   cells cleaned {mean.cleaned}",
        f"  worst harvester    {mean.worst_harvester!s:>18}   without contract {baseline.worst_harvester}",
    ]
    if mean.worst_cleaner is not None:
        lines.append(f"  worst cleaner      {mean.worst_cleaner!s:>18}   wants at least 0")
    if contract.is_none:
        return "\n".join(lines)
    lines.append("  margins (0 or more: accepted)")
    margins = mean.margins(baseline)
    lines += [f"    {name:16} {margin!s:>18}" for name, margin in margins.items()]
    refused = [name for name, margin in margins.items() if not accepts(margin)]
    lines.append("  accepted by everybody" if not refused else f"  refused by {', '.join(refused)}")
    if len(mean.by_crew) > 1:
        lines.append("  welfare by training of crews: " + ", ".join(f"{welfare:.1f}" for welfare in mean.by_crew))
    if len(outcomes) > 1:
        lines.append("  welfare by seed: " + ", ".join(f"{o.seed}: {o.welfare.mean:.1f}" for o in outcomes))
    if mean.by_crew:
        return "\n".join(lines)
    lines.append(f"  CPU time per training: {mean.cpu_seconds / len(outcomes):.0f} s")
    return "\n".join(lines)

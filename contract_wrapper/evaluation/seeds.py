"""Judge one contract: train it and the baseline, over one seed or several, and say who accepts."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TextIO

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.outcome import Outcome, mean_outcome
from contract_wrapper.evaluation.settings import EvaluationSettings, check_seed
from contract_wrapper.evaluation.worker_pool import Job, TrainingStatus, working
from contract_wrapper.files import make_folder
from contract_wrapper.progress import STARTING, Progress

MOST_SEEDS = 10_000
"""Trainings of one contract; each takes seconds at least."""


def evaluate_seeds(
    contract: Contract, settings: EvaluationSettings, seeds: Iterable[int], *,
    folder: Path, processes: int, stream: TextIO,
) -> tuple[Outcome, list[Outcome]]:  # fmt: skip
    """Train the contract with every seed and the baseline with the first; return baseline and outcomes.

    Finished trainings are kept in `folder` and not repeated; stopped ones go on.

    Raises:
        ContractsError: there are no seeds or more than 10,000, one of them is no seed, the folder cannot be made,
            or a training failed.
    """
    numbered = [check_seed(seed) for seed in islice(seeds, MOST_SEEDS + 1)]
    if not 1 <= len(numbered) <= MOST_SEEDS:
        got = f"more than {MOST_SEEDS:,}" if numbered else "none"
        raise ContractsError(f"a contract is judged over 1 to {MOST_SEEDS:,} seeds, got {got}")
    make_folder(folder)
    jobs = [Job(number=0, contract=Contract.none(), seed=numbered[0])]
    if not contract.is_none:
        jobs += [Job(number=i, contract=contract, seed=seed) for i, seed in enumerate(numbered, start=1)]
    else:
        jobs += [Job(number=i, contract=contract, seed=seed) for i, seed in enumerate(numbered[1:], start=1)]
    results: dict[int, Outcome] = {}
    progress, state = Progress(stream), dict[int, TrainingStatus]()

    def on_result(job: Job, result: Outcome | str) -> None:
        if isinstance(result, str):
            raise ContractsError(f"the training of {job.contract} with seed {job.seed} failed: {result}")
        results[job.number] = result
        state.pop(job.number, None)

    def on_tick() -> None:
        parts = [f"{jobs[n].contract}, seed {jobs[n].seed}: episode {s.episode}/{s.episodes}" for n, s in state.items()]
        progress.show([f"trained  {len(results)}/{len(jobs)}", "training " + ("; ".join(parts) or STARTING)])

    with working(min(processes, len(jobs))) as workers:
        workers.run(jobs, settings, folder, on_result, lambda status: state.__setitem__(status.number, status), on_tick)
    progress.say("")
    mine = [results[job.number] for job in jobs if job.contract == contract]
    return results[0], mine


def verdict(contract: Contract, baseline: Outcome, outcomes: list[Outcome]) -> str:
    """Say what a contract brought about, against the baseline."""
    mean = mean_outcome(outcomes)
    seeds = ", ".join(str(o.seed) for o in outcomes)
    how = "between trainings" if len(outcomes) > 1 else "between episodes of one training"
    lines = [
        f"{contract}   (seed {seeds}; ± is the standard error {how})",
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
    refused = [name for name, margin in margins.items() if margin.mean < 0]
    lines.append("  accepted by everybody" if not refused else f"  refused by {', '.join(refused)}")
    if len(outcomes) > 1:
        lines.append("  welfare by seed: " + ", ".join(f"{o.seed}: {o.welfare.mean:.1f}" for o in outcomes))
    lines.append(f"  CPU time per training: {mean.cpu_seconds / len(outcomes):.0f} s")
    return "\n".join(lines)

"""Searches on the real game in which every evaluation is a training from scratch, as the paper's are.

A run is a function of its job. The training of contract k in run r depends on r, the contract and how often it was
measured before, so that optimisers of one run read the same; outcomes are kept in a folder, and a run that was stopped
is carried out again from what is there.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from contract_wrapper import Contract, EvaluationSettings, Outcome, evaluate, get_mtmfq_profile
from contract_wrapper.bo.candidates.sampling import initial_designs
from contract_wrapper.bo.gp.blas_threads import one_thread
from contract_wrapper.bo.history import History
from contract_wrapper.bo.noise.pooling import pooled
from contract_wrapper.bo.noise.recommend import recommend
from contract_wrapper.bo.space import DesignSpace, contract_space
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.judging.margins import paired
from contract_wrapper.evaluation.participation import PARTICIPATION
from contract_wrapper.studies.suggest import HARVESTERS
from optimiser_bench.optimisers import OPTIMISERS
from optimiser_bench.runner import Job

JUDGES = 3
"""Fresh trainings by which a recommended contract is judged; in a run the same seeds for all contracts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScratchRun:
    """What a search recommends, and what became of it in fresh trainings."""

    job: Job
    tax: float
    n_cleaners: int
    """0: nothing was read as accepted."""
    read: float
    """Welfare of the recommended contract as the search read it, mean of its trainings."""
    welfare: tuple[float, ...]
    """Of the fresh trainings."""
    smallest: float
    """Smallest mean margin of any agent over the fresh trainings."""
    seconds: float
    """CPU time of the optimiser per suggestion."""

    def to_line(self) -> str:
        """Write as one line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":")) + "\n"

    @classmethod
    def from_line(cls, line: str) -> ScratchRun:
        """Read what `to_line` wrote."""
        raw = json.loads(line)
        return cls(**{**raw, "job": Job(**raw["job"]), "welfare": tuple(raw["welfare"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The game as a search from scratch sees it."""

    settings: EvaluationSettings
    folder: Path
    space: DesignSpace

    def outcome(self, contract: Contract, *stream: int) -> Outcome:
        """Train under a contract with the seed of a stream, or read the outcome if it was trained before."""
        tax = 0 if contract.is_none else round(contract.tax * 100)
        words = np.random.SeedSequence([*stream, contract.n_cleaners, tax]).generate_state(1, np.uint32)
        return evaluate(contract, self.settings, int(words[0]), folder=self.folder)

    def judged(self, contract: Contract, run: int) -> tuple[tuple[float, ...], float]:
        """Welfare in each fresh training, and the smallest margin over them, paired by seed with no contract.

        Each run has trainings of its own, so that an interval over runs counts their noise, too.
        """
        seeds = [int(np.random.SeedSequence([run, 90, k]).generate_state(1, np.uint32)[0]) for k in range(JUDGES)]
        with_it, without = (
            [evaluate(c, self.settings, seed, folder=self.folder) for seed in seeds]
            for c in (contract, Contract.none())
        )
        least = min(margin.mean for margin in paired(with_it, without, None).values())
        return tuple(o.welfare.mean for o in with_it), least


def game(profile: str, costs: str, folder: Path, episodes: int | None = None) -> Trained:
    """Clean-up under a cost preset, its agents trained by a profile of the learner."""
    learner = get_mtmfq_profile(profile, **({} if episodes is None else {"episodes": episodes}))
    return Trained(settings=EvaluationSettings(learner=learner, costs=costs), folder=folder, space=contract_space())


def search(where: Trained, job: Job) -> ScratchRun:
    """Baseline and initial designs, corners first, then batches that the optimiser asks for, and the judging."""
    baseline = where.outcome(Contract.none(), job.seed, 0)
    names = tuple(baseline.margins(baseline))
    history = History.empty(where.space, names, participation=names.index(PARTICIPATION))
    history = history.add((0.0, 0), baseline.welfare.mean, [0.0] * len(names), objective_se=baseline.welfare.se)
    rng, took = np.random.default_rng(np.random.SeedSequence([job.seed, 10])), 0.0
    for row in initial_designs(where.space, job.n_prior, rng):
        history = _measured(where, history, tuple(row), baseline, job.seed)
    while (left := job.n_prior + job.evaluations + 1 - len(history)) > 0:
        with one_thread():
            began = time.process_time()
            picks = OPTIMISERS[job.optimiser](where.space, _as_told(history), (), min(job.batch, left), seed=job.seed)
            took += time.process_time() - began
        for pick in picks:
            history = _measured(where, history, tuple(pick.design), baseline, job.seed)
    best = recommended(where.space, history)
    contract = Contract.none() if best is None else Contract(tax=best[0], n_cleaners=best[1])
    welfare, smallest = where.judged(contract, job.seed)
    read = baseline.welfare.mean if best is None else _mean_of(history, best)[0]
    return ScratchRun(
        job=job, tax=0.0 if best is None else best[0], n_cleaners=contract.n_cleaners, read=read,
        welfare=welfare, smallest=smallest, seconds=round(took / max(job.evaluations, 1), 5),
    )  # fmt: skip


def run(profile: str, costs: str, folder: Path, episodes: int | None, job: Job) -> ScratchRun:
    """Carry out a job; what `carry_out` sends to processes."""
    return search(game(profile, costs, folder, episodes), job)


def recommended(space: DesignSpace, history: History) -> tuple[float, int] | None:
    """Of the contracts read as accepted, the one that is worth most by the surrogates; None: none is read so."""
    read = {key: _mean_of(history, key) for key in dict.fromkeys(map(_key, history.designs[1:]))}
    accepted = sorted((key for key, (_, least) in read.items() if least >= 0), key=lambda key: -read[key][0])
    if not accepted:
        return None
    try:
        found = recommend(space, _as_told(history), otherwise=float(history.objective[0]))
    except ContractsError:
        return accepted[0]
    order = [_key(np.asarray(believed.design)) for believed in found.ranked]
    return min(accepted, key=lambda key: order.index(key) if key in order else len(order))


def _measured(where: Trained, history: History, design: tuple[float, ...], baseline: Outcome, seed: int) -> History:
    key = _key(np.asarray(design))
    before = sum(_key(row) == key for row in history.designs[1:])
    outcome = where.outcome(Contract(tax=key[0], n_cleaners=key[1]), seed, 1 + before)
    margins = outcome.margins(baseline)
    return history.add(
        design,
        outcome.welfare.mean,
        [margins[name].mean for name in history.constraints],
        objective_se=outcome.welfare.se,
        margins_se=[margins[name].se for name in history.constraints],
    )


def _as_told(history: History) -> History:
    """As the main job tells it: harvesters, who are alike, as one constraint."""
    return pooled(history, {HARVESTERS: [name for name in history.constraints if name != PARTICIPATION]})


def _key(design: np.ndarray) -> tuple[float, int]:
    return round(float(design[0]), 6), round(float(design[1]))


def _mean_of(history: History, key: tuple[float, int]) -> tuple[float, float]:
    """Mean welfare and smallest mean margin of all readings of a contract."""
    mine = np.array([False, *(_key(row) == key for row in history.designs[1:])])
    return float(history.objective[mine].mean()), float(history.margins[mine].mean(axis=0).min())


def rows_of(runs: list[ScratchRun]) -> dict[str, list[ScratchRun]]:
    """Runs by optimiser, in order of seeds."""
    found: dict[str, list[ScratchRun]] = {}
    for one in sorted(runs, key=lambda one: one.job.seed):
        found.setdefault(one.job.optimiser, []).append(one)
    return found

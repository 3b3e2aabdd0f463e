"""Searches on a landscape, as the main job does them: what is recommended after each evaluation, and what read best.

A run is a function of its job and the landscape. Contract k reads alike in all runs of one seed, whoever asks for it
and when: the training that it is read from depends on seed, k and how often it was read before, so that optimisers are
compared in pairs.
"""

from __future__ import annotations

import functools
import hashlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo.candidates.sampling import initial_designs
from contract_wrapper.bo.dimensions import Integer, Real
from contract_wrapper.bo.gp.blas_threads import one_thread
from contract_wrapper.bo.history import History
from contract_wrapper.bo.noise.pooling import pooled
from contract_wrapper.bo.noise.recommend import recommend
from contract_wrapper.bo.space import DesignSpace
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.participation import PARTICIPATION
from contract_wrapper.landscapes.landscape import Landscape
from contract_wrapper.landscapes.shipped import load_landscape
from contract_wrapper.landscapes.tabular import TabularProblem
from contract_wrapper.studies.suggest import HARVESTERS
from optimiser_bench.optimisers import OPTIMISERS
from optimiser_bench.runner import Job

EVERYTHING = "everything once"
"""A yardstick in an optimiser's place: every contract is evaluated once, then one is recommended."""

N_PATHS = 400
"""Posterior paths of a recommendation."""

EVERY = 5
"""A recommendation is made after so many evaluations, and at the end; in between the last one stands."""

_HASHED = ("tax", "n_cleaners", "welfare", "welfare_se", "utilities", "utilities_se")


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRun:
    """The result of a job on a landscape, in numbers of its contracts; 0, no contract, while nothing is accepted."""

    job: Job
    recommended: tuple[int, ...]
    """After the initial designs, and after each evaluation: 1 + evaluations numbers; the last that was made (`EVERY`)."""
    luckiest: tuple[int, ...]
    """Likewise, the contract with the highest reading among those read as accepted."""
    seconds: float
    """CPU time of the optimiser per suggestion, mean; evaluations, and what is recommended, are not in it."""

    def to_line(self) -> str:
        """Write as one line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":")) + "\n"

    @classmethod
    def from_line(cls, line: str) -> SearchRun:
        """Read what `to_line` wrote."""
        raw = json.loads(line)
        lists = {name: tuple(raw[name]) for name in ("recommended", "luckiest")}
        return cls(**{**raw, **lists, "job": Job(**raw["job"])})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Searched:
    """A landscape as the optimisers see it."""

    problem: TabularProblem
    space: DesignSpace

    @classmethod
    def of(cls, landscape: Landscape) -> Searched:
        """Make the design space of a landscape's contracts.

        Raises:
            ContractsError: its taxes are not evenly spaced, its crews have gaps, or a tax lacks a crew.
        """
        problem = TabularProblem(landscape=landscape)
        taxes, sizes = problem.taxes, problem.crew_sizes
        even = len(taxes) > 1 and np.allclose(np.diff(taxes), np.ptp(taxes) / (len(taxes) - 1), rtol=0.0, atol=1e-6)
        if not even or not problem.is_grid or len(sizes) != sizes[-1] - sizes[0] + 1:
            raise ContractsError(
                "optimisers are compared on a full grid of evenly spaced taxes and crew sizes without gaps, got "
                f"{len(problem.designs)} contracts of {len(taxes)} taxes and the crew sizes {sizes.tolist()}"
            )
        # Steps of 0.01 as `contract_space` has them, not 0.010000000000000002.
        step = round(float(np.ptp(taxes)) / (len(taxes) - 1), 12)
        tax = Real(name="tax", low=float(taxes[0]), high=float(taxes[-1]), step=step)
        crew = Integer(name="cleaners", low=int(sizes[0]), high=int(sizes[-1]))
        return cls(problem=problem, space=DesignSpace(dimensions=(tax, crew)))

    def begin(self, seed: int) -> History:
        """Return a history with the baseline alone, as every study begins: one reading of the game without a contract."""
        land, s = self.problem.landscape, self._training(seed, 0)
        names = self.problem.constraints
        history = History.empty(self.space, names, participation=self.problem.participation)
        welfare, se = float(land.welfare[s, 0]), float(land.welfare_se[s, 0])
        return history.add((0.0, 0), welfare, [0.0] * len(names), objective_se=se)

    def add(self, history: History, number: int, seed: int) -> History:
        """Return the history with one contract evaluated; again, it is read from another training drawn at random."""
        contract = self.problem.landscape.contracts()[number]
        before = sum(map(bool, (history.designs == (contract.tax, contract.n_cleaners)).all(axis=1)))
        return history.add(**self.problem.told(contract, np.random.default_rng(_stream(seed, number, before))))

    def as_told(self, history: History) -> History:
        """A history as the main job tells it: harvesters, who are alike, as one constraint."""
        harvesters = [name for name in history.constraints if name != PARTICIPATION]
        return pooled(history, {HARVESTERS: harvesters})

    def number(self, design: npt.ArrayLike) -> int:
        """Number of the contract of a design."""
        return self.problem.landscape.number(self.problem.contract(design))

    def _training(self, seed: int, number: int) -> int:
        return int(np.random.default_rng(_stream(seed, number)).integers(len(self.problem.landscape.seeds)))


def _stream(seed: int, number: int, before: int = 0) -> np.random.SeedSequence:
    return np.random.SeedSequence([seed, 30, number, before] if before else [seed, 30, number])


@functools.lru_cache(maxsize=4)
def searched(source: str) -> Searched:
    """Load a landscape by name or path, once in a process."""
    return Searched.of(load_landscape(source))


def digest(landscape: Landscape) -> str:
    """Eight characters that tell landscapes of other numbers apart, so that no run is taken for one of another."""
    found = hashlib.blake2b(digest_size=4)
    for name in _HASHED:
        found.update(np.ascontiguousarray(getattr(landscape, name)).tobytes())
    return found.hexdigest()


def short_name(source: str) -> str:
    """Name of a landscape in tables and files: as it is shipped, or of its file, or of the folder of `landscape.npz`."""
    path = Path(source)
    if path.suffix != ".npz":
        return source
    return path.resolve().parent.name if path.stem == "landscape" else path.stem


def search(source: str, job: Job) -> SearchRun:
    """Carry out a job on the landscape of a name or path.

    Raises:
        ContractsError: the landscape is another than the job names.
    """
    mine = searched(source)
    if (now := digest(mine.problem.landscape)) != job.problem.rpartition("@")[2]:
        raise ContractsError(f"{source} has changed since this command began: it is {now} now, not {job.problem}")
    return everything(mine, job) if job.optimiser == EVERYTHING else search_on(mine, job)


def search_on(mine: Searched, job: Job) -> SearchRun:
    """Baseline and initial designs, corners first, then batches that the optimiser asks for."""
    ask, history = OPTIMISERS[job.optimiser], mine.begin(job.seed)
    rng = np.random.default_rng(np.random.SeedSequence([job.seed, 10]))
    numbers = [mine.number(row) for row in initial_designs(mine.space, job.n_prior, rng)]
    for k in numbers:
        history = mine.add(history, k, job.seed)
    found, took, left = [choices(mine, history, numbers)], 0.0, job.evaluations
    while left:
        with one_thread():
            start = time.process_time()
            picks = ask(mine.space, mine.as_told(history), (), min(job.batch, left), seed=job.seed)
            took += time.process_time() - start
        for pick in picks:
            numbers.append(mine.number(pick.design))
            history = mine.add(history, numbers[-1], job.seed)
        left -= len(picks)
        done = job.evaluations - left
        due = not left or done // EVERY > (done - len(picks)) // EVERY
        found += [found[-1]] * (len(picks) - 1) + [choices(mine, history, numbers) if due else found[-1]]
    recommended, luckiest = zip(*found, strict=True)
    seconds = round(took / max(job.evaluations, 1), 5)
    return SearchRun(job=job, recommended=recommended, luckiest=luckiest, seconds=seconds)


def everything(mine: Searched, job: Job) -> SearchRun:
    """Every contract once, then one choice."""
    history, numbers = mine.begin(job.seed), list(range(1, len(mine.problem.landscape.tax)))
    for k in numbers:
        history = mine.add(history, k, job.seed)
    recommended, luckiest = choices(mine, history, numbers)
    return SearchRun(job=job, recommended=(recommended,), luckiest=(luckiest,), seconds=0.0)


def choices(mine: Searched, history: History, numbers: list[int]) -> tuple[int, int]:
    """Return what is recommended, and what read best, among the contracts read as accepted; 0, no contract: none is.

    Recommended is the contract that is worth most by the surrogates, by the rule of `studies.suggest.candidates`. What
    was measured several times is read as the mean.

    Args:
        mine: where.
        history: the baseline first, then the results.
        numbers: those contracts, in the same order.
    """
    each = np.array(numbers)
    read = {
        k: (history.objective[1:][each == k].mean(), bool((history.margins[1:][each == k].mean(axis=0) >= 0).all()))
        for k in dict.fromkeys(numbers)
    }
    ranked = sorted((k for k, (_, accepted) in read.items() if accepted), key=lambda k: -read[k][0])
    if not ranked:
        return 0, 0
    try:
        found = recommend(mine.space, mine.as_told(history), otherwise=float(history.objective[0]), n_paths=N_PATHS)
    except ContractsError:
        return ranked[0], ranked[0]
    order = [mine.number(believed.design) for believed in found.ranked]
    return min(ranked, key=lambda k: order.index(k) if k in order else len(order)), ranked[0]

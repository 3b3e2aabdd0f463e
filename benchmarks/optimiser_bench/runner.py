"""Runs of an optimiser on a problem: in parallel processes, each stored as one line when it ends."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from contract_wrapper.bo.gp.blas_threads import one_thread
from optimiser_bench.cleanup import SynthCleanup
from optimiser_bench.engineering import ENGINEERING
from optimiser_bench.optimisers import OPTIMISERS
from optimiser_bench.problem import Problem
from optimiser_bench.public import PROBLEMS
from optimiser_bench.textbook import TEXTBOOK
from optimiser_bench.unseen import UNSEEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run; equal jobs give equal results."""

    problem: str
    """`cleanup-SEED`, `cleanup-slack-SEED`, or a problem of engineering, of a textbook or of the literature."""
    optimiser: str
    seed: int
    """Of the prior set and of the optimiser; the same for all optimisers."""
    evaluations: int
    """After the prior set."""
    n_prior: int = 7
    corners: bool = True
    """Whether the prior set begins with the corners; else it is drawn at random."""
    batch: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The result of a job."""

    job: Job
    regrets: tuple[float, ...]
    """After the prior set, and after each evaluation: 1 + evaluations numbers."""
    first: int | None
    """Evaluations until the first feasible result, the prior set included; None: there was none."""
    seconds: float
    """CPU time per suggestion, mean; other work on the machine does not count."""

    def to_line(self) -> str:
        """Write as one line of JSON."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Run:
        """Read what `to_line` wrote."""
        raw = json.loads(line)
        return cls(**{**raw, "job": Job(**raw["job"]), "regrets": tuple(raw["regrets"])})


class Stored(Protocol):
    """What is stored of a job, as one line."""

    @property
    def job(self) -> Job:
        """What it is the result of."""
        ...

    def to_line(self) -> str:
        """Write as one line of JSON."""
        ...


R = TypeVar("R", bound=Stored)


def problem_of(name: str) -> Problem:
    """Build a problem from its name."""
    if name.startswith("cleanup-"):
        return SynthCleanup(int(name.rsplit("-", 1)[1])).problem(slack=name.startswith("cleanup-slack-"))
    minimised = {**ENGINEERING, **TEXTBOOK, **UNSEEN}
    return (minimised[name] if name in minimised else PROBLEMS[name]).problem(name)


def jobs_of(
    problems: Sequence[str], optimisers: Sequence[str], seeds: Iterable[int], evaluations: int, n_prior: int
) -> list[Job]:
    """List the runs of all optimisers on all problems, seed by seed, after prior sets that are drawn at random."""
    return [
        Job(problem=p, optimiser=o, seed=seed, evaluations=evaluations, n_prior=n_prior, corners=False)
        for seed in seeds
        for p in problems
        for o in optimisers
    ]


def run(job: Job) -> Run:
    """Carry out a job."""
    problem, ask = problem_of(job.problem), OPTIMISERS[job.optimiser]
    rng = np.random.default_rng(np.random.SeedSequence([job.seed, 10]))
    history = problem.begin(job.corners, job.n_prior, rng)
    took = 0.0
    while len(history) < job.n_prior + job.evaluations:
        number = min(job.batch, job.n_prior + job.evaluations - len(history))
        with one_thread():
            start = time.process_time()
            picks = ask(problem.space, history, (), number, seed=job.seed)
            took += time.process_time() - start
        for pick in picks:
            history = problem.add(history, pick.design)
    feasible = np.flatnonzero(history.feasible())
    return Run(
        job=job,
        regrets=tuple(float(f"{r:.7g}") for r in problem.regrets(history)[job.n_prior - 1 :]),
        first=int(feasible[0]) + 1 if len(feasible) else None,
        seconds=round(took / job.evaluations, 5),
    )


def read_runs(path: Path) -> list[Run]:
    """Read the runs of a file; a last line that a crash cut short is left out."""
    return read_stored(path, Run.from_line)


def read_stored(path: Path, from_line: Callable[[str], R]) -> list[R]:
    """Read results of any kind, as `read_runs`."""
    found = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            found.append(from_line(line))
        except (json.JSONDecodeError, TypeError, KeyError):
            print(f"a line of {path} is broken, and its run is repeated", file=sys.stderr)
    return found


def forget(path: Path, optimisers: Iterable[str]) -> None:
    """Drop the runs of optimisers that have changed."""
    forget_stored(path, optimisers, Run.from_line)


def forget_stored(path: Path, optimisers: Iterable[str], from_line: Callable[[str], R]) -> None:
    """Drop results of any kind, as `forget`."""
    dropped = set(optimisers)
    kept = [found.to_line() for found in read_stored(path, from_line) if found.job.optimiser not in dropped]
    path.write_text("".join(kept))


def run_all(jobs: Sequence[Job], path: Path, processes: int, say: Callable[[str], None]) -> list[Run]:
    """Carry out the jobs that the file lacks, append each as it ends, and return the runs of all jobs.

    A job that fails is told and left out; the next call tries it again.
    """
    return carry_out(jobs, path, processes, say, run, Run.from_line)


def leave_with_parent() -> None:
    """In a worker: end when the parent has, however it ended; nobody would store what comes of the job under way."""
    threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def carry_out(
    jobs: Sequence[Job],
    path: Path,
    processes: int,
    say: Callable[[str], None],
    do: Callable[[Job], R],
    from_line: Callable[[str], R],
) -> list[R]:
    """Carry out jobs by `do`, which processes can be sent, as `run_all` does by `run`; with 0 processes, nothing is run."""
    stored = {found.job: found for found in read_stored(path, from_line)}
    todo = [job for job in jobs if job not in stored]
    if not processes:
        if len(todo) == len(jobs):
            sys.exit(f"none of these runs is stored in {path}")
        if todo:
            say(f"{len(todo)} of {len(jobs)} runs are not stored, and left out")
        return [stored[job] for job in jobs if job in stored]
    path.parent.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    if path.exists() and not path.read_text().endswith("\n"):  # cut short by a crash
        path.write_text("".join(found.to_line() for found in stored.values()))
    with path.open("a") as file:

        def keep(found: R) -> None:
            stored[found.job] = found
            file.write(found.to_line())
            file.flush()

        def progress(k: int, job: Job, failure: str = "") -> None:
            if k % 20 and k < len(todo) and not failure:
                return
            left = (time.monotonic() - begun) / k * (len(todo) - k)
            say(f"{k}/{len(todo)}, {left / 60:.0f} min left: {job.optimiser} on {job.problem}{failure}")

        if processes == 1:
            for k, job in enumerate(todo, start=1):
                try:
                    keep(do(job))
                    progress(k, job)
                except Exception as error:
                    progress(k, job, f" failed: {error!r}")
        elif todo:
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(processes, mp_context=context, initializer=leave_with_parent) as pool:
                submitted = {pool.submit(do, job): job for job in todo}
                for k, future in enumerate(as_completed(submitted), start=1):
                    failure = future.exception()
                    if failure is None:
                        keep(future.result())
                    progress(k, submitted[future], "" if failure is None else f" failed: {failure!r}")
    return [stored[job] for job in jobs if job in stored]

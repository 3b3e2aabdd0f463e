"""A landscape on disk: a folder with its settings, a folder for each seed, and the table of all seeds.

The folder holds `settings.json` (what is made), `commands.json` (by which commands), `seed-N/` (trained agents, tables,
checkpoints of stopped trainings), `landscape.npz` (everything measured) and `landscape.csv` (one row for each contract).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, TextIO

from contract_wrapper.command_runs import CommandRun, to_plain
from contract_wrapper.engines.engine import LOCAL, Engine
from contract_wrapper.engines.working import working
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.judging.code_version import versions
from contract_wrapper.evaluation.settings import EvaluationSettings, check_seed
from contract_wrapper.evaluation.worker_pool import check_processes
from contract_wrapper.evaluation.workers import Task, TrainingStatus
from contract_wrapper.files import make_folder, read_sealed, write_sealed, write_text
from contract_wrapper.folder_lock import lock_folder
from contract_wrapper.landscapes.building.commands_file import add_command
from contract_wrapper.landscapes.building.one_seed import (
    BUILDS_ON,
    KINDS,
    SHARES,
    Part,
    SeedBuilder,
    parts_of,
    weights_of,
)
from contract_wrapper.landscapes.building.plan import Plan, Table
from contract_wrapper.landscapes.building.seed_tables import names_of
from contract_wrapper.progress import Pace, Progress
from mtmfq.checkpoint import plain

SETTINGS, TABLE, CSV = "settings.json", "landscape.npz", "landscape.csv"
KIND = "settings of a landscape"

MOST_SEEDS = 1_000
"""Each takes minutes."""

MOST_AT_ONCE = 5
"""Processes that one seed can keep at work; more would wait."""

_STEPS = 10_000
"""Steps into which a part's work is divided when it is told how far it is."""


class _Told(NamedTuple):
    """How far a part is, in the words in which workers tell how far a training is."""

    episode: int
    episodes: int = _STEPS
    total: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedJob(Generic[Table]):
    """A part of one seed to make, in a worker, or its landscape once all parts are there."""

    number: int
    seed: int
    settings: Plan[Table]
    part: Part | None
    """None: the landscape of this seed, which is the result; a part leaves its file and has none."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Everything that was made for the seed."""
        return (f"seed-{self.seed}/**/*",)

    def do(
        self, settings: EvaluationSettings, folder: Path | None, on_progress: Callable[[Any], None],
        should_stop: Callable[[], bool],
    ) -> Table | None:  # fmt: skip
        """Make it in the folder of its seed; `settings` are not used."""
        if folder is None:
            raise ContractsError("a landscape is made in a folder, got none")

        def tell(done: float) -> None:
            on_progress(_Told(episode=int(done * _STEPS)))

        builder = SeedBuilder(self.settings, self.seed, folder / f"seed-{self.seed}", tell, should_stop)
        if self.part is None:
            return builder.table()
        builder.do(self.part)
        return None


class _Making(Generic[Table]):
    """Which parts of all seeds are to be made next, and how much is done.

    A part is given to a worker as soon as what it builds on is there, and trainings of crews, the longest, come first:
    so no worker waits while there is something to do.
    """

    def __init__(self, settings: Plan[Table], seeds: Sequence[int]) -> None:
        self._parts = parts_of(settings)
        self._weights = dict(zip(self._parts, weights_of(self._parts), strict=True))
        self.jobs: list[SeedJob[Table]] = []
        self.landscapes: dict[int, Table] = {}
        self._fractions: dict[int, float] = {}
        self._left: dict[int, set[Part]] = {seed: set(self._parts) for seed in seeds}
        self._settings, self._seeds = settings, seeds

    def first(self) -> list[SeedJob[Table]]:
        """What can be done from the beginning: crews of all seeds, then what they are judged against."""
        free = sorted((p for p in self._parts if not BUILDS_ON[p.kind]), key=lambda part: -SHARES[part.kind])
        return [self._new(seed, part) for part in free for seed in self._seeds]

    def after(self, job: SeedJob[Table]) -> list[SeedJob[Table]]:
        """What can be done now that a part is there."""
        self._fractions[job.number] = 1.0
        if job.part is None:
            return []
        left = self._left[job.seed]
        left.discard(job.part)
        if not left:
            return [self._new(job.seed, None)]
        kinds = {part.kind for part in left}
        ready = [
            kind
            for kind in KINDS
            if job.part.kind in BUILDS_ON[kind] and not kinds & set(BUILDS_ON[kind])
        ]  # fmt: skip
        return [self._new(job.seed, part) for part in self._parts if part.kind in ready]

    def told(self, number: int, fraction: float) -> float | None:
        """Take in how far a job is; what it had done when it was first told of, else None."""
        before = self._fractions.get(number)
        self._fractions[number] = fraction
        return self._weight(self.jobs[number]) * fraction if before is None else None

    def done(self) -> float:
        """How many seeds' work is done."""
        return sum(self._weight(self.jobs[number]) * part for number, part in self._fractions.items())

    def running(self) -> list[str]:
        """What is being done, in words."""
        at_work = (self.jobs[n] for n, fraction in self._fractions.items() if fraction < 1.0)
        return list(dict.fromkeys(f"seed {job.seed}: {job.part.name}" for job in at_work if job.part is not None))

    def _new(self, seed: int, part: Part | None) -> SeedJob[Table]:
        job = SeedJob(number=len(self.jobs), seed=seed, settings=self._settings, part=part)
        self.jobs.append(job)
        return job

    def _weight(self, job: SeedJob[Table]) -> float:
        return 0.0 if job.part is None else self._weights[job.part]


def make_landscape(
    settings: Plan[Table], seeds: Sequence[int], folder: Path, *, processes: int = 2, stream: TextIO,
    command: str = "", typed: str = "", engine: Engine = LOCAL,
) -> Table:  # fmt: skip
    """Make a landscape of several seeds, whose parts processes share; everything finished is kept, the same call goes on.

    A folder may get more seeds later; its table then holds those that were asked for last.

    Args:
        settings: what is made.
        seeds: of the conditioned trainings; with the same seed comes the same result.
        folder: where everything lies.
        processes: parts of seeds that are made at once.
        stream: where progress is shown.
        command: what makes the landscape again, if a command does; its file says it.
        engine: who makes the parts; they are the same.
        typed: the command that asks for it now, as it was typed; kept with those before it. Empty: a call from Python.

    Returns:
        The landscape, as its file in the folder holds it.

    Raises:
        ContractsError: the seeds are none, the folder holds a landscape of other settings or code or is in use, or
            a seed cannot be made.
        KeyboardInterrupt: a stop was asked for.
    """
    numbered = [check_seed(seed) for seed in seeds]
    if not 1 <= len(numbered) <= MOST_SEEDS or len(set(numbered)) < len(numbered):
        raise ContractsError(f"a landscape has 1 to {MOST_SEEDS:,} seeds, none twice, got {shown(list(seeds))}")
    check_processes(processes)
    names_of(
        settings.roles, settings.agents_of(max(settings.sizes))
    )  # what cannot be made is refused before any training
    make_folder(folder)
    lock = lock_folder(folder)
    try:
        _join(settings, folder)
        commands = add_command(folder, CommandRun.now(typed, versions()))
        parts = _work(settings, numbered, folder, min(processes, len(numbered) * MOST_AT_ONCE), stream, engine)
        landscape = type(parts[numbered[0]]).joined([parts[seed] for seed in numbered])
        landscape = dataclasses.replace(
            landscape,
            about={**landscape.about, "command": command, "commands": to_plain(commands), "versions": versions()},
        )
        landscape.save(folder / TABLE)
        write_text(folder / CSV, landscape.to_csv())
        return type(landscape).load(folder / TABLE)
    finally:
        lock.release()


def _work(
    settings: Plan[Table], seeds: Sequence[int], folder: Path, processes: int, stream: TextIO, engine: Engine
) -> dict[int, Table]:
    """Make all parts of all seeds; landscapes by seed."""
    making, progress, pace = _Making(settings, seeds), Progress(stream), Pace(0.0)
    found: dict[int, Table] = {}

    def on_result(job: SeedJob[Table], result: Table | str | None) -> Sequence[Task]:
        if isinstance(result, str):
            raise ContractsError(f"seed {job.seed} of the landscape failed: {result}")
        if result is not None:
            found[job.seed] = result
            progress.say(
                f"seed {job.seed}: all {len(result.contracts()) - 1} contracts played, highest {result.maximised} "
                f"{result.objective()[0][0].max():.0f}"
            )
        return making.after(job)

    def on_status(status: TrainingStatus) -> None:
        there = making.told(status.number, status.episode / status.episodes)
        if there is not None and not pace.start(making.done()):
            pace.regain(there)

    def on_tick() -> None:
        done, whole = making.done(), float(len(seeds))
        left = pace.left(done, whole)
        running = "; ".join(making.running()) or progress.starting()
        progress.show([f"landscape {done / whole:.0%}, about {left} left", running])

    with working(processes, engine) as workers:
        workers.run(making.first(), settings.evaluation(0), folder, on_result, on_status, on_tick)
    return found


def _join(settings: Plan[Any], folder: Path) -> None:
    """Write down what is made in a folder, or compare with what is written there.

    Raises:
        ContractsError: other settings or other code made what lies there.
    """
    path, mine = folder / SETTINGS, plain(settings.about())
    if not path.exists():
        write_sealed(path, KIND, mine)
        return
    known = read_sealed(path, KIND)
    for name in {**known, **mine}:
        if known.get(name) != mine.get(name):
            what = "version of the code" if name == "code" else name
            raise ContractsError(
                f"the landscape in {folder} was begun with another {what} ({shown(known.get(name))} there, "
                f"{shown(mine.get(name))} now): give the options and the version that it was begun with, or choose "
                "another folder with --folder"
            )

"""A landscape on disk: a folder with its settings, a folder for each seed, and the table of all seeds.

The folder holds `settings.json` (what is made), `seed-N/` (trained agents, tables, checkpoints of stopped trainings),
`landscape.npz` (everything measured) and `landscape.csv` (one row for each contract).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, TextIO

from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.judging.code_version import versions
from contract_wrapper.evaluation.settings import EvaluationSettings, check_seed
from contract_wrapper.evaluation.worker_pool import TrainingStatus, check_processes, working
from contract_wrapper.files import make_folder, read_sealed, write_sealed, write_text
from contract_wrapper.folder_lock import lock_folder
from contract_wrapper.landscapes.building.one_seed import BuildStatus, build_seed, part_at
from contract_wrapper.landscapes.building.plan import Plan, Table
from contract_wrapper.landscapes.building.seed_tables import names_of
from contract_wrapper.progress import Pace, Progress
from mtmfq.checkpoint import plain

SETTINGS, TABLE, CSV = "settings.json", "landscape.npz", "landscape.csv"
KIND = "settings of a landscape"

MOST_SEEDS = 1_000
"""Each takes minutes."""

_STEPS = 10_000
"""Parts into which a seed's work is divided when it is told how far it is."""


class _Told(NamedTuple):
    """How far a seed is, in the words in which workers tell how far a training is."""

    episode: int
    episodes: int = _STEPS
    total: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedJob(Generic[Table]):
    """One seed to make, in a worker; its result is a landscape of this seed alone."""

    number: int
    seed: int
    settings: Plan[Table]

    def do(
        self, settings: EvaluationSettings, folder: Path | None, on_progress: Callable[[Any], None],
        should_stop: Callable[[], bool],
    ) -> Table:  # fmt: skip
        """Make the seed in its folder; `settings` are not used."""
        if folder is None:
            raise ContractsError("a landscape is made in a folder, got none")

        def tell(status: BuildStatus) -> None:
            on_progress(_Told(episode=int(status.done * _STEPS)))

        return build_seed(self.settings, self.seed, folder / f"seed-{self.seed}", self.number, tell, should_stop)


def make_landscape(
    settings: Plan[Table], seeds: Sequence[int], folder: Path, *, processes: int = 2, stream: TextIO,
    command: str = "",
) -> Table:  # fmt: skip
    """Make a landscape of several seeds, each in a process; everything finished is kept, the same call goes on.

    A folder may get more seeds later; its table then holds those that were asked for last.

    Args:
        settings: what is made.
        seeds: of the conditioned trainings; with the same seed comes the same result.
        folder: where everything lies.
        processes: seeds that are made at once.
        stream: where progress is shown.
        command: what makes the landscape again, if a command does; its file says it.

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
        jobs = [SeedJob(number=i, seed=seed, settings=settings) for i, seed in enumerate(numbered)]
        parts = _work(jobs, settings, folder, min(processes, len(jobs)), stream)
        landscape = type(parts[0]).joined([parts[i] for i in range(len(jobs))])
        landscape = dataclasses.replace(
            landscape, about={**landscape.about, "command": command, "versions": versions()}
        )
        landscape.save(folder / TABLE)
        write_text(folder / CSV, landscape.to_csv())
        return type(landscape).load(folder / TABLE)
    finally:
        lock.release()


def _work(
    jobs: Sequence[SeedJob[Table]], settings: Plan[Table], folder: Path, processes: int, stream: TextIO
) -> dict[int, Table]:
    found: dict[int, Table] = {}
    done: dict[int, float] = {}
    progress, pace = Progress(stream), Pace(0.0)

    def on_result(job: SeedJob[Table], result: Table | str) -> None:
        if isinstance(result, str):
            raise ContractsError(f"seed {job.seed} of the landscape failed: {result}")
        found[job.number], done[job.number] = result, 1.0
        best = result.objective()[0][0].max()
        progress.say(
            f"seed {job.seed}: all {len(result.contracts()) - 1} contracts played, highest {result.maximised} {best:.0f}"
        )

    def on_status(status: TrainingStatus) -> None:
        before, done[status.number] = done.get(status.number), status.episode / status.episodes
        if before is None and not pace.start(sum(done.values())):
            pace.regain(done[status.number])

    def on_tick() -> None:
        running = [f"seed {j.seed}: {part_at(done[j.number])}" for j in jobs if 0 < done.get(j.number, 0.0) < 1]
        left = pace.left(sum(done.values()), float(len(jobs)))
        share = sum(done.values()) / len(jobs)
        progress.show([f"landscape {share:.0%}, about {left} left", "; ".join(running) or progress.starting()])

    with working(processes) as workers:
        workers.run(jobs, settings.evaluation(0), folder, on_result, on_status, on_tick)
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

"""Workers of one study that are killed at random: `python benchmarks/worker_trial.py` (options: `--help`).

Ten processes work on one study of about 1,000 evaluations, and every few seconds one of them, drawn at random, is
killed by SIGKILL and replaced. Evaluations are made up and take a fraction of a second; designs are drawn from a list
that all workers have, so that all of them always want the same one. What every worker does is written to a file, line by
line. At the end nothing may be lost (a trial without an outcome), nothing doubled (a design in two trials, or a trial
that two living workers had), and the table says so. `--blind` hides from workers that they are on one machine: then
heartbeats alone tell who is dead. Linux only (fork).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import resource
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cleanup_env import make_config
from contract_wrapper.bo.suggestion import SpaceExhausted, Suggestion
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.evaluation import worker_pool
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.studies import search as search_module
from contract_wrapper.studies.record import COMPETING, StudyRecord
from contract_wrapper.studies.search import Search
from contract_wrapper.studies.settings import SearchSettings
from contract_wrapper.studies.sharing import heartbeat, worker
from contract_wrapper.studies.sharing.place import place_of
from contract_wrapper.studies.study import Study, read_study
from mtmfq.config import get_profile

SETTINGS = EvaluationSettings(game=make_config("contract", horizon=20), learner=get_profile("smoke"), episodes=4)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What is tried."""

    folder: Path
    search: SearchSettings
    storage: str | None = None
    workers: int = 10
    seconds: float = 0.2
    """Of an evaluation, on average."""
    kill_every: float = 5.0
    """Seconds between kills, on average; 0: none."""
    blind: bool = False
    """Whether heartbeats alone tell who is dead."""
    grace: float = 10.0
    """Silence after which a worker counts as dead, where heartbeats tell."""
    limit: float = 3600.0
    """Seconds after which it is given up."""

    @property
    def log(self) -> Path:
        return self.folder / "worker_trial.log"


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of it."""

    record: StudyRecord
    kills: int
    seconds: float
    cpu_seconds: float
    """Of all workers together, from their fork to their end, the killed ones included."""
    lost: int
    """Trials without an outcome."""
    doubled_designs: int
    """Designs that were evaluated in two trials that compete, and numbers that two trials have."""
    doubled_trials: int
    """Evaluations of a trial that began while another worker that lived had it."""
    again: int
    """Evaluations that were begun again, as their worker was killed."""


def run(trial: Trial, rng: random.Random) -> Result:
    """Have the workers work, and kill some, until the study is finished."""
    Study(trial.folder, SETTINGS, trial.search, storage=trial.storage).close()
    trial.log.write_text("")
    began, cpu, kills = time.monotonic(), _cpu_of_children(), 0
    alive = {_start(trial) for _ in range(trial.workers)}
    next_kill = _next(trial, rng)
    try:
        while alive:
            for pid in list(alive):
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    alive.discard(pid)
                    if status:
                        raise RuntimeError(f"a worker ended by itself with status {status}: see {trial.log}")
            if time.monotonic() - began > trial.limit:
                raise TimeoutError(f"not finished after {trial.limit:.0f} seconds")
            if alive and time.monotonic() >= next_kill:
                victim = rng.choice(sorted(alive))
                _note(trial, "kill", -1, victim)
                os.kill(victim, signal.SIGKILL)
                os.waitpid(victim, 0)
                alive.discard(victim)
                alive.add(_start(trial))
                kills += 1
                next_kill = _next(trial, rng)
            time.sleep(0.02)
    finally:
        for pid in alive:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
    record = read_study(trial.folder, storage=trial.storage)
    return judged(trial, record, kills, time.monotonic() - began, _cpu_of_children() - cpu)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def judged(trial: Trial, record: StudyRecord, kills: int, seconds: float, cpu_seconds: float) -> Result:
    """Read the log and the study."""
    having: dict[int, int] = {}
    killed: set[int] = set()
    doubled = again = 0
    for line in trial.log.read_text().splitlines():
        what, number, pid = line.split()[0], *map(int, line.split()[1:3])
        if what == "kill":
            killed.add(pid)
        elif what == "begin":
            if number in having:
                again += 1
                doubled += having[number] not in killed
            having[number] = pid
    designs: list[Any] = [t.contract for t in record.trials if t.phase in COMPETING] + numbers(trial)
    return Result(
        record=record, kills=kills, seconds=seconds, cpu_seconds=cpu_seconds, lost=sum(t.outcome is None for t in record.trials),
        doubled_designs=len(designs) - len(set(designs)), doubled_trials=doubled, again=again,
    )  # fmt: skip


def numbers(trial: Trial) -> list[int]:
    """Numbers of the trials, as the database has them; the study is the only one there that is called like its folder."""
    from sqlalchemy import create_engine, text

    place = place_of(trial.folder, trial.storage)
    statement = "SELECT number FROM trials t JOIN studies s ON s.study_id = t.study_id WHERE s.study_name = :name"
    engine = create_engine(place.url)
    try:
        with engine.connect() as connection:
            return list(connection.execute(text(statement), {"name": place.name or place.new_name}).scalars())
    finally:
        engine.dispose()


def _next(trial: Trial, rng: random.Random) -> float:
    return time.monotonic() + rng.expovariate(1 / trial.kill_every) if trial.kill_every else float("inf")


def _start(trial: Trial) -> int:
    """Start a worker as a fork of this process, which has everything loaded."""
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        work(trial)
        os._exit(0)
    except BaseException as error:
        _note(trial, f"error {error!r}".replace("\n", " "), -1, os.getpid())
        os._exit(1)


def work(trial: Trial) -> None:
    """What a worker does, in a process of its own."""
    numbers: dict[int, int] = {}
    rng = random.Random(os.urandom(8))

    def evaluate(contract: Contract, _settings: Any, seed: int, **_: Any) -> Outcome:
        while seed not in numbers:
            numbers[trial.search.training_seed(len(numbers))] = len(numbers)
        _note(trial, "begin", numbers[seed], os.getpid())
        time.sleep(rng.uniform(0, 2 * trial.seconds))
        return outcome(contract, seed)

    worker_pool.evaluate = evaluate  # type: ignore[assignment]
    search_module.suggest = suggest
    search_module.candidates = as_measured
    heartbeat.BEAT_SECONDS, heartbeat.GRACE_SECONDS = trial.grace / 10, trial.grace
    if trial.blind:
        worker.machine = lambda: ""
    study = Study.join(trial.folder, storage=trial.storage)
    try:
        Search(study, processes=1, stream=io.StringIO(), here=True).run()
    finally:
        study.close()


def suggest(record: StudyRecord, number: int) -> list[Suggestion]:
    """The first designs of a list that are in no trial: every worker that asks at the same time wants the same ones."""
    taken = {record.designs.design(t.contract) for t in record.trials}
    order = np.random.default_rng(record.search.seed).permutation(101 * record.search.max_cleaners)
    free = ((float(k % 101) / 100, int(k // 101) + 1) for k in order)
    found = [design for design in free if design not in taken][:number]
    if not found:
        raise SpaceExhausted("all designs are taken")
    return [Suggestion.unpredicted(design, 0.0) for design in found]


def as_measured(record: StudyRecord) -> list[AnyContract]:
    """The best contracts as measured, without surrogates, which cost more than all else here."""
    return [trial.contract for trial in record.feasible_trials()]


def outcome(contract: Contract, seed: int) -> Outcome:
    """A made-up world: crews work from tax 0.2 on, three cleaners are best."""
    works = contract.tax >= 0.2 and contract.n_cleaners > 0
    harvest = (600.0 - 30 * abs(contract.n_cleaners - 3)) if works else 150.0
    harvester = (1 - contract.tax) * (harvest + np.random.default_rng(seed).normal(0, 2)) / 5
    utilities = {f"harvester_{i}": Estimate(mean=harvester, se=0.5) for i in range(5)}
    for k in range(contract.n_cleaners):
        utilities[f"cleaner_{k}"] = Estimate(mean=contract.tax * harvest / contract.n_cleaners - 1, se=0.1)
    welfare = Estimate(mean=sum(u.mean for u in utilities.values()), se=2.0)
    return Outcome(
        contract=contract, welfare=welfare, utilities=utilities, harvest=Estimate(mean=harvest),
        cleaned=Estimate(mean=0.0), shots=Estimate(mean=0.0), seed=seed,
    )  # fmt: skip


def _note(trial: Trial, what: str, number: int, pid: int) -> None:
    line = f"{what} {number} {pid} {time.monotonic():.3f}\n".encode()
    file = os.open(trial.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, line)
    finally:
        os.close(file)


def table(result: Result) -> str:
    """The result, as people read it."""
    per_trial, cpu = (1000 * s / max(1, len(result.record.trials)) for s in (result.seconds, result.cpu_seconds))
    return "\n".join([
        f"trials              {len(result.record.trials)}",
        f"seconds             {result.seconds:.0f}  ({per_trial:.0f} ms per trial, all workers together)",
        f"CPU seconds         {result.cpu_seconds:.0f}  ({cpu:.0f} ms per trial: the study's, for evaluations sleep)",
        f"kills               {result.kills}",
        f"begun again         {result.again}",
        f"lost                {result.lost}",
        f"doubled designs     {result.doubled_designs}",
        f"doubled trials      {result.doubled_trials}  (living workers declared dead, too)",
    ])  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--workers", type=int, default=10)
    parser.add_argument("--trials", type=int, default=1000, help="about so many (default: 1000)")
    parser.add_argument("--seconds", type=float, default=0.2, help="of an evaluation, on average (default: 0.2)")
    parser.add_argument("--kill-every", type=float, default=5.0, help="seconds between kills, on average (default: 5)")
    parser.add_argument("--storage", help="URL of a database (default: a file in the folder)")
    parser.add_argument("--folder", type=Path, help="default: a temporary one")
    parser.add_argument("--blind", action="store_true", help="heartbeats alone tell who is dead")
    parser.add_argument("--seed", type=int, default=0, help="of the kills")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        trial = Trial(
            folder=folder, search=budgets(options.trials), storage=options.storage, workers=options.workers,
            seconds=options.seconds, kill_every=options.kill_every, blind=options.blind,
        )  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        result = run(trial, random.Random(options.seed))
    print(table(result))
    return int(bool(result.lost or result.doubled_designs or result.doubled_trials))


def budgets(trials: int) -> SearchSettings:
    """Initial designs, contracts that are chosen, and fresh trainings, about so many trials together."""
    initial, chosen = max(3, trials // 10), min(400, 4 * trials // 10)
    return SearchSettings(n_initial=initial, n_search=chosen, n_confirm=max(1, trials - 1 - initial - chosen))


if __name__ == "__main__":
    sys.exit(main())

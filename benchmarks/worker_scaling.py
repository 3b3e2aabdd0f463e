"""How many more trainings two workers of one machine finish than one: `python benchmarks/worker_scaling.py`.

One study of contracts that are trained from scratch (profile `smoke`, initial designs alone), by `cleanup-contracts
optimize --workers N` for each N, the same contracts each time. Counted are evaluations per second between the time when
the last worker began its first and the time when the first worker ended its last, so that all are at work; an evaluation
that lies partly outside counts in part. Studies of one worker each that run at once and share nothing say what the
machine has to give: its cores may share caches, memory and heat. Let nothing else run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from contract_wrapper.studies.sharing.claims import KEY
from contract_wrapper.studies.sharing.place import place_of

Span = tuple[datetime, datetime]


def spans_of(folder: Path) -> list[list[Span]]:
    """When each worker of a study evaluated: beginnings and ends of what it did, in its order; the baseline is left out."""
    import optuna

    storage = optuna.storages.RDBStorage(place_of(folder).url)
    (study,) = storage.get_all_studies()
    found: dict[str, list[Span]] = {}
    for trial in storage.get_all_trials(study._study_id)[1:]:
        if trial.datetime_start is None or trial.datetime_complete is None:
            raise RuntimeError(f"evaluation {trial.number} was not finished")
        worker = trial.system_attrs[KEY]["name"]
        found.setdefault(worker, []).append((trial.datetime_start, trial.datetime_complete))
    return [sorted(spans) for spans in found.values()]


def rate(workers: Sequence[Sequence[Span]]) -> float:
    """Evaluations per second while all workers are at work.

    >>> at = lambda *seconds: tuple(datetime.fromtimestamp(s) for s in seconds)
    >>> rate([[at(0, 2), at(2, 4)]])
    0.5
    >>> rate([[at(0, 2), at(2, 4)], [at(1, 3)]])  # from 1 to 3: half of one, half of another, and a whole one
    1.0
    """
    begin = max(spans[0][0] for spans in workers)
    end = min(spans[-1][1] for spans in workers)
    if end <= begin:
        raise RuntimeError("the workers were never at work together: take more evaluations")
    inside = [
        max(0.0, (min(b, end) - max(a, begin)).total_seconds()) / (b - a).total_seconds()
        for spans in workers
        for a, b in spans
    ]
    return sum(inside) / (end - begin).total_seconds()


def measure(workers: int, studies: int, evaluations: int, profile: str, seed: int) -> float:
    """Evaluations per second of some studies at once that share nothing, each with so many workers."""
    with tempfile.TemporaryDirectory() as where:
        folders = [Path(where) / f"study-{k}" for k in range(studies)]
        begun = [
            subprocess.Popen(
                [
                    sys.executable, "-m", "contract_wrapper", "optimize", "--quiet", "--inner", "scratch",
                    "--profile", profile, "--initial", str(evaluations), "--evaluations", "0", "--confirm", "0",
                    "--workers", str(workers), "--processes", "1", "--seed", str(seed), "--folder", str(folder),
                ],
                stdout=subprocess.DEVNULL,
            )
            for folder in folders
        ]  # fmt: skip
        codes = [process.wait() for process in begun]
        if any(codes):
            raise RuntimeError("a study failed; what it said stands above")
        spans = [of_worker for folder in folders for of_worker in spans_of(folder)]
    if len(spans) != workers * studies:
        raise RuntimeError(f"{len(spans)} of {workers * studies} workers evaluated something: take more evaluations")
    return rate(spans)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--workers", type=int, default=2, help="compared with one (default: 2)")
    parser.add_argument("--evaluations", type=int, default=20, help="of each study (default: 20)")
    parser.add_argument("--profile", default="smoke", help="of the trainings (default: smoke)")
    parser.add_argument("--repeats", type=int, default=3, help="rounds (default: 3)")
    options = parser.parse_args(arguments)
    print(f"evaluations per second, {options.evaluations} trainings of profile {options.profile}")
    print(f"{'round':>5}{'studies':>9}{'workers of each':>17}{'per second':>12}{'to one':>8}")
    for seed in range(options.repeats):
        first = None
        for studies, workers in ((1, 1), (1, options.workers), (options.workers, 1)):
            found = measure(workers, studies, options.evaluations, options.profile, seed)
            first = first or found
            print(f"{seed:>5}{studies:>9}{workers:>17}{found:>12.3f}{found / first:>8.2f}", flush=True)


if __name__ == "__main__":
    main()

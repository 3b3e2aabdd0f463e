"""Ten workers, a thousand cheap trials, one worker killed every five seconds on average: nothing is lost or doubled.

`pytest -s -n 0 -m slow tests/contract_wrapper/studies/test_thousand_trials.py` takes some minutes, and at most 20, for each
of three runs in each of two databases; its output is in `benchmarks/results/thousand_trials.txt`. Small versions of it are in `test_killed_workers` and `test_postgresql`.
"""

import random
import sys
from pathlib import Path

import pytest

import worker_trial

if sys.platform == "win32":
    pytest.skip("needs fork", allow_module_level=True)

from postgres import server, why_not

TRIALS, LIMIT = 1000, 1200.0


def check(folder: Path, storage: str | None, seed: int) -> None:
    """Run it, and see that nothing is lost, nothing doubled, and nobody who lived was declared dead."""
    trial = worker_trial.Trial(
        folder=folder, search=worker_trial.budgets(TRIALS), storage=storage, workers=10, kill_every=5.0, limit=LIMIT
    )
    result = worker_trial.run(trial, random.Random(seed))
    print(f"\n{worker_trial.table(result)}")  # shown by `pytest -s`
    assert len(result.record.trials) >= TRIALS
    assert sum(trial.outcome is not None for trial in result.record.trials) == len(result.record.trials)
    assert (result.lost, result.doubled_designs, result.doubled_trials) == (0, 0, 0)
    assert result.kills >= 5


@pytest.mark.slow
@pytest.mark.parametrize("seed", [3, 5, 7])
def test_a_thousand_trials_in_a_file(tmp_path: Path, seed: int) -> None:
    check(tmp_path, None, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [4, 6, 8])
@pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is a server")
def test_a_thousand_trials_in_a_server(tmp_path: Path, seed: int) -> None:
    with server() as one:
        check(tmp_path, one.url, seed)

"""Copies in worker processes give the same numbers as in this one, and the processes end whatever happens."""

import gc
import os
import signal
import threading
import time
from functools import partial

import numpy as np
import pytest
from small_zoo import Fails, Meadow, sees_the_next

from contract_wrapper import Contract, ContractsError, PettingZooGames

DEAL = Contract(tax=0.3, n_cleaners=1)
COMINGS = {"comes": {"harvester_0": 2}, "leaves": {"cleaner_0": 4}}


def ended(workers):
    deadline = time.monotonic() + 20
    while any(worker.is_alive() for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(worker.is_alive() for worker in workers)


def test_two_processes_give_the_same_numbers_as_one_and_end_with_the_games():
    make = partial(Meadow, **COMINGS)
    alone, spread = (PettingZooGames(make, DEAL, n_games=3, visible=sees_the_next, processes=p) for p in (1, 2))
    with pytest.raises(ContractsError, match="worker processes, where they cannot be looked at: use processes=1"):
        _ = spread.envs
    workers = spread._copies._processes
    assert len({worker.pid for worker in workers} - {os.getpid()}) == 2
    rng = np.random.default_rng(0)
    for seed in (1, 2):
        assert (alone.reset(seed) == spread.reset(seed)).all()
        for _ in range(alone.horizon):
            actions = rng.integers(0, 3, (3, 3))
            (seen, utilities), (other, also) = alone.step(actions), spread.step(actions)
            assert (seen == other).all()
            assert (utilities == also).all()
            assert all((a == b).all() for a, b in zip(alone.activity, spread.activity, strict=True))
            assert (alone.here == spread.here).all()
            assert (alone.visible() == spread.visible()).all()
            assert (alone.action_mask() == spread.action_mask()).all()
    del spread
    gc.collect()
    assert ended(workers)


class Odd(Exception):
    """An error that cannot be built from what it keeps, so that it cannot be sent."""

    def __init__(self, one, two):
        super().__init__(one)


class FailsOddly(Meadow):
    """A meadow that fails in the second step with such an error."""

    def step(self, actions):
        if self.time == 1:
            raise Odd("salt", 2)
        return super().step(actions)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (partial(Fails, KeyError("salt")), KeyError, "salt"),
        (FailsOddly, ContractsError, "failed in its worker process: Odd: salt"),
    ],
)
def test_an_error_of_a_game_is_raised_as_in_one_process_and_the_games_go_on(make, kind, message):
    games = PettingZooGames(make, DEAL, n_games=2, processes=2)
    for _ in range(2):
        games.reset(0)
        games.step(np.zeros((2, 3), int))
        with pytest.raises(kind, match=message) as raised:
            games.step(np.zeros((2, 3), int))
        assert ", in step" in raised.value.__notes__[0]
    workers = games._copies._processes
    games.close()
    assert ended(workers)
    assert [worker.exitcode for worker in workers] == [0, 0]  # told to end, and not terminated
    with pytest.raises(ContractsError, match="have ended: build the games anew"):
        games.reset(0)


class Slow(Meadow):
    """A meadow whose step takes a minute."""

    def step(self, actions):
        time.sleep(60)


class Dies(Meadow):
    """A meadow whose process is killed in the first step."""

    def step(self, actions):
        os._exit(7)


def test_ctrl_c_ends_the_workers():
    games = PettingZooGames(Slow, DEAL, n_games=2, processes=2)
    games.reset(0)
    workers = games._copies._processes
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            games.step(np.zeros((2, 3), int))
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended(workers)
    with pytest.raises(ContractsError, match="have ended: build the games anew"):
        games.reset(0)


def test_a_worker_that_dies_is_told_of_and_takes_the_others_with_it():
    games = PettingZooGames(Dies, DEAL, n_games=2, processes=2)
    games.reset(0)
    workers = games._copies._processes
    with pytest.raises(ContractsError, match=r"ended \(exit code 7\): .*__main__.* processes=1 plays in this process"):
        games.step(np.zeros((2, 3), int))
    assert ended(workers)


def only_here():
    """A meadow of two harvesters in this process, and of three in a worker."""
    return Meadow(n_harvesters=2 if os.environ.get("ONLY_HERE") == str(os.getpid()) else 3)


def test_a_worker_that_builds_another_game_is_refused(monkeypatch):
    monkeypatch.setenv("ONLY_HERE", str(os.getpid()))
    with pytest.raises(ContractsError, match="make_env must build the same game each time"):
        PettingZooGames(only_here, DEAL, n_games=2, processes=2)


def test_functions_that_cannot_be_sent_are_refused_before_a_process_is_started():
    for settings in ({"make_env": lambda: Meadow()}, {"make_env": Meadow, "visible": lambda env: np.ones((3, 3))}):
        with pytest.raises(ContractsError, match=r"is sent to worker processes, which <function .* cannot be: define"):
            PettingZooGames(contract=DEAL, n_games=2, processes=2, **settings)

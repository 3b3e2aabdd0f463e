"""What most tests need compiled: one process of a run compiles it, and the others wait for it instead of doing the same."""

import os
import sys

import pytest

MANY = 200
"""Tests from which on it is worth the wait."""


def compile_once(n_tests: int, temporary: pytest.TempPathFactory) -> None:
    """In a process of pytest-xdist with many tests: compile the parts whose packages these tests have imported."""
    if "PYTEST_XDIST_WORKER" not in os.environ or n_tests < MANY:
        return
    try:
        from filelock import FileLock
    except ImportError:
        return
    with FileLock(temporary.getbasetemp().parent / "compiling.lock"):
        if {"contract_wrapper.evaluation.evaluate", "torch"} <= set(sys.modules):
            _evaluate()
        elif "cleanup_env.batch" in sys.modules:
            _play()
        if "contract_tree.simulation" in sys.modules:
            _simulate()


def _play() -> None:
    import numpy as np

    from cleanup_env import BatchCleanup

    game = BatchCleanup(observation="features")
    game.reset(seed=0)
    game.step(np.full((1, game.n_agents), 4))


def _evaluate() -> None:
    from cleanup_env import make_config
    from contract_wrapper import Contract, EvaluationSettings, evaluate, get_mtmfq_profile

    learner = get_mtmfq_profile("smoke", episodes=8, n_games=4, hidden=(8,), batch_size=16, replay_capacity=50)
    game = make_config("contract", horizon=20)
    evaluate(Contract(tax=0.3, n_cleaners=1), EvaluationSettings(game=game, learner=learner, episodes=2))


def _simulate() -> None:
    from contract_tree import named_tree, simulate

    simulate(named_tree("chain"), "tree", horizon=2_000, n_games=1)

"""What one agent gains by learning alone."""

import dataclasses

import numpy as np
import pytest

from cleanup_env import make_config
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.best_response import best_response, report
from contract_wrapper.evaluation.evaluate import contracted_game, evaluate
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.learners.lone_learner import LoneLearner
from mtmfq import play
from mtmfq.config import get_profile
from mtmfq.policy import Policy

CREW = Contract(tax=0.5, n_cleaners=2)
TINY = EvaluationSettings(
    game=make_config("contract", horizon=30),
    learner=get_profile("smoke", episodes=32, n_games=8, batch_size=64, replay_capacity=100),
    episodes=6,
)


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outcomes")
    return Policy.load(folder / evaluate(CREW, TINY, folder=folder).policy)


def test_a_lone_learner_that_acts_like_its_policy_changes_nothing(policy):
    """The others act on what they see, and the lone learner sees what its policy would have seen."""
    whole = play(contracted_game(CREW, TINY, 6), policy, 5, temperature=0.0)
    policy.config = dataclasses.replace(policy.config, test_temperature=0.0)
    for agent in (0, 6):
        game = contracted_game(CREW, TINY, 6)
        alone, n_features = LoneLearner(game, policy, agent), game.observation_shape[0]
        seen, total = alone.reset(5), np.zeros(6)
        kind = game.agent_types[agent : agent + 1]
        for _ in range(game.horizon):
            action = policy.act(
                seen[:, :, :n_features], seen[:, :, n_features:], np.random.default_rng(0), agent_types=kind
            )
            seen, utilities = alone.step(action)
            total += utilities[:, 0]
        np.testing.assert_allclose(total, whole[:, agent])


def test_among_the_unskilled_whoever_learns_alone_gains(policy):
    longer = dataclasses.replace(TINY, episodes=60, learner=dataclasses.replace(TINY.learner, episodes=400))
    found = best_response(CREW, longer, policy, "harvester_0")
    assert found.gain.mean == pytest.approx(found.after.mean - found.before.mean)
    assert found.gain.mean > 2 * found.gain.se
    assert "not a best response beyond two standard errors: harvester_0" in report(CREW, [found])


def test_same_seed_same_deviation(policy):
    one, other = (best_response(CREW, TINY, policy, "harvester_3", seed=4) for _ in range(2))
    assert one == other


def test_unknown_agents_are_named(policy):
    with pytest.raises(ContractsError, match=r"no agent 'cleaner_2'.*the agents are harvester_0"):
        best_response(CREW, TINY, policy, "cleaner_2")

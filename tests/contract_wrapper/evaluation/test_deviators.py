"""Deviators that learn alone against a crew, over all its contracts and sizes."""

import dataclasses

import numpy as np
import pytest

from cleanup_env import make_config
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.envs.batch_game import ContractedGame
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.contract_grid import play_grid
from contract_wrapper.evaluation.crews import CREWS, train_crews
from contract_wrapper.evaluation.deviations import deviate, play_deviation
from contract_wrapper.evaluation.deviators import (
    DEVIATORS,
    WARM_TEMPERATURE,
    learn_alone,
    learn_alone_by_ppo,
    train_deviator,
)
from contract_wrapper.learners.lone_learner import LoneLearner, warm_start
from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile
from contract_wrapper.learners.ppo.config import PPOConfig
from mtmfq import LearnerError, train

GAME = make_config("contract", horizon=30)
CONFIG = get_mtmfq_profile("smoke", episodes=24, n_games=4, hidden=(8, 8), n_step=5)


@pytest.fixture(scope="module")
def crews():
    return train_crews(sizes=(1, 2), config=CONFIG, game=GAME)


def weights(deviator):
    return deviator.policy.networks.flat.numpy()


@pytest.mark.parametrize("role", ["cleaner", "harvester"])
def test_before_any_training_it_plays_as_the_crew_does(crews, role):
    """At every step, from what the lone learner sees, the argmax is the crew member's; the values agree, too."""
    game = crews.games(2, [[0.3]], 4)
    i = game.config.roles.index(role)
    alone = LoneLearner(game, crews.policy, i)
    start = warm_start(alone, dataclasses.replace(CONFIG, hidden=(8, 8)))
    assert start.networks.flat.shape[0] == 1
    alone.reset(3)
    none, rng = np.zeros((4, 1, start.signature.n_means), np.float32), np.random.default_rng(0)
    seen = set()
    for _ in range(game.horizon):
        crew = alone.population
        theirs = crews.policy.act(
            crew.observations, crew.means, rng, 0.0, agent_types=game.agent_types, context=crew.context
        )
        own = start.act(alone.view(), none, rng, 0.0, context=alone.context())
        assert np.array_equal(own[:, 0], theirs[:, i])
        seen |= set(own[:, 0].tolist())
        alone.step(rng.integers(0, 7, (4, 1)))  # whatever it does itself: mean actions differ from step to step
    assert len(seen) > 1


def test_the_first_layer_is_the_crews_rearranged(crews):
    alone = LoneLearner(crews.games(1, [[0.3]], 4), crews.policy, 0)
    first = warm_start(alone, CONFIG).networks.parameters[0][0].detach().numpy()
    source = crews.policy.networks.parameters[0][1].detach().numpy()  # type 1: harvesters
    n_seen, n_context, n_means = 49, 5, crews.policy.signature.n_means
    assert np.array_equal(first[:n_seen], source[:n_seen])
    assert np.array_equal(first[n_seen : n_seen + n_means], source[n_seen + n_context :])
    assert np.array_equal(first[n_seen + n_means : -alone.n_actions[0]], source[n_seen : n_seen + n_context])
    assert (first[-alone.n_actions[0] :] == 0).all()


def test_one_training_serves_all_sizes_and_contracts(crews):
    deviator = train_deviator(crews, "cleaner", warm=True, config=CONFIG)
    assert (deviator.name, deviator.role, deviator.finished) == ("learned on", "cleaner", True)
    assert deviator.policy.config.temperature[0] == (0.0, WARM_TEMPERATURE)
    assert deviator.policy.identity["sizes"] == [1, 2]
    for n in (1, 2):
        assert play_deviation(crews, n, [[0.1], [0.9]], "cleaner", deviator, episodes=2).shape == (2, 2)
    anew = train_deviator(crews, "cleaner", warm=False, config=CONFIG)
    assert anew.name == "learned anew"
    assert anew.policy.config.temperature == CONFIG.temperature
    assert not np.array_equal(weights(anew), weights(deviator))


def test_same_seed_same_deviator_and_the_roles_and_kinds_draw_apart(crews):
    first = train_deviator(crews, "harvester", warm=True, config=CONFIG)
    assert np.array_equal(weights(train_deviator(crews, "harvester", warm=True, config=CONFIG)), weights(first))
    assert not np.array_equal(
        weights(train_deviator(crews, "harvester", warm=True, config=CONFIG, seed=1)), weights(first)
    )


@pytest.mark.parametrize("warm", [False, True])
def test_a_stopped_deviator_goes_on_to_the_same_end(crews, tmp_path, warm):
    rounds, path = iter(range(3)), tmp_path / "deviator.npz"
    stopped = train_deviator(
        crews, "cleaner", warm=warm, config=CONFIG, checkpoint=path, should_stop=lambda: next(rounds, None) is None
    )
    assert not stopped.finished
    assert len(stopped.curve.episode) == 3
    told = []
    resumed = train_deviator(crews, "cleaner", warm=warm, config=CONFIG, checkpoint=path, on_progress=told.append)
    assert [p.episode for p in told] == [16, 20, 24]
    assert np.array_equal(weights(resumed), weights(train_deviator(crews, "cleaner", warm=warm, config=CONFIG)))
    again = train_deviator(crews, "cleaner", warm=warm, config=CONFIG, checkpoint=path, on_progress=told.append)
    assert len(told) == 3  # it is read, not trained
    assert np.array_equal(weights(again), weights(resumed))


def test_a_checkpoint_says_whose_deviator_it_is(crews, tmp_path):
    path = tmp_path / "deviator.npz"
    train_deviator(crews, "cleaner", warm=False, config=CONFIG, checkpoint=path)
    others = train_crews(sizes=(1, 2), config=CONFIG, game=GAME, seed=1)
    for against, changes, word in (
        (others, {}, "crew is"), (crews, {"warm": True}, "temperature"), (crews, {"role": "harvester"}, "type_names"),
        (crews, {"terms": [[0.3]]}, "terms is"), (crews, {"sizes": (1,)}, "populations"), (crews, {"identity": {"a": 1}}, "its a is"),
    ):  # fmt: skip
        given = {"role": "cleaner", "warm": False, **changes}
        with pytest.raises(LearnerError, match=word):
            train_deviator(against, **given, config=CONFIG, checkpoint=path)


def test_among_the_unskilled_whoever_learns_alone_gains(crews):
    """A deviator of 400 episodes finds apples that harvesters of 24 episodes leave."""
    config = dataclasses.replace(CONFIG, episodes=400, n_games=8, updates_per_step=1.0)
    grid = play_grid(crews, 1, [[0.2]], episodes=40)
    alone = train_deviator(crews, "harvester", warm=False, config=config, sizes=(1,), terms=[[0.2]])
    gains = play_deviation(crews, 1, [[0.2]], "harvester", alone, episodes=40) - grid.utilities[..., 0]
    assert gains.mean() > 2 * gains.std(ddof=1) / 40**0.5 > 0


def test_a_deviator_of_one_contract_needs_no_context():
    game = ContractedGame(Contract(tax=0.5, n_cleaners=1), n_games=4, config=GAME)
    policy = train(game, CONFIG, np.random.default_rng(0)).policy
    for warm in (False, True):
        deviator = learn_alone([game], policy, "cleaner", warm=warm, config=CONFIG)
        assert deviator.policy.signature.n_context == 0
        assert deviate(game, policy, "cleaner", deviator, 0).shape == (4,)


def test_ppo_learns_at_one_contract(crews):
    pytest.importorskip("stable_baselines3")
    config = PPOConfig(episodes=16, n_games=8, n_steps=30, batch_size=240, hidden=(8,))
    game = crews.games(2, [[0.5]], 8)
    deviator = learn_alone_by_ppo(game, crews.policy, "cleaner", config=config)
    assert (deviator.name, deviator.role) == ("PPO", "cleaner")
    assert play_deviation(crews, 2, [[0.5]], "cleaner", deviator, episodes=3).shape == (1, 3)
    with pytest.raises(ContractsError, match="give all games the same terms"):
        learn_alone_by_ppo(crews.games(2, np.linspace(0.1, 0.8, 8)[:, None], 8), crews.policy, "cleaner", config=config)


def test_crews_of_ppo_can_be_left_but_not_gone_on_from():
    pytest.importorskip("stable_baselines3")
    from contract_wrapper.learners.ppo.train import train_ppo

    config = PPOConfig(episodes=8, n_games=4, n_steps=30, batch_size=120, hidden=(8,))
    game = ContractedGame(Contract(tax=0.5, n_cleaners=1), n_games=4, config=GAME)
    policy = train_ppo(game, config, 0).policy
    anew = learn_alone([game], policy, "harvester", warm=False, config=CONFIG)
    assert deviate(game, policy, "harvester", anew, 0).shape == (4,)
    assert deviate(game, policy, "cleaner", "greedy cleaner", 0).shape == (4,)
    with pytest.raises(ContractsError, match="goes on from networks of mtmfq, got a policy with settings PPOConfig"):
        learn_alone([game], policy, "harvester", warm=True, config=CONFIG)


def test_errors_say_what_cannot_be_trained(crews):
    for changes, message in (
        ({"role": "judge"}, "there is no role 'judge'"),
        ({"sizes": (3,)}, "know crews of 1, 2 cleaners, got 3"),
        ({"sizes": ()}, "no crew with a cleaner"),
        ({"terms": [[1.5]]}, r"tax must lie in \[0, 1\] here, got 1.5"),
        ({"config": "fast"}, r"settings of mtmfq \(MTMFQConfig\), got 'fast'"),
    ):
        with pytest.raises(ContractsError, match=message):
            train_deviator(crews, **{"role": "cleaner", "warm": True, "config": CONFIG, **changes})
    late = train_crews(sizes=(1,), config=dataclasses.replace(CONFIG, mean_actions_join="after_first"), game=GAME)
    with pytest.raises(ContractsError, match="takes mean actions at the input"):
        train_deviator(late, "cleaner", warm=True, config=CONFIG)
    nobody = train_crews(sizes=(0,), config=CONFIG, game=GAME)
    with pytest.raises(ContractsError, match="no crew with a cleaner"):
        train_deviator(nobody, "cleaner", warm=False, config=CONFIG)


def test_the_settings_follow_those_of_the_crews():
    assert dataclasses.replace(CREWS, episodes=5_000, relabel=0.0) == DEVIATORS

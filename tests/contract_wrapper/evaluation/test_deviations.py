"""One agent that does something else than its crew, in the episodes in which the crew is judged."""

import dataclasses

import numpy as np
import pytest

from cleanup_env import Action, make_config
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.envs.batch_game import ContractedGame
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.contract_grid import play_grid
from contract_wrapper.evaluation.crews import train_crews
from contract_wrapper.evaluation.deviations import SCRIPTED, deviate, episode_seed, play_as, play_deviation
from contract_wrapper.evaluation.deviators import train_deviator
from contract_wrapper.learners.lone_learner import LoneLearner
from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile
from contract_wrapper.learners.population import Population
from mtmfq import LearnerError

GAME = make_config("contract", horizon=30)
CONFIG = get_mtmfq_profile("smoke", episodes=16, n_games=4, hidden=(8,), n_step=5, test_temperature=0.3)
STILL = dataclasses.replace(CONFIG, updates_per_step=0.0)
TERMS = [[0.1], [0.6]]


@pytest.fixture(scope="module")
def crews():
    return train_crews(sizes=(1, 2), config=CONFIG, game=GAME)


def shots(game, policy, role, deviation):
    """Shots of every agent in an episode in which the first agent of a role deviates, (N,)."""
    total = np.zeros(game.n_agents)
    deviate(game, policy, role, deviation, 4, on_step=lambda *_: np.add(total, game.game.shots.sum(axis=0), out=total))
    return total


def test_games_and_seeds_are_those_of_the_grid_so_that_copying_the_crew_gains_exactly_nothing(crews):
    grid = play_grid(crews, 2, TERMS, episodes=5, seed=3)
    for k, contract in enumerate(TERMS):
        for agent in range(7):
            population = Population(crews.games(2, [contract], 5), crews.policy)
            copied = play_as(population, agent, lambda chosen: chosen, episode_seed(3))
            assert np.array_equal(copied, grid.utilities[k, :, agent])


@pytest.mark.parametrize("role", ["cleaner", "harvester"])
def test_a_deviator_that_goes_on_and_has_learned_nothing_yet_gains_exactly_nothing(crews, role):
    for n_cleaners in (1, 2):
        grid = play_grid(crews, n_cleaners, TERMS, episodes=5)
        untaught = train_deviator(crews, role, warm=True, config=STILL)
        place = grid.agents.index(f"{role}_0")
        alone = play_deviation(crews, n_cleaners, TERMS, role, untaught, episodes=5)
        np.testing.assert_allclose(alone, grid.utilities[:, :, place], atol=1e-12)
        anew = train_deviator(crews, role, warm=False, config=STILL)
        assert np.abs(play_deviation(crews, n_cleaners, TERMS, role, anew, episodes=5) - alone).max() > 0.01


def test_a_free_rider_never_shoots_and_its_colleague_does(crews):
    game = crews.games(2, [[0.5]], 6)
    cleaners = [game.config.agents.index(f"cleaner_{n}") for n in (0, 1)]
    assert shots(game, crews.policy, "harvester", "random")[cleaners].min() > 0
    assert shots(game, crews.policy, "cleaner", "never work")[cleaners[0]] == 0
    assert shots(game, crews.policy, "cleaner", "never work")[cleaners[1]] > 0


def test_a_free_rider_does_all_else_as_before(crews):
    game, taken = crews.games(2, [[0.5]], 6), []
    population, other = Population(game, crews.policy), Population(crews.games(2, [[0.5]], 6), crews.policy)
    i, shot = 5, game.config.action_number("cleaner", Action.CLEAN)
    deviate(game, crews.policy, "cleaner", "never work", 4, on_step=lambda t, actions, _: taken.append(actions.copy()))
    other.reset(4)
    for actions in taken:
        wanted = other.choose()
        assert np.array_equal(actions[:, i], np.where(wanted[:, i] == shot, Action.STAY, wanted[:, i]))
        assert np.array_equal(np.delete(actions, i, axis=1), np.delete(wanted, i, axis=1))
        other.step(actions)
    assert population.game is game


def test_a_greedy_cleaner_hardly_wastes_a_shot_and_a_greedy_harvester_eats(crews):
    game, done = crews.games(1, [[0.5]], 20), np.zeros(2)

    def count(*_):
        done[:] += game.game.shots[:, 5].sum(), (game.game.cleaned[:, 5] > 0).sum()

    deviate(game, crews.policy, "cleaner", "greedy cleaner", 0, on_step=count)
    assert done[1] > 0.9 * done[0] > 90  # another agent may be in the way
    greedy, random = (deviate(game, crews.policy, "harvester", name, 0).mean() for name in ("greedy harvest", "random"))
    assert greedy > random + 1.0


def test_random_deviators_take_all_actions_of_their_role_alike(crews):
    taken = []
    game = crews.games(1, [[0.5]], 50)
    deviate(
        game, crews.policy, "harvester", "random", 1, on_step=lambda t, actions, _: taken.append(actions[:, 0].copy())
    )
    counts = np.bincount(np.concatenate(taken))
    assert len(counts) == len(game.config.actions("harvester"))
    assert np.abs(counts / counts.sum() - 1 / len(counts)).max() < 0.03


def test_what_a_deviation_draws_changes_nothing_else(crews):
    """The games go on from the same starts, and the same call gives the same."""
    for role in ("cleaner", "harvester"):
        for name in SCRIPTED[role]:
            one, other = (play_deviation(crews, 2, TERMS, role, name, episodes=3, seed=2) for _ in range(2))
            assert one.shape == (2, 3)
            assert np.array_equal(one, other)
            alone = play_deviation(crews, 2, TERMS[1:], role, name, episodes=3, seed=2)
            assert np.array_equal(alone[0], one[1])


def test_a_population_trained_under_one_contract_can_be_left_too():
    game = ContractedGame(Contract(tax=0.5, n_cleaners=1), n_games=4, config=GAME)
    from mtmfq import train

    policy = train(game, CONFIG, np.random.default_rng(0)).policy
    assert deviate(game, policy, "cleaner", "never work", 0).min() >= 0.0  # it pays for no shot


def test_the_lone_learner_has_the_context_scale_and_shift_of_its_agent(crews):
    game = crews.games(2, [[0.5]], 4)
    cleaner, harvester = LoneLearner(game, crews.policy, 5), LoneLearner(game, crews.policy, 0)
    for learner, i, scale in ((cleaner, 5, 0.2 * 2 / 0.5), (harvester, 0, 2.0)):
        learner.reset(1)
        assert np.array_equal(learner.context(), game.context()[:, [i]])
        assert learner.episode_scale().tolist() == [[scale]] * 4
        assert learner.episode_shift().tolist() == [[0.0]] * 4
    hidden = LoneLearner(game, crews.policy, 0, with_context=False)
    assert hidden.n_context == 0


def test_errors_name_what_is_not_there(crews):
    for role, name, message in (
        ("harvester", "never work", "a harvester has no deviation 'never work': choose one of greedy harvest, random"),
        ("cleaner", "greedy harvest", "a cleaner has no deviation 'greedy harvest'"),
        ("cleaner", 3, "a cleaner has no deviation 3"),
        ("judge", "random", "there is no role 'judge': those that may deviate are cleaner and harvester"),
    ):
        with pytest.raises(ContractsError, match=message):
            play_deviation(crews, 2, TERMS, role, name, episodes=2)
    with pytest.raises(ContractsError, match="know crews of 1, 2 cleaners, got 5"):
        play_deviation(crews, 5, TERMS, "cleaner", "random", episodes=2)
    with pytest.raises(ContractsError, match=r"tax must lie in \[0, 1\] here, got 1.5"):
        play_deviation(crews, 2, [[1.5]], "cleaner", "random", episodes=2)
    with pytest.raises(ContractsError, match="integer of at least 2 episodes, got 1"):
        play_deviation(crews, 2, TERMS, "cleaner", "random", episodes=1)
    alone = train_deviator(crews, "cleaner", warm=False, config=STILL)
    with pytest.raises(ContractsError, match="learned as a cleaner, and a harvester is to deviate"):
        play_deviation(crews, 2, TERMS, "harvester", alone, episodes=2)
    nobody = ContractedGame(Contract.none(), n_games=2, config=GAME)
    with pytest.raises(LearnerError, match="n_context 5, but this one has 0"):
        deviate(nobody, crews.policy, "harvester", "random", 0)
    with pytest.raises(ContractsError, match="there is no cleaner in this game, whose agents are harvester_0"):
        deviate(nobody, crews.policy, "cleaner", "random", 0)
    with pytest.raises(ContractsError, match=r"need a trained policy .*, got None"):
        deviate(nobody, None, "harvester", "random", 0)
    with pytest.raises(ContractsError, match="agents 0 to 4, got 9"):
        LoneLearner(nobody, crews.policy, 9)

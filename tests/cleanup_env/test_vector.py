"""The Gymnasium vector face: every agent of every game is a sub-environment."""

import copy
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from cleanup_env import PRESETS, Action, BatchCleanup, CleanupVectorEnv, make_config, parallel_env, vector_env
from cleanup_env.config import OBSERVATIONS

from same import assert_equal  # isort: skip
from tiny_games import BACK, CLEAN, FORWARD, LEFT, RIGHT, STAY  # isort: skip

MIXES = {"contract": {"n_cleaners": 2, "n_free": 1}, "original": {}, "meltingpot-like": {"n_harvesters": 1}}
every_case = pytest.mark.parametrize(("preset", "kind"), [(p, k) for p in PRESETS for k in OBSERVATIONS])


def sample(envs, rng):
    """Random actions, those that a role does not have among them."""
    return rng.integers(0, envs.single_action_space.n, envs.num_envs)


# ---- one episode


@every_case
def test_sub_environment_b_n_plus_i_is_agent_i_of_game_b(preset, kind):
    """Step by step the batch, flattened, where actions that a role lacks are STAY."""
    envs = vector_env(preset, 3, observation=kind, **MIXES[preset], horizon=30)
    game = BatchCleanup(make_config(preset, **MIXES[preset], horizon=30), 3, observation=kind)
    seen, _ = envs.reset(seed=6)
    n, rng = game.n_agents, np.random.default_rng(0)
    assert_equal(seen, game.reset(6).reshape(3 * n, *game.observation_shape))
    for _ in range(29):
        actions = sample(envs, rng)
        own = actions.reshape(3, n)
        expected, paid, _ = game.step(np.where(own < game.n_actions, own, STAY))
        seen, rewards, terminated, truncated, infos = envs.step(actions)
        assert_equal(seen, expected.reshape(seen.shape))
        assert_equal(rewards, paid.reshape(-1))
        assert_equal(infos["action_mask"], game.action_mask().reshape(3 * n, -1))
        for name in ("apples", "cleaned", "shots"):
            assert infos[name].tolist() == getattr(game, name).ravel().tolist()
        assert infos["waste_density"].reshape(3, n).T.tolist() == [game.waste_density.tolist()] * n
        assert (seen.dtype, seen.shape) == (envs.observation_space.dtype, envs.observation_space.shape)
        assert envs.observation_space.contains(seen)
        assert not terminated.any()
        assert not truncated.any()


def test_names_and_roles_of_the_sub_environments_are_attributes():
    envs = vector_env(n_games=2, n_harvesters=1, n_cleaners=1)
    assert envs.num_envs == 4
    assert envs.agents == ("harvester_0", "cleaner_0") * 2
    assert envs.roles == ("harvester", "cleaner") * 2


def test_an_action_that_a_role_lacks_is_masked_and_played_as_stay():
    envs, others = (vector_env(n_games=2, n_harvesters=1, n_cleaners=1) for _ in range(2))
    _, infos = envs.reset(seed=0)
    others.reset(seed=0)
    assert infos["action_mask"][:, CLEAN].tolist() == [False, True] * 2
    assert_equal(envs.step(np.full(4, CLEAN)), others.step(np.array([STAY, CLEAN] * 2)))


def test_every_sampled_action_can_be_played():
    envs = vector_env("original", 2, n_harvesters=1, n_cleaners=1)
    envs.action_space.seed(0)
    envs.reset(seed=0)
    for _ in range(20):
        envs.step(envs.action_space.sample())


def test_what_was_returned_is_not_overwritten_unless_asked_for():
    for wanted in (True, False):
        envs = vector_env(n_games=2, horizon=2, copy=wanted)
        first = envs.reset(seed=0)
        kept = copy.deepcopy(first)
        returned = [envs.step(np.full(10, Action.FORWARD)) for _ in range(3)]
        if wanted:
            assert_equal(first, kept)
        assert_equal(first[1], kept[1])  # infos never are
        assert all(np.shares_memory(seen, first[0]) is not wanted for seen, *_ in returned)
        assert not np.shares_memory(returned[0][1], returned[1][1])


# ---- the end of an episode

ROW = (  # an agent beside the only apple; none grows
    "@@@@@@",
    "@PB R@",
    "@@@@@@",
)


def walk_east(heading):
    return (FORWARD, RIGHT, BACK, LEFT)[(1 - heading) % 4]


def test_at_the_horizon_the_next_episode_has_begun():
    """Two games of three steps: in one the agent eats the apple at once, in the other it idles."""
    envs = vector_env(n_games=2, n_harvesters=1, map=ROW, p_apple=0.0, p_waste=0.0, horizon=3)
    _, infos = envs.reset(seed=[4, 5])
    assert "episode" not in infos
    heading = envs.game.heading[:, 0]
    steps = [envs.step(np.array(a)) for a in ([walk_east(heading[0]), STAY], [STAY, STAY], [STAY, STAY])]
    assert [rewards.tolist() for _, rewards, *_ in steps] == [[1, 0], [0, 0], [0, 0]]
    assert [truncated.tolist() for *_, truncated, _ in steps] == [[False, False], [False, False], [True, True]]
    assert not any(terminated.any() for _, _, terminated, _, _ in steps)
    assert not any("final_obs" in infos or "episode" in infos for *_, infos in steps[:2])

    seen, *_, infos = steps[2]
    assert infos["episode"]["r"].tolist() == [1.0, 0.0]
    assert infos["episode"]["l"].tolist() == [3, 3]
    assert infos["episode"]["apples"].tolist() == [1, 0]
    assert infos["episode"]["cleaned"].tolist() == infos["episode"]["shots"].tolist() == [0, 0]
    assert infos["_episode"].tolist() == infos["_final_obs"].tolist() == infos["_final_info"].tolist() == [True, True]
    assert [(final == 6).sum() for final in infos["final_obs"]] == [0, 1]  # apples in sight
    assert [(now == 6).sum() for now in seen] == [1, 1]
    assert envs.game.clock.tolist() == [0, 0]

    *_, infos = [envs.step(np.array([STAY, STAY])) for _ in range(3)][-1]
    assert infos["episode"]["r"].tolist() == [0.0, 0.0]  # sums begin anew


class Alone(gymnasium.Env):
    """A game of one agent, as Gymnasium's own vector environments take it."""

    def __init__(self, preset, **settings):
        self.game = parallel_env(preset, **settings)
        (self.agent,) = self.game.possible_agents
        self.observation_space = self.game.observation_space(self.agent)
        self.action_space = self.game.action_space(self.agent)

    def reset(self, *, seed=None, options=None):
        observations, infos = self.game.reset(seed=seed)
        return observations[self.agent], self.told(infos)

    def step(self, action):
        *played, infos = self.game.step({self.agent: int(action)})
        return *(of_all[self.agent] for of_all in played), self.told(infos)

    def told(self, infos):
        info = infos[self.agent]
        info["action_mask"] = info["action_mask"].astype(bool)
        counts = {name: info.pop(f"total_{name}") for name in ("apples", "cleaned", "shots")}
        sums = {"r": info.pop("total_reward"), "l": info.pop("steps"), **counts}
        return info if self.game.agents else {**info, "episode": sums}


@every_case
def test_games_of_one_agent_are_what_gymnasium_makes_of_them(preset, kind):
    """All that SyncVectorEnv returns in the same autoreset mode, to the last key, through three episodes."""
    settings = {"observation": kind, "n_harvesters": 0, "n_free": 1, "horizon": 6}
    envs = vector_env(preset, 3, **settings)
    theirs = SyncVectorEnv([lambda: Alone(preset, **settings)] * 3, autoreset_mode=AutoresetMode.SAME_STEP)
    assert_equal(envs.metadata["autoreset_mode"], theirs.metadata["autoreset_mode"])
    assert envs.observation_space == theirs.observation_space
    assert envs.action_space == theirs.action_space
    assert_equal(envs.reset(seed=[7, 8, 9]), theirs.reset(seed=[7, 8, 9]))
    rng = np.random.default_rng(0)
    for t in range(1, 19):
        actions = sample(envs, rng)
        *ours, infos = envs.step(actions)
        *expected, their_infos = theirs.step(actions)
        assert_equal(ours, expected)
        assert ("episode" in infos) is (t % 6 == 0)
        if "episode" in infos:  # theirs stands in final_info alone
            assert_equal(infos.pop("episode"), infos["final_info"]["episode"])
            assert infos.pop("_episode").all()
        assert sorted(infos) == sorted(their_infos)
        assert_equal(infos, {name: their_infos[name] for name in infos})


def test_gymnasiums_vector_wrappers_read_the_infos():
    envs = gymnasium.wrappers.vector.RecordEpisodeStatistics(vector_env(n_games=2, horizon=4), stats_key="theirs")
    envs.reset(seed=1)
    for _ in range(4):
        *_, infos = envs.step(np.full(10, Action.FORWARD))
    for name in ("r", "l"):
        assert infos["theirs"][name].tolist() == infos["episode"][name].tolist()
    listed = gymnasium.wrappers.vector.DictInfoToList(vector_env(n_games=2, horizon=4))
    _, infos = listed.reset(seed=1)
    assert len(infos) == 10
    for _ in range(4):
        *_, infos = listed.step(np.full(10, Action.FORWARD))
    assert infos[0]["episode"]["l"] == infos[0]["final_info"]["episode"]["l"] == 4
    assert infos[0]["action_mask"].tolist() == [True] * 7


# ---- seeds


def boards(envs, episodes):
    found = [envs.game.board()]
    for _ in range(episodes):
        for _ in range(envs.config.horizon):
            envs.step(np.full(envs.num_envs, STAY))
        found.append(envs.game.board())
    return np.array(found)


def test_every_step_from_a_seed_is_the_same_again():
    traces = []
    for used in (False, True):
        envs, rng = vector_env("meltingpot-like", 2, n_cleaners=1, horizon=7), np.random.default_rng(0)
        if used:  # what was played before does not matter
            envs.reset(seed=9)
            envs.step(sample(envs, np.random.default_rng(1)))
        traces.append([envs.reset(seed=3), *(envs.step(sample(envs, rng)) for _ in range(25)), envs.reset()])
    assert_equal(*traces)


def test_each_game_goes_on_as_a_single_game_with_its_seed():
    envs = vector_env(n_games=3, horizon=4)
    envs.reset(seed=11)
    seeds = envs.game.seeds.tolist()
    played = boards(envs, episodes=2)
    assert len({board.tobytes() for board in played.reshape(9, -1)}) == 9
    for b, seed in enumerate(seeds):
        single = parallel_env(horizon=4)
        for k, given in enumerate((seed, None, None)):
            single.reset(seed=given)
            np.testing.assert_array_equal(played[k, b], single.state())


def test_a_list_holds_one_seed_per_game_and_none_goes_on():
    envs = vector_env(n_games=2)
    envs.reset(seed=[5, 2**64 - 1])
    assert envs.game.seeds.tolist() == [5, 2**64 - 1]
    envs.reset()
    following = envs.game.seeds.tolist()
    envs.reset(seed=[5, 2**64 - 1])
    envs.reset(seed=[None, 7])
    assert envs.game.seeds.tolist() == [following[0], 7]


def test_without_a_seed_two_vector_environments_differ():
    found = set()
    for _ in range(2):
        envs = vector_env(n_games=2)
        envs.reset()
        found.add(envs.game.seeds.tobytes())
    assert len(found) == 2


@pytest.mark.parametrize("way", ["pickle", "deepcopy"])
def test_a_saved_vector_environment_continues_identically(way):
    envs, rng = vector_env("original", 2, n_cleaners=1, horizon=12), np.random.default_rng(0)
    envs.reset(seed=1)
    for _ in range(5):
        envs.step(sample(envs, rng))
    other = pickle.loads(pickle.dumps(envs)) if way == "pickle" else copy.deepcopy(envs)
    plan = [sample(envs, rng) for _ in range(20)]
    assert_equal([envs.step(actions) for actions in plan], [other.step(actions) for actions in plan])


def test_the_class_takes_a_config_as_the_batch_does():
    envs = CleanupVectorEnv(make_config(n_cleaners=1), 2, observation="features")
    observations, _ = envs.reset(seed=0)
    assert observations.shape == (12, 49)

"""The Gymnasium vector face: every agent of every game is a sub-environment."""

import copy
import pickle
from importlib.metadata import version

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import (
    ClipReward,
    DictInfoToList,
    FlattenObservation,
    GrayscaleObservation,
    NormalizeObservation,
    NormalizeReward,
    RecordEpisodeStatistics,
    TransformAction,
    TransformReward,
)
from hypothesis import given, settings, strategies

from cleanup_env import (
    PRESETS,
    Action,
    BatchCleanup,
    CleanupError,
    CleanupVectorEnv,
    make_config,
    parallel_env,
    vector_env,
)
from cleanup_env.config import OBSERVATIONS

from same import assert_equal  # isort: skip
from tiny_games import BACK, CLEAN, FORWARD, LEFT, RIGHT, STAY  # isort: skip

GYMNASIUM = tuple(map(int, version("gymnasium").split(".")[:2]))
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
    assert "final_info" not in infos
    heading = envs.game.heading[:, 0]
    steps = [envs.step(np.array(a)) for a in ([walk_east(heading[0]), STAY], [STAY, STAY], [STAY, STAY])]
    assert [rewards.tolist() for _, rewards, *_ in steps] == [[1, 0], [0, 0], [0, 0]]
    assert [truncated.tolist() for *_, truncated, _ in steps] == [[False, False], [False, False], [True, True]]
    assert not any(terminated.any() for _, _, terminated, _, _ in steps)
    assert not any("final_obs" in infos or "final_info" in infos for *_, infos in steps[:2])
    assert [infos["total_reward"].tolist() for *_, infos in steps] == [[1, 0], [1, 0], [0, 0]]
    assert [infos["steps"].tolist() for *_, infos in steps] == [[1, 1], [2, 2], [0, 0]]

    seen, *_, infos = steps[2]
    last = infos["final_info"]
    assert last["total_reward"].tolist() == [1.0, 0.0]
    assert last["steps"].tolist() == [3, 3]
    assert last["total_apples"].tolist() == [1, 0]
    assert last["total_cleaned"].tolist() == last["total_shots"].tolist() == [0, 0]
    assert infos["_final_obs"].tolist() == infos["_final_info"].tolist() == [True, True]
    assert [(final == 6).sum() for final in infos["final_obs"]] == [0, 1]  # apples in sight
    assert [(now == 6).sum() for now in seen] == [1, 1]
    assert envs.game.clock.tolist() == [0, 0]

    *_, infos = [envs.step(np.array([STAY, STAY])) for _ in range(3)][-1]
    assert infos["final_info"]["total_reward"].tolist() == [0.0, 0.0]  # sums begin anew


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
        return info


every_mode = pytest.mark.parametrize("mode", list(AutoresetMode))


def both(preset, mode, n_games=3, **settings):
    """Games of one agent, by us and by Gymnasium's own vector environment."""
    settings = {"n_harvesters": 0, "n_free": 1, **settings}
    envs = vector_env(preset, n_games, autoreset_mode=mode, **settings)
    theirs = SyncVectorEnv([lambda: Alone(preset, **settings) for _ in range(n_games)], autoreset_mode=mode)
    assert envs.metadata["autoreset_mode"] is theirs.metadata["autoreset_mode"] is AutoresetMode(mode)
    assert envs.observation_space == theirs.observation_space
    assert envs.action_space == theirs.action_space
    return envs, theirs


def assert_the_same(ours, theirs):
    """What a reset or a step returns, to the last key, whatever the order of the infos."""
    *ours, infos = ours
    *theirs, their_infos = theirs
    assert_equal(ours, theirs)
    assert sorted(infos) == sorted(their_infos)
    if "final_info" in infos:
        last, their_last = infos.pop("final_info"), their_infos.pop("final_info")
        assert_equal(last, {name: their_last[name] for name in last})
    assert_equal(infos, {name: their_infos[name] for name in infos})


@every_case
@every_mode
def test_games_of_one_agent_are_what_gymnasium_makes_of_them(preset, kind, mode):
    """All that SyncVectorEnv returns in the same autoreset mode, through three episodes."""
    envs, theirs = both(preset, mode, observation=kind, horizon=6)
    assert_the_same(envs.reset(seed=[7, 8, 9]), theirs.reset(seed=[7, 8, 9]))
    rng, ends = np.random.default_rng(0), 0
    for _ in range(19):
        actions = sample(envs, rng)
        played = envs.step(actions)
        ends += played[3].all()
        assert_the_same(played, theirs.step(actions))
        if played[3].all() and mode is AutoresetMode.DISABLED:
            assert_the_same(envs.reset(), theirs.reset())
    assert ends == (2 if mode is AutoresetMode.NEXT_STEP else 3)


@settings(max_examples=25, deadline=None)
@given(
    seed=strategies.integers(0, 2**32),
    masks=strategies.lists(strategies.lists(strategies.booleans(), min_size=3, max_size=3), min_size=12, max_size=12),
    seeded=strategies.booleans(),
)
def test_games_begun_one_by_one_are_what_gymnasium_makes_of_them(seed, masks, seeded):
    """DISABLED: before each step, some games begin anew, those that are over always."""
    envs, theirs = both("original", "Disabled", horizon=4, n_harvesters=0)
    assert_the_same(envs.reset(seed=[1, 2, 3]), theirs.reset(seed=[1, 2, 3]))
    rng, over = np.random.default_rng(seed), np.zeros(3, bool)
    for row in masks:
        mask = np.array(row) | over
        if mask.any():
            seeds = rng.integers(2**31, size=3).tolist() if seeded else None
            options = {"reset_mask": mask}
            begun = envs.reset(seed=seeds, options=options)
            assert options["reset_mask"] is mask  # theirs takes it out
            assert_the_same(begun, theirs.reset(seed=seeds, options=options))
        actions = sample(envs, rng)
        played = envs.step(actions)
        over = played[3]
        assert_the_same(played, theirs.step(actions))


def episodes_of(envs, seed, plans):
    """Observations, rewards and infos of each step of each episode, from the same actions in every mode."""
    mode, found = envs.metadata["autoreset_mode"], []
    seen, infos = envs.reset(seed=seed)
    for plan in plans:
        steps = [(seen, infos)]
        for actions in plan:
            seen, rewards, _, truncated, infos = envs.step(actions)
            last = (np.stack(infos["final_obs"]), infos["final_info"]) if "final_obs" in infos else (seen, infos)
            steps.append((rewards, truncated, *last))
        if mode is AutoresetMode.SAME_STEP:
            infos = {name: value for name, value in infos.items() if "final" not in name}
        elif mode is AutoresetMode.NEXT_STEP:
            seen, rewards, terminated, truncated, infos = envs.step(np.full(envs.num_envs, -1))  # not read
            assert [rewards.any(), terminated.any(), truncated.any()] == [False] * 3
        else:
            seen, infos = envs.reset()
        found.append(steps)
    return found


@settings(max_examples=20, deadline=None)
@given(
    seed=strategies.integers(0, 2**63),
    preset=strategies.sampled_from(list(PRESETS)),
    n_games=strategies.integers(1, 3),
    horizon=strategies.integers(1, 5),
)
def test_the_three_autoreset_modes_play_the_same_episodes_step_for_step(seed, preset, n_games, horizon):
    kinds = [vector_env(preset, n_games, autoreset_mode=m, **MIXES[preset], horizon=horizon) for m in AutoresetMode]
    rng = np.random.default_rng(seed % 2**32)
    plans = [[sample(kinds[0], rng) for _ in range(horizon)] for _ in range(3)]
    first, second, third = (episodes_of(envs, seed, plans) for envs in kinds)
    assert_equal(first, second)
    assert_equal(second, third)


@settings(max_examples=20, deadline=None)
@given(masks=strategies.lists(strategies.lists(strategies.booleans(), min_size=2, max_size=2), max_size=10))
def test_a_game_does_not_notice_that_another_begins_anew(masks):
    """Each game goes through the episodes of a single game with its seed, whenever they begin."""
    envs = vector_env("original", 2, n_cleaners=1, horizon=3, autoreset_mode="Disabled")
    n, rng = envs.n_agents, np.random.default_rng(0)
    alone = [vector_env("original", 1, n_cleaners=1, horizon=3, autoreset_mode="Disabled") for _ in range(2)]
    envs.reset(seed=[3, 4])
    now = [single.reset(seed=[seed])[0] for single, seed in zip(alone, (3, 4), strict=True)]
    over = np.zeros(2, bool)
    for row in masks:
        begin = np.array(row) | over
        if begin.any():
            seen, _ = envs.reset(options={"reset_mask": begin.repeat(n)})
            now = [single.reset()[0] if b else last for single, b, last in zip(alone, begin, now, strict=True)]
            assert_equal(seen, np.concatenate(now))
        actions = sample(envs, rng)
        played = envs.step(actions)
        single = [one.step(a) for one, a in zip(alone, np.split(actions, 2), strict=True)]
        now = [one[0] for one in single]
        for k in range(4):
            assert_equal(played[k], np.concatenate([one[k] for one in single]))
        for name in ("total_reward", "steps", "apples", "action_mask", "waste_density"):
            assert_equal(played[4][name], np.concatenate([one[4][name] for one in single]))
        over = played[3].reshape(2, n)[:, 0]


def test_a_game_that_is_over_is_not_played_when_autoreset_is_disabled():
    envs = vector_env(n_games=2, horizon=2, autoreset_mode="Disabled")
    envs.reset(seed=0)
    envs.step(np.full(10, STAY))
    second = np.arange(10) >= 5
    envs.reset(options={"reset_mask": second})
    *_, truncated, _ = envs.step(np.full(10, STAY))
    assert truncated.tolist() == [True] * 5 + [False] * 5
    for _ in range(2):
        with pytest.raises(CleanupError, match=r"games \[0\] are over \(horizon 2\).*reset_mask"):
            envs.step(np.full(10, STAY))
        envs.reset(options={"reset_mask": second})  # not the one that is over
    envs.reset(options={"reset_mask": ~second})
    envs.step(np.full(10, STAY))
    assert envs.step(np.full(10, STAY))[3].all()
    envs.reset()
    assert not envs.step(np.full(10, STAY))[3].any()


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        ([True] * 10, "a numpy array of 10 booleans, got"),
        (np.ones(2, bool), "a numpy array of 10 booleans"),
        (np.ones(10), "a numpy array of 10 booleans"),
        (np.zeros(10, bool), "False everywhere"),
        (np.arange(10) > 6, "some agents of game 1 and not for others: the 5 agents"),
        (np.arange(10) > 4, "never begun"),
    ],
)
def test_wrong_masks_are_refused(mask, words):
    with pytest.raises(CleanupError, match=words):
        vector_env(n_games=2, autoreset_mode="Disabled").reset(options={"reset_mask": mask})


def test_a_refused_reset_changes_nothing():
    envs = vector_env(n_games=2, horizon=5, autoreset_mode="Disabled")
    envs.reset(seed=1)
    envs.step(np.full(10, STAY))
    before = envs.game.get_state()
    with pytest.raises(CleanupError, match="seed"):
        envs.reset(seed=[1, -1], options={"reset_mask": np.arange(10) >= 5})
    assert_equal(envs.game.get_state(), before)


@pytest.mark.parametrize("mode", ["next_step", None, 3, []])
def test_an_unknown_autoreset_mode_is_refused_with_the_modes_that_there_are(mode):
    with pytest.raises(CleanupError, match="'NextStep', 'SameStep', 'Disabled', got"):
        vector_env(autoreset_mode=mode)


# ---- Gymnasium's own wrappers and names


def played_through(envs, steps):
    """Every step that a wrapped environment returns, with a reset where a game is over and nobody does it."""
    envs.action_space.seed(0)
    found = [envs.reset(seed=1)]
    for _ in range(steps):
        found.append(envs.step(envs.action_space.sample()))
        if found[-1][3].any() and envs.unwrapped.autoreset_mode is AutoresetMode.DISABLED:
            envs.reset(options={"reset_mask": found[-1][3].copy()})
    return found


@every_mode
def test_gymnasium_records_the_statistics_of_every_episode(mode):
    if mode is AutoresetMode.SAME_STEP and GYMNASIUM < (1, 4):
        pytest.skip("before 1.4 Gymnasium leaves out the first step of an episode in this mode")
    envs = RecordEpisodeStatistics(vector_env(n_games=2, horizon=4, n_cleaners=1, autoreset_mode=mode))
    ends = [infos for *_, infos in played_through(envs, 13)[1:] if "episode" in infos]
    assert len(ends) == (2 if mode is AutoresetMode.NEXT_STEP else 3)
    for infos in ends:
        own = infos.get("final_info", infos)
        assert infos["episode"]["r"].tolist() == own["total_reward"].tolist()
        assert infos["episode"]["l"].tolist() == own["steps"].tolist() == [4] * 12
    assert len(envs.return_queue) == envs.episode_count == 12 * len(ends)


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_gymnasium_lists_the_infos_of_every_agent(mode):
    envs = vector_env(n_games=2, horizon=4, autoreset_mode=mode)
    # Before 1.2, Gymnasium could not list the statistics that it had recorded.
    found = played_through(DictInfoToList(envs if GYMNASIUM < (1, 2) else RecordEpisodeStatistics(envs)), 4)
    assert all(len(infos) == 10 for *_, infos in found)
    last = found[-1][-1][0]
    assert last["action_mask"].tolist() == [True] * 7
    if mode is AutoresetMode.SAME_STEP:
        assert last["steps"] == 0
        last = last["final_info"]
    assert last["steps"] == 4


def test_gymnasium_normalises_observations_and_rewards():
    plain, envs = (vector_env(n_games=2, horizon=4, observation="features", autoreset_mode="NextStep") for _ in "ab")
    envs = NormalizeReward(NormalizeObservation(envs))
    found, expected = played_through(envs, 11), played_through(plain, 11)
    assert all(seen.shape == envs.observation_space.shape == (10, 49) for seen, *_ in found)
    seen = np.concatenate([one[0] for one in expected])
    np.testing.assert_allclose(envs.env.obs_rms.mean, seen.mean(axis=0), atol=1e-4)
    assert_equal([one[3] for one in found[1:]], [one[3] for one in expected[1:]])


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED])
def test_gymnasium_transforms_observations(mode):
    games = [vector_env(n_games=2, horizon=3, autoreset_mode=mode, observation="rgb") for _ in "abc"]
    plain = played_through(games[0], 5)
    flat, grey = FlattenObservation(games[1]), GrayscaleObservation(games[2])
    for one, row, shade in zip(plain, played_through(flat, 5), played_through(grey, 5), strict=True):
        assert_equal(row[0], one[0].reshape(10, -1))
        assert shade[0].shape == (10, 15, 15)


@every_mode
def test_gymnasium_transforms_rewards_and_actions(mode):
    envs = ClipReward(vector_env(n_games=2, horizon=3, autoreset_mode=mode), -0.5, 0.25)
    doubled = TransformReward(vector_env(n_games=2, horizon=3, autoreset_mode=mode), lambda rewards: 2 * rewards)
    plain = vector_env(n_games=2, horizon=3, autoreset_mode=mode)
    played = [played_through(one, 60) for one in (plain, envs, doubled)]
    rewards = [np.array([one[1] for one in steps[1:]]) for steps in played]
    assert rewards[0].any()
    assert_equal(rewards[1], rewards[0].clip(-0.5, 0.25))
    assert_equal(rewards[2], 2 * rewards[0])
    idle = TransformAction(
        vector_env(n_games=2, horizon=3, autoreset_mode=mode), lambda actions: np.full_like(actions, STAY)
    )
    plain.reset(seed=1)
    idle.reset(seed=1)
    for _ in range(2):
        assert_equal(idle.step(np.full(10, FORWARD)), plain.step(np.full(10, STAY)))


@pytest.mark.parametrize("name", ["cleanup_env:CleanupVector-v0", "CleanupVector-v0", "cleanup_env/CleanupVector-v0"])
def test_gymnasium_makes_a_vector_environment_of_so_many_agents(name):
    envs = gymnasium.make_vec(name, num_envs=14, n_cleaners=2, max_episode_steps=3, observation="features")
    assert isinstance(envs, CleanupVectorEnv)
    assert (envs.num_envs, envs.n_games, envs.config.horizon) == (14, 2, 3)
    assert envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert_equal(
        [one[:4] for one in played_through(envs, 5)],
        [one[:4] for one in played_through(
            vector_env(n_games=2, n_cleaners=2, horizon=3, observation="features", autoreset_mode="NextStep"), 5
        )],
    )  # fmt: skip
    again = gymnasium.make_vec(envs.spec)
    assert (again.num_envs, again.config) == (14, envs.config)
    envs.close()


def test_a_number_that_is_not_one_of_whole_games_is_refused_with_those_that_are():
    for count in (1, 12, 0, -5, 2.5, True):
        with pytest.raises(CleanupError, match=r"num_envs=.* a game has 5, so take num_envs=5 for one game, 10 for"):
            gymnasium.make_vec("CleanupVector-v0", num_envs=count)
    with pytest.raises(CleanupError, match="one setting"):
        gymnasium.make_vec("CleanupVector-v0", num_envs=5, horizon=2, max_episode_steps=2)


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
        for k, told in enumerate((seed, None, None)):
            single.reset(seed=told)
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

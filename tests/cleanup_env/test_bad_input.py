"""Everything a user can get wrong is a CleanupError with one line that says what and how to mend it."""

import numpy as np
import pytest

import cleanup_env
from cleanup_env import (
    Action,
    BatchCleanup,
    CentralizedCleanup,
    CleanupConfig,
    CleanupError,
    make_config,
    parallel_env,
    vector_env,
)
from cleanup_env.scripted import ScriptedCrew


def refused(*words):
    """The call raises a CleanupError of one line that holds all the words, in order."""
    return pytest.raises(CleanupError, match=r"^[^\n]*" + "[^\n]*".join(words) + r"[^\n]*$")


def test_the_error_is_a_value_error():
    assert issubclass(CleanupError, ValueError)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"n_harvesters": 11}, ["11 agents", "spawn points", "10", "spawn_anywhere=True"]),
        ({"n_harvesters": 5, "n_cleaners": 6}, ["11 agents", "spawn_anywhere"]),
        ({"n_cleaners": -1}, ["n_cleaners", "at least 0", "-1"]),
        ({"n_cleaners": 1.5}, ["n_cleaners", "integer", "1.5"]),
        ({"n_cleaners": True}, ["n_cleaners", "integer", "True"]),
        ({"n_harvesters": 0}, ["no agents", "n_harvesters"]),
        ({"horizon": 0}, ["horizon", "at least 1", "0"]),
        ({"cooldown": 2**40}, ["cooldown", "below"]),
        ({"p_apple": 1.5}, ["p_apple", "1.5"]),
        ({"p_waste": float("nan")}, ["p_waste", "nan"]),
        ({"p_waste": "half"}, ["p_waste", "half"]),
        ({"waste_ceiling": -0.1}, ["waste_ceiling", "'depletion' or None", "-0.1"]),
        ({"waste_ceiling": "none"}, ["waste_ceiling", "'none'"]),
        ({"restoration": 0.5}, ["restoration", "below depletion"]),
        ({"start": "dirty"}, ["start", "dirty", "clean, soiled"]),
        ({"waste_mode": "poisson"}, ["waste_mode", "poisson", "loop, bernoulli"]),
        ({"beam_width": 2}, ["beam_width", "odd", "2"]),
        ({"beam_length": 8}, ["length 8", "radius 7", "enlarge radius"]),
        ({"fire_cost": float("inf")}, ["fire_cost", "finite", "inf"]),
        ({"rotate": "no"}, ["rotate", "True or False", "no"]),
        ({"n_agents": 5}, ["unknown setting", "n_agents", "n_harvesters"]),
        ({"map": ()}, ["non-empty", "default_map"]),
        ({"map": 5}, ["lines of text", "default_map"]),
        ({"map": np.array(0.5)}, ["lines of text", "default_map"]),
        ({"map": ("@PR@", "@@@")}, ["ragged", "row 1", "3", "row 0", "4"]),
        ({"map": ("@PR@", "@X @")}, ["'X'", "row 1", "column 1", "legend"]),
        ({"map": ("@ R@",)}, ["no spawn point", "'P'"]),
        ({"map": ("@P @",)}, ["no river", "'R' or 'H'"]),
    ],
)
def test_bad_settings(settings, words):
    with refused(*words):
        make_config("contract", **settings)
    if "n_agents" not in settings:
        with refused(*words):
            parallel_env("contract", **settings)


def test_an_eleventh_agent_fits_where_agents_start_anywhere():
    game = BatchCleanup(CleanupConfig(n_harvesters=11, spawn_anywhere=True), 1)
    assert game.reset(seed=0).shape == (1, 11, 15, 15)


def test_a_map_too_large_for_the_index_type():
    with refused("too large", "32767"):
        BatchCleanup(CleanupConfig(map=("P" + "R" * 300,) * 300))


@pytest.mark.parametrize("preset", ["contracts", None, ["contract"]])
def test_unknown_preset(preset):
    with refused("unknown preset", "contract, original, meltingpot-like"):
        make_config(preset)


@pytest.mark.parametrize("kind", ["pixels", 3])
def test_unknown_observation(kind):
    for build in (BatchCleanup, parallel_env, CentralizedCleanup, vector_env):
        with refused("unknown observation", "symbolic"):
            build(observation=kind)


@pytest.mark.parametrize("build", [parallel_env, CentralizedCleanup, vector_env])
def test_every_face_needs_an_observation(build):
    with refused("needs an observation kind", "symbolic", "BatchCleanup"):
        build(observation=None)


@pytest.mark.parametrize("build", [parallel_env, CentralizedCleanup, vector_env])
def test_settings_and_presets_that_no_face_has(build):
    with refused("unknown setting", "n_agents", "n_harvesters"):
        build(n_agents=3)
    with refused("unknown preset", "contract, original, meltingpot-like"):
        build("contracts")


@pytest.mark.parametrize("build", [parallel_env, CentralizedCleanup])
def test_unknown_render_mode_and_scale(build):
    with refused("unknown render_mode", "video", "human, ansi, rgb_array"):
        build(render_mode="video")
    with refused("render_scale", "0"):
        build(render_scale=0)


def test_a_vector_environment_of_no_games_or_no_kind_of_copy():
    with refused("n_games", "at least 1", "0"):
        vector_env(n_games=0)
    with refused("copy", "True or False", "'no'"):
        vector_env(copy="no")


def test_both_names_of_the_horizon():
    with refused("max_cycles", "horizon"):
        parallel_env(max_cycles=5, horizon=6)


def test_a_config_of_another_kind():
    with refused("CleanupConfig", "make_config"):
        BatchCleanup({"n_cleaners": 1})


def test_a_role_that_does_not_exist():
    with refused("unknown role", "gardener", "harvester, cleaner, free"):
        CleanupConfig().actions("gardener")


@pytest.mark.parametrize("n_games", [0, -1, 1.5, True, None])
def test_a_number_of_games_that_is_none(n_games):
    with refused("n_games", "at least 1"):
        BatchCleanup(n_games=n_games)


# ---- actions


@pytest.fixture
def batch():
    game = BatchCleanup(make_config(n_cleaners=1), 2, observation=None)
    game.reset(seed=0)
    return game


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        (np.full((2, 5), Action.STAY), ["shape", "2, 6", "2, 5"]),
        (np.full(6, Action.STAY), ["shape", "2, 6"]),
        (np.full((2, 6), 4.0), ["integers", "float64"]),
        (np.full((2, 6), np.nan), ["integers", "float64"]),
        (np.full((2, 6), True), ["integers", "bool"]),
        ([[4] * 6, [4] * 5], ["integers", "ragged"]),
        (None, ["integers", "object"]),
        ("stay", ["integers"]),
    ],
)
def test_bad_action_arrays(batch, actions, words):
    with refused(*words):
        batch.step(actions)


@pytest.mark.parametrize(("agent", "action"), [(0, 7), (0, -1), (5, 8), (5, 10**9)])
def test_an_action_out_of_range_is_refused_and_nothing_is_played(batch, agent, action):
    actions = np.full((2, 6), Action.STAY)
    actions[1, agent] = action
    before = batch.get_state()
    with refused(str(action), batch.agents[agent], "game 1", "stay"):
        batch.step(actions)
    after = batch.get_state()
    assert all((before[name] == after[name]).all() for name in before)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cleaner_0": None}, ["missing", "cleaner_0"]),
        ({"cleaner_9": 4}, ["unknown", "cleaner_9"]),
        ({"cleaner_0": 8}, ["8", "cleaner_0", "0..7", "clean"]),
        ({"harvester_0": 7}, ["7", "harvester_0", "0..6"]),
        ({"harvester_0": -1}, ["-1", "harvester_0"]),
        ({"harvester_0": 4.0}, ["harvester_0", "integer", "4.0"]),
        ({"harvester_0": float("nan")}, ["harvester_0", "integer", "nan"]),
        ({"harvester_0": "left"}, ["harvester_0", "integer", "left"]),
        ({"harvester_0": True}, ["harvester_0", "integer", "True"]),
        ({"harvester_0": np.array([4])}, ["harvester_0", "integer"]),
        ({"harvester_0": 10**30}, ["1000", "harvester_0", "0..6"]),
    ],
)
def test_bad_action_dictionaries(change, words):
    game = parallel_env(n_cleaners=1)
    game.reset(seed=0)
    actions = {**dict.fromkeys(game.agents, Action.STAY), **change}
    actions = {agent: action for agent, action in actions.items() if action is not None}
    with refused(*words):
        game.step(actions)


def test_actions_that_are_no_dictionary():
    game = parallel_env()
    game.reset(seed=0)
    with refused("dictionary", "list"):
        game.step([4] * 5)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ([4] * 5, ["integers", "6,", "5,"]),
        ([[4] * 6], ["integers", "6,", "1, 6"]),
        ([4.0] * 6, ["integers", "float64"]),
        (4, ["integers", "6,"]),
        ([7, *[Action.STAY] * 5], ["action 7", "harvester_0", "0..6", "stay"]),
        ([*[Action.STAY] * 5, -1], ["action -1", "cleaner_0", "0..7"]),
    ],
)
def test_bad_actions_of_one_player(action, words):
    game = CentralizedCleanup(n_cleaners=1)
    game.reset(seed=0)
    with refused(*words):
        game.step(action)


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        (np.full((2, 6), Action.STAY), ["integers", "12,", "2, 6"]),
        (np.full(6, Action.STAY), ["integers", "12,", "6,"]),
        (np.full(12, 4.0), ["integers", "float64"]),
        ([4] * 11 + [8], ["action 8", "sub-environment 11", "cleaner_0", "game 1", "0..7", "action_mask"]),
        ([-1] + [4] * 11, ["action -1", "sub-environment 0", "harvester_0", "game 0"]),
    ],
)
def test_bad_actions_of_sub_environments(actions, words):
    envs = vector_env(n_games=2, n_cleaners=1)
    envs.reset(seed=0)
    with refused(*words):
        envs.step(actions)


# ---- order of calls


def test_step_before_reset():
    with refused("before reset", "reset"):
        BatchCleanup().step(np.full((1, 5), Action.STAY))
    game = parallel_env()
    with refused("before reset", "reset"):
        game.step(dict.fromkeys(game.possible_agents, Action.STAY))
    for env in (CentralizedCleanup(), vector_env()):
        with refused("before reset", "reset"):
            env.step([4] * 5)
    with refused("before reset", "reset"):
        game.step({})


@pytest.mark.parametrize("build", [parallel_env, CentralizedCleanup])
def test_render_before_reset(build):
    with refused("before reset", "reset"):
        build(render_mode="ansi").render()


def test_step_after_the_end():
    game = BatchCleanup(make_config(horizon=1))
    game.reset(seed=0)
    game.step(np.full((1, 5), Action.STAY))
    with refused("over", "horizon 1", "reset"):
        game.step(np.full((1, 5), Action.STAY))
    face = parallel_env(horizon=1)
    face.reset(seed=0)
    face.step(dict.fromkeys(face.possible_agents, Action.STAY))
    for actions in (dict.fromkeys(face.possible_agents, Action.STAY), {"harvester_0": Action.STAY}, None, []):
        with refused("over", "horizon 1", "reset"):
            face.step(actions)
    player = CentralizedCleanup(horizon=1)
    player.reset(seed=0)
    player.step([4] * 5)
    with refused("over", "horizon 1", "reset"):
        player.step([4] * 5)


def test_a_reset_of_some_games_only():
    with refused("reset_mask", "Disabled", "together", "reset()"):
        vector_env(n_games=2).reset(options={"reset_mask": np.array([True] * 5 + [False] * 5)})


# ---- seeds


@pytest.mark.parametrize("seed", [-1, 1.5, "1", 2**64, True, [1], float("nan")])
@pytest.mark.parametrize("n_games", [1, 3])
def test_bad_seeds(n_games, seed):
    with refused("seed", "non-negative integer", "2"):
        BatchCleanup(n_games=n_games).reset(seed)


@pytest.mark.parametrize("seed", [-1, 1.5, "1", 2**64, True])
def test_bad_seeds_of_the_faces(seed):
    for env in (parallel_env(), CentralizedCleanup(), vector_env(n_games=2)):
        with refused("seed", "non-negative integer"):
            env.reset(seed=seed)
    with refused("seed", "non-negative integer"):
        vector_env(n_games=2).reset(seed=[0, seed])


def test_a_list_of_seeds_for_another_number_of_games():
    with refused("one per game", "10 seeds", "2 games"):
        vector_env(n_games=2).reset(seed=list(range(10)))


@pytest.mark.parametrize("seeds", [[1], [1, 2, 3], [1, -2], [1.0, 2.0], 5, [[1], [2, 3]], ["a", "b"]])
def test_bad_seeds_of_copies(seeds):
    with refused("seeds must be 2", "non-negative"):
        BatchCleanup(n_games=2).reset(seeds=seeds)


def test_seed_and_seeds_together():
    with refused("seed or seeds"):
        BatchCleanup(n_games=1).reset(1, seeds=[2])


# ---- states


def test_a_state_of_another_game(batch):
    other = BatchCleanup(make_config(n_cleaners=1), 3, observation=None)
    other.reset(seed=0)
    with refused("does not fit", "shape"):
        batch.set_state(other.get_state())
    with refused("does not fit", "None"):
        batch.set_state({})
    with refused("dictionary", "list"):
        batch.set_state([1])


@pytest.mark.parametrize(
    ("name", "value"),
    [("position", 0), ("position", 10**6), ("position", -1), ("heading", 4), ("clock", 201), ("clock", -1),
     ("recovery", 1), ("n_beam", -1), ("n_beam", 10**6), ("stream", 0), ("ground", 6), ("ground", 99)],
)  # fmt: skip
def test_a_state_with_values_that_cannot_occur(batch, name, value):
    state = batch.get_state()
    state[name][:] = value
    before = batch.get_state()
    with refused("does not fit", name):
        batch.set_state(state)
    after = batch.get_state()
    assert all((before[key] == after[key]).all() for key in before)


def test_two_agents_in_one_cell_are_no_state(batch):
    state = batch.get_state()
    state["position"][:, 1] = state["position"][:, 0]
    with refused("does not fit", "position"):
        batch.set_state(state)


def test_the_state_of_a_game_that_never_began(batch):
    with refused("does not fit"):
        batch.set_state(BatchCleanup(batch.config, 2, observation=None).get_state())


# ---- scripted players


def test_bad_crews(batch):
    rng = np.random.default_rng(0)
    for arguments, words in (
        ({"players": "lazy"}, ["unknown player", "lazy", "greedy"]),
        ({"players": {"cleaners": "idle"}}, ["unknown role", "cleaners", "cleaner"]),
        ({"noise": 1.5}, ["noise", "1.5"]),
    ):
        with refused(*words):
            ScriptedCrew(batch, **arguments, rng=rng)


def test_names_that_are_exported_exist():
    assert all(hasattr(cleanup_env, name) for name in cleanup_env.__all__)

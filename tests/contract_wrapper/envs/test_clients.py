"""Learners and libraries that nobody here wrote, in the way that their own pages show, across ends of episodes."""

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

import cleanup_env
from contract_wrapper import Contract, ContractsError, ContractWrapper, make_contracted

HORIZON, AGENTS = 7, 7


def game(wrapped=True, **settings):
    def build(n_cleaners):
        return cleanup_env.parallel_env(
            n_cleaners=n_cleaners, observation="features", **{"horizon": HORIZON, "equal_actions": True, **settings}
        )

    return make_contracted(Contract(tax=0.3, n_cleaners=2), build) if wrapped else build(2)


both = pytest.mark.parametrize("wrapped", [False, True])


# ---- Stable-Baselines3, through SuperSuit


def sb3_env(wrapped, copies=2):
    supersuit = pytest.importorskip("supersuit")
    from stable_baselines3.common.vec_env import VecMonitor

    env = supersuit.pettingzoo_env_to_vec_env_v1(game(wrapped))
    return VecMonitor(supersuit.concat_vec_envs_v1(env, copies, num_cpus=1, base_class="stable_baselines3"))


@both
@pytest.mark.parametrize("algorithm", ["PPO", "DQN"])
@pytest.mark.parametrize("monitored", [True, False])
def test_stable_baselines_learns_across_ends_of_episodes(wrapped, algorithm, monitored):
    sb3 = pytest.importorskip("stable_baselines3")
    env = sb3_env(wrapped)
    env = env if monitored else env.venv
    sizes = {"PPO": {"n_steps": 8, "batch_size": 56}, "DQN": {"learning_starts": 28, "buffer_size": 500}}[algorithm]
    model = getattr(sb3, algorithm)("MlpPolicy", env, device="cpu", **sizes)
    model.learn(3 * HORIZON * env.num_envs)
    told = list(model.ep_info_buffer)
    assert len(told) == (3 * env.num_envs if monitored else 0)
    assert all(info["l"] == HORIZON and np.isfinite(info["r"]) for info in told)


# ---- the shape of CleanRL's loops


@both
def test_the_loop_of_cleanrl_for_pettingzoo(wrapped):
    """`ppo_pettingzoo_ma_atari.py`: every info with an "episode" is read as the return and length of an agent."""
    supersuit = pytest.importorskip("supersuit")
    env = supersuit.agent_indicator_v0(game(wrapped), type_only=False)
    envs = supersuit.concat_vec_envs_v1(
        supersuit.pettingzoo_env_to_vec_env_v1(env), 2, num_cpus=0, base_class="gymnasium"
    )
    envs.single_observation_space, envs.single_action_space = envs.observation_space, envs.action_space
    assert isinstance(envs.single_action_space, Discrete)
    next_obs, _ = envs.reset(seed=1)
    read, ends, rng = [], 0, np.random.default_rng(0)
    for _ in range(2 * HORIZON + 1):
        next_obs, reward, termination, truncation, infos = envs.step(rng.integers(0, 8, 2 * AGENTS))
        assert next_obs.shape == (2 * AGENTS, 49 + AGENTS)
        assert len(reward) == len(termination) == len(infos) == 2 * AGENTS
        ends += truncation.all()
        read += [(item["episode"]["r"], item["episode"]["l"]) for item in infos if "episode" in item]
    assert ends == 2
    assert read == []  # no statistics wrapper, no statistics


@pytest.mark.parametrize("mode", [gymnasium.vector.AutoresetMode.SAME_STEP, gymnasium.vector.AutoresetMode.NEXT_STEP])
def test_the_loop_of_cleanrl_for_gymnasium(mode):
    """`ppo.py`: one player moves all; `RecordEpisodeStatistics` around each game, "final_info" or "episode" read."""

    def thunk():
        env = gymnasium.make("cleanup_env/CentralizedCleanup-v0", n_cleaners=2, horizon=HORIZON, observation="features")
        return gymnasium.wrappers.RecordEpisodeStatistics(gymnasium.wrappers.FlattenObservation(env))

    envs = gymnasium.vector.SyncVectorEnv([thunk, thunk], autoreset_mode=mode)
    envs.reset(seed=2)
    lengths = []
    for _ in range(2 * HORIZON + 2):
        *_, infos = envs.step(envs.action_space.sample())
        told = infos.get("final_info", infos)
        if "episode" in told:
            lengths += told["episode"]["l"][told["_episode"]].tolist()
    assert lengths == [HORIZON] * 4


# ---- TorchRL, tianshou, MOMAland: these need not be installed


@pytest.mark.parametrize("one_group", [False, True])
@both
def test_torchrl_plays_across_the_horizon(wrapped, one_group):
    pytest.importorskip("torchrl")
    from torchrl.envs.libs.pettingzoo import PettingZooWrapper
    from torchrl.envs.utils import MarlGroupMapType, check_env_specs

    groups = MarlGroupMapType.ALL_IN_ONE_GROUP if one_group else None
    env = PettingZooWrapper(env=game(wrapped, equal_actions=one_group), group_map=groups, seed=0)
    check_env_specs(env)
    assert set(env.group_map) == ({"agents"} if one_group else {"harvester", "cleaner"})
    played = env.rollout(3 * HORIZON, break_when_any_done=False)
    group = next(iter(env.group_map))
    assert played["next", "done"].flatten().tolist() == ([False] * (HORIZON - 1) + [True]) * 3
    assert played["next", group, "info", "steps"][:, 0].flatten().tolist() == [*range(1, HORIZON + 1)] * 3
    assert played[group, "action_mask"].shape[-1] == (8 if one_group else 7)


def test_torchrl_plays_the_turn_based_game():
    pytest.importorskip("torchrl")
    from torchrl.envs.libs.pettingzoo import PettingZooWrapper

    env = PettingZooWrapper(env=cleanup_env.env(n_cleaners=1, observation="features", horizon=3), use_mask=True)
    assert env.rollout(45, break_when_any_done=False)["next", "done"].sum() == 2


def test_tianshou_takes_a_game_of_equal_actions():
    pytest.importorskip("tianshou")
    from tianshou.algorithm import MultiAgentOffPolicyAlgorithm
    from tianshou.algorithm.random import MARLRandomDiscreteMaskedOffPolicyAlgorithm
    from tianshou.data import Collector, VectorReplayBuffer
    from tianshou.env import DummyVectorEnv, PettingZooEnv

    def build():
        return PettingZooEnv(cleanup_env.env(n_cleaners=2, observation="features", horizon=3, equal_actions=True))

    env = build()
    players = [MARLRandomDiscreteMaskedOffPolicyAlgorithm(action_space=env.action_space) for _ in env.agents]
    collector = Collector(
        MultiAgentOffPolicyAlgorithm(algorithms=players, env=env),
        DummyVectorEnv([build, build]),
        VectorReplayBuffer(500, 2),
    )
    collector.reset()
    collected = collector.collect(n_episode=4)
    assert collected.lens.tolist() == [3 * AGENTS] * 4
    assert collected.returns.shape == (4, AGENTS)
    with pytest.raises(AssertionError, match="Action spaces for all agents must be identical"):
        PettingZooEnv(cleanup_env.env(n_cleaners=2))


def test_momaland_is_refused_until_its_objectives_are_weighed():
    pytest.importorskip("momaland")
    from momaland.envs.item_gathering import item_gathering
    from momaland.utils.conversions import mo_aec_to_parallel
    from momaland.utils.parallel_wrappers import LinearizeReward

    deal, untaxed = Contract(tax=0.5, n_cleaners=1), item_gathering.parallel_env()
    roles = ["harvester"] * (len(untaxed.possible_agents) - 1) + ["cleaner"]
    for env in (untaxed, mo_aec_to_parallel(item_gathering.env())):
        with pytest.raises(ContractsError, match=r"vector of shape \(3,\).*LinearizeReward"):
            ContractWrapper(env, deal, roles=roles)
    with pytest.raises(ContractsError, match=r"act in turn: .*aec_to_parallel"):
        ContractWrapper(item_gathering.env(), deal, roles=roles)
    weights = dict.fromkeys(untaxed.possible_agents, np.ones(3))
    env = ContractWrapper(LinearizeReward(untaxed, weights), deal, roles=roles, costs="none")
    env.reset(seed=0)
    for _ in range(20):
        _, utilities, *_, infos = env.step({agent: env.action_space(agent).sample() for agent in env.agents})
        raw = [infos[agent]["reward_raw"] for agent in utilities]
        assert sum(utilities.values()) == pytest.approx(sum(raw))


def test_observations_lie_in_one_space_for_all_agents():
    env = game()
    (space,) = {str(env.observation_space(agent)) for agent in env.possible_agents}
    assert space == str(Box(-1.0, 1.0, (49,), np.float32))

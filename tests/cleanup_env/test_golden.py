"""Fixed episodes: a changed hash means that the game plays differently, and so a new environment version.

Speed-ups and refactorings must leave every hash as it is. Who changes a rule, the order of the
random draws, or an observation on purpose registers new versions (`cleanup-v1`) and writes their
hashes here. All faces and all registered names play the one fixed episode, and so have its hash.
Features are hashed in thousandths, lest the last bit of a division decide.
"""

import hashlib

import gymnasium
import numpy as np
import pettingzoo
import pytest

from cleanup_env import BatchCleanup, env, make_config, parallel_env, vector_env

REGISTERED = [name for name, spec in gymnasium.registry.items() if str(spec.entry_point).startswith("cleanup_env.")]
GOLDEN = {
    ("contract", "symbolic"):
        "a9552b99998f575ea9fda7d03d8a718173bf0b9ff7723dda0b107057b2ad9710",
    ("contract", "one_hot"):
        "19b14de6e82b15a84003be034e1cb7bbd471f53aca6e43bf2b38c6cebdea718d",
    ("contract", "rgb"):
        "6f1a6c656a6691d88600dbf0759b3de29415cd9f9249dbac557a57bc510def61",
    ("contract", "features"):
        "0738b9a78be506737d24c45efd852ba949d1c78046cac48cc6186e386ce7a7ef",
    ("original", "symbolic"):
        "742e011034b11d49282c186758bb566ece54e2ed2c41869437cd7818d7492dee",
    ("original", "one_hot"):
        "f48a4af1d06288ea3d1ed0ff52bb1512d4d37ff3e4740e848339b707558e0bb3",
    ("original", "rgb"):
        "ad2c231b172674344af37ca623f6d4cee5863c26831334b870dfe023222dc18f",
    ("original", "features"):
        "8cd3649b0004e1c3ef5fb9b38e257f51bb8641aac07dd170f422bab40e5f5822",
    ("meltingpot-like", "symbolic"):
        "b6c2c9990b4f0235380bdeea482eb9a348195f74bc72c4d3a0f3c6f9b5e946e0",
    ("meltingpot-like", "one_hot"):
        "26d253c0ab1811eb375a44e189b157b8a02a499688e817e37e48fc63fb19c675",
    ("meltingpot-like", "rgb"):
        "2e98e6a53ea240a11b15d572cb21f41c5f7bd071ab0ea61118e28736603b9491",
    ("meltingpot-like", "features"):
        "c97a795d2eb14dd615aa6b8773194b4ceb81bea441b76c5b2c8e5881b1b7f028",
}  # fmt: skip


HORIZON = 150


def episode_hash(preset, kind, face):
    """face(preset, observation=..., **settings) gives a reset(seed) that returns observations, and a
    step(actions) that returns observations and rewards, all in agent order."""
    settings = {"horizon": HORIZON, **({"n_cleaners": 3} if preset == "contract" else {})}
    reset, step = face(preset, observation=kind, **settings)
    n_actions = BatchCleanup(make_config(preset, **settings)).n_actions
    digest = hashlib.sha256()

    def add(observations):
        if kind == "features":
            observations = np.round(observations * 1000.0).astype(np.int32)
        digest.update(observations.tobytes())

    add(reset(2018))
    # A linear congruential sequence, so that numpy's generators may change as they like.
    number = 1
    for _ in range(HORIZON):
        actions = np.zeros(len(n_actions), np.int64)
        for i in range(len(n_actions)):
            number = (1103515245 * number + 12345) % 2**31
            actions[i] = (number >> 16) % n_actions[i]
        observations, rewards = step(actions)
        add(observations)
        digest.update(np.asarray(rewards).astype("<f8").tobytes())
    return digest.hexdigest()


def batch(preset, observation, **settings):
    game = BatchCleanup(make_config(preset, **settings), 1, observation=observation)
    return game.reset, lambda actions: game.step(actions[None])[:2]


def vector(preset, **settings):
    envs = vector_env(preset, **settings)

    def step(actions):
        observations, rewards, *_, infos = envs.step(actions)
        return np.stack(infos["final_obs"]) if "final_obs" in infos else observations, rewards

    return lambda seed: envs.reset(seed=seed)[0], step


def centralized(name):
    def build(preset, **settings):
        game = gymnasium.make(name, preset=preset, **settings)

        def step(actions):
            observations, *_, info = game.step(actions)
            return observations, list(info["rewards"].values())

        return lambda seed: game.reset(seed=seed)[0], step

    return build


def parallel(preset, **settings):
    made = getattr(pettingzoo, "make", lambda _, __, **rest: parallel_env(**rest))  # none before 1.27
    game = made("parallel", "cleanup/cleanup-v0", preset=preset, **settings)

    def step(actions):
        observations, rewards, *_ = game.step(dict(zip(game.agents, actions, strict=True)))
        return np.stack(list(observations.values())), list(rewards.values())

    return lambda seed: np.stack(list(game.reset(seed=seed)[0].values())), step


def turn_based(preset, **settings):
    made = getattr(pettingzoo, "make", lambda _, __, **rest: env(**rest))
    game = made("aec", "cleanup/cleanup-v0", preset=preset, **settings)

    def seen():
        return np.stack([game.observe(agent) for agent in game.possible_agents])

    def reset(seed):
        game.reset(seed=seed)
        return seen()

    def step(actions):
        for action in actions:
            game.step(action)
        return seen(), [game.rewards[agent] for agent in game.possible_agents]

    return reset, step


FACES = {
    "BatchCleanup": batch,
    "vector_env": vector,
    "pettingzoo parallel cleanup/cleanup-v0": parallel,
    "pettingzoo aec cleanup/cleanup-v0": turn_based,
    **{f"gymnasium {name}": centralized(name) for name in REGISTERED},
}


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(("preset", "kind"), GOLDEN)
def test_fixed_episodes_have_not_changed(preset, kind, face):
    assert episode_hash(preset, kind, FACES[face]) == GOLDEN[preset, kind]

"""RLlib on the PettingZoo face of the game: PPO with one policy per role.

Needs: pip install "cleanup-contracts[agents]" "ray[rllib]"
"""

from typing import Any

import cleanup_env
from contract_wrapper import Contract, make_contracted

INSTALL = 'this example needs RLlib: pip install "cleanup-contracts[agents]" "ray[rllib]"'


def make_env(settings: dict[str, Any]) -> Any:
    """The game under a contract, built anew by each of RLlib's runners from plain settings.

    RLlib reads spaces per agent, so nothing is padded; a new number of cleaners needs a new algorithm.
    """
    from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv

    def game(n_cleaners: int) -> Any:
        return cleanup_env.parallel_env(n_cleaners=n_cleaners, observation="features", horizon=settings["horizon"])

    contract = Contract(tax=settings["tax"], n_cleaners=settings["n_cleaners"])
    return ParallelPettingZooEnv(make_contracted(contract, game))


def role(agent: str, *_: Any, **__: Any) -> str:
    """Policy of an agent: its name up to the number."""
    return agent.rpartition("_")[0]


def main(iterations: int = 5, horizon: int = 200, steps: int = 1_600) -> float | None:
    """Train; return the last iteration's mean total utility per episode, or None if RLlib is missing."""
    try:
        from ray.rllib.algorithms.ppo import PPOConfig
        from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
        from ray.rllib.core.rl_module.multi_rl_module import MultiRLModuleSpec
        from ray.rllib.core.rl_module.rl_module import RLModuleSpec
        from ray.tune.registry import register_env
    except ImportError:  # without RLlib's packages Ray itself may be there
        print(INSTALL)
        return None
    register_env("cleanup", make_env)
    roles = ("harvester", "cleaner")
    config = (
        PPOConfig()
        .environment("cleanup", env_config={"tax": 0.3, "n_cleaners": 3, "horizon": horizon})
        .env_runners(num_env_runners=0)  # in this process; give a number to play on many
        .multi_agent(policies=set(roles), policy_mapping_fn=role)
        .rl_module(
            rl_module_spec=MultiRLModuleSpec(rl_module_specs={name: RLModuleSpec() for name in roles}),
            model_config=DefaultModelConfig(fcnet_hiddens=[64, 64]),
        )
        # RLlib keeps `terminated` and `truncated` apart, and bootstraps at the time limit by itself.
        .training(lr=1e-3, gamma=0.99, train_batch_size_per_learner=steps, minibatch_size=steps // 4, num_epochs=4)
        .debugging(seed=0)
    )
    algorithm = config.build_algo()
    try:
        for _ in range(iterations):
            result = algorithm.train()
    finally:
        algorithm.stop()
    total = float(result["env_runners"]["episode_return_mean"])
    print(f"mean total utility per episode after {iterations} iterations: {total:.1f}")
    return total


if __name__ == "__main__":
    main()

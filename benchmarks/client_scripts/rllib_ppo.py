"""PPO of RLlib on the game under a contract, one policy per role."""

import json
from importlib.metadata import version

from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.multi_rl_module import MultiRLModuleSpec
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv
from ray.tune.registry import register_env

import cleanup_env
from contract_wrapper import Contract, make_contracted


def make_env(settings):
    def game(n_cleaners):
        return cleanup_env.parallel_env(n_cleaners=n_cleaners, observation="features", horizon=20)

    return ParallelPettingZooEnv(make_contracted(Contract(tax=settings["tax"], n_cleaners=2), game))


def role(agent, *_, **__):
    return agent.rpartition("_")[0]  # "cleaner_1" -> "cleaner"


register_env("cleanup", make_env)
roles = ("harvester", "cleaner")
config = (
    PPOConfig()
    .environment("cleanup", env_config={"tax": 0.3})
    .env_runners(num_env_runners=0)
    .multi_agent(policies=set(roles), policy_mapping_fn=role)
    .rl_module(rl_module_spec=MultiRLModuleSpec(rl_module_specs={name: RLModuleSpec() for name in roles}))
    .training(train_batch_size_per_learner=80, minibatch_size=40, num_epochs=1)
    .debugging(seed=0)
)
algorithm, ends = config.build_algo(), 0
for _ in range(2):
    found = algorithm.train()["env_runners"]
    assert found["episode_len_mean"] == 20
    ends += int(found["num_episodes"])
algorithm.stop()
what = "PPO, a policy per role, two iterations"
print(json.dumps({"client": "RLlib", "version": version("ray"), "what": what, "ends": ends}))

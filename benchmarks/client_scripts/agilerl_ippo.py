"""IPPO of AgileRL by its own trainer on the game under a contract: several processes, trained, then tested."""

import json
import warnings
from importlib.metadata import version

from agilerl.algorithms import IPPO
from agilerl.training.train_multi_agent_on_policy import train_multi_agent_on_policy
from agilerl.vector.pz_async_vec_env import AsyncPettingZooVecEnv
from pettingzoo.utils import BaseParallelWrapper

import cleanup_env
from contract_wrapper import Contract, make_contracted

HORIZON = 20


class WithoutMasks(BaseParallelWrapper):
    """Infos without masks: AgileRL's IPPO asks `None in masks` of a list of arrays, which numpy refuses."""

    def reset(self, seed=None, options=None):
        observations, infos = super().reset(seed, options)
        return observations, self.without(infos)

    def step(self, actions):
        *played, infos = super().step(actions)
        return *played, self.without(infos)

    @staticmethod
    def without(infos):
        return {agent: {k: v for k, v in info.items() if k != "action_mask"} for agent, info in infos.items()}


def build():
    def game(n_cleaners):
        return cleanup_env.parallel_env(n_cleaners=n_cleaners, observation="features", horizon=HORIZON)

    return WithoutMasks(make_contracted(Contract(tax=0.3, n_cleaners=2), game))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    env = build()
    agents = env.possible_agents
    spaces = [[of(agent) for agent in agents] for of in (env.observation_space, env.action_space)]
    learner = IPPO(*spaces, agents, batch_size=40, learn_step=80)  # one network per role
    envs = AsyncPettingZooVecEnv([build, build])
    (learner,), _ = train_multi_agent_on_policy(
        envs, "cleanup", "IPPO", [learner], max_steps=160, evo_steps=80, verbose=False
    )
    envs.close()
    ends = learner.steps // HORIZON
    what = "IPPO by its own trainer, infos without masks"
    note = "its IPPO fails on masks in infos, of any game (`None in` a list of arrays): a wrapper leaves them out"
    print(json.dumps({"client": "AgileRL", "version": version("agilerl"), "what": what, "ends": ends, "note": note}))

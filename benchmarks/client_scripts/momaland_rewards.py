"""MOMAland: vector rewards are refused with the way out, and taken once LinearizeReward weighs the objectives."""

import json
from importlib.metadata import version

import numpy as np
from momaland.envs.item_gathering import item_gathering
from momaland.utils.parallel_wrappers import LinearizeReward

from contract_wrapper import Contract, ContractsError, ContractWrapper

contract, untaxed = Contract(tax=0.5, n_cleaners=1), item_gathering.parallel_env()
roles = ["harvester"] * (len(untaxed.possible_agents) - 1) + ["cleaner"]
refused = ""
try:
    ContractWrapper(untaxed, contract, roles=roles)
except ContractsError as error:
    refused = str(error)
assert "LinearizeReward" in refused
weights = dict.fromkeys(untaxed.possible_agents, np.ones(3))
env, ends = ContractWrapper(LinearizeReward(untaxed, weights), contract, roles=roles, costs="none"), 0
for episode in range(3):
    env.reset(seed=episode)
    while env.agents:
        _, utilities, *_, infos = env.step({agent: env.action_space(agent).sample() for agent in env.agents})
        assert np.isclose(sum(utilities.values()), sum(infos[agent]["reward_raw"] for agent in utilities))
    ends += 1
what = "item_gathering: vectors refused, LinearizeReward played"
print(json.dumps({"client": "MOMAland", "version": version("momaland"), "what": what, "ends": ends}))

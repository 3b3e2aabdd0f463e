"""A contract on simple_tag of mpe2, a game that knows nothing of contracts: the first predator gets half of each gain."""

import json
from importlib.metadata import version

import numpy as np
from mpe2 import simple_tag_v3

from contract_wrapper import Contract, ContractWrapper


def lead(rewards, activity, roles):
    """Transfers (N,): half of what the other predators gain goes to the first; they sum to 0."""
    hunters = np.flatnonzero(roles.mask("hunter"))
    transfers = np.zeros_like(rewards)
    transfers[hunters[1:]] = -0.5 * np.maximum(rewards[hunters[1:]], 0.0)
    transfers[hunters[0]] = -transfers.sum()
    return transfers


env = ContractWrapper(
    simple_tag_v3.parallel_env(max_cycles=25),
    Contract.none(),  # no cleaners and no tax: the payment rule is the whole contract
    roles=lambda agent: "hunter" if agent.startswith("adversary") else "prey",
    payment=lead,
)
ends = 0
for episode in range(3):
    env.reset(seed=episode)
    while env.agents:
        _, utilities, _, _, infos = env.step({agent: env.action_space(agent).sample() for agent in env.agents})
        raw = [infos[agent]["reward_raw"] for agent in utilities]
        assert np.isclose(sum(utilities.values()), sum(raw))
    ends += 1
what = "simple_tag under a payment rule, random play"
print(json.dumps({"client": "mpe2", "version": version("mpe2"), "what": what, "ends": ends}))

"""A contract on the third-party game simple_tag of `mpe2`: the predators share what a catch earns.

    pip install "cleanup-contracts[render]" mpe2

Three predators hunt one prey; mpe2 pays 10 to every predator for each catch, whoever made it. Here the
contract, in five lines, lets the first of them lead: each of the others gives up half of its gains, and
the leader gets it all. The contract knows nothing of the game but its rewards.
"""

import numpy as np
from mpe2 import simple_tag_v3

from contract_wrapper import Contract, ContractWrapper


def lead(rewards, activity, roles):  # type: ignore[no-untyped-def]
    """Transfers (N,): half of what the others gain goes to the first predator; money is conserved."""
    hunters = np.flatnonzero(roles.mask("hunter"))
    transfers = np.zeros_like(rewards)
    transfers[hunters[1:]] = -0.5 * np.maximum(rewards[hunters[1:]], 0.0)
    transfers[hunters[0]] = -transfers.sum()
    return transfers


def chase(observation):  # type: ignore[no-untyped-def]
    """Move along the longer side of the way to the prey: 1 left, 2 right, 3 down, 4 up."""
    x, y = observation[-4:-2]  # where the prey is, seen from the predator
    return (2 if x > 0 else 1) if abs(x) > abs(y) else (4 if y > 0 else 3)


def main(seed: int = 0, steps: int = 100) -> dict[str, float]:
    """Play one episode in which the predators chase a prey that moves at random; return what each agent takes home."""
    game = ContractWrapper(
        simple_tag_v3.parallel_env(num_good=1, num_adversaries=3, num_obstacles=0, max_cycles=steps),
        Contract.none(),  # no cleaners and no tax: the custom payment rule below is the whole contract
        roles=lambda agent: "hunter" if agent.startswith("adversary") else "prey",
        payment=lead,
    )
    seen, _ = game.reset(seed=seed)
    rng = np.random.default_rng(seed)
    home, raw = dict.fromkeys(game.agents, 0.0), dict.fromkeys(game.agents, 0.0)
    while game.agents:
        moves = {a: chase(seen[a]) if a.startswith("adversary") else int(rng.integers(5)) for a in game.agents}
        seen, utilities, _, _, infos = game.step(moves)
        for agent, utility in utilities.items():
            home[agent] += utility
            raw[agent] += infos[agent]["reward_raw"]
    for agent in home:
        print(f"{agent:12} earned {raw[agent]:8.2f}, takes home {home[agent]:8.2f}")
    return home


if __name__ == "__main__":
    main()

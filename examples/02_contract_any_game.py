"""A contract on a third-party game: the wrapper needs per-agent rewards and roles, nothing else.

Here a tiny PettingZoo environment: miners dig gold, guards earn nothing unless a contract pays them.
"""

from typing import Any

import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv

from contract_wrapper import Contract, ContractWrapper


class Mine(ParallelEnv[str, np.ndarray, int]):
    """Two miners dig one or two nuggets a step, one guard watches; ten steps."""

    metadata: dict[str, Any] = {"name": "mine_v0"}  # noqa: RUF012
    possible_agents = ["miner_0", "miner_1", "guard_0"]  # noqa: RUF012

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        return spaces.Box(0.0, 1.0, (1,), np.float32)

    def action_space(self, agent: str) -> spaces.Space[Any]:
        return spaces.Discrete(2)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.agents, self.clock = list(self.possible_agents), 0
        return self._see(), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, int]) -> Any:
        self.clock += 1
        rewards = {agent: float(1 + actions[agent]) if agent.startswith("miner") else 0.0 for agent in self.agents}
        over = self.clock == 10
        flags, agents = dict.fromkeys(self.agents, over), self.agents
        if over:
            self.agents = []
        return self._see(agents), rewards, dict.fromkeys(agents, False), flags, {agent: {} for agent in agents}

    def _see(self, agents: list[str] | None = None) -> dict[str, np.ndarray]:
        return {agent: np.array([self.clock / 10], np.float32) for agent in agents or self.agents}


def main() -> dict[str, float]:
    """Play one step under a tax of 25 %; return the utilities."""
    roles = {"miner_0": "harvester", "miner_1": "harvester", "guard_0": "cleaner"}
    game = ContractWrapper(Mine(), Contract(tax=0.25, n_cleaners=1), roles=roles, costs="none")
    game.reset(seed=0)
    _, utilities, _, _, infos = game.step({"miner_0": 1, "miner_1": 0, "guard_0": 0})
    for agent, utility in utilities.items():
        print(
            f"{agent}: raw {infos[agent]['reward_raw']:.2f}, transfer {infos[agent]['transfer']:+.2f}, takes home {utility:.2f}"
        )
    return utilities


if __name__ == "__main__":
    main()

"""A game in turns (PettingZoo's AEC interface), converted, under a contract, and learned: the trust game.

An investor sends 1 or nothing, then a trustee, who gets three times that, gives half of it back or nothing. Left alone
the trustee keeps all, so that nothing is sent. A tax on what the trustee gets, paid to the investor, makes trust pay.
Here agents take turns, which `turn_based_aec_to_parallel` converts; `aec_to_parallel` is for AEC games in which all act
before anything happens (`metadata["is_parallelizable"]`).
"""

import numpy as np
from gymnasium import spaces
from pettingzoo import AECEnv
from pettingzoo.utils.conversions import turn_based_aec_to_parallel

from contract_wrapper import Contract, PettingZooGames
from mtmfq import MTMFQConfig, play, train


class Trust(AECEnv):
    """Two agents; both see whose turn it is, and the trustee whether it was trusted."""

    metadata = {"name": "trust_v0"}  # noqa: RUF012
    possible_agents = ["investor", "trustee"]  # noqa: RUF012
    render_mode = None

    def observation_space(self, agent):  # type: ignore[no-untyped-def]
        return spaces.Discrete(3)

    def action_space(self, agent):  # type: ignore[no-untyped-def]
        return spaces.Discrete(2)

    def observe(self, agent):  # type: ignore[no-untyped-def]
        return 0 if self.agent_selection == "investor" else 1 + self.sent

    def reset(self, seed=None, options=None):  # type: ignore[no-untyped-def]
        self.agents, self.agent_selection, self.sent = list(self.possible_agents), "investor", 0
        self.rewards, self._cumulative_rewards = (dict.fromkeys(self.agents, 0.0) for _ in range(2))
        self.terminations, self.truncations = (dict.fromkeys(self.agents, False) for _ in range(2))
        self.infos = {agent: {} for agent in self.agents}

    def step(self, action):  # type: ignore[no-untyped-def]
        if self.terminations[self.agent_selection]:
            return self._was_dead_step(action)
        if self.agent_selection == "investor":
            self.sent, self.agent_selection = action, "trustee"
            self.rewards = {"investor": -1.0 * action, "trustee": 3.0 * action}
        else:
            back = 1.5 * self.sent * action
            self.rewards, self.terminations = {"investor": back, "trustee": -back}, dict.fromkeys(self.agents, True)
        self._accumulate_rewards()


def main(episodes: int = 3_200) -> dict[float, float]:
    """Train both without and with a tax of one half; return how often the investor sends."""
    config = MTMFQConfig(
        episodes=episodes, n_games=16, hidden=(16,), gamma=0.9, n_step=1, learning_rate=3e-3, batch_size=64, tau=0.05,
        updates_per_step=1.0, temperature=((0.0, 1.0), (0.8, 0.05)), replay_capacity=200, neighbours="none",
    )  # fmt: skip
    roles, sent = {"investor": "cleaner", "trustee": "harvester"}, {}
    for tax in (0.0, 0.5):
        deal = Contract(tax=tax, n_cleaners=1)  # the rules call who is taxed a harvester, and who is paid a cleaner
        games = PettingZooGames(
            lambda: turn_based_aec_to_parallel(Trust()), deal, roles=roles, n_games=16, horizon=2, costs="none"
        )
        policy = train(games, config, np.random.default_rng(0)).policy
        home = play(games, policy, seed=1).mean(axis=0)
        sent[tax] = float(np.mean([env.unwrapped.sent for env in games.envs]))
        print(f"tax {tax:.0%}: sends in {sent[tax]:.0%} of the games; investor {home[0]:+.2f}, trustee {home[1]:+.2f}")
    return sent


if __name__ == "__main__":
    main()

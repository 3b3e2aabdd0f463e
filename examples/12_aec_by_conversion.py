"""A game in turns (PettingZoo's AEC interface), converted, under a contract, and learned: the trust game.

An investor sends 1 or nothing, then a trustee, who gets three times that, gives half of it back or nothing. Left alone
it keeps all, so that nothing is sent. A tax on what it gets, paid to the investor, makes trust pay. Games in which all
act before anything happens (`metadata["is_parallelizable"]`) are converted by `aec_to_parallel` instead.
"""

import numpy as np
from gymnasium import spaces
from pettingzoo import AECEnv
from pettingzoo.utils.conversions import turn_based_aec_to_parallel

from contract_wrapper import Contract, PettingZooGames
from mtmfq import MTMFQConfig, play, train


class Trust(AECEnv):
    """Both see whose turn it is, and in the trustee's turn whether it was trusted."""

    metadata, render_mode, possible_agents = {"name": "trust_v0"}, None, ["investor", "trustee"]
    observation_space = lambda self, agent: spaces.Discrete(3)  # noqa: E731
    action_space = lambda self, agent: spaces.Discrete(2)  # noqa: E731
    observe = lambda self, agent: 0 if self.agent_selection == "investor" else 1 + self.sent  # noqa: E731

    def reset(self, seed=None, options=None):
        self.agents, self.agent_selection, self.sent = list(self.possible_agents), "investor", 0
        self.rewards, self._cumulative_rewards = dict.fromkeys(self.agents, 0), dict.fromkeys(self.agents, 0)
        self.terminations, self.truncations = dict.fromkeys(self.agents, False), dict.fromkeys(self.agents, False)
        self.infos = {agent: {} for agent in self.agents}

    def step(self, action):
        if self.terminations[self.agent_selection]:
            self._was_dead_step(action)
        elif self.agent_selection == "investor":
            self.sent, self.agent_selection = action, "trustee"
            self.rewards = {"investor": -action, "trustee": 3 * action}
        else:
            back, self.terminations = 1.5 * self.sent * action, dict.fromkeys(self.agents, True)
            self.rewards = {"investor": back, "trustee": -back}


def main(episodes=3_200, taxes=(0.0, 0.5)):
    """Train both players under each tax; return how often the investor sends."""
    config = MTMFQConfig(
        episodes=episodes, n_games=16, hidden=(16,), gamma=0.9, n_step=1, learning_rate=3e-3, batch_size=64, tau=0.05,
        updates_per_step=1.0, temperature=((0.0, 1.0), (0.8, 0.05)), replay_capacity=200, neighbours="none",
    )  # fmt: skip
    make, sent = (lambda: turn_based_aec_to_parallel(Trust())), {}
    roles = {"investor": "cleaner", "trustee": "harvester"}  # the rules' names for who is paid, and who is taxed
    for tax in taxes:
        games = PettingZooGames(make, Contract(tax=tax, n_cleaners=1), roles=roles, n_games=16, horizon=2, costs="none")
        home = play(games, train(games, config, np.random.default_rng(0)).policy, seed=1).mean(axis=0)
        sent[tax] = float(np.mean([env.unwrapped.sent for env in games.envs]))
        print(f"tax {tax:.0%}: sends in {sent[tax]:.0%} of the games; investor {home[0]:+.2f}, trustee {home[1]:+.2f}")
    return sent


if __name__ == "__main__":
    main()

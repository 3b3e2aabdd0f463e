"""All agents of a game, each acting as its policy says, step by step, so that one of them can do something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.learners.playing import shown_context

if TYPE_CHECKING:
    from contract_wrapper.envs.settled_games import SettledGames
    from contract_wrapper.problems.problem import ProblemGame

    PlayedGame = SettledGames | ProblemGame


class Population:
    """A game and the policy of its agents; call `reset`, then `choose` and `step` in turns.

    With the same seed, agents that do what `choose` returns play exactly the episodes of `mtmfq.play`.
    """

    def __init__(self, game: PlayedGame, policy: Any) -> None:
        """Let all agents of `game` act as `policy` says.

        Args:
            game: it shows features; it may show a context beside them.
            policy: of `mtmfq`, or one that acts without mean actions, as PPO's does: with a `signature` and
                `act(observations, rng, *, agent_types)`, and `context` where there is one.

        Raises:
            ContractsError: the game is symbolic, or the policy is none.
            mtmfq.LearnerError: the policy was trained on another kind of game.
        """
        from mtmfq.interface import Signature
        from mtmfq.policy import Policy

        if game.n_classes:
            raise ContractsError(
                "one agent's deviation is learned on features: evaluate with a learner that observes them"
            )
        if not callable(getattr(policy, "act", None)) or not isinstance(getattr(policy, "signature", None), Signature):
            raise ContractsError(f"the agents need a trained policy (load_policy reads one), got {shown(policy)}")
        self.game, self.policy = game, policy
        self.sees_means = isinstance(policy, Policy)
        """Whether the policy acts on mean actions, too."""
        self.signature = policy.signature.of_same_kind(game)
        self.sizes = np.array(game.n_actions, np.int64)
        self.means: NDArray[np.float32] = np.zeros((game.n_games, game.n_agents, int(self.sizes.sum())), np.float32)
        """Mean actions of each agent's neighbours in the step before, (B, N, sum of the types' actions)."""
        self.observations: NDArray[Any] = np.empty(0)
        """What the agents see, (B, N, F)."""
        self.context: NDArray[np.float32] | None = None
        """Context of the episode, (B, N, C); None if the game has none."""
        self.uniforms: NDArray[np.float64] = np.empty(0)
        """What the policy drew for its last actions, (B, N) in [0, 1); empty for a policy that draws otherwise."""
        self._rng = np.random.default_rng(0)

    def reset(self, seed: int) -> None:
        """Start an episode in every copy; the seed fixes the game and what the policy draws."""
        self.observations, self._rng = self.game.reset(seed), np.random.default_rng(seed)
        self.context = shown_context(self.game, self.signature.n_context).get("context")
        self.means[:] = 0.0

    def choose(self) -> NDArray[np.int64]:
        """Actions (B, N) that the policy takes, in memory of the caller's own."""
        types = self.game.agent_types
        if not self.sees_means:
            beside = {} if self.context is None else {"context": self.context}
            chosen: NDArray[np.int64] = self.policy.act(self.observations, self._rng, agent_types=types, **beside)
            return chosen
        self.uniforms = self._rng.random((self.game.n_games, self.game.n_agents))
        actions: NDArray[np.int64] = self.policy.act(
            self.observations, self.means, self._rng, agent_types=types, context=self.context, uniforms=self.uniforms
        )
        return actions

    def step(self, actions: NDArray[np.int64]) -> NDArray[np.float64]:
        """Play actions (B, N); utilities (B, N) in apples."""
        from mtmfq.policy import neighbours_of
        from mtmfq.update import fill_mean_actions

        seen = neighbours_of(self.game, self.policy.config) if self.sees_means else self.game.visible()
        fill_mean_actions(actions, seen, self.game.agent_types, self.sizes, self.means)
        self.observations, utilities = self.game.step(actions)
        return utilities

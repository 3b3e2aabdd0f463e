"""A game in which one agent learns and all others follow their policy, and how it goes on from that policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.contracts.contract import as_int
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.learners.population import Population

if TYPE_CHECKING:
    from contract_wrapper.learners.population import PlayedGame
    from mtmfq.config import MTMFQConfig
    from mtmfq.policy import Policy


class LoneLearner:
    """A game in which one agent learns and the others follow a policy; an `mtmfq.BatchGame` of one agent.

    The learner sees its own observation, the mean actions of its neighbours and the context of the game, as it
    does in the population; observation and mean actions are one vector of features to it. If the game has a
    context, this is a `mtmfq.ContextGame` with the context, scale and shift of this agent.
    """

    n_agents: int = 1
    n_classes: int = 0

    def __init__(self, game: PlayedGame, policy: Any, agent: int, *, with_context: bool = True) -> None:
        """Let `agent` (a number) learn in `game`, the others act as `policy` tells.

        Args:
            game, policy: as in `Population`.
            agent: its number in the game.
            with_context: whether it sees the game's context; a learner that takes none (PPO) can do without where
                the context never changes.

        Raises:
            ContractsError: as in `Population`, or there is no such agent.
            mtmfq.LearnerError: the policy was trained on another kind of game.
        """
        number = as_int(agent)
        if number is None or not 0 <= number < game.n_agents:
            raise ContractsError(f"the game has agents 0 to {game.n_agents - 1}, got {shown(agent)}")
        self.population, self.agent = Population(game, policy), number
        self.n_games, self.horizon = game.n_games, game.horizon
        self.kind = int(game.agent_types[number])
        """Number of its type in the game."""
        self.type_names: tuple[str, ...] = (game.roles.names[number],)
        self.agent_types: NDArray[np.int64] = np.zeros(1, np.int64)
        self.n_actions: tuple[int, ...] = (game.n_actions[self.kind],)
        n_seen = int(np.prod(game.observation_shape))
        self.observation_shape: tuple[int, ...] = (n_seen + self.population.means.shape[2],)
        self.n_context = self.population.signature.n_context if with_context else 0
        self._no_neighbours = np.zeros((game.n_games, 1, 1), np.bool_)

    def reset(self, seed: int) -> NDArray[np.float32]:
        """Start an episode in every copy; what the learner sees, (B, 1, F)."""
        self.population.reset(seed)
        return self.view()

    def step(self, actions: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Play the learner's actions (B, 1) and those of all others; what it sees and its utilities (B, 1)."""
        chosen = self.population.choose()
        chosen[:, self.agent] = actions[:, 0]
        utilities = self.population.step(chosen)
        return self.view(), utilities[:, self.agent : self.agent + 1]

    def view(self) -> NDArray[np.float32]:
        """What the learner sees now: observation, then mean actions of its neighbours, (B, 1, F)."""
        features = self.population.observations[:, self.agent].reshape(self.n_games, -1)
        return np.concatenate([features, self.population.means[:, self.agent]], axis=1, dtype=np.float32)[:, None]

    def visible(self) -> NDArray[np.bool_]:
        """The learner has no neighbours that learn: (B, 1, 1) of false."""
        return self._no_neighbours

    def context(self) -> NDArray[np.float32]:
        """The learner's context in the present episode, (B, 1, C)."""
        if self.population.context is None:
            raise ContractsError("this game has no context")
        return self.population.context[:, self.agent : self.agent + 1]

    def episode_scale(self) -> NDArray[np.float64]:
        """Declared factors on the learner's utilities in the present episode, (B, 1)."""
        return self._declared("episode_scale")

    def episode_shift(self) -> NDArray[np.float64]:
        """What a learner may add to its utilities per step in the present episode, (B, 1)."""
        return self._declared("episode_shift")

    def reward_scale(self) -> NDArray[np.float64]:
        """Declared factor on the learner's utilities in all episodes, (1,), from a game under one contract."""
        return self._of_role("reward_scale")

    def reward_shift(self) -> NDArray[np.float64]:
        """What a learner may add to its utilities per step in all episodes, (1,), from a game under one contract."""
        return self._of_role("reward_shift")

    def _of_role(self, name: str) -> NDArray[np.float64]:
        values: NDArray[np.float64] = getattr(self.population.game, name)()
        return values[self.kind : self.kind + 1]

    def _declared(self, name: str) -> NDArray[np.float64]:
        values: NDArray[np.float64] = getattr(self.population.game, name)()
        return values[:, self.agent : self.agent + 1]


def warm_start(learner: LoneLearner, config: MTMFQConfig) -> Policy:
    """A policy with which the lone learner does what it does in the population: the crew's own networks, rearranged.

    The population's networks take features, context and mean actions, in this order; the learner's take features
    and mean actions, then the context, then mean actions of its own, which are always zero. A network that never
    saw the context (the learner has none) would not fit, and neither would one that takes mean actions later.

    Args:
        learner: what it will be trained on.
        config: of that training; the population's hidden layers.

    Raises:
        ContractsError: the population was not trained by mtmfq, its mean actions enter after the first layer, its
            hidden layers are others, or the learner does not see the context that the population sees.
    """
    import torch

    from mtmfq.interface import Signature
    from mtmfq.network import NetworkShape, QNetworks
    from mtmfq.policy import Policy

    crew, kind = learner.population.policy, learner.kind
    if not isinstance(crew, Policy):
        raise ContractsError(
            f"a deviator goes on from networks of mtmfq, got a policy with settings {type(crew.config).__name__}: "
            "let it learn anew"
        )
    joins = (crew.config.mean_actions_join, config.mean_actions_join)
    if joins != ("input", "input") or crew.config.hidden != config.hidden:
        raise ContractsError(
            f"a deviator that goes on has the crew's hidden layers {crew.config.hidden} and takes mean actions at the "
            f"input (mean_actions_join='input'), got {config.hidden} and {joins}: change the settings, or learn anew"
        )
    if learner.n_context != crew.signature.n_context:
        raise ContractsError("a deviator that goes on sees the context that the crew sees: leave with_context=True")
    signature = Signature.of(learner)
    networks = QNetworks.initialised(NetworkShape.of(signature, config), seed=0)
    n_seen, n_context = crew.signature.n_features - learner.n_context, learner.n_context
    n_means = crew.signature.n_means
    with torch.no_grad():
        first, source = networks.parameters[0][0], crew.networks.parameters[0][kind]
        first.zero_()
        first[:n_seen] = source[:n_seen]
        first[n_seen : n_seen + n_means] = source[n_seen + n_context :]
        first[n_seen + n_means : n_seen + n_means + n_context] = source[n_seen : n_seen + n_context]
        for own, theirs in zip(networks.parameters[1:], crew.networks.parameters[1:], strict=True):
            own[0] = theirs[kind][..., : own.shape[2]]  # the head alone may be narrower
    return Policy(config=config, signature=signature, networks=networks)

"""Best responses, measured: what an agent gains by changing its policy alone.

Source: Molina Concha et al. 2024 (arXiv 2408.09686), eq. 3, which the paper assumes. Here all other
agents keep their learned policy while one agent learns anew, from nothing, with the schedule and
the number of gradient steps of the training. Its gain is what a lone deviation is worth, as far as
this learner finds it: a gain well above zero refutes an equilibrium, none does not prove one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.envs.batch_game import TYPES, ContractedGame
from contract_wrapper.envs.episode_sums import EpisodeSums
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.evaluate import check_arguments, contracted_game
from contract_wrapper.evaluation.settings import EvaluationSettings
from mtmfq.config import MTMFQConfig

if TYPE_CHECKING:
    from mtmfq.interface import TrainProgress
    from mtmfq.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """What one agent gains by learning alone against all others as they are."""

    agent: str
    """Who deviates."""

    before: Estimate
    """Utility of that agent in the population as learned, in apples per episode."""

    after: Estimate
    """Its utility after learning alone."""

    harvest_before: Estimate
    """Apples per episode that all agents eat, before the deviation."""

    harvest_after: Estimate
    """The same after the deviation."""

    @property
    def gain(self) -> Estimate:
        """After less before: the exploitability of the population by this agent, as far as found."""
        return self.after.minus(self.before)


class LoneLearner:
    """A contracted game in which one agent learns and the others follow a policy; an `mtmfq.BatchGame`.

    The learner sees its own observation and the mean actions of its neighbours, as it does in the
    population; to its new learner these are one vector of features.
    """

    n_agents: int = 1
    n_classes: int = 0

    def __init__(self, game: ContractedGame, policy: Policy, agent: int) -> None:
        """Let `agent` (a number) learn in `game`, the others as `policy` tells."""
        if game.n_classes:
            raise ContractsError("a best response is learned on features: evaluate with a learner that observes them")
        self._game, self._policy, self._agent = game, policy, agent
        self.n_games, self.horizon = game.n_games, game.horizon
        role = game.config.roles[agent]
        self.type_names: tuple[str, ...] = (role,)
        self.agent_types: NDArray[np.int64] = np.zeros(1, np.int64)
        self.n_actions: tuple[int, ...] = (game.n_actions[TYPES.index(role)],)
        self._sizes = np.array(game.n_actions, np.int64)
        self._means = np.zeros((game.n_games, game.n_agents, int(self._sizes.sum())), np.float32)
        self.observation_shape: tuple[int, ...] = (int(np.prod(game.observation_shape)) + self._means.shape[2],)
        self._no_neighbours = np.zeros((game.n_games, 1, 1), np.bool_)
        self._seen: NDArray[Any] = np.empty(0)
        self._rng = np.random.default_rng(0)

    def reset(self, seed: int) -> NDArray[np.float32]:
        """Start an episode in every copy; what the learner sees, (B, 1, F)."""
        self._seen, self._rng = self._game.reset(seed), np.random.default_rng(seed)
        self._means[:] = 0.0
        return self._view()

    def step(self, actions: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Play the learner's actions (B, 1) and those of all others; what it sees and its utilities (B, 1)."""
        from mtmfq.policy import neighbours_of
        from mtmfq.update import fill_mean_actions

        game, i = self._game, self._agent
        chosen = self._policy.act(self._seen, self._means, self._rng, agent_types=game.agent_types)
        chosen[:, i] = actions[:, 0]
        fill_mean_actions(chosen, neighbours_of(game, self._policy.config), game.agent_types, self._sizes, self._means)
        self._seen, utilities = game.step(chosen)
        return self._view(), utilities[:, i : i + 1]

    def visible(self) -> NDArray[np.bool_]:
        """The learner has no neighbours that learn: (B, 1, 1) of false."""
        return self._no_neighbours

    def _view(self) -> NDArray[np.float32]:
        features = self._seen[:, self._agent].reshape(self.n_games, -1)
        return np.concatenate([features, self._means[:, self._agent]], axis=1, dtype=np.float32)[:, None]


def best_response(
    contract: Contract,
    settings: EvaluationSettings,
    policy: Policy,
    agent: str,
    seed: int = 0,
    *,
    on_progress: Callable[[TrainProgress], None] | None = None,
) -> Deviation:
    """Let one agent learn alone against the others' learned policies, and compare.

    Args:
        contract: under which the policy was learned.
        settings: of the evaluation that learned it; its learner's schedule and number of gradient
            steps are used again.
        policy: of the whole population.
        agent: who deviates, for example 'cleaner_0'; agents of a role start alike, one stands for all.
        seed: of everything drawn.
        on_progress: called with `mtmfq.TrainProgress` while the deviator learns.

    Raises:
        ContractsError: an argument is of another type, there is no such agent, or the settings are another learner's than mtmfq.
    """
    from mtmfq.policy import Policy, play
    from mtmfq.training import train

    settings, seed = check_arguments(contract, settings, seed)
    learner = settings.learner
    if not isinstance(learner, MTMFQConfig):
        raise ContractsError(
            f"best responses are learned by mtmfq, against populations that it trained, but the settings are {type(learner).__name__}: "
            "evaluate with the learner mtmfq"
        )
    if not isinstance(policy, Policy):
        raise ContractsError(f"policy must be a policy of mtmfq (Policy.load reads one), got {shown(policy)}")
    game = contracted_game(contract, settings, learner.n_games)
    if not isinstance(agent, str) or agent not in game.config.agents:
        raise ContractsError(
            f"there is no agent {shown(agent)} in this game: the agents are {', '.join(game.config.agents)}"
        )
    i = game.config.agents.index(agent)
    kind = int(game.agent_types[i])
    result = train(
        LoneLearner(game, policy, i),
        learner,
        np.random.default_rng(np.random.SeedSequence([seed, 2])),
        reward_scale=game.reward_scale()[[kind]] if learner.scaled_rewards else None,
        reward_shift=game.reward_shift()[[kind]] if learner.scaled_rewards else None,
        on_progress=on_progress,
    )
    fresh = int(np.random.SeedSequence([seed, 3]).generate_state(1, np.uint32)[0])
    judged = contracted_game(contract, settings, settings.episodes)
    before, after = EpisodeSums(judged), EpisodeSums(judged)
    play(judged, policy, fresh, on_step=before.add)
    play(LoneLearner(judged, policy, i), result.policy, fresh, on_step=after.add)
    return Deviation(
        agent=agent,
        before=Estimate.of(before.utilities[:, i]),
        after=Estimate.of(after.utilities[:, i]),
        harvest_before=Estimate.of(before.apples.sum(axis=1)),
        harvest_after=Estimate.of(after.apples.sum(axis=1)),
    )


def report(contract: Contract, deviations: Sequence[Deviation]) -> str:
    """Say in a table what deviations are worth."""
    lines = [
        f"{contract}: one agent learns alone, all others stay as they are (apples per episode)",
        f"{'agent':14}{'utility':>18}{'alone':>18}{'gain':>18}{'harvest of all':>18}{'then':>18}",
    ]
    for d in deviations:
        cells = (d.before, d.after, d.gain, d.harvest_before, d.harvest_after)
        lines.append(f"{d.agent:14}" + "".join(f"{cell!s:>18}" for cell in cells))
    beyond = [d.agent for d in deviations if d.gain.mean > 2 * d.gain.se]
    lines.append(
        f"not a best response beyond two standard errors: {', '.join(beyond)}"
        if beyond
        else "no deviation that was found gains beyond two standard errors"
    )
    return "\n".join(lines)

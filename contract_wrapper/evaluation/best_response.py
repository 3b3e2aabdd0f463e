"""Best responses, measured: what an agent gains by changing its policy alone.

Source: Molina Concha et al. 2024 (arXiv 2408.09686), eq. 3, which the paper assumes. Here all other
agents keep their learned policy while one agent learns anew, from nothing, with the schedule and
the number of gradient steps of the training (`deviators` has more ways to deviate, over all contracts). Its gain is what a lone deviation is worth, as far as
this learner finds it: a gain well above zero refutes an equilibrium, none does not prove one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.envs.batch_game import TYPES
from contract_wrapper.envs.episode_sums import EpisodeSums
from contract_wrapper.errors import ContractsError, require_package, shown
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.evaluate import check_arguments, contracted_game
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.learners.lone_learner import LoneLearner
from contract_wrapper.listeners.listener import told
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
    require_package("torch", "agents", "a best response")
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
    about = {**policy.identity, "contract": contract.as_dict(), "seed": seed, "deviator": learner.to_dict()}
    with told(on_progress, f"{agent}-alone-seed{seed}", about, (TYPES[kind],)) as tell:
        result = train(
            LoneLearner(game, policy, i),
            learner,
            np.random.default_rng(np.random.SeedSequence([seed, 2])),
            reward_scale=game.reward_scale()[[kind]] if learner.scaled_rewards else None,
            reward_shift=game.reward_shift()[[kind]] if learner.scaled_rewards else None,
            on_progress=tell,
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

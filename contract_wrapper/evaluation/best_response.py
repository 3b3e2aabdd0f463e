"""Best responses, measured: what an agent gains by changing its policy alone.

Source: Molina Concha et al. 2024 (arXiv 2408.09686), eq. 3, which the paper assumes. Here all other
agents keep their learned policy while one agent learns anew, from nothing, by the same learner with the settings of
the training (`deviators` has more ways to deviate, over all contracts). Its gain is what a lone deviation is worth, as far as
this learner finds it: a gain well above zero refutes an equilibrium, none does not prove one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.envs.episode_sums import EpisodeSums
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.evaluate import check_arguments, contracted_game
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.learners.learner import LearnedPolicy, check_play
from contract_wrapper.learners.lone_learner import LoneLearner
from contract_wrapper.learners.registry import learner_of
from contract_wrapper.listeners.listener import told

if TYPE_CHECKING:
    from mtmfq.interface import TrainProgress


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
    contract: AnyContract,
    settings: EvaluationSettings,
    policy: LearnedPolicy,
    agent: str,
    seed: int = 0,
    *,
    on_progress: Callable[[TrainProgress], None] | None = None,
) -> Deviation:
    """Let one agent learn alone against the others' learned policies, and compare.

    Args:
        contract: under which the policy was learned.
        settings: of the evaluation that learned it; its learner and its schedule are used again.
        policy: of the whole population, of the learner of the settings, with `signature` and `act`.
        agent: who deviates, for example 'cleaner_0'; agents of a role start alike, one stands for all.
        seed: of everything drawn.
        on_progress: called with `mtmfq.TrainProgress` while the deviator learns.

    Raises:
        ContractsError: an argument is of another type, there is no such agent, the policy is another learner's than
            the settings', or cannot be played step by step; what the learner needs is not installed.
    """
    settings, seed = check_arguments(contract, settings, seed)
    config, learner = settings.learner, learner_of(settings.learner)
    learner.check_installed()
    if not isinstance(getattr(policy, "config", None), learner.config):
        raise ContractsError(
            f"policy must be a policy of {learner.name}, as the settings are (load_policy reads one), got {shown(policy)}"
        )
    game = contracted_game(contract, settings, config.n_games)
    if not isinstance(agent, str) or agent not in game.roles.agents:
        raise ContractsError(
            f"there is no agent {shown(agent)} in this game: the agents are {', '.join(game.roles.agents)}"
        )
    i = game.roles.agents.index(agent)
    about = {**policy.identity, "contract": contract.as_dict(), "seed": seed, "deviator": config.to_dict()}
    with told(on_progress, f"{agent}-alone-seed{seed}", about, (game.roles.names[i],)) as tell:
        result = learner.train(
            LoneLearner(game, policy, i), config, np.random.SeedSequence([seed, 2]),
            on_progress=tell, should_stop=None, checkpoint=None, identity=about,
        )  # fmt: skip
    learner.check_training(result, 1)
    fresh = int(np.random.SeedSequence([seed, 3]).generate_state(1, np.uint32)[0])
    judged = contracted_game(contract, settings, settings.episodes)
    before, after = EpisodeSums(judged), EpisodeSums(judged)
    learner.play(judged, policy, fresh, on_step=before.add)
    learner.play(LoneLearner(judged, policy, i), result.policy, fresh, on_step=after.add)
    for sums in (before, after):
        check_play(learner, len(sums.waste), judged.horizon)
    return Deviation(
        agent=agent,
        before=Estimate.of(before.utilities[:, i]),
        after=Estimate.of(after.utilities[:, i]),
        harvest_before=Estimate.of(before.apples.sum(axis=1)),
        harvest_after=Estimate.of(after.apples.sum(axis=1)),
    )


def report(contract: AnyContract, deviations: Sequence[Deviation]) -> str:
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

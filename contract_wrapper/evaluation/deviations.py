"""What one agent takes home by doing something else than its policy, while all others keep to theirs.

The episodes are those of `play_grid`, so that a gain is a mean of paired differences:
`play_deviation(...) - play_grid(...).utilities[..., agent]`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cleanup_env import Action
from cleanup_env.scripted import ScriptedCrew
from contract_wrapper.contracts.contract import as_int
from contract_wrapper.contracts.families import check_terms
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.crews import Crews
from contract_wrapper.evaluation.deviators import Deviator, first_of
from contract_wrapper.learners.lone_learner import LoneLearner
from contract_wrapper.learners.population import Population

if TYPE_CHECKING:
    from contract_wrapper.envs.batch_game import SettledGame
    from mtmfq.interface import StepHook

FloatArray = NDArray[np.float64]
Act = Callable[[NDArray[np.int64]], NDArray[np.int64]]
"""From what its policy would do, (B,), to what a deviator does, (B,); called once in each step."""

NEVER_WORK, GREEDY_CLEANER, GREEDY_HARVEST, RANDOM = "never work", "greedy cleaner", "greedy harvest", "random"

SCRIPTED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"cleaner": (NEVER_WORK, GREEDY_CLEANER, RANDOM), "harvester": (GREEDY_HARVEST, RANDOM)}
)
"""Deviations of each role that need no training.

never work: as its policy, but it stays where it would shoot (the free rider). greedy cleaner, greedy harvest: the
scripted players of `cleanup_env`. random: any action with equal probability.
"""


def play_deviation(
    crews: Crews,
    n_cleaners: int,
    terms: ArrayLike,
    role: str,
    deviation: str | Deviator,
    *,
    episodes: int = 100,
    seed: int = 0,
    on_contract: Callable[[int], None] | None = None,
) -> FloatArray:
    """Let the first agent of a role deviate from a crew under each of K contracts; its utilities, (K, E).

    Args:
        crews: agents that know the contracts; all but one keep their policy.
        n_cleaners, terms, episodes, seed, on_contract: as in `play_grid`, whose episodes these are.
        role: who deviates: 'cleaner' or 'harvester'.
        deviation: one of `SCRIPTED[role]`, or a deviator that learned.

    Raises:
        ContractsError: there is no such role, agent or deviation, or as in `play_grid`.
    """
    n_games = as_int(episodes)
    if n_games is None or n_games < 2:
        raise ContractsError(f"a standard error needs an integer of at least 2 episodes, got {shown(episodes)}")
    number, rows = episode_seed(seed), []
    for k, contract in enumerate(check_terms(crews.family, terms)):
        game = crews.games(n_cleaners, contract[None], n_games)
        rows.append(deviate(game, crews.policy, role, deviation, number))
        if on_contract is not None:
            on_contract(k + 1)
    return np.array(rows)


def episode_seed(seed: int) -> int:
    """Seed of the games that `play_grid(..., seed=seed)` plays."""
    return int(np.random.SeedSequence([seed, 1]).generate_state(1, np.uint32)[0])


def deviate(
    game: SettledGame,
    policy: Any,
    role: str,
    deviation: str | Deviator,
    seed: int,
    *,
    on_step: StepHook | None = None,
) -> FloatArray:
    """Play one episode in which the first agent of a role deviates; its utilities, (B,).

    Args:
        game: B games.
        policy: of all agents, of any learner.
        role, deviation: as in `play_deviation`.
        seed: fixes game and policy; what a deviation draws comes from a stream of its own.
        on_step: called as by `mtmfq.play`.

    Raises:
        ContractsError: there is no such role, agent or deviation.
    """
    agent, rng = first_of(game, role), np.random.default_rng(np.random.SeedSequence([seed, 1]))
    if not isinstance(deviation, Deviator):
        return play_as(
            Population(game, policy), agent, _script(game, role, agent, deviation, rng), seed, on_step=on_step
        )
    if deviation.role != role:
        raise ContractsError(f"this deviator learned as a {deviation.role}, and a {role} is to deviate")
    lone = LoneLearner(game, policy, agent, with_context=deviation.policy.signature.n_context > 0)
    return play_as(lone.population, agent, _learned(deviation.policy, lone, rng), seed, on_step=on_step)


def play_as(population: Population, agent: int, act: Act, seed: int, *, on_step: StepHook | None = None) -> FloatArray:
    """Play one episode in which one agent does what `act` makes of its policy's actions; its utilities, (B,)."""
    total = np.zeros(population.game.n_games)
    population.reset(seed)
    for t in range(population.game.horizon):
        actions = population.choose()
        actions[:, agent] = act(actions[:, agent])
        utilities = population.step(actions)
        total += utilities[:, agent]
        if on_step is not None:
            on_step(t, actions, utilities)
    return total


def _learned(policy: Any, lone: LoneLearner, rng: np.random.Generator) -> Act:
    """What a deviator does; it takes what the population drew for the agent in whose place it plays, if both can.

    So a deviator that values actions as the crew does plays as the crew does, and its gain is exactly 0.
    """
    from mtmfq.policy import Policy

    policy.signature.of_same_kind(lone)
    if not isinstance(policy, Policy):
        return lambda _: np.asarray(policy.act(lone.view(), rng))[:, 0]
    crew, i = lone.population, lone.agent
    no_neighbours = np.zeros((lone.n_games, 1, policy.signature.n_means), np.float32)

    def act(_: NDArray[np.int64]) -> NDArray[np.int64]:
        context = lone.context() if lone.n_context else None
        drawn = crew.uniforms[:, i : i + 1] if crew.sees_means else None
        return policy.act(lone.view(), no_neighbours, rng, context=context, uniforms=drawn)[:, 0]

    return act


def _script(game: SettledGame, role: str, agent: int, name: object, rng: np.random.Generator) -> Act:
    if not isinstance(name, str) or name not in SCRIPTED[role]:
        raise ContractsError(
            f"a {role} has no deviation {shown(name)}: choose one of {', '.join(SCRIPTED[role])}, or one that learned "
            "(train_deviator)"
        )
    if name == RANDOM:
        n_actions = len(game.config.actions(role))
        return lambda chosen: rng.integers(0, n_actions, chosen.shape)
    if name == NEVER_WORK:
        shot = game.config.action_number(role, Action.CLEAN)
        return lambda chosen: np.where(chosen == shot, int(Action.STAY), chosen)
    players = dict.fromkeys(game.config.roles, "idle") | {role: "greedy"}
    crew = ScriptedCrew(game.game, players, rng=rng)
    return lambda _: crew.act()[:, agent]

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
from contract_wrapper.contracts.roles import a_role
from contract_wrapper.envs.batch_game import SettledGame
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.crews import Crews
from contract_wrapper.evaluation.deviators import Deviator, first_of
from contract_wrapper.learners.lone_learner import LoneLearner
from contract_wrapper.learners.population import Population

if TYPE_CHECKING:
    from contract_wrapper.learners.population import PlayedGame
    from mtmfq.interface import StepHook

FloatArray = NDArray[np.float64]
Act = Callable[[NDArray[np.int64]], NDArray[np.int64]]
"""From what its policy would do, (B,), to what a deviator does, (B,); called once in each step."""

NEVER_WORK, GREEDY_CLEANER, GREEDY_HARVEST, RANDOM = "never work", "greedy cleaner", "greedy harvest", "random"

SCRIPTED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "cleaner": (NEVER_WORK, GREEDY_CLEANER, RANDOM), "harvester": (GREEDY_HARVEST, RANDOM),
        "free": (NEVER_WORK, GREEDY_CLEANER, GREEDY_HARVEST, RANDOM),
    }
)  # fmt: skip
"""Deviations of each role of Clean-up that need no training.

never work: as its policy, but it stays where it would shoot (the free rider). greedy cleaner, greedy harvest: the
scripted players of `cleanup_env`. random: any action with equal probability.
"""

MOST_CONSTANT = 10
"""Actions of a role up to which each of them, taken in every step, is a deviation; in games other than Clean-up."""

_PLAYERS = {GREEDY_CLEANER: "greedy", GREEDY_HARVEST: "harvest"}
"""Scripted players by deviation."""


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
    """Let one agent deviate from a crew under each of K contracts; its utilities, (K, E).

    Args:
        crews: agents that know the contracts; all but one keep their policy.
        n_cleaners, terms, episodes, seed, on_contract: as in `play_grid`, whose episodes these are.
        role: who deviates: the first 'cleaner', 'harvester', or 'free', or an agent by name, such as 'harvester_2'.
        deviation: one of `scripted_of` role and game, or a deviator that learned.

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
    game: PlayedGame,
    policy: Any,
    role: str,
    deviation: str | Deviator,
    seed: int,
    *,
    on_step: StepHook | None = None,
) -> FloatArray:
    """Play one episode in which one agent deviates; its utilities, (B,).

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
    role = game.roles.names[agent]
    if not isinstance(deviation, Deviator):
        return play_as(
            Population(game, policy), agent, _script(game, role, agent, deviation, rng), seed, on_step=on_step
        )
    if deviation.role != role:
        raise ContractsError(f"this deviator learned as {a_role(deviation.role)}, and {a_role(role)} is to deviate")
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


def scripted_of(game: PlayedGame, role: str) -> tuple[str, ...]:
    """Names of the deviations of a role that need no training: those of Clean-up, or of any other game.

    In any game: random, and each action taken in every step, `always 0` and so on, if the role has at most ten.

    Raises:
        ContractsError: there is no such role, or no such agent in this game.
    """
    agent = first_of(game, role)
    if isinstance(game, SettledGame):
        return SCRIPTED[game.roles.names[agent]]
    n_actions = game.n_actions[int(game.agent_types[agent])]
    return (RANDOM, *(_always(k) for k in range(n_actions) if n_actions <= MOST_CONSTANT))


def _always(action: int) -> str:
    return f"always {action}"


def _script(game: PlayedGame, role: str, agent: int, name: object, rng: np.random.Generator) -> Act:
    known = scripted_of(game, role)
    if not isinstance(name, str) or name not in known:
        raise ContractsError(
            f"a {role} has no deviation {shown(name)}: choose one of {', '.join(known)}, or one that learned "
            "(train_deviator)"
        )
    if not isinstance(game, SettledGame):
        return _of_use(game, agent, name, rng)
    if name == RANDOM:
        n_actions = len(game.config.actions(role))
        return lambda chosen: rng.integers(0, n_actions, chosen.shape)
    if name == NEVER_WORK:
        shot = game.config.action_number(role, Action.CLEAN)
        return lambda chosen: np.where(chosen == shot, int(Action.STAY), chosen)
    players = dict.fromkeys(game.config.roles, "idle") | {role: _PLAYERS[name]}
    crew = ScriptedCrew(game.game, players, rng=rng)
    return lambda _: crew.act()[:, agent]


def _of_use(game: PlayedGame, agent: int, name: str, rng: np.random.Generator) -> Act:
    """One action, or any, of those that the game says are of use now; where that one is not, what the policy does."""
    n_actions = game.n_actions[int(game.agent_types[agent])]

    def allowed() -> NDArray[np.bool_]:
        mask = getattr(game, "action_mask", None)
        of_all: NDArray[np.bool_] = np.ones((game.n_games, n_actions), np.bool_)
        return of_all if mask is None else np.asarray(mask(), np.bool_)[:, agent, :n_actions]

    if name == RANDOM:
        return lambda _: np.where(allowed(), rng.random((game.n_games, n_actions)), -1.0).argmax(axis=1)
    action = next(k for k in range(n_actions) if name == _always(k))
    return lambda chosen: np.where(allowed()[:, action], action, chosen)

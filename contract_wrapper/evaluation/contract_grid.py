"""Play crews under every contract of a grid: what each contract brings about, episode by episode.

All contracts are played with the same random numbers (common random numbers): episode e of one contract has the seed
of episode e of every other, so two contracts are compared by the differences of their episodes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from contract_wrapper.contracts.contract import as_int
from contract_wrapper.contracts.families import check_terms
from contract_wrapper.envs.episode_sums import EpisodeSums
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.crews import Crews
from contract_wrapper.learners.registry import learner_of

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ContractGrid:
    """What K contracts with one crew size brought about in E episodes each; column e is the same seed in every row."""

    n_cleaners: int
    """Size of the crew."""

    agents: tuple[str, ...]
    """Names of the N agents."""

    terms: FloatArray
    """Terms of the contracts, (K, P)."""

    welfare: FloatArray
    """Rewards less costs of all agents, (K, E), in apples per episode."""

    utilities: FloatArray
    """What each agent takes home, (K, E, N), in apples per episode."""

    harvest: FloatArray
    """Apples eaten by all agents, (K, E)."""

    shots: FloatArray
    """Shots of all agents, (K, E)."""

    waste: FloatArray
    """Waste cells, mean over the steps of an episode, (K, E)."""


def play_grid(
    crews: Crews,
    n_cleaners: int,
    terms: ArrayLike,
    *,
    episodes: int = 100,
    seed: int = 0,
    on_contract: Callable[[int], None] | None = None,
) -> ContractGrid:
    """Let crews of one size play greedy episodes under each of K contracts.

    A contract's episodes do not depend on the contracts that are played beside it.

    Args:
        crews: agents that know the contracts.
        n_cleaners: size of the crew, one of `crews.sizes`.
        terms: of the contracts, (K, P).
        episodes: episodes per contract, E, at least 2.
        seed: of the episodes, the same for all contracts.
        on_contract: called with the number of contracts played so far.

    Raises:
        ContractsError: the agents do not know this crew size or one of the contracts, or there are too few episodes.
    """
    n_games = as_int(episodes)
    if n_games is None or n_games < 2:
        raise ContractsError(f"a standard error needs an integer of at least 2 episodes, got {shown(episodes)}")
    rows: dict[str, list[NDArray[Any]]] = {name: [] for name in ("welfare", "utilities", "harvest", "shots", "waste")}
    checked = check_terms(crews.family, terms)
    play = learner_of(crews.policy.config).play
    number = int(np.random.SeedSequence([seed, 1]).generate_state(1, np.uint32)[0])
    for k, contract in enumerate(checked):
        game = crews.games(n_cleaners, contract[None], n_games)
        sums, waste = EpisodeSums(game), np.zeros(n_games)

        def watch(*_: Any, game: Any = game, sums: EpisodeSums = sums, waste: FloatArray = waste) -> None:
            sums.add()
            waste += game.game.waste

        play(game, crews.policy, number, on_step=watch)
        rows["welfare"].append(sums.welfare)
        rows["utilities"].append(sums.utilities)
        rows["harvest"].append(sums.apples.sum(axis=1))
        rows["shots"].append(sums.shots.sum(axis=1))
        rows["waste"].append(waste / game.horizon)
        if on_contract is not None:
            on_contract(k + 1)
    return ContractGrid(
        n_cleaners=n_cleaners,
        agents=game.config.agents,
        terms=checked,
        **{name: np.array(values, np.float64) for name, values in rows.items()},
    )


def mean_and_error(values: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard error over episodes, axis 1 of (K, E, ...), both (K, ...).

    >>> mean, error = mean_and_error([[1.0, 3.0]])
    >>> mean.tolist(), error.tolist()
    ([2.0], [1.0])
    """
    array = np.asarray(values, np.float64)
    error: FloatArray = array.std(axis=1, ddof=1) / np.sqrt(array.shape[1])
    return array.mean(axis=1), error

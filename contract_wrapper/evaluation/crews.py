"""Crews for every contract: one training in which each game plays under a contract of its own, which its agents see.

All sizes of the crew share their networks, so that one training serves every tax and every crew: with mean-field
Q-learning they take turns, with PPO they are played side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from cleanup_env import CleanupConfig, CleanupError, make_config
from contract_wrapper.contracts.contract import as_int, as_number
from contract_wrapper.contracts.costs import CostRule, as_costs, get_costs
from contract_wrapper.contracts.families import ContractFamily, TaxContracts
from contract_wrapper.contracts.function_families import FunctionContracts
from contract_wrapper.contracts.named_families import family_as_dict, family_from_dict, name_of
from contract_wrapper.envs.conditioned_game import ConditionedGame
from contract_wrapper.errors import ContractsError, require_package, shown
from contract_wrapper.evaluation.by_crews.crew_learners import (
    CrewLearner,
    check_crew_learner,
    copies_of,
    curve_arrays,
    learner_in,
    policy_parts,
    read_curve,
    read_policy,
    train_on,
)
from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile
from contract_wrapper.learners.ppo.config import PPOConfig, get_ppo_profile
from contract_wrapper.learners.ppo.policy import PPOPolicy
from contract_wrapper.learners.registry import DEFAULT, config_to_dict, learner_of
from contract_wrapper.listeners.listener import told
from mtmfq.checkpoint import open_arrays, save_arrays
from mtmfq.config import MTMFQConfig

if TYPE_CHECKING:
    from mtmfq.interface import Curve, TrainProgress
    from mtmfq.policy import Policy

SIZES = (1, 2, 3, 4, 5)
"""Crew sizes of the paper that are paid."""

CREWS: MTMFQConfig = get_mtmfq_profile("fast", episodes=25_000, hidden=(128, 128), replay_capacity=300, relabel=0.5)
"""25,000 episodes over all crew sizes, 88,000 gradient steps, about six CPU-minutes; each size keeps its last vector
episode and a half (1,500 steps each take five times the memory, and in trials learned no better). Half of the samples
are learned from under another contract than they were played under."""

PPO_CREWS: PPOConfig = get_ppo_profile("fast", episodes=12_500)
"""The same for PPO: the profile `fast` for each of five crew sizes. No long training was measured with it."""

KIND = "crews"
"""What a file says that it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crews:
    """Agents that know every contract of a family, for some crew sizes, and what they were trained for."""

    policy: Policy | PPOPolicy
    """What they do."""

    family: ContractFamily
    """The contracts that they know."""

    sizes: tuple[int, ...]
    """The crew sizes that they know."""

    largest_crew: int
    """Unit in which a crew's size is shown to them."""

    costs: CostRule
    """What work costs them."""

    game: CleanupConfig
    """Their game without recruits."""

    curve: Curve
    """The course of the training; its entry e is of the crew size `sizes[e % len(sizes)]`."""

    cpu_seconds: float
    """CPU time of the training, over all its runs."""

    finished: bool
    """False if the training was asked to stop; its checkpoint lets it go on (PPO writes none)."""

    def save(self, path: Path | str) -> None:
        """Write one file, sealed, of plain arrays and JSON; an older one stays whole until the new one is on disk.

        Raises:
            ContractsError: the family has no name (`register_family` gives it one).
            mtmfq.LearnerError: the file cannot be written.
        """
        family_as_dict(self.family)  # which refuses a family without a name
        said, arrays = policy_parts(self.policy)
        meta = {**said, "cpu_seconds": self.cpu_seconds, "finished": self.finished}
        save_arrays(Path(path), KIND, meta, {**arrays, **curve_arrays(self.curve)})

    @classmethod
    def load(cls, path: Path | str) -> Crews:
        """Read what `save` wrote; no code of the file is run.

        Raises:
            ContractsError: torch is not installed (crews of PPO play without), or the file says nothing that crews can
                be made of.
            mtmfq.LearnerError: the file is missing, damaged, cut short or of another kind.
        """
        with open_arrays(Path(path), KIND) as file:
            name = learner_in(file)
        if name == DEFAULT:
            require_package("torch", "agents", "crews for every contract")
        with open_arrays(Path(path), KIND) as file:
            policy, said = read_policy(file), file.meta
            curve = read_curve(file, policy)
        return cls(policy=policy, curve=curve, **_said(policy, said, Path(path)))

    def games(self, n_cleaners: int, terms: ArrayLike, n_games: int) -> ConditionedGame:
        """Build games with a crew of one size, in which these agents can be judged.

        Args:
            n_cleaners: one of `sizes`.
            terms: of the contracts of the games, (n_games, P), or of one for all, (1, P).
            n_games: copies in lockstep.

        Raises:
            ContractsError: the agents never saw this crew size or a contract like these; nothing is extrapolated.
        """
        if n_cleaners not in self.sizes:
            known = ", ".join(map(str, self.sizes))
            raise ContractsError(f"these agents know crews of {known} cleaners, got {n_cleaners}: train them for it")
        return _game(
            self.family, self.largest_crew, self.game, self.costs, self.policy.config, n_cleaners, n_games, terms
        )


def train_crews(
    costs: CostRule | str | None = None,
    sizes: Sequence[int] = SIZES,
    config: CrewLearner = CREWS,
    seed: int = 0,
    *,
    family: ContractFamily | None = None,
    game: CleanupConfig | None = None,
    largest_crew: int | None = None,
    on_progress: Callable[[TrainProgress], None] | None = None,
    checkpoint: Path | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Crews:
    """Train agents for every contract of a family and every crew size, in one training.

    Args:
        costs: a cost rule, or text for `get_costs`; default: `effort`.
        sizes: crew sizes, which take turns (with PPO: side by side); 0 is the game without contract.
        config: settings of the learner, mtmfq or PPO (`PPO_CREWS`); `episodes` counts those of all sizes together. PPO
            divides `n_games` among the sizes.
        seed: of everything drawn; same arguments, same agents.
        family: the contracts; default: all taxes, `TaxContracts()`.
        game: the game without recruits; default: preset `contract`.
        largest_crew: unit in which the size of a crew is shown; default: the largest of `sizes`.
        on_progress: called after each vector episode.
        checkpoint: a file that a stopped training writes and the same call resumes, bit for bit; None: none. PPO writes
            none: a stopped training begins anew.
        should_stop: asked before each vector episode.

    Raises:
        ContractsError: a size is no crew, or named twice; the game has agents that the family does not know; a function
            without a registered name is to be trained for with a checkpoint; the settings are another learner's, or of
            PPO with fewer games than sizes; torch or stable-baselines3 is not installed.
        mtmfq.LearnerError: the learner diverged, or the checkpoint is broken or another training's.
    """
    numbers = [as_int(n) for n in sizes]
    wanted = tuple(n for n in numbers if n is not None and n >= 0)
    if not wanted or len(set(wanted)) < len(numbers):
        raise ContractsError(
            f"sizes must be distinct numbers of cleaners, at least one and none below 0, got {shown(sizes)}"
        )
    learner_of(check_crew_learner(config, len(wanted))).check_installed()
    chosen: ContractFamily = TaxContracts() if family is None else family
    base = make_config("contract") if game is None else game
    rule, largest = as_costs(costs), max(1, *wanted) if largest_crew is None else largest_crew
    about = _identity(chosen, wanted, largest, base, rule, seed)
    if checkpoint is not None and isinstance(chosen, FunctionContracts):
        family_as_dict(chosen)  # without a name, a checkpoint could not tell one function from another
    copies = copies_of(config, len(wanted))
    turns = np.cumsum(copies)
    games = [_game(chosen, largest, base, rule, config, n, b, None) for n, b in zip(wanted, copies, strict=True)]

    def turn(p: TrainProgress) -> str:
        """Whose episode it was: one is told of each size, in turns."""
        return f"{wanted[int(np.searchsorted(turns, (p.episode - 1) % turns[-1], side='right'))]}_cleaners"

    with told(
        on_progress, f"crews-seed{seed}", {**about, "learner": config_to_dict(config)}, games[0].type_names, turn
    ) as tell:
        result = train_on(
            games, config, seed, on_progress=tell, checkpoint=checkpoint, identity=about, should_stop=should_stop
        )
    return Crews(
        policy=result.policy,
        family=chosen,
        sizes=wanted,
        largest_crew=largest,
        costs=rule,
        game=base,
        curve=result.curve,
        cpu_seconds=result.cpu_seconds,
        finished=result.finished,
    )


def _said(policy: Policy | PPOPolicy, meta: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """What a file of crews says about them beside their policy."""
    identity = policy.identity
    try:
        game = make_config("contract", **identity["game"])
        largest, sizes, seconds = identity["largest_crew"], identity["sizes"], meta["cpu_seconds"]
        whole = isinstance(sizes, list) and bool(sizes) and type(largest) is int and type(meta["finished"]) is bool
        whole = whole and all(type(n) is int and 0 <= n <= largest for n in sizes) and as_number(seconds) is not None
        found = {
            "family": family_from_dict({name: identity[name] for name in ("family", "bounds")}), "sizes": tuple(sizes), "largest_crew": largest, "game": game,
            "costs": get_costs(identity["costs"]), "cpu_seconds": seconds, "finished": meta["finished"],
        }  # fmt: skip
        built = (
            _game(found["family"], largest, game, found["costs"], policy.config, sizes[0], 1, None) if whole else None
        )
    except (LookupError, TypeError, ValueError, AttributeError, ContractsError, CleanupError) as error:
        raise ContractsError(f"{path} says nothing that crews can be made of: {error}") from error
    if built is None or built.n_context != policy.signature.n_context:
        raise ContractsError(f"{path} holds crews of another kind than it says: it was edited, or another version's")
    return found


def _identity(
    family: ContractFamily, sizes: tuple[int, ...], largest_crew: int, game: CleanupConfig, costs: CostRule, seed: int
) -> dict[str, Any]:
    """What a training is for, in plain values, as its checkpoint and its policy say it."""
    return {
        "family": name_of(family) or type(family).__name__, "bounds": dict(zip(family.terms, family.bounds, strict=True)),
        "sizes": sizes, "largest_crew": largest_crew, "costs": str(costs), "seed": int(seed),
        "game": {**game.as_dict(), "map": list(game.map)},
    }  # fmt: skip


def _game(
    family: ContractFamily, largest_crew: int, game: CleanupConfig, costs: CostRule, config: CrewLearner,
    n_cleaners: int, n_games: int, terms: ArrayLike | None,
) -> ConditionedGame:  # fmt: skip
    return ConditionedGame(
        n_cleaners,
        family=family,
        terms=terms,
        largest_crew=largest_crew,
        n_games=n_games,
        config=game,
        costs=costs,
        observation=config.observation,
    )

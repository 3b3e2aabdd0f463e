"""Deviators: agents that learn alone, against a crew that keeps its policy.

One training serves every contract and crew size that the crew knows, since a deviator sees the contract as the crew
does. It learns anew, or goes on from the crew's own network, or is trained by PPO, at one contract. What it gains is
a lower bound on what the best deviation would gain (Molina Concha et al. 2024, eq. 3).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from contract_wrapper.contracts.contract import as_int
from contract_wrapper.envs.conditioned_game import ConditionedGame
from contract_wrapper.envs.family_games import FamilyGames
from contract_wrapper.errors import ContractsError, require_package, shown
from contract_wrapper.evaluation.by_crews.crew_learners import hash_of
from contract_wrapper.evaluation.crews import CREWS, Crews
from contract_wrapper.learners.lone_learner import LoneLearner, warm_start
from contract_wrapper.learners.ppo.config import PPOConfig, get_ppo_profile
from contract_wrapper.learners.ppo.policy import PPOPolicy
from contract_wrapper.listeners.listener import told
from mtmfq.config import MTMFQConfig

if TYPE_CHECKING:
    from contract_wrapper.learners.population import PlayedGame
    from mtmfq.interface import Curve, TrainProgress

LEARNED_ANEW, LEARNED_ON, PPO = "learned anew", "learned on", "PPO"

WARM_TEMPERATURE = 0.02
"""Largest temperature of a deviator that goes on from the crew's network; at a higher one it would forget it."""

DEVIATORS: MTMFQConfig = dataclasses.replace(CREWS, episodes=5_000, relabel=0.0)
"""Settings of a deviator over all contracts and crew sizes, some 45 CPU-seconds. It learns from what was played only:
the crew that it leaves plays otherwise under another contract."""

PPO_DEVIATORS: PPOConfig = get_ppo_profile("fast")
"""Settings of a deviator that PPO trains at one contract."""

_CHECKPOINT_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviator:
    """An agent that learned alone against a crew."""

    name: str
    """How: 'learned anew', 'learned on' or 'PPO'."""

    role: str
    """Of whom: a role of the game, such as 'cleaner'."""

    policy: Any
    """What it does as the only agent of a `LoneLearner`: a policy of mtmfq or of PPO."""

    curve: Curve | None
    """The course of the training; None for one of PPO that was read from a file."""

    cpu_seconds: float
    """CPU time of the training, over all its runs."""

    finished: bool
    """False if the training was asked to stop."""


def train_deviator(
    crews: Crews,
    role: str,
    *,
    warm: bool,
    config: MTMFQConfig = DEVIATORS,
    seed: int = 0,
    sizes: Sequence[int] | None = None,
    terms: ArrayLike | None = None,
    checkpoint: Path | None = None,
    identity: Mapping[str, Any] | None = None,
    on_progress: Callable[[TrainProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Deviator:
    """Train an agent of a role alone against a crew, for every contract and crew size that the crew knows.

    Args:
        crews: all other agents, who keep their policy.
        role: of the agent that learns, the first of its role: 'cleaner', 'harvester', or 'free'; or its name.
        warm: whether it goes on from the crew's own network ('learned on'), which must be of mtmfq, or learns anew.
        config: settings, of mtmfq, also against crews that PPO trained; `hidden` is the crew's in any case, and a deviator that goes on begins no hotter than
            `WARM_TEMPERATURE`.
        seed: of everything drawn; same arguments, same deviator.
        sizes: crew sizes, which take turns; default: all that the crew knows and that have the role.
        terms: of the one contract, (1, P), at which it learns; default: all of the family.
        checkpoint: a file that a stopped training writes and the same call resumes, bit for bit; a finished one is
            read. None: none.
        identity: what else the training is for, in plain values, kept in the checkpoint.
        on_progress: called after each vector episode.
        should_stop: asked before each vector episode.

    Raises:
        ContractsError: there is no such role or crew size, the crew does not know the contract, the settings do not
            fit, or torch is not installed.
        mtmfq.LearnerError: the learner diverged, or the checkpoint is broken or another training's.
    """
    require_package("torch", "agents", "training a deviator")
    chosen = tuple(n for n in crews.sizes if n or role != "cleaner") if sizes is None else tuple(sizes)
    config = _checked(config)
    games = [_game(crews, n, terms, config.n_games) for n in chosen]
    about = {
        **crews.policy.identity, "crew": hash_of(crews.policy), "seed": int(seed), "sizes": chosen,
        "terms": None if terms is None else np.asarray(terms, np.float64).tolist(),
    }  # fmt: skip
    return learn_alone(
        games, crews.policy, role, warm=warm, config=config, seed=seed, path=checkpoint,
        identity={**about, **(identity or {})}, on_progress=on_progress, should_stop=should_stop,
    )  # fmt: skip


def learn_alone(
    games: Sequence[PlayedGame], policy: Any, role: str, *, warm: bool, config: MTMFQConfig, seed: int = 0,
    path: Path | None = None, identity: Mapping[str, Any] | None = None,
    on_progress: Callable[[TrainProgress], None] | None = None, should_stop: Callable[[], bool] | None = None,
) -> Deviator:  # fmt: skip
    """Train the first agent of a role, or one by name, in games that take turns, while all others act as `policy` says.

    Args:
        games: of `config.n_games` copies each; with a context, or under one contract without (`ContractedGame`).
        policy: of all other agents, of any learner; with `warm` one of mtmfq.
        path: the checkpoint.
        others: as in `train_deviator`.

    Raises:
        ContractsError, mtmfq.LearnerError: as in `train_deviator`.
    """
    require_package("torch", "agents", "training a deviator")
    from mtmfq.training import train

    if not games:
        raise ContractsError(f"there is no crew with a {role}: name one of the sizes that the crew knows")
    learners = [LoneLearner(game, policy, first_of(game, role)) for game in games]
    if isinstance(policy.config, MTMFQConfig):
        config = dataclasses.replace(config, hidden=policy.config.hidden)
    if warm:
        cooled = tuple((at, min(temperature, WARM_TEMPERATURE)) for at, temperature in config.temperature)
        config = dataclasses.replace(config, temperature=cooled)
    name = LEARNED_ON if warm else LEARNED_ANEW
    declared = _declared(learners[0]) if config.scaled_rewards else {}
    about = {**(identity or {}), "deviation": name, "role": role}
    with told(on_progress, f"{role}-{name}-seed{seed}", {**about, "deviator": config.to_dict()}, (role,)) as tell:
        result = train(
            learners,
            config,
            np.random.default_rng(np.random.SeedSequence([seed, 2, learners[0].kind, int(warm)])),
            **declared,
            initial=warm_start(learners[0], config) if warm else None,
            checkpoint=path,
            checkpoint_seconds=_CHECKPOINT_SECONDS,
            identity=about,
            on_progress=tell,
            should_stop=should_stop,
        )
    return Deviator(
        name=name, role=learners[0].type_names[0], policy=result.policy, curve=result.curve, cpu_seconds=result.cpu_seconds,
        finished=result.finished,
    )  # fmt: skip


def learn_alone_by_ppo(
    game: PlayedGame, policy: Any, role: str, *, config: PPOConfig = PPO_DEVIATORS, seed: int = 0,
    path: Path | None = None, identity: Mapping[str, Any] | None = None,
    on_progress: Callable[[TrainProgress], None] | None = None, should_stop: Callable[[], bool] | None = None,
) -> Deviator:  # fmt: skip
    """Train the first agent of a role, or one by name, by PPO at one contract, while all others act as `policy` says.

    Args:
        game: of `config.n_games` copies, all under the same contract, which the deviator does not see.
        policy: of all other agents, of any learner.
        path: a file in which a finished deviator is kept, and from which it is read; a stopped one begins anew.
        identity: what else the training is for, in plain values; a file must say the same.
        others: as in `train_deviator`.

    Raises:
        ContractsError: there is no such role, the game's contracts differ, or stable-baselines3 is not installed.
        mtmfq.LearnerError: the learner diverged, or the file is broken or another training's.
    """
    from contract_wrapper.learners.ppo.train import train_ppo

    if isinstance(game, FamilyGames) and (game.terms != game.terms[0]).any():
        raise ContractsError("a deviator of PPO learns at one contract: give all games the same terms")
    learner = LoneLearner(game, policy, first_of(game, role), with_context=False)
    about = {**(identity or {}), "deviation": PPO, "role": role}
    if path is not None and path.exists():
        kept = PPOPolicy.load(path, about)
        return Deviator(name=PPO, role=learner.type_names[0], policy=kept, curve=None, cpu_seconds=0.0, finished=True)
    with told(on_progress, f"{role}-{PPO}-seed{seed}", {**about, "deviator": config.to_dict()}, (role,)) as tell:
        result = train_ppo(
            learner,
            config,
            int(np.random.SeedSequence([seed, 3, learner.kind]).generate_state(1, np.uint32)[0]),
            **(_declared(learner) or _declared_in_episode(learner)),
            identity=about,
            on_progress=tell,
            should_stop=should_stop,
        )
    if path is not None and result.finished:
        result.policy.save(path)
    return Deviator(
        name=PPO, role=learner.type_names[0], policy=result.policy, curve=result.curve, cpu_seconds=result.cpu_seconds,
        finished=result.finished,
    )  # fmt: skip


def roles_of(game: PlayedGame) -> tuple[str, ...]:
    """Roles of the agents of a game, each once, in the order of its types."""
    order = np.argsort(game.agent_types, kind="stable")
    return tuple(dict.fromkeys(game.roles.names[i] for i in order))


def first_of(game: PlayedGame, role: str) -> int:
    """Number of the first agent of a role, or of an agent by its name.

    Agents of a role start alike, and one stands for all that the contract and the costs do not tell apart.

    Raises:
        ContractsError: there is no such role, or no such agent in this game.
    """
    known = dict.fromkeys((*game.type_names, *roles_of(game)))
    if isinstance(role, str) and role not in known and role in game.roles.agents:
        return game.roles.agents.index(role)
    if not isinstance(role, str) or role not in known:
        raise ContractsError(
            f"there is no role {shown(role)}: those that may deviate are {' and '.join(known)}, or an agent by name"
        )
    if role not in game.roles.names:
        raise ContractsError(
            f"there is no {role} in this game, whose agents are {', '.join(game.roles.agents)}: "
            "take a contract that recruits one, or another role"
        )
    return game.roles.names.index(role)


def _checked(config: object) -> MTMFQConfig:
    if not isinstance(config, MTMFQConfig):
        raise ContractsError(f"a deviator learns with settings of mtmfq (MTMFQConfig), got {shown(config)}")
    return config


def _game(crews: Crews, n_cleaners: object, terms: ArrayLike | None, n_games: int) -> ConditionedGame:
    """Games against a crew of one size, with contracts that are drawn at every reset, or one for all."""
    size = as_int(n_cleaners)
    if size is None or size not in crews.sizes:
        known = ", ".join(map(str, crews.sizes))
        raise ContractsError(f"these agents know crews of {known} cleaners, got {shown(n_cleaners)}")
    if terms is not None:
        return crews.games(size, terms, n_games)
    return ConditionedGame(
        size, family=crews.family, largest_crew=crews.largest_crew, n_games=n_games, config=crews.game,
        costs=crews.costs, observation=crews.policy.config.observation,
    )  # fmt: skip


def _declared(learner: LoneLearner) -> dict[str, Any]:
    """Scale and shift of who learns, where its game declares them once for all episodes; nothing for others."""
    if getattr(learner.population.game, "n_context", 0):
        return {}
    return {"reward_scale": learner.reward_scale(), "reward_shift": learner.reward_shift()}


def _declared_in_episode(learner: LoneLearner) -> dict[str, Any]:
    return {"reward_scale": learner.episode_scale()[0], "reward_shift": learner.episode_shift()[0]}

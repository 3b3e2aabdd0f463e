"""One episode under a contract, recorded moment by moment, to be drawn as pictures or as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cleanup_env import BatchCleanup, render
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.envs.batch_game import ContractedGame
from contract_wrapper.envs.episode_sums import EpisodeSums
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.settings import EvaluationSettings, check_seed
from contract_wrapper.playback import movie as animation

if TYPE_CHECKING:
    from contract_wrapper.learners.registry import LearnedPolicy

SCRIPTED = "scripted"
"""Name of the scripted greedy players (`cleanup_env.scripted`)."""

_WIDEST = "apples eaten 0000    tax 000.0"
"""Line of a caption that letters are sized by: all frames of an episode need the same size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The game after a step."""

    step: int
    """Steps played; 0 is the start."""

    waste: int
    """Waste cells in the river."""

    apples: int
    """Apples eaten so far, by all agents."""

    tax: float
    """What harvesters have paid so far, in apples."""

    transfers: NDArray[np.float64]
    """(N,) net transfers of this step, in apples: got from others (> 0) or paid to them (< 0)."""

    state: dict[str, NDArray[Any]]
    """The whole state, as `BatchCleanup.get_state` gives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One episode, moment by moment, from the start to its end; pictures are drawn when asked for."""

    contract: Contract
    """What was agreed."""

    players: str
    """Who plays: 'scripted' or 'trained'."""

    moments: tuple[Moment, ...]
    """The start and the game after each step."""

    stage: BatchCleanup
    """A game that moments are put into to be drawn."""

    def __len__(self) -> int:
        return len(self.moments)

    def caption(self, k: int) -> str:
        """Say what is known at moment k, in one line."""
        m = self.moments[k]
        return f"step {m.step}, waste {m.waste}, apples eaten {m.apples}, tax paid {m.tax:.1f}"

    def picture(self, k: int, scale: int = 12, flows: int = 0) -> animation.Picture:
        """Draw the board at moment k, `scale` pixels per cell; golden lines show who paid whom in the last `flows` steps."""
        self.stage.set_state(self.moments[k].state)
        picture = render.rgb(self.stage, scale=scale)
        if flows == 0:
            return picture
        transfers = np.sum([m.transfers for m in self.moments[max(0, k + 1 - flows) : k + 1]], axis=0)
        ends = [tuple(scale * (at + 0.5)) for at in self.stage.position[0]]
        payers, payees = np.flatnonzero(transfers < 0), np.flatnonzero(transfers > 0)
        return animation.with_lines(picture, [(ends[i], ends[j]) for i in payers for j in payees])

    def frame(self, k: int, scale: int = 12, flows: int = 0) -> animation.Picture:
        """Draw the board at moment k (see `picture`) with a strip of captions below."""
        m = self.moments[k]
        lines = (
            f"{self.contract}" if not self.contract.is_none else "no contract",
            f"{self.players} players",
            f"step {m.step}    waste {m.waste}",
            f"apples eaten {m.apples}    tax {m.tax:.1f}",
        )
        picture = self.picture(k, scale, flows)
        return animation.captioned(picture, lines, animation.letter_size(picture.shape[1], _WIDEST))

    def frames(self, scale: int = 12, every: int = 1, flows: bool = False) -> Iterator[animation.Picture]:
        """Draw every so many moments with captions, always the last one too; flows: with who paid whom since."""
        return (self.frame(k, scale, every * flows) for k in self._chosen(every))

    def text(self, k: int) -> str:
        """Draw moment k as text, with its caption as the last line."""
        self.stage.set_state(self.moments[k].state)
        board, _, _ = render.ansi(self.stage).rpartition("\n")
        return f"{board}\n{self.contract}, {self.players} players\n{self.caption(k)}"

    def texts(self, every: int = 1) -> list[str]:
        """Draw every so many moments as text, always the last one too."""
        return [self.text(k) for k in self._chosen(every)]

    def _chosen(self, every: int) -> list[int]:
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise ContractsError(f"every must be an integer of at least 1 (1: each step), got {shown(every)}")
        last = len(self.moments) - 1
        return sorted({*range(0, last + 1, every), last})


class _RecordedGame(ContractedGame):
    """One game under a contract that records its moments."""

    def __init__(self, contract: Contract, settings: EvaluationSettings, observation: str, steps: int) -> None:
        payment = None if settings.payment is None else settings.payment(contract)
        super().__init__(contract, config=settings.game, costs=settings.costs, payment=payment, observation=observation)
        self.steps = steps
        self.sums = EpisodeSums(self)
        self.moments: list[Moment] = []

    def reset(self, seed: int) -> NDArray[Any]:
        """Start the episode and its recording."""
        observations = super().reset(seed)
        self.sums = EpisodeSums(self)
        nothing, waste = np.zeros(self.n_agents), int(self.game.waste[0])
        self.moments = [Moment(step=0, waste=waste, apples=0, tax=0.0, transfers=nothing, state=self.game.get_state())]
        return observations

    def step(self, actions: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Play a step and keep what it led to."""
        observations, utilities = super().step(actions)
        self.sums.add()
        if len(self.moments) <= self.steps:
            before, transfers = self.moments[-1], self.settled.transfers[0]
            paid = -np.minimum(transfers[self.settlement.roles.harvester], 0.0).sum()
            self.moments.append(
                Moment(
                    step=before.step + 1,
                    waste=int(self.game.waste[0]),
                    apples=int(self.sums.apples.sum()),
                    tax=before.tax + float(paid),
                    transfers=transfers.copy(),
                    state=self.game.get_state(),
                )
            )
        return observations, utilities


def record_episode(
    contract: Contract,
    settings: EvaluationSettings | None = None,
    players: str | Path | LearnedPolicy = SCRIPTED,
    seed: int = 0,
    steps: int | None = None,
) -> Episode:
    """Play one episode under a contract and keep every moment of it.

    Args:
        contract: tax and number of cleaners.
        settings: game, costs and payment; default as in `evaluate`.
        players: `"scripted"`, the file of a trained policy, or the policy itself, which then plays
            greedily at the temperature of evaluations.
        seed: of the episode.
        steps: how many steps to keep; default: the whole episode.

    Raises:
        ContractsError: the players are unknown, the policy's file is missing or broken, the policy does not
            fit the game, or a number is out of range.
    """
    from cleanup_env.errors import CleanupError

    settings = settings or EvaluationSettings()
    horizon = settings.game.horizon
    if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= horizon):
        raise ContractsError(f"steps must be an integer in 1..{horizon} (the horizon), got {shown(steps)}")
    seed = check_seed(seed)
    policy = None if isinstance(players, str) and players == SCRIPTED else _policy(players)
    observation = settings.learner.observation if policy is None else policy.config.observation
    try:
        game = _RecordedGame(contract, settings, observation, horizon if steps is None else steps)
        stage = BatchCleanup(game.config, 1, observation=None)
    except CleanupError as error:
        raise ContractsError(f"{contract} cannot be played: {error}") from error
    if policy is None:
        _play_scripted(game, seed)
    else:
        _play_trained(game, policy, seed)
    who = SCRIPTED if policy is None else "trained"
    return Episode(contract=contract, players=who, moments=tuple(game.moments), stage=stage)


def _policy(players: str | Path | LearnedPolicy) -> LearnedPolicy:
    """Return a policy, read from its file if need be."""
    from contract_wrapper.learners.registry import learner_of, load_policy
    from mtmfq.interface import LearnerError

    if not isinstance(players, (str, Path)):
        try:
            learner_of(getattr(players, "config", None))
        except ContractsError as error:
            raise ContractsError(
                f"players are {SCRIPTED!r}, a policy file or a trained policy, got {type(players).__name__}"
            ) from error
        return players
    if not Path(players).is_file():
        named = isinstance(players, str) and not Path(players).suffix and Path(players).name == players
        what = f"unknown players {shown(players)}" if named else f"there is no policy file {players}"
        raise ContractsError(
            f"{what}: give {SCRIPTED!r}, or the file of a trained policy (outcomes/*.policy.npz in a study's folder)"
        )
    try:
        return load_policy(Path(players))
    except LearnerError as error:
        raise ContractsError(str(error)) from error


def _play_scripted(game: _RecordedGame, seed: int) -> None:
    from cleanup_env.scripted import ScriptedCrew

    players = ScriptedCrew(game.game, "greedy", rng=np.random.default_rng(seed))
    game.reset(seed)
    for _ in range(game.steps):
        game.step(players.act())


def _play_trained(game: _RecordedGame, policy: LearnedPolicy, seed: int) -> None:
    from contract_wrapper.learners.registry import learner_of
    from mtmfq.interface import LearnerError

    try:
        learner_of(policy.config).play(game, policy, seed)
    except LearnerError as error:
        raise ContractsError(f"the policy does not fit the game: {error}") from error

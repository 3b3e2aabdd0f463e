"""One episode under a contract, recorded moment by moment, to be drawn as pictures or as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cleanup_env import BatchCleanup, render
from contract_wrapper.contracts.designed_contract import AnyContract, of_cleanup
from contract_wrapper.contracts.families import TaxContracts
from contract_wrapper.envs.batch_game import ContractedGame, SettledGame
from contract_wrapper.envs.episode_sums import EpisodeSums
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.by_crews.crew_outcome import asked_of
from contract_wrapper.evaluation.crews import KIND, Crews
from contract_wrapper.evaluation.settings import EvaluationSettings, check_seed
from contract_wrapper.playback import movie as animation
from contract_wrapper.playback.any_game import GameEpisode, record_game, steps_kept
from contract_wrapper.playback.board import Board, board_of
from contract_wrapper.problems.cleanup import CleanupProblem
from contract_wrapper.problems.problem import DesignProblem, ProblemGame
from mtmfq.checkpoint import kind_of

if TYPE_CHECKING:
    from contract_wrapper.learners.learner import LearnedPolicy

SCRIPTED = "scripted"
"""Name of the scripted greedy players (`cleanup_env.scripted`)."""

SCALE = 24
"""Pixels per cell of pictures, unless asked for otherwise: the published map is then 432 pixels wide."""

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
    """What harvesters have paid so far, in apples; in a game without any, what all agents have."""

    transfers: NDArray[np.float64]
    """(N,) net transfers of this step, in apples: got from others (> 0) or paid to them (< 0)."""

    state: dict[str, NDArray[Any]]
    """The whole state, as `BatchCleanup.get_state` gives it."""

    def told(self) -> dict[str, Any]:
        """What a document says of it."""
        return {name: getattr(self, name) for name in ("step", "waste", "apples", "tax", "transfers")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One episode, moment by moment, from the start to its end; pictures are drawn when asked for."""

    contract: AnyContract
    """What was agreed."""

    players: str
    """Who plays: 'scripted' or 'trained'."""

    moments: tuple[Moment, ...]
    """The start and the game after each step."""

    stage: BatchCleanup
    """A game that moments are put into to be drawn."""

    def __len__(self) -> int:
        return len(self.moments)

    @property
    def agents(self) -> tuple[str, ...]:
        """Names of the N agents."""
        return self.stage.config.agents

    def caption(self, k: int) -> str:
        """Say what is known at moment k, in one line."""
        m = self.moments[k]
        return f"step {m.step}, waste {m.waste}, apples eaten {m.apples}, tax paid {m.tax:.1f}"

    def board(self, k: int) -> Board:
        """What stands where at moment k, for pictures that are drawn as shapes."""
        self.stage.set_state(self.moments[k].state)
        return board_of(self.stage)

    def picture(self, k: int, scale: int = SCALE, flows: int = 0) -> animation.Picture:
        """Draw the board at moment k, `scale` pixels per cell; golden arrows show who paid whom in the last `flows` steps."""
        self.stage.set_state(self.moments[k].state)
        picture = render.rgb(self.stage, scale=scale)
        if flows == 0:
            return picture
        transfers = np.sum([m.transfers for m in self.moments[max(0, k + 1 - flows) : k + 1]], axis=0)
        ends = scale * (self.stage.position[0] + 0.5)
        payers, payees = np.flatnonzero(transfers < 0), np.flatnonzero(transfers > 0)
        arrows = [animation.between(ends[i], ends[j], 0.45 * scale) for i in payers for j in payees]
        return animation.with_arrows(picture, arrows, 0.6 * scale)

    def frame(self, k: int, scale: int = SCALE, flows: int = 0) -> animation.Picture:
        """Draw the board at moment k (see `picture`) with a strip of captions below."""
        m = self.moments[k]
        lines = [
            f"{self.contract}" if not self.contract.is_none else "no contract",
            f"{self.players} players",
            f"step {m.step}    waste {m.waste}",
            f"apples eaten {m.apples}    tax {m.tax:.1f}",
        ]
        if flows:
            lines.append("arrows: who pays whom")
        picture = self.picture(k, scale, flows)
        return animation.captioned(picture, lines, animation.letter_size(picture.shape[1], _WIDEST))

    def frames(self, scale: int = SCALE, every: int = 1, flows: bool = False) -> Iterator[animation.Picture]:
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


class _Recorder:
    """Watches one game under a contract, and keeps its moments."""

    def __init__(self, game: SettledGame, steps: int) -> None:
        self.game, self.steps = game, steps
        self._sums, self.moments = EpisodeSums(game), list[Moment]()

    def start(self, seed: int) -> None:
        """Keep the start of the episode of that seed; whoever plays it resets the game to the same one."""
        self.game.reset(seed)
        nothing, board = np.zeros(self.game.n_agents), self.game.game
        waste = int(board.waste[0])
        self.moments = [Moment(step=0, waste=waste, apples=0, tax=0.0, transfers=nothing, state=board.get_state())]

    def add(self, *_: Any) -> None:
        """Keep what the last step led to."""
        self._sums.add()
        if len(self.moments) > self.steps:
            return
        before, transfers = self.moments[-1], self.game.settled.transfers[0]
        harvest = self.game.roles.harvester
        paid = -np.minimum(transfers[harvest] if harvest.any() else transfers, 0.0).sum()
        self.moments.append(
            Moment(
                step=before.step + 1,
                waste=int(self.game.game.waste[0]),
                apples=int(self._sums.apples.sum()),
                tax=before.tax + float(paid),
                transfers=transfers.copy(),
                state=self.game.game.get_state(),
            )
        )


def record_episode(
    contract: AnyContract,
    settings: EvaluationSettings | None = None,
    players: str | Path | LearnedPolicy | Crews = SCRIPTED,
    seed: int = 0,
    steps: int | None = None,
) -> Episode | GameEpisode:
    """Play one episode under a contract and keep every moment of it.

    Args:
        contract: tax and number of cleaners; or a contract of `settings.problem`, which may be of any game.
        settings: game, costs and payment, or a problem; default as in `evaluate`. Crews that know every contract play their own
            game, at their own costs.
        players: `"scripted"`, the file of a trained policy or of crews that know every contract, or one of these
            themselves, which then play greedily at the temperature of evaluations. Games other than Clean-up have no
            scripted players: `"scripted"` acts at random there.
        seed: of the episode.
        steps: how many steps to keep; default: the whole episode.

    Raises:
        ContractsError: the players are unknown, the policy's file is missing or broken, the policy does not
            fit the game, crews do not know the contract, or a number is out of range.
    """
    from cleanup_env.errors import CleanupError

    settings = settings or EvaluationSettings()
    seed = check_seed(seed)
    scripted = isinstance(players, str) and players == SCRIPTED
    who = None if scripted else _learned(players)
    try:
        game = _game(contract, settings, who)
        if not isinstance(game, SettledGame):
            unit = "units" if settings.problem is None else settings.problem.unit
            return record_game(game, contract, unit, who, seed, steps)
        stage = BatchCleanup(game.config, 1, observation=None)
    except CleanupError as error:
        raise ContractsError(f"{contract} cannot be played: {error}") from error
    recorder = _Recorder(game, steps_kept(steps, game.horizon))
    recorder.start(seed)
    if who is None:
        _play_scripted(recorder, seed)
    else:
        _play_trained(recorder, who.policy if isinstance(who, Crews) else who, seed)
    name = SCRIPTED if scripted else "trained"
    return Episode(contract=contract, players=name, moments=tuple(recorder.moments), stage=stage)


def _game(
    contract: AnyContract, settings: EvaluationSettings, who: LearnedPolicy | Crews | None
) -> SettledGame | ProblemGame:
    """The one game that is played."""
    if settings.problem is not None:
        return _game_of(settings.problem, contract, settings, who)
    contract = of_cleanup(contract)
    if isinstance(who, Crews):
        if contract.is_none and 0 not in who.sizes:
            raise ContractsError("crews know contracts, and not the game without any: name a tax and cleaners")
        if not isinstance(who.family, TaxContracts):
            asked_of(who, contract)  # which says what contracts they know
        return who.games(contract.n_cleaners, [[contract.tax]], 1)
    return ContractedGame(
        contract, config=settings.game, costs=settings.costs,
        payment=None if settings.payment is None else settings.payment(contract),
        observation=settings.learner.observation if who is None else who.config.observation,
    )  # fmt: skip


def _game_of(
    problem: DesignProblem, contract: AnyContract, settings: EvaluationSettings, who: LearnedPolicy | Crews | None
) -> SettledGame | ProblemGame:
    """The one game that is played under a contract of a problem."""
    if isinstance(who, Crews) and isinstance(problem, CleanupProblem):
        if contract.is_none:
            raise ContractsError("crews know contracts, and not the game without any: name the terms of a contract")
        n_cleaners, terms = asked_of(who, contract, problem)
        return who.games(n_cleaners, [terms], 1)
    config = settings.learner if who is None or isinstance(who, Crews) else who.config
    return problem.build(contract, 1, config.observation)


def _learned(players: str | Path | LearnedPolicy | Crews) -> LearnedPolicy | Crews:
    """Return a policy or crews, read from their file if need be."""
    from contract_wrapper.learners.registry import learner_of, load_policy
    from mtmfq.interface import LearnerError

    if isinstance(players, Crews):
        return players
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
        return Crews.load(players) if kind_of(Path(players)) == KIND else load_policy(Path(players))
    except LearnerError as error:
        raise ContractsError(str(error)) from error


def _play_scripted(recorder: _Recorder, seed: int) -> None:
    from cleanup_env.scripted import ScriptedCrew

    game = recorder.game
    players = ScriptedCrew(game.game, "greedy", rng=np.random.default_rng(seed))
    game.reset(seed)
    for _ in range(recorder.steps):
        game.step(players.act())
        recorder.add()


def _play_trained(recorder: _Recorder, policy: LearnedPolicy, seed: int) -> None:
    from contract_wrapper.learners.registry import learner_of
    from mtmfq.interface import LearnerError

    try:
        learner_of(policy.config).play(recorder.game, policy, seed, on_step=recorder.add)
    except LearnerError as error:
        raise ContractsError(f"the policy does not fit the game: {error}") from error

"""One episode of a game that is not Clean-up, under a contract: what everybody earned, paid and took home, step by step.

Its pictures are those of the game's own `render()`, where it draws any (PettingZoo's mode `rgb_array`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.contracts.contract import as_int
from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.crews import Crews
from contract_wrapper.playback import movie as animation

if TYPE_CHECKING:
    from contract_wrapper.learners.learner import LearnedPolicy
    from contract_wrapper.problems.problem import ProblemGame

RANDOM = "random"
"""Players of a game for which there are no scripted ones: any action that is of use, with equal probability."""

MOST_AGENTS = 12
"""Agents of whom the text tells singly."""

_WIDEST = "everybody together took home -0000.00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The game after a step; arrays are (N,), in the unit of the rewards."""

    step: int
    """Steps played; 0 is the start."""

    rewards: NDArray[np.float64]
    """What the game gave in this step."""

    transfers: NDArray[np.float64]
    """What each agent got from others (> 0) or paid to them (< 0) in this step."""

    costs: NDArray[np.float64]
    """What work cost in this step."""

    home: NDArray[np.float64]
    """What each agent took home so far."""

    seen: animation.Picture | str | None
    """What the game's `render()` returned: a picture, text, or nothing."""

    def told(self) -> dict[str, Any]:
        """What a document says of it."""
        return {
            "step": self.step, "rewards": self.rewards, "transfers": self.transfers, "costs": self.costs,
            "taken_home": self.home,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class GameEpisode:
    """One episode of any game, step by step."""

    contract: AnyContract
    """What was agreed."""

    players: str
    """Who plays: 'random' or 'trained'."""

    moments: tuple[Turn, ...]
    """The start and the game after each step."""

    agents: tuple[str, ...]
    """Names of the N agents."""

    unit: str
    """What amounts are counted in, in the plural."""

    def __len__(self) -> int:
        return len(self.moments)

    def caption(self, k: int) -> str:
        """Say what is known at moment k, in one line."""
        m = self.moments[k]
        moved = sum(float(np.maximum(turn.transfers, 0.0).sum()) for turn in self.moments[: k + 1])
        return f"step {m.step}, {self.unit} taken home {m.home.sum():.2f}, moved between agents {moved:.2f}"

    def text(self, k: int) -> str:
        """What the game shows as text at moment k, what everybody has so far, and the caption as the last line."""
        m = self.moments[k]
        lines = m.seen.splitlines() if isinstance(m.seen, str) else []
        width = max(map(len, self.agents))
        lines.append(f"{'':{width}}  {'reward':>9}{'transfer':>10}{'cost':>9}{'so far':>10}")
        for i, agent in enumerate(self.agents[:MOST_AGENTS]):
            lines.append(
                f"{agent:{width}}  {m.rewards[i]:>9.2f}{m.transfers[i]:>+10.2f}{m.costs[i]:>9.2f}{m.home[i]:>10.2f}"
            )
        if len(self.agents) > MOST_AGENTS:
            lines.append(f"and {len(self.agents) - MOST_AGENTS} others")
        return "\n".join([*lines, self._title, self.caption(k)])

    def texts(self, every: int = 1) -> list[str]:
        """Every so many moments as text, always the last one too."""
        return [self.text(k) for k in self._chosen(every)]

    def frames(self, scale: int = 0, every: int = 1, flows: bool = False) -> Iterator[animation.Picture]:
        """Every so many moments as the game draws them, with captions, always the last one too.

        Args:
            scale: not used: the game says how large its pictures are.
            every: one moment in so many.
            flows: whether a line says who paid most in the step and who got most.

        Raises:
            ContractsError: the game draws no pictures.
        """
        if not all(isinstance(m.seen, np.ndarray) for m in self.moments):
            raise ContractsError(
                "this game draws no pictures (PettingZoo's render_mode 'rgb_array'): leave out --gif and --mp4, and its episode "
                "is told as text"
            )
        return (self._frame(k, flows) for k in self._chosen(every))

    @property
    def _title(self) -> str:
        return f"{'no contract' if self.contract.is_none else self.contract}, {self.players} players"

    def _frame(self, k: int, flows: bool) -> animation.Picture:
        m = self.moments[k]
        assert isinstance(m.seen, np.ndarray)  # `frames` saw to it
        lines = [self._title, f"step {m.step}", f"taken home {m.home.sum():.2f} {self.unit}"]
        if flows:
            paid, got = int(m.transfers.argmin()), int(m.transfers.argmax())
            moved = f"{self.agents[paid]} pays most, {self.agents[got]} gets most"
            lines.append(moved if m.transfers.any() else "nobody pays")
        return animation.captioned(m.seen, lines, animation.letter_size(m.seen.shape[1], _WIDEST))

    def _chosen(self, every: int) -> list[int]:
        number = as_int(every)
        if number is None or number < 1:
            raise ContractsError(f"every must be an integer of at least 1 (1: each step), got {shown(every)}")
        last = len(self.moments) - 1
        return sorted({*range(0, last + 1, number), last})


class _Watch:
    """Keeps what each step of one game led to."""

    def __init__(self, game: ProblemGame, steps: int) -> None:
        self.game, self.steps, self.moments = game, steps, list[Turn]()
        self._env = _drawn(game)

    def start(self) -> None:
        nothing: NDArray[np.float64] = np.zeros(self.game.n_agents)
        self.moments = [
            Turn(step=0, rewards=nothing, transfers=nothing, costs=nothing, home=nothing, seen=self._look())
        ]

    def add(self, *_: Any) -> None:
        if not self.moments:  # whoever plays has reset the game since
            self.start()
        if len(self.moments) > self.steps:
            return
        before, settled = self.moments[-1], self.game.settled
        self.moments.append(
            Turn(
                step=before.step + 1, rewards=self.game.raw_rewards[0].copy(), transfers=settled.transfers[0].copy(),
                costs=settled.costs[0].copy(), home=before.home + settled.utilities[0], seen=self._look(),
            )
        )  # fmt: skip

    def _look(self) -> animation.Picture | str | None:
        try:
            seen = None if self._env is None else self._env.render()
        except Exception:  # a game that cannot draw can still be told
            self._env = seen = None
        if isinstance(seen, str):
            return seen
        picture = np.asarray(seen) if isinstance(seen, np.ndarray) else None
        fits = picture is not None and picture.ndim == 3 and picture.shape[2] == 3 and picture.dtype == np.uint8
        return picture.copy() if picture is not None and fits else None


def record_game(
    game: ProblemGame, contract: AnyContract, unit: str, policy: LearnedPolicy | Crews | None, seed: int,
    steps: int | None,
) -> GameEpisode:  # fmt: skip
    """Play one episode of one game and keep every step of it.

    Args:
        game: one copy, under the contract.
        contract, unit: what was agreed, and what rewards are counted in.
        policy: of all agents; None: they act at random.
        seed: of the episode.
        steps: how many steps to keep; None: all of the episode.

    Raises:
        ContractsError: the policy does not fit the game, or is of crews, who know Clean-up alone; steps are out of range.
    """
    from contract_wrapper.learners.registry import learner_of
    from mtmfq.interface import LearnerError

    if isinstance(policy, Crews):
        raise ContractsError("crews know Clean-up's contracts, and this is another game: give a policy of its own")
    watch = _Watch(game, steps_kept(steps, game.horizon))
    if policy is None:
        _play_at_random(watch, seed)
    else:
        game.reset(seed)
        watch.start()
        try:
            learner_of(policy.config).play(game, policy, seed, on_step=watch.add)
        except LearnerError as error:
            raise ContractsError(f"the policy does not fit the game: {error}") from error
    name = RANDOM if policy is None else "trained"
    return GameEpisode(
        contract=contract, players=name, moments=tuple(watch.moments), agents=game.roles.agents, unit=unit
    )


def steps_kept(steps: object, horizon: int) -> int:
    """How many steps of an episode are kept; None: all.

    Raises:
        ContractsError: it is no number of steps that an episode has.
    """
    if steps is None:
        return horizon
    if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= horizon:
        raise ContractsError(f"steps must be an integer in 1..{horizon} (the horizon), got {shown(steps)}")
    return steps


def _play_at_random(watch: _Watch, seed: int) -> None:
    game, rng = watch.game, np.random.default_rng(seed)
    sizes = np.array(game.n_actions)[game.agent_types]
    game.reset(seed)
    watch.start()
    for _ in range(watch.steps):
        allowed = np.arange(max(game.n_actions)) < sizes[:, None]
        mask = getattr(game, "action_mask", None)
        if mask is not None:
            allowed = allowed & np.asarray(mask(), np.bool_)[0]
        game.step(np.where(allowed, rng.random(allowed.shape), -1.0).argmax(axis=1)[None])
        watch.add()


def _drawn(game: ProblemGame) -> Any:
    """The PettingZoo game behind the one copy, made to draw pictures if it can; None: it shows nothing."""
    env = next(iter(getattr(game, "envs", ())), None)
    if env is None:
        return None
    if getattr(env, "render_mode", None) is None:
        modes = (getattr(env, "metadata", None) or {}).get("render_modes", ())
        if "rgb_array" not in modes:
            return None
        with contextlib.suppress(AttributeError):  # of a game that lets nobody choose
            env.unwrapped.render_mode = "rgb_array"
    return env

"""A trained policy: acts on observations, plays whole episodes, lives in one small file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from mtmfq.checkpoint import ArrayFile, check_identity, open_arrays, save_arrays
from mtmfq.config import MTMFQConfig
from mtmfq.interface import BatchGame, ContextGame, LearnerError, Signature, StepHook
from mtmfq.network import NetworkShape, QNetworks
from mtmfq.numba_tools import kernel
from mtmfq.update import fill_mean_actions, sample_actions


def one_thread() -> None:
    """Keep torch to one thread: networks this small run many times slower on several."""
    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)


class Actor:
    """Acts for B games of a fixed population; the networks of all types see all rows in one call."""

    def __init__(self, networks: QNetworks, agent_types: NDArray[np.int64], n_games: int) -> None:
        shape = networks.shape
        self.networks, self.agent_types = networks, np.asarray(agent_types, np.int64)
        self.sizes = np.array(shape.n_actions, np.int64)
        n_types, n_means = len(self.sizes), int(self.sizes.sum())
        self.places = np.zeros(len(self.agent_types), np.int64)
        for m in range(n_types):
            of_type = self.agent_types == m
            self.places[of_type] = np.arange(of_type.sum())
        self._seats = (n_types, n_games, int(self.places.max()) + 1)
        self._rows = np.zeros((*self._seats, shape.n_features + n_means), np.float32)
        self._cells = np.zeros((*self._seats, shape.n_cells), np.int32)
        self._cells[:] = np.arange(shape.n_cells) * shape.n_classes  # where nobody sits: the first class everywhere
        self._rows_view = torch.from_numpy(self._rows).flatten(1, 2)
        self._cells_view = torch.from_numpy(self._cells).flatten(1, 2) if shape.n_cells else None

    def act(
        self,
        features: NDArray[np.float32],
        cells: NDArray[np.uint8],
        means: NDArray[np.float32],
        temperature: float,
        rng: np.random.Generator,
        uniforms: NDArray[np.float64] | None = None,
    ) -> NDArray[np.int64]:
        """Features and cells (B, N, ...), mean actions of t-1 (B, N, sum A) -> actions (B, N), eq. 12.

        uniforms: (B, N) in [0, 1), in place of those that `rng` would draw.
        """
        n_classes = max(self.networks.shape.n_classes, 1)
        _seat(features, cells, means, self.agent_types, self.places, n_classes, self._rows, self._cells)
        with torch.inference_mode():
            q = self.networks(self._rows_view, self._cells_view).numpy().reshape(*self._seats, -1)
        if uniforms is None:
            uniforms = rng.random(features.shape[:2])
        return sample_actions(q, self.agent_types, self.places, self.sizes, temperature, uniforms)


@dataclass(slots=True, kw_only=True)
class Policy:
    """What training yields: the networks of all types, and what they were made for."""

    config: MTMFQConfig
    """Settings of the training."""

    signature: Signature
    """Game of the training; a policy also plays other numbers of agents and games of the same kind."""

    networks: QNetworks
    """Q-networks of all types."""

    identity: Mapping[str, Any] = field(default_factory=dict)
    """What else it was trained for, in plain values, as `train` got it (rules of the game, contract, seed)."""

    _actor: Actor | None = field(default=None, repr=False, compare=False)

    def act(
        self,
        observations: NDArray[Any],
        means: NDArray[np.float32],
        rng: np.random.Generator,
        temperature: float | None = None,
        *,
        agent_types: NDArray[np.int64] | None = None,
        context: NDArray[np.float32] | None = None,
        uniforms: NDArray[np.float64] | None = None,
    ) -> NDArray[np.int64]:
        """Observations (B, N, ...), mean actions of the step before (B, N, sum A) -> actions (B, N).

        Without a temperature the one of evaluation is taken; 0 is the argmax. `agent_types` (N,)
        defaults to the population of the training, of its first game if there were several. `context`
        (B, N, C) is needed if the training had one. `uniforms` (B, N) in [0, 1) take the place of what `rng`
        would draw; it then draws nothing.
        """
        one_thread()
        features, cells = self.signature.split(observations, context)
        types = np.asarray(self.signature.agent_types if agent_types is None else agent_types, np.int64)
        n_games, n_agents = features.shape[:2]
        if len(types) != n_agents or means.shape != (n_games, n_agents, self.signature.n_means):
            raise LearnerError(
                f"observations of {n_games} games and {n_agents} agents need {n_agents} agent_types and "
                f"mean actions of shape {(n_games, n_agents, self.signature.n_means)}, "
                f"got {len(types)} and {means.shape}"
            )
        actor = self._actor
        if actor is None or actor._seats[1] != n_games or not np.array_equal(actor.agent_types, types):
            actor = self._actor = Actor(self.networks, types, n_games)
        warmth = self.config.test_temperature if temperature is None else temperature
        return actor.act(features, cells, np.ascontiguousarray(means, np.float32), warmth, rng, uniforms)

    def save(self, path: Path | str) -> None:
        """Write the policy into one file."""
        save_arrays(Path(path), "policy", self.meta(), {"weights": self.networks.flat.detach().numpy()})

    def meta(self) -> dict[str, Any]:
        """What a file says of the policy, in plain values."""
        return {"config": self.config.to_dict(), "signature": asdict(self.signature), "identity": dict(self.identity)}

    @classmethod
    def load(cls, path: Path | str, identity: Mapping[str, Any] | None = None) -> "Policy":
        """Read a policy that `save` wrote; with an `identity`, one that was trained for just that.

        Raises:
            LearnerError: the file is missing, damaged, no policy, or one that was trained for something else.
        """
        with open_arrays(Path(path), "policy") as file:
            if identity is not None:
                check_identity(file.meta["identity"], identity)
            return cls.read(file)

    @classmethod
    def read(cls, file: ArrayFile) -> "Policy":
        """Read a policy from an open file with the entries of `meta` and the array `weights`; errors as in `load`."""
        config = MTMFQConfig.from_dict(file.meta["config"])
        signature = Signature.from_dict(file.meta["signature"])
        shape = NetworkShape.of(signature, config)
        weights = file.read("weights", np.float32, (len(shape.n_actions), QNetworks.count(shape)))
        networks = QNetworks(shape, torch.from_numpy(weights))
        return cls(config=config, signature=signature, networks=networks, identity=file.meta["identity"])


def play(
    game: BatchGame,
    policy: Policy,
    seed: int,
    temperature: float | None = None,
    *,
    on_step: StepHook | None = None,
) -> NDArray[np.float64]:
    """One episode in every copy of `game` -> raw reward sums (B, N); `seed` fixes game and policy.

    Without a temperature the one of evaluation is taken (0.001 unless configured otherwise).
    """
    signature = policy.signature.of_same_kind(game)
    rng = np.random.default_rng(seed)
    types, sizes = np.array(signature.agent_types, np.int64), np.array(signature.n_actions, np.int64)
    means = np.zeros((game.n_games, len(types), signature.n_means), np.float32)
    sums = np.zeros((game.n_games, len(types)))
    observations = game.reset(seed)
    context = context_of(game, signature)
    for t in range(signature.horizon):
        actions = policy.act(observations, means, rng, temperature, agent_types=types, context=context)
        fill_mean_actions(actions, neighbours_of(game, policy.config), types, sizes, means)
        observations, rewards = game.step(actions)
        sums += rewards
        if on_step is not None:
            on_step(t, actions, rewards)
    return sums


def context_of(game: BatchGame, signature: Signature) -> NDArray[np.float32] | None:
    """Context (B, N, C) of the present episode, a copy; None if the game has none."""
    if not signature.n_context:
        return None
    context = np.array(cast(ContextGame, game).context(), np.float32)
    if not np.isfinite(context).all():
        raise LearnerError("the game shows a context that is not finite: check how it draws it")
    return context


def neighbours_of(game: BatchGame, config: MTMFQConfig) -> NDArray[np.bool_]:
    """Whose actions each agent averages now, (B, N, N), by the setting `neighbours`."""
    if config.neighbours == "visible":
        return game.visible()
    n_agents = len(game.agent_types)
    if config.neighbours == "all":
        return all_others(game.n_games, n_agents)
    return np.zeros((game.n_games, n_agents, n_agents), np.bool_)


def all_others(n_games: int, n_agents: int) -> NDArray[np.bool_]:
    """Neighbours (B, N, N) where everyone but oneself is one."""
    return np.repeat(~np.eye(n_agents, dtype=np.bool_)[None], n_games, axis=0)


@kernel
def _seat(
    features: NDArray[np.float32],
    cells: NDArray[np.uint8],
    means: NDArray[np.float32],
    agent_types: NDArray[np.int64],
    places: NDArray[np.int64],
    n_classes: int,
    rows: NDArray[np.float32],
    numbers: NDArray[np.int32],
) -> None:
    """Order what agents see by (type, game, place), as the networks take it."""
    n_games, n_agents, n_features = features.shape
    for b in range(n_games):
        for n in range(n_agents):
            m, p = agent_types[n], places[n]
            for f in range(n_features):
                rows[m, b, p, f] = features[b, n, f]
            for a in range(means.shape[2]):
                rows[m, b, p, n_features + a] = means[b, n, a]
            for c in range(cells.shape[2]):
                numbers[m, b, p, c] = c * n_classes + cells[b, n, c]

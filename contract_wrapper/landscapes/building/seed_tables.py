"""What the crews of one seed bring about under every contract, and what single agents gain by deviating from them.

All gains are paired: the same episodes with and without the deviation. The strongest deviation is chosen on other
episodes than those on which it is measured, so that the largest of several noisy gains is not taken for a gain. Every
contract is measured on episodes of its own, so that neighbouring contracts can be pooled.
Each table lies in a file once it is whole, and is read from there the next time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.contract_grid import mean_and_error, play_grid
from contract_wrapper.evaluation.crews import Crews
from contract_wrapper.evaluation.deviations import SCRIPTED, play_deviation
from contract_wrapper.evaluation.deviators import LEARNED_ANEW, LEARNED_ON, Deviator
from contract_wrapper.landscapes.building.measured import PLAYED
from contract_wrapper.landscapes.building.plan import Plan
from contract_wrapper.landscapes.certifying.alike import role_of
from mtmfq.checkpoint import check_identity, open_arrays, plain, save_arrays
from mtmfq.interface import LearnerError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Arrays = dict[str, FloatArray]


def names_of(roles: Sequence[str], agents: Sequence[str] = ()) -> tuple[str, ...]:
    """Names of all deviations of some roles, or of agents by name, D."""
    scripted = (name for who in roles for name in SCRIPTED[role_of(who, tuple(agents))])
    return (*dict.fromkeys(scripted), LEARNED_ANEW, LEARNED_ON)


KIND = "landscape table"


class SeedTables:
    """Plays the crews of one seed under all contracts, with deviations and without."""

    def __init__(
        self, settings: Plan[Any], seed: int, folder: Path, crews: Crews, learned: Sequence[Deviator],
        tell: Callable[[float], None],
    ) -> None:  # fmt: skip
        """Prepare to play.

        Args:
            settings, seed, folder: as in `SeedBuilder`.
            crews: of this seed.
            learned: deviators that learned against them.
            tell: called with the part of a table that is done, at each contract; it may raise to stop.
        """
        self._settings, self._folder, self._crews, self._tell = settings, folder, crews, tell
        self._seed = seed
        self._identity = {"landscape": settings.about(), "seed": seed}
        agents = settings.agents_of(max(settings.sizes))
        self._roles, self._names = settings.roles, names_of(settings.roles, agents)
        self._deviations: dict[str, dict[int, str | Deviator]] = {
            who: {
                **{self._names.index(name): name for name in SCRIPTED[role_of(who, agents)]},
                **{self._names.index(d.name): d for d in learned if d.role == role_of(who, agents)},
            }
            for who in self._roles
        }
        self.cpu_seconds = 0.0
        """CPU time of all playing, over all runs."""

    def try_deviations(self) -> tuple[FloatArray, IntArray]:
        """Gains of all deviations at C contracts, mean and error, (C, R, D, 2), and number of the strongest, (C, R).

        The strongest is that with the largest mean over the contract and its neighbours among the C.
        """
        parts = [self.try_size(i) for i in range(len(self._settings.sizes))]
        pooled = np.concatenate([self._settings.smooth(part[..., 0]) for part in parts])
        return np.concatenate(parts), np.where(np.isnan(pooled), -np.inf, pooled).argmax(axis=2)

    def try_size(self, i: int) -> FloatArray:
        """Gains of all deviations at the contracts of one crew size where all are tried, mean and error, (T', R, D, 2)."""
        n = self._settings.sizes[i]
        terms = [self._settings.points[column] for column in self._settings.tried_columns()]
        shape = (len(terms), len(self._roles), len(self._names), 2)

        def make() -> Arrays:
            who = self._who(n)
            count = self._counter(len(terms) * (1 + sum(len(self._deviations[role]) for _, role in who)))
            how: dict[str, Any] = {
                "episodes": self._settings.tried_episodes, "seed": seed_of_contract(self._seed, 0), "on_contract": count,
            }  # fmt: skip
            crew = play_grid(self._crews, n, terms, **how).utilities
            gains = np.full(shape, np.nan)
            for r, role in who:
                for d, deviation in self._deviations[role].items():
                    alone = play_deviation(self._crews, n, terms, role, deviation, **how)
                    gains[:, r, d] = np.stack(mean_and_error(alone - self._first(crew, n, role)), axis=1)
            return {"gains": gains}

        return self._kept(f"tried-{n}.npz", {"gains": shape}, make)["gains"]

    def play_contracts(self) -> list[Arrays]:
        """What every contract brings about, a table for each crew size: arrays `PLAYED`, (points, E) or (points, E, N)."""
        return [self.play_size(i) for i in range(len(self._settings.sizes))]

    def play_size(self, i: int) -> Arrays:
        """The same of one crew size."""
        settings, terms, n = self._settings, self._settings.points, self._settings.sizes[i]

        def make() -> Arrays:
            count = self._counter(len(terms))
            grids = [
                play_grid(self._crews, n, [term], on_contract=count, **self._how(i, k)) for k, term in enumerate(terms)
            ]
            return {name: np.concatenate([getattr(grid, name) for grid in grids]) for name in PLAYED}

        shapes: dict[str, tuple[int, ...]] = dict.fromkeys(PLAYED, (len(terms), settings.episodes))
        shapes["utilities"] = (*shapes["welfare"], len(settings.agents_of(n)))
        return self._kept(f"played-{n}.npz", shapes, make)

    def measure_gains(self, played: Sequence[Arrays], strongest: IntArray) -> FloatArray:
        """Gains of the deviation that was strongest nearby, mean and error, (sizes, points, R, 2).

        played: as `play_contracts` gives it; strongest: (C, R), as `try_deviations` gives it.
        """
        return np.stack([self.measure_size(i, played[i], strongest) for i in range(len(self._settings.sizes))])

    def measure_size(self, i: int, played: Arrays, strongest: IntArray) -> FloatArray:
        """The same of one crew size, (points, R, 2); `played`: as `play_size` gives it."""
        points, n, near = self._settings.points, self._settings.sizes[i], nearest(self._settings)[i]
        shape = (len(points), len(self._roles), 2)

        def make() -> Arrays:
            who = self._who(n)
            count, found = self._counter(len(who) * len(points)), np.full(shape, np.nan)
            for r, role in who:
                chosen, crew = strongest[near, r], self._first(played["utilities"], n, role)
                alone = [
                    play_deviation(
                        self._crews, n, [point], role, self._deviations[role][int(chosen[k])], on_contract=count,
                        **self._how(i, k),
                    )
                    for k, point in enumerate(points)
                ]  # fmt: skip
                found[:, r] = np.stack(mean_and_error(np.concatenate(alone) - crew), axis=1)
            return {"gains": found}

        return self._kept(f"gains-{n}.npz", {"gains": shape}, make)["gains"]

    def _how(self, size: int, point: int) -> dict[str, Any]:
        """Episodes on which a contract is measured, given by the places of its crew size and its terms."""
        number = 1 + size * len(self._settings.points) + point
        return {"episodes": self._settings.episodes, "seed": seed_of_contract(self._seed, number)}

    def _who(self, n_cleaners: int) -> list[tuple[int, str]]:
        """Place on the axis R and name of those who deviate and are there with a crew of one size."""
        agents = self._settings.agents_of(n_cleaners)
        there = {*agents, *(agent.rpartition("_")[0] for agent in agents)}
        return [(r, who) for r, who in enumerate(self._roles) if who in there]

    def _first(self, utilities: FloatArray, n_cleaners: int, who: str) -> FloatArray:
        """Utilities (K, E) of an agent by name, or of the first of a role, of those of all agents (K, E, N)."""
        agents = self._settings.agents_of(n_cleaners)
        names = agents if who in agents else tuple(agent.rpartition("_")[0] for agent in agents)
        first: FloatArray = utilities[..., names.index(who)]
        return first

    def _counter(self, total: int) -> Callable[[int], None]:
        """A callback for each contract played, of so many that a table takes."""
        done = 0

        def count(_: int) -> None:
            nonlocal done
            done += 1
            self._tell(done / total)

        return count

    def _kept(self, name: str, shapes: Mapping[str, tuple[int, ...]], make: Callable[[], Arrays]) -> Arrays:
        """Read a table of this seed, or make it and keep it.

        Raises:
            ContractsError: the file is damaged or another landscape's, or cannot be written.
        """
        path = self._folder / name
        try:
            if not path.exists():
                began = time.process_time()
                arrays = make()
                meta = {"identity": plain(self._identity), "cpu_seconds": time.process_time() - began}
                save_arrays(path, KIND, meta, arrays)
            with open_arrays(path, KIND) as file:
                check_identity(file.meta["identity"], self._identity)
                self.cpu_seconds += float(file.meta["cpu_seconds"])
                return {key: file.read(key, np.float64, shape, finite=False) for key, shape in shapes.items()}
        except LearnerError as error:
            raise ContractsError(f"a table of the landscape is not as it should be: {error}") from error


def seed_of_contract(seed: int, number: int) -> int:
    """Seed of the episodes of a contract, by its number in the landscape; 0: those of the choice, for all contracts."""
    return int(np.random.SeedSequence([seed, 50, number]).generate_state(1, np.uint32)[0])


def nearest(settings: Plan[Any]) -> IntArray:
    """For every contract of the grid the place, among those where all deviations were tried, of the nearest.

    Returns:
        Places in `settings.tried_at()`, (sizes, points); the contract found has the same crew size.
    """
    near = settings.nearest_tried()
    places: IntArray = np.arange(len(settings.sizes))[:, None] * len(settings.tried_columns()) + near
    return places

"""A landscape: what every contract of a grid brings about, for several conditioned trainings.

One seed is one training of crews that know all contracts, and the independent unit of every interval: the seeds are
shared by all contracts, so that two contracts are compared by the differences of their seeds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError, shown
from mtmfq.checkpoint import open_arrays, save_arrays
from mtmfq.interface import LearnerError

FloatArray = NDArray[np.float64]

KIND = "landscape"
"""What a file says that it is."""

ROLES = ("cleaner", "harvester")
"""Roles whose deviations are measured, in the order of the axis R."""

_PER_CONTRACT = ("welfare", "harvest", "shots", "waste")
_MEASURED = (*_PER_CONTRACT, "utilities", "gains", "tried")
"""Figures that have an error beside them, an array of the same shape whose name ends in `_se`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Landscape:
    """What K contracts bring about for crews of S conditioned trainings; contract 0 is no contract.

    Means and standard errors (`*_se`) are over the episodes that one training's crews played, in apples per episode;
    intervals over trainings are taken from the axis S. What does not exist is NaN: the utility of an agent that the
    contract does not recruit, the gain of a cleaner where there is none.
    """

    about: Mapping[str, Any]
    """What it was made for and by, in plain values: game, costs, learner, episodes, code, versions, command."""

    seeds: tuple[int, ...]
    """Seeds of the S conditioned trainings."""

    agents: tuple[str, ...]
    """Names of the A agents of the game with the largest crew."""

    tax: FloatArray
    """Taxes, (K,)."""

    n_cleaners: NDArray[np.int64]
    """Crew sizes, (K,)."""

    welfare: FloatArray
    """Rewards less costs of all agents, (S, K)."""

    welfare_se: FloatArray

    harvest: FloatArray
    """Apples eaten by all agents, (S, K)."""

    harvest_se: FloatArray

    shots: FloatArray
    """Shots of all agents, (S, K)."""

    shots_se: FloatArray

    waste: FloatArray
    """Waste cells, mean over the steps of an episode, (S, K)."""

    waste_se: FloatArray

    utilities: FloatArray
    """What each agent takes home, (S, K, A)."""

    utilities_se: FloatArray

    deviations: tuple[str, ...]
    """Names of the D deviations that were tried."""

    gains: FloatArray
    """What the first agent of each role gains by its strongest deviation alone, (S, K, R), on other episodes than
    those on which the strongest was chosen."""

    gains_se: FloatArray

    strongest: NDArray[np.int64]
    """Number of that deviation, (S, K, R); -1 where there is none."""

    tried_at: NDArray[np.int64]
    """Numbers of the C contracts at which all deviations were tried, (C,); elsewhere the nearest tax's was taken."""

    tried: FloatArray
    """Gain of every deviation on the episodes of the choice, (S, C, R, D); NaN for those that the role does not have."""

    tried_se: FloatArray

    cpu_seconds: FloatArray
    """CPU time of crews, deviators and playing, (S, 3)."""

    def __post_init__(self) -> None:
        s, k, a, d, c = len(self.seeds), len(self.tax), len(self.agents), len(self.deviations), len(self.tried_at)
        shapes: dict[str, tuple[int, ...]] = {
            "tax": (k,), "n_cleaners": (k,), "strongest": (s, k, 2), "tried_at": (c,), "cpu_seconds": (s, 3),
            **dict.fromkeys(_PER_CONTRACT, (s, k)),
            "utilities": (s, k, a), "gains": (s, k, 2), "tried": (s, c, 2, d),
        }  # fmt: skip
        shapes |= {f"{name}_se": shapes[name] for name in _MEASURED}
        for name, shape in shapes.items():
            array = getattr(self, name)
            if not isinstance(array, np.ndarray) or array.shape != shape:
                raise ContractsError(f"{name} of a landscape must have the shape {shape}, got {np.shape(array)}")
        if not s or k < 2 or len(set(self.seeds)) < s:
            raise ContractsError("a landscape has at least one seed, none twice, and a contract besides no contract")
        if (self.tax[0], self.n_cleaners[0]) != (0, 0) or len(set(self.contracts())) < k:
            raise ContractsError("contract 0 of a landscape is no contract (tax 0, no cleaners), and none comes twice")
        for name in _PER_CONTRACT:
            if not np.isfinite(getattr(self, name)).all():
                raise ContractsError(f"{name} of a landscape must be finite")
        if (self.strongest >= d).any() or (self.strongest < -1).any():
            raise ContractsError(f"strongest of a landscape numbers its {d} deviations, or is -1")
        if ((self.tried_at < 0) | (self.tried_at >= k)).any():
            raise ContractsError(f"tried_at of a landscape numbers its {k} contracts")

    def contracts(self) -> list[Contract]:
        """All contracts, by number."""
        return [Contract(tax=float(t), n_cleaners=int(n)) for t, n in zip(self.tax, self.n_cleaners, strict=True)]

    def number(self, contract: Contract) -> int:
        """Number of a contract.

        Raises:
            ContractsError: it is none of the table's; nothing is interpolated.
        """
        found = np.flatnonzero((self.n_cleaners == contract.n_cleaners) & (np.abs(self.tax - contract.tax) < 1e-9))
        if not len(found):
            taxes = self.tax[self.n_cleaners == contract.n_cleaners]
            known = f"{len(taxes)} taxes from {taxes.min():g} to {taxes.max():g}" if len(taxes) else "no contract"
            raise ContractsError(
                f"{contract} is not in this landscape, which has {known} with {contract.n_cleaners} cleaners"
            )
        return int(found[0])

    def of_role(self, role: str) -> NDArray[np.int64]:
        """Places of the agents of a role on the axis A."""
        return np.array([i for i, agent in enumerate(self.agents) if agent.rpartition("_")[0] == role], np.int64)

    def margins(self) -> FloatArray:
        """Margins of participation, (S, K, A), >= 0 good: harvesters against no contract (eq. 4), cleaners against 0 (eq. 5).

        Source: Molina Concha et al. 2024. NaN for absent agents; no contract has margins of 0.
        """
        margins = self.utilities.copy()
        places = self.of_role("harvester")
        margins[:, :, places] -= self.utilities[:, :1, places]
        return margins

    def save(self, path: Path | str) -> None:
        """Write one sealed .npz; an older one at `path` stays whole until the new one is on disk.

        Raises:
            ContractsError: it cannot be written.
        """
        meta = {"about": dict(self.about), "seeds": self.seeds, "agents": self.agents, "deviations": self.deviations}
        arrays: dict[str, NDArray[Any]] = {}
        for name in _arrays():
            array = getattr(self, name)
            arrays[name] = array.astype(np.int16 if array.dtype.kind == "i" else np.float32)
        arrays["tax"] = self.tax
        try:
            save_arrays(Path(path), KIND, meta, arrays)
        except LearnerError as error:
            raise ContractsError(f"the landscape could not be written: {error}") from error

    @classmethod
    def load(cls, path: Path | str) -> Landscape:
        """Read what `save` wrote; no code of the file is run.

        Raises:
            ContractsError: the file is missing, damaged, cut short, or no landscape.
        """
        try:
            with open_arrays(Path(path), KIND) as file:
                meta = file.meta
                seeds, agents, deviations = (_items(meta, name, kind) for name, kind in _LISTS)
                sizes = {"S": len(seeds), "K": file.length("tax"), "A": len(agents), "D": len(deviations),
                         "C": file.length("tried_at"), "R": len(ROLES), "3": 3}  # fmt: skip
                arrays: dict[str, Any] = {}
                for name, axes in _AXES.items():
                    kind = np.float64 if name == "tax" else np.int16 if name in _WHOLE else np.float32
                    read = file.read(name, kind, tuple(sizes[axis] for axis in axes), finite=False)
                    arrays[name] = read.astype(np.int64 if name in _WHOLE else np.float64)
                return cls(about=_mapping(meta), seeds=seeds, agents=agents, deviations=deviations, **arrays)
        except LearnerError as error:
            raise ContractsError(f"this is no landscape that can be used: {error}") from error

    @classmethod
    def joined(cls, parts: Sequence[Landscape]) -> Landscape:
        """Put landscapes of the same contracts and making, but of other seeds, side by side.

        Raises:
            ContractsError: there is none, a seed comes twice, or they differ in more than their seeds.
        """
        if not parts:
            raise ContractsError("a landscape needs at least one seed")
        first, over_seeds = parts[0], [name for name, axes in _AXES.items() if axes[0] == "S"]
        for other in parts[1:]:
            same = all(np.array_equal(getattr(first, n), getattr(other, n)) for n in _arrays() if n not in over_seeds)
            mine, its = ((p.about, p.agents, p.deviations) for p in (first, other))
            if not same or mine != its:
                raise ContractsError("these landscapes differ in more than their seeds: make them by one command")
        stacked: dict[str, Any] = {n: np.concatenate([getattr(part, n) for part in parts]) for n in over_seeds}
        return dataclasses.replace(first, seeds=tuple(seed for part in parts for seed in part.seeds), **stacked)


_AXES: Mapping[str, str] = {
    "tax": "K", "n_cleaners": "K", "strongest": "SKR", "tried_at": "C", "cpu_seconds": "S3",
    **{name + end: "SK" for name in _PER_CONTRACT for end in ("", "_se")},
    **{name + end: "SKA" for name in ("utilities",) for end in ("", "_se")},
    **{name + end: "SKR" for name in ("gains",) for end in ("", "_se")},
    **{name + end: "SCRD" for name in ("tried",) for end in ("", "_se")},
}  # fmt: skip
"""Axes of every array, by the letters of the fields' docstrings."""

_WHOLE = ("n_cleaners", "strongest", "tried_at")
_LISTS = (("seeds", int), ("agents", str), ("deviations", str))


def _arrays() -> tuple[str, ...]:
    return tuple(_AXES)


def _items(meta: Mapping[str, Any], name: str, kind: type) -> tuple[Any, ...]:
    items = meta.get(name)
    if not isinstance(items, list) or not all(type(item) is kind for item in items):
        raise ContractsError(f"its list of {name} is damaged, got {shown(items)}")
    return tuple(items)


def _mapping(meta: Mapping[str, Any]) -> dict[str, Any]:
    about = meta.get("about")
    if not isinstance(about, dict):
        raise ContractsError(f"what it says about its making is damaged, got {shown(about)}")
    return about

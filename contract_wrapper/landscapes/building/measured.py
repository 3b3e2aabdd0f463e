"""What one seed of a landscape measured, and the arrays that it becomes, whatever its contracts are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.evaluation.contract_grid import mean_and_error
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.landscapes.bounds import FloatArray

PLAYED = ("welfare", "harvest", "shots", "waste", "utilities")
"""What is kept of every contract, episode by episode."""


class Measured(NamedTuple):
    """Tables of one seed."""

    played: Sequence[Mapping[str, FloatArray]]
    """For each crew size the arrays `PLAYED` of its T contracts, (T, E) or (T, E, N)."""

    tried: FloatArray
    """Gain of every deviation, mean and error, (C, R, D, 2)."""

    strongest: NDArray[np.int64]
    """Number of the strongest at each of the C contracts, (C, R)."""

    gains: FloatArray
    """Gains by the strongest nearby, mean and error, (sizes, T, R, 2)."""

    cpu_seconds: FloatArray
    """Of crews, deviators and playing, (1, 3)."""


def arrays_of(
    measured: Measured, none: Outcome, agents: Sequence[str], sizes: Sequence[int],
    agents_of: Callable[[int], Sequence[str]],
) -> dict[str, FloatArray]:  # fmt: skip
    """Welfare, harvest, shots, waste and utilities of one seed with their errors: no contract, then size by size.

    Args:
        measured: tables of the seed.
        none: outcome without a contract.
        agents: names on the axis A.
        sizes: crew sizes, in the order of the tables.
        agents_of: names of the agents of the game with a crew of one size.

    Returns:
        Arrays (1, K), those of utilities (1, K, A) with NaN for agents that a contract does not have.
    """
    arrays: dict[str, FloatArray] = {}
    rows = {name: [mean_and_error(table[name]) for table in measured.played] for name in PLAYED}
    first = {"welfare": none.welfare, "harvest": none.harvest, "shots": none.shots,
             "waste": Estimate(mean=float(np.mean(none.waste_curve)))}  # fmt: skip
    for name, estimate in first.items():
        arrays[name] = np.concatenate([[estimate.mean], *(mean for mean, _ in rows[name])])[None]
        arrays[f"{name}_se"] = np.concatenate([[estimate.se], *(error for _, error in rows[name])])[None]
    n_points = measured.gains.shape[1]
    for name, which in (("utilities", 0), ("utilities_se", 1)):
        array = np.full((1 + len(sizes) * n_points, len(agents)), np.nan)
        for agent, utility in none.utilities.items():
            array[0, agents.index(agent)] = (utility.mean, utility.se)[which]
        for i, n in enumerate(sizes):
            places = [agents.index(agent) for agent in agents_of(n)]
            first_row = 1 + i * n_points
            array[first_row : first_row + n_points, places] = rows["utilities"][i][which]
        arrays[name] = array[None]
    return arrays


def gains_of(measured: Measured, near: NDArray[np.int64]) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:
    """Gains and their errors, (1, K, R), and the number of the deviation, (1, K, R); none without a contract.

    near: for every contract of the grid the place of the nearest at which all deviations were tried, (sizes, T).
    """
    n_roles = measured.gains.shape[2]
    gains = np.concatenate([np.full((1, n_roles, 2), np.nan), measured.gains.reshape(-1, n_roles, 2)])[None]
    number = measured.strongest[near].reshape(-1, n_roles)
    return gains[..., 0], gains[..., 1], np.concatenate([np.full((1, n_roles), -1), number])[None]

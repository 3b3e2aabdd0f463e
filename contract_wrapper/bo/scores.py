"""What cPMES compares designs by: the objectives of its front (eq. 7) and the information about f* (eq. 8).

Source: Molina Concha et al. 2024, arXiv 2408.09686; the functions that these are made of are in `acquisition`.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from contract_wrapper.bo import acquisition
from contract_wrapper.bo.cpmes_config import CPMESConfig
from contract_wrapper.bo.history import History
from contract_wrapper.bo.space import DesignSpace
from contract_wrapper.bo.surrogates import SurrogateSet

Floats = npt.NDArray[np.float64]

_CONTINUOUS_COUNT = 100  # values that a continuous dimension counts for in beta_t
_MOST_COUNTED = 10**200  # in beta_t, of the designs of a space of many dimensions: 50 of 100 values have fewer


def front_objectives(
    mean: Floats, sd: Floats, history: History, incumbent: float | None, beta: float, config: CPMESConfig
) -> Floats:
    """AF_G, AF_phi unless it is joint, and sum_j log Pr(IR_j >= 0), as far as there are such: (q, 1 to 3) (eq. 7)."""
    if config.objective_acquisition == "ucb" or incumbent is None:
        columns = [acquisition.ucb(mean[0], sd[0], beta)]
    else:
        columns = [acquisition.log_expected_improvement(mean[0], sd[0], incumbent)]
    apart = None if config.feasibility_objective == "joint" else history.participation
    others = [1 + j for j in range(len(history.constraints)) if j != apart]
    if apart is not None:
        row = slice(1 + apart, 2 + apart)
        if config.feasibility_objective == "ucb":
            columns.append(acquisition.ucb(mean[row][0], sd[row][0], beta))
        else:
            columns.append(acquisition.log_probability_feasible(mean[row], sd[row]))
    if others:
        columns.append(acquisition.log_probability_feasible(mean[others], sd[others]))
    return np.stack(columns, axis=1)


def information(
    mean: Floats, sd: Floats, best: Floats, history: History, score: str, incumbent: float | None = None
) -> Floats:
    """Information about f* at q designs, (q,). Where no path holds anything feasible, the bound is taken."""
    if score != "cmes" or not np.isfinite(best).any():
        weights = acquisition.gains(best, incumbent) if score == "gain" else None
        return acquisition.cmes_ibo(mean[0], sd[0], best, mean[1:], sd[1:], weights)
    binary = [1 + j for j in history.binary]
    slack = [j for j in range(1, len(mean)) if j not in binary]
    phi = np.exp([acquisition.log_probability_feasible(mean[[j]], sd[[j]]) for j in binary])
    return acquisition.cmes(mean[0], sd[0], best, mean[slack], sd[slack], phi.reshape(-1, mean.shape[1]))


def conditional_information(
    surrogates: SurrogateSet, pending: Floats, values: Floats, best: Floats, unit: Floats
) -> Floats:
    """Information about f* given each path's own values (outputs, K, p) at the pending designs (p, d), (q,)."""
    total = np.zeros(len(unit))
    for k in range(len(best)):
        given = surrogates.condition(pending, values[:, k]) if len(pending) else surrogates
        mean, sd = given.predict(unit)
        total += acquisition.cmes_ibo(mean[0], sd[0], best[k : k + 1], mean[1:], sd[1:])
    return total / len(best)


def count_for_beta(space: DesignSpace, config: CPMESConfig) -> int:
    """Return D in beta_t, as `CPMESConfig.beta` says."""
    counts = [_CONTINUOUS_COUNT if count is None else count for count in space.counts]
    return min(sum(counts) if config.beta == "printed" else math.prod(counts), _MOST_COUNTED)

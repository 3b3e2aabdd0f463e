"""The equations of mean-field Q-learning as pure functions; numbers are those of Yang et al. 2018.

B games, N agents, M types; A is the largest action set, and a shorter one is padded with PADDED values.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from mtmfq.numba_tools import kernel

PADDED = -1e9
"""Q-value of an action that a type does not have: its probability is exactly zero."""


def mean_actions(
    actions: NDArray[np.int64],
    visible: NDArray[np.bool_],
    agent_types: NDArray[np.int64],
    n_actions: tuple[int, ...] | NDArray[np.int64],
) -> NDArray[np.float32]:
    """Actions (B, N), visible (B, N, N), types (N,) -> mean one-hot actions (B, N, sum n_actions), eq. 11.

    One mean per type of neighbour, in the size of that type's action set; no neighbour of it: zeros.
    """
    sizes = np.asarray(n_actions, np.int64)
    out = np.empty((*actions.shape, int(sizes.sum())), np.float32)
    fill_mean_actions(actions, visible, agent_types, sizes, out)
    return out


@kernel
def fill_mean_actions(
    actions: NDArray[np.int64],
    visible: NDArray[np.bool_],
    agent_types: NDArray[np.int64],
    sizes: NDArray[np.int64],
    out: NDArray[np.float32],
) -> None:
    """`mean_actions` written into `out` (B, N, sum n_actions)."""
    n_games, n_agents = actions.shape
    starts = np.zeros(sizes.size, np.int64)
    for m in range(1, sizes.size):
        starts[m] = starts[m - 1] + sizes[m - 1]
    seen = np.zeros(sizes.size, np.int64)
    for b in range(n_games):
        for i in range(n_agents):
            out[b, i, :] = 0.0
            seen[:] = 0
            for j in range(n_agents):
                if visible[b, i, j]:
                    m = agent_types[j]
                    seen[m] += 1
                    out[b, i, starts[m] + actions[b, j]] += 1.0
            for m in range(sizes.size):
                if seen[m] > 1:
                    for a in range(sizes[m]):
                        out[b, i, starts[m] + a] /= seen[m]


def boltzmann_probabilities(q: Tensor, temperature: float) -> Tensor:
    """Q (..., A) -> probabilities (..., A), eq. 12 with a plus: more reward, more often."""
    weights = _boltzmann_weights(q, temperature)
    return weights / weights.sum(dim=-1, keepdim=True)


def boltzmann_value(q: Tensor, temperature: float | Tensor) -> Tensor:
    """Q (..., A) -> value (...) of the Boltzmann policy in those Q, eq. 10."""
    weights = _boltzmann_weights(q, temperature)
    return (weights * q).sum(dim=-1) / weights.sum(dim=-1)


def _boltzmann_weights(q: Tensor, temperature: float | Tensor) -> Tensor:
    """Q (..., A) -> exp(Q / temperature) up to a factor; a third of the time of torch's softmax here."""
    return ((q - q.amax(dim=-1, keepdim=True)) / temperature).exp_()


def td_targets(returns: Tensor, discounts: Tensor, next_q: Tensor, temperature: float | Tensor) -> Tensor:
    """Returns (M, R), discounts (M, R), target Q (M, R, A) -> y = r + gamma v(o'), eq. 9, (M, R).

    With n steps the return is the discounted sum of m rewards and the discount gamma^m, where o' lies
    m steps ahead. The temperature is one number, or one of each row, (M, R, 1). There is no mask for the end of an
    episode: a time limit is not terminal.
    """
    return torch.addcmul(returns, discounts, boltzmann_value(next_q, temperature))


def td_loss(q: Tensor, actions: Tensor, targets: Tensor, kind: str) -> Tensor:
    """Q (M, R, A), actions (M, R), targets (M, R) -> mean loss of each type (M,)."""
    chosen = q.gather(2, actions.unsqueeze(2)).squeeze(2)
    pointwise = functional.smooth_l1_loss if kind == "huber" else functional.mse_loss
    return pointwise(chosen, targets, reduction="none").mean(dim=1)


@kernel
def sample_actions(
    q: NDArray[np.float32],
    agent_types: NDArray[np.int64],
    places: NDArray[np.int64],
    sizes: NDArray[np.int64],
    temperature: float,
    uniforms: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Q (M, B, P, A), types and places (N,), uniforms (B, N) -> actions (B, N) drawn from eq. 12.

    Agent n stands in Q at [agent_types[n], :, places[n]]. Each action is read off the inverse
    cumulative distribution at its uniform; temperature 0 takes the first of the best actions.
    """
    n_games, n_agents = uniforms.shape
    actions = np.zeros((n_games, n_agents), np.int64)
    weights = np.zeros(q.shape[3], np.float64)
    for b in range(n_games):
        for n in range(n_agents):
            row = q[agent_types[n], b, places[n]]
            size = sizes[agent_types[n]]
            best = 0
            for a in range(1, size):
                if row[a] > row[best]:
                    best = a
            actions[b, n] = best
            if temperature > 0.0:
                total = 0.0
                for a in range(size):
                    behind = (row[a] - row[best]) / temperature
                    weights[a] = math.exp(behind) if behind > -40.0 else 0.0  # too small to change the sum
                    total += weights[a]
                left = uniforms[b, n] * total
                for a in range(size):
                    left -= weights[a]
                    if left < 0.0:
                        actions[b, n] = a
                        break
    return actions

"""What the replay does with whole arrays of slots, compiled."""

import numpy as np
from numpy.typing import NDArray

from mtmfq.numba_tools import kernel


@kernel
def spread(
    rewards: NDArray[np.float64],
    powers: NDArray[np.float32],
    number: int,
    steps_back: int,
    returns: NDArray[np.float32],
) -> None:
    """Rewards (B, N) of slot `number`, powers (n + 1, N) -> added, discounted, to the last steps' returns."""
    n_games, n_agents = rewards.shape
    for back in range(steps_back + 1):
        slot = (number - back) % returns.shape[0]
        for b in range(n_games):
            for n in range(n_agents):
                returns[slot, b, n] += powers[back, n] * np.float32(rewards[b, n])


@kernel
def reweigh(
    some: NDArray[np.int64],
    agents: NDArray[np.int64],
    picks: NDArray[np.int64],
    choices: int,
    horizon: int,
    parts: NDArray[np.float32],
    weights: NDArray[np.float64],
    out_returns: NDArray[np.float32],
) -> None:
    """Samples `some` (S,) and their agents (S,), picks (R,), parts (P, slots, B, N), weights (S, P) -> returns (R,)."""
    n_parts, n_slots, n_games, _ = parts.shape
    for i in range(some.size):
        step, place = divmod(picks[some[i]], choices)
        slot, game = (step + step // horizon) % n_slots, place % n_games
        total = 0.0
        for p in range(n_parts):
            total += weights[i, p] * parts[p, slot, game, agents[i]]
        out_returns[some[i]] = total


@kernel
def gather(
    picks: NDArray[np.int64],  # (M, R): step * choices + place of the (game, agent)
    filled: NDArray[np.int64],  # (M,): rows of each type; those behind stay as they are
    members: NDArray[np.int64],
    choices: NDArray[np.int64],
    powers: NDArray[np.float64],
    horizon: int,
    means_delay: int,  # slots between a step's observation and the mean actions given to its Q
    n_features: int,
    n_classes: int,
    rows: NDArray[np.float32],
    cells: NDArray[np.uint8],
    actions: NDArray[np.int8],
    returns: NDArray[np.float32],
    temperatures: NDArray[np.float32],  # (slots,), or none are kept
    out_rows: NDArray[np.float32],
    out_cells: NDArray[np.int32],
    out_actions: NDArray[np.int64],
    out_returns: NDArray[np.float32],
    out_discounts: NDArray[np.float32],
    out_next_rows: NDArray[np.float32],
    out_next_cells: NDArray[np.int32],
    out_temperatures: NDArray[np.float32],
) -> None:
    """Write samples of each type, with what each needs for its target."""
    n_slots, n_games, _, width = rows.shape
    for m in range(picks.shape[0]):
        for i in range(filled[m]):
            step, place = divmod(picks[m, i], choices[m])
            game, agent = place % n_games, members[m, place // n_games]
            number = step + step // horizon
            ahead = min(powers.shape[1] - 1, horizon - step % horizon)
            slot, end = number % n_slots, (number + ahead) % n_slots
            out_actions[m, i] = actions[slot, game, agent]
            out_returns[m, i] = returns[slot, game, agent]
            out_discounts[m, i] = powers[m, ahead]
            if temperatures.size:
                out_temperatures[m, i] = temperatures[slot]
            for f in range(width):
                out_rows[m, i, f] = rows[slot, game, agent, f]
                out_next_rows[m, i, f] = rows[end, game, agent, f]
            if means_delay:
                known = (number + means_delay) % n_slots
                for f in range(n_features, width):
                    out_rows[m, i, f] = rows[known, game, agent, f]
            for c in range(cells.shape[3]):
                out_cells[m, i, c] = c * n_classes + cells[slot, game, agent, c]
                out_next_cells[m, i, c] = c * n_classes + cells[end, game, agent, c]

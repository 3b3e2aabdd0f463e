"""Who pays whom: payment rules as pure functions on arrays whose last axis is agents.

One game is an array (N,), a batch of games is (B, N), and the same code serves both; a tax or a price is one
number for all games, or (B,) numbers, one per game. A function takes
raw rewards in apples and cells cleaned, both (..., N), and returns net transfers (..., N), float64: what
each agent receives (> 0) or pays (< 0) on top of its reward. Then utilities = rewards + transfers - costs.
A rule that conserves money has transfers that sum to zero in every step of every game (`conserves_money`);
`mints` says which rules do not. `payment_rules` has them as rules with their numbers filled in, `settlement`
puts a rule, costs and checks together.

Source: Molina Concha et al. 2024 (arXiv 2408.09686), eq. 1 and the Clean-up payoffs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from contract_wrapper.contracts.roles import ABSENT, Roles
from contract_wrapper.errors import ContractsError, shown

FloatArray = NDArray[np.float64]

TINY = 1e-300
"""Apples below which floats lose their relative accuracy, so that no law can hold to the last bit."""


def tax_and_share(rewards: ArrayLike, roles: Roles, tax: ArrayLike) -> FloatArray:
    """Tax harvest income and share it equally among the cleaners, whatever each did.

    Harvester j: -tax * r_j. Cleaner k: tax / N_a * sum_j r_j. Others: 0. The tax is linear, so a
    negative reward of a harvester is shared in the same way. Conserves money.

    Raises:
        ContractsError: tax > 0 without cleaners. (If agents are absent, the crew has left and
            nothing is taxed instead.)
    """
    rewards = per_agent("rewards", rewards, roles)
    crew = _crew_size(roles, tax)
    if not crew:
        return np.zeros_like(rewards)
    paid = np.where(roles.harvester, _per_game(tax) * rewards, 0.0)
    share = paid.sum(axis=-1, keepdims=True) / crew
    return np.where(roles.cleaner, share, 0.0 - paid)


def tax_by_cells(rewards: ArrayLike, cleaned: ArrayLike, roles: Roles, tax: ArrayLike) -> FloatArray:
    """Tax harvest income and share it among the cleaners in proportion to the cells each cleaned.

    A step in which no cleaner cleaned a cell is not taxed: no work, no pay. So the tax raised over an
    episode is at most `tax` of the harvest, often far less. Conserves money. Errors: as `tax_and_share`.
    """
    rewards = per_agent("rewards", rewards, roles)
    _crew_size(roles, tax)
    work = np.where(roles.cleaner, per_agent("cleaned", cleaned, roles), 0.0)
    total = work.sum(axis=-1, keepdims=True)
    paid = np.where(roles.harvester & (total > 0), _per_game(tax) * rewards, 0.0)
    pot = paid.sum(axis=-1, keepdims=True)
    return np.where(roles.cleaner, pot * (work / np.where(total > 0, total, 1.0)), 0.0 - paid)


def pay_per_cell(cleaned: ArrayLike, roles: Roles, price: ArrayLike, *, minted: bool = False) -> FloatArray:
    """Pay each cleaner `price` apples per waste cell that it cleaned in this step.

    The harvesters pay the bill in equal parts, even beyond what they earn, so money is conserved.
    With `minted` the principal pays instead, and transfers sum to price * cells cleaned.

    Raises:
        ContractsError: there is no harvester to pay, and the payment is not minted. (If agents are
            absent, the payers have left and nothing is paid instead.)
    """
    earned = np.where(roles.cleaner, _per_game(price) * per_agent("cleaned", cleaned, roles), 0.0)
    payers = int(roles.harvester.sum())
    if minted:
        return earned
    if not payers:
        if np.any(np.asarray(price) > 0) and ABSENT not in roles.names:
            raise ContractsError(
                "the harvesters pay for the cells cleaned, but no agent is a 'harvester': "
                "give some agents that role, or use minted=True"
            )
        return np.zeros_like(earned)
    return np.where(roles.harvester, 0.0 - earned.sum(axis=-1, keepdims=True) / payers, earned)


def linear_shares(rewards: ArrayLike, roles: Roles, weights: ArrayLike) -> FloatArray:
    """Give every agent a share of the team's reward in place of its own: r_i = alpha_i * G (eq. 1).

    G is the sum of the raw rewards of the step over all agents, so transfer i is alpha_i * G - r_i.
    Mints (sum_i alpha_i - 1) * G apples per step (destroys them where negative): money is conserved
    only if the weights, shape (N,), sum to 1. The share of an absent agent is not paid out.
    """
    rewards = per_agent("rewards", rewards, roles)
    shares = per_agent("weights", weights, roles) * rewards.sum(axis=-1, keepdims=True)
    return np.where(roles.mask(ABSENT), 0.0, shares - rewards)


def share_rewards(rewards: ArrayLike, roles: Roles, share: ArrayLike) -> FloatArray:
    """Let every agent give a fixed share of its own reward to all others, in equal parts, whatever its role.

    Agent i of the N that are present: -share * r_i + share / (N - 1) * sum_(j != i) r_j. It keeps 1 - share, which
    Willis et al. 2024 (arXiv 2310.12928) call its self-interest level. Negative rewards are shared in the same way; an
    agent that is alone keeps all. Conserves money.
    """
    rewards = per_agent("rewards", rewards, roles)
    here = ~roles.mask(ABSENT)
    others = int(here.sum()) - 1
    if others < 1:
        return np.zeros_like(rewards)
    given = np.where(here, _per_game(share) * rewards, 0.0)
    received = (given.sum(axis=-1, keepdims=True) - given) / others
    return np.where(here, received - given, 0.0)


def utilities(rewards: ArrayLike, transfers: ArrayLike, costs: ArrayLike) -> FloatArray:
    """Return what each agent takes home, rewards + transfers - costs, (..., N) in apples."""
    return np.asarray(rewards, np.float64) + np.asarray(transfers, np.float64) - np.asarray(costs, np.float64)


def welfare(rewards: ArrayLike, costs: ArrayLike) -> FloatArray:
    """Return the principal's gain G of a step, sum over agents of r - c, (...) in apples.

    Under a rule that conserves money this is also the sum of all utilities.
    """
    return np.asarray((np.asarray(rewards, np.float64) - np.asarray(costs, np.float64)).sum(axis=-1))


def conserves_money(transfers: ArrayLike, rewards: ArrayLike = 0.0) -> NDArray[np.bool_]:
    """Return for each game whether its transfers, (..., N), sum to zero up to rounding, (...).

    Rounding is relative to the transfers and to the rewards: transfers may be small differences of rewards.
    False also where a transfer is not finite, or where they are so large that their sum is not.
    """
    paid, earned = np.asarray(transfers, np.float64), np.asarray(rewards, np.float64)
    size = (np.abs(paid) + np.abs(earned)).sum(axis=-1)
    return np.asarray((np.abs(paid.sum(axis=-1)) < 1e-9 * size + TINY) & (size < np.inf))


def per_agent(name: str, values: ArrayLike, roles: Roles) -> FloatArray:
    """Return values as float64 (..., N), after checking that there is one for each of the N agents.

    Raises:
        ContractsError: the last axis has another length; the message calls the values by `name`.
    """
    array = as_floats(values)
    if array is None:
        raise ContractsError(f"{name} must be an array of real numbers, got {shown(values)}")
    if array.ndim == 0 or array.shape[-1] != len(roles.names):
        raise ContractsError(
            f"{name} must have one entry per agent on the last axis: there are {len(roles.names)} agents, "
            f"got shape {array.shape}"
        )
    return array


def _per_game(number: ArrayLike) -> FloatArray:
    """One number, or (B,) numbers, in the shape that multiplies arrays (..., N)."""
    return np.asarray(number, np.float64)[..., None]


def as_floats(values: object) -> FloatArray | None:
    """Return an array of real numbers as float64, without a copy if it is one; None if it is something else."""
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, OverflowError):
        return None
    if array.dtype == np.float64:
        return array
    return array.astype(np.float64) if array.dtype.kind in "fiub" else None


def _crew_size(roles: Roles, tax: ArrayLike) -> int:
    crew = roles.names.count("cleaner")
    if not crew and np.any(np.asarray(tax) > 0) and ABSENT not in roles.names:
        raise ContractsError(
            f"a tax of {np.max(tax)} is shared among the cleaners, but no agent is a 'cleaner': "
            "give some agents that role, or use tax 0"
        )
    return crew

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

from collections.abc import Mapping

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
    return _share(per_agent("rewards", rewards, roles), roles, _per_game(tax))


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


def tax_each(rewards: ArrayLike, roles: Roles, taxes: ArrayLike) -> FloatArray:
    """Tax each harvester's income at its own rate, and share all that is paid equally among the cleaners.

    Harvester j: -tax_j * r_j. Cleaner k: sum_j tax_j * r_j / N_a. Others: 0. `taxes` are those of the H harvesters of
    the game in their order, (H,), or (B, H) per game; those of absent ones raise nothing. Conserves money. The
    paper's general problem: alpha_1..alpha_H, and the crew.

    Raises:
        ContractsError: there are not as many taxes as harvesters, or as `tax_and_share`.
    """
    rates = np.asarray(taxes, np.float64)
    check_taxes(rates, roles)
    each = np.zeros((*rates.shape[:-1], len(roles.names)))
    each[..., roles.mask_of_game("harvester")] = rates
    return _share(per_agent("rewards", rewards, roles), roles, each)


def tax_by_piece_rate(
    rewards: ArrayLike, cleaned: ArrayLike, roles: Roles, tax: ArrayLike, piece_rate: ArrayLike
) -> FloatArray:
    """Tax harvest income, share a part of it by cells cleaned (a piece rate) and the rest equally (a team bonus).

    The sum of `tax_and_share` at tax * (1 - piece_rate) and of `tax_by_cells` at tax * piece_rate: in a step in which
    nobody cleaned a cell, the harvesters keep the second part. Conserves money. Errors: as `tax_and_share`.
    """
    equal, by_cells = split_tax(tax, piece_rate)
    return tax_and_share(rewards, roles, equal) + tax_by_cells(rewards, cleaned, roles, by_cells)


def free_tax(
    apples: ArrayLike, cleaned: ArrayLike, roles: Roles, tax: ArrayLike, piece_rate: ArrayLike = 0.0
) -> FloatArray:
    """Tax what free agents eat; they share a part of it by cells cleaned and the rest equally.

    Of the N free agents, who ate e_i apples and cleaned w_i cells in this step, agent i gets on balance

        tax * (1 - piece_rate) * (sum_j e_j / N - e_i) + tax * piece_rate * (sum_j e_j * w_i / sum_j w_j - e_i),

    the second part only if somebody cleaned a cell. It is what was eaten that is taxed and no fine, so an agent that
    was hit by a penalty beam gets nothing back. Conserves money.

    Raises:
        ContractsError: tax > 0 without free agents. (If agents are absent, they have left and nothing is taxed.)
    """
    eaten = np.where(roles.free, per_agent("apples", apples, roles), 0.0)
    work = np.where(roles.free, per_agent("cleaned", cleaned, roles), 0.0)
    n = roles.names.count("free")
    if not n:
        if np.any(np.asarray(tax) > 0) and ABSENT not in roles.names:
            raise ContractsError(
                f"a tax of {np.max(tax)} is one on what free agents eat, but no agent is 'free': "
                "give some agents that role, or use tax 0"
            )
        return np.zeros_like(eaten)
    equal, by_cells = split_tax(tax, piece_rate)
    pot, cells = eaten.sum(axis=-1, keepdims=True), work.sum(axis=-1, keepdims=True)
    # Products of counts first, divided once: what is due to all alike is then no difference of roundings.
    bonus = _per_game(equal) * (pot / n - eaten)
    piece = _per_game(by_cells) * np.where(cells > 0, pot * work / np.where(cells > 0, cells, 1.0) - eaten, 0.0)
    return np.where(roles.free, bonus + piece, 0.0)


def split_tax(tax: ArrayLike, piece_rate: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return the part of a tax that is shared equally, tax * (1 - piece_rate), and the part shared by cells."""
    rate, part = np.asarray(tax, np.float64), np.asarray(piece_rate, np.float64)
    return np.asarray(rate * (1.0 - part)), np.asarray(rate * part)


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


def shares_by_role(rewards: ArrayLike, roles: Roles, weights: Mapping[str, ArrayLike]) -> FloatArray:
    """Give every agent of a role the same share of the team's reward in place of its own: `linear_shares` by role.

    `weights` has one number for each role, or (B,) numbers, one per game; a negative one is a penalty. Agents of other
    roles keep what they have, and what they earn belongs to the team all the same. Mints as `linear_shares`.
    """
    rewards = per_agent("rewards", rewards, roles)
    total = rewards.sum(axis=-1, keepdims=True)
    paid = np.zeros_like(rewards)
    for role, weight in weights.items():
        paid = np.where(roles.mask(role), _per_game(weight) * total - rewards, paid)
    return paid


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
    with np.errstate(invalid="ignore"):  # inf - inf, which is refused
        total = paid.sum(axis=-1)
    return np.asarray((np.abs(total) < 1e-9 * size + TINY) & (size < np.inf))


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


def check_taxes(taxes: ArrayLike, roles: Roles) -> None:
    """Refuse taxes (..., H) that are not one for each of the game's H harvesters, absent ones too."""
    given, there = np.shape(taxes)[-1:], roles.of_game.count("harvester")
    if given != (there,):
        raise ContractsError(
            f"an own tax for each harvester is needed: the game has {there} harvesters, got {given[0] if given else 1} taxes"
        )


def _share(rewards: FloatArray, roles: Roles, rates: FloatArray) -> FloatArray:
    """Tax harvesters at rates (..., N) or (..., 1), and share what they pay equally among the cleaners."""
    crew = _crew_size(roles, rates)
    if not crew:
        return np.zeros_like(rewards)
    paid = np.where(roles.harvester, rates * rewards, 0.0)
    share = paid.sum(axis=-1, keepdims=True) / crew
    return np.where(roles.cleaner, share, 0.0 - paid)


def _crew_size(roles: Roles, tax: ArrayLike) -> int:
    crew = roles.names.count("cleaner")
    if not crew and np.any(np.asarray(tax) > 0) and ABSENT not in roles.names:
        raise ContractsError(
            f"a tax of {np.max(tax)} is shared among the cleaners, but no agent is a 'cleaner': "
            "give some agents that role, or use tax 0"
        )
    return crew

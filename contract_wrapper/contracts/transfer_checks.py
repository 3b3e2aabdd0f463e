"""Whether what a payment rule gave can be paid out."""

from __future__ import annotations

from typing import Any

import numpy as np

from contract_wrapper.contracts.roles import ABSENT, Roles
from contract_wrapper.contracts.transfers import FloatArray, as_floats, conserves_money
from contract_wrapper.errors import ContractsError


def check_transfers(given: object, rewards: FloatArray, roles: Roles, payment: str, *, mints: bool) -> FloatArray:
    """Return what a payment rule gave as float64 (..., N), after checking that it can be paid out.

    Args:
        given: what the rule returned.
        rewards: the raw rewards, (..., N).
        roles: roles of the step.
        payment: what messages call the rule.
        mints: whether transfers may sum to something else than 0.

    Raises:
        ContractsError: it is no array of numbers, has another shape than the rewards, holds NaN or
            infinity, pays an absent agent, or makes or destroys money although `mints` is false.
    """
    transfers = as_floats(given)
    if transfers is None:
        kind = f"array of {given.dtype}" if isinstance(given, np.ndarray) else type(given).__name__
        raise ContractsError(f"{payment} must return an array of transfers per agent, got a {kind}")
    if transfers.shape != rewards.shape:
        raise ContractsError(
            f"{payment} must return one transfer per agent, an array of shape {rewards.shape} like the rewards, "
            f"got shape {transfers.shape}"
        )
    # What conserves money is finite: one pass over the numbers is enough where nothing is wrong.
    conserved = None if mints else conserves_money(transfers, rewards)
    if conserved is None or not conserved.all():
        _check_each(np.isfinite(transfers), transfers, roles, payment, "a transfer must be a finite number")
    if ABSENT in roles.names:
        fair = ~roles.mask(ABSENT) | (transfers == 0)
        _check_each(fair, transfers, roles, payment, "it has left the episode and must get 0")
    if conserved is not None and not conserved.all():
        with np.errstate(over="ignore", invalid="ignore"):
            total = transfers.sum(axis=-1)[~conserved].flat[0]
            too_large = not np.isfinite(np.abs(transfers).sum() + np.abs(rewards).sum())
        if too_large:
            raise ContractsError(
                f"{payment} pays or is given amounts that are too large to be summed: use smaller ones"
            )
        raise ContractsError(
            f"{payment} conserves money, so transfers must sum to 0 in every step, but they sum to "
            f"{total} apples: if that is meant, say so with mints=True"
        )
    return transfers


def _check_each(good: Any, transfers: FloatArray, roles: Roles, payment: str, rule: str) -> None:
    """Refuse the first transfer that is not good, an array (..., N); the message names agent, value and rule."""
    if not good.all():
        where = tuple(np.argwhere(~good)[0])
        raise ContractsError(f"{payment} pays {roles.label(int(where[-1]))} {transfers[where]} apples: {rule}")

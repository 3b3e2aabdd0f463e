"""What a custom payment rule gives, and whether it can be paid out."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from contract_wrapper.contracts.payment_rules import CustomPayment, PaymentRule
from contract_wrapper.contracts.roles import ABSENT, Activity, Roles
from contract_wrapper.contracts.transfers import FloatArray, as_floats, conserves_money
from contract_wrapper.errors import ContractsError, raised, shown


def payment_name(payment: PaymentRule) -> str:
    """Return what messages call a payment rule: a function by its name and the numbers that are bound to it.

    >>> def share(rewards, activity, roles, part): ...
    >>> payment_name(CustomPayment(function=functools.partial(share, part=0.5)))
    'the payment function share(part=0.5)'
    """
    if not isinstance(payment, CustomPayment):
        return f"the payment rule {type(payment).__name__}"
    function, bound = payment.function, ""
    if isinstance(function, functools.partial):
        numbers = [*map(shown, function.args), *(f"{name}={shown(value)}" for name, value in function.keywords.items())]
        function, bound = function.func, f"({', '.join(numbers)})"
    return f"the payment function {getattr(function, '__name__', shown(function))}{bound}"


def asked(payment: PaymentRule, name: str, rewards: FloatArray, activity: Activity, roles: Roles) -> object:
    """Return what a custom rule gives, unchecked.

    Raises:
        ContractsError: the rule raises; the message names the rule, what it raised, and the line where it did.
    """
    try:
        return payment.transfers(rewards, activity, roles)
    except ContractsError:
        raise
    except Exception as error:
        # Without `from`: what a rule raises is never a fault of the machine, also if it is an OSError.
        raise ContractsError(f"{name} raised {raised(error)}; rewards were of shape {rewards.shape}")  # noqa: B904


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
        _check_each(
            fair,
            transfers,
            roles,
            payment,
            "it has left the episode and must get 0 (roles.mask('absent') says who has)",
        )
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

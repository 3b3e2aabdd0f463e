"""Payment rules by name, as `--payment` gives them: each is a function from a contract to its rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.payment_rules import PaymentRule, PayPerCell, RewardSharing, TaxByCells
from contract_wrapper.errors import ContractsError, shown

NAMES = ("share", "cells", "price:APPLES", "sharing:SHARE")
"""The tax in equal shares (the default), the tax by cells cleaned, a price per cell that the harvesters pay, a share of
every agent's reward for all others."""


@dataclass(frozen=True, slots=True)
class ByCells:
    """The tax, shared in proportion to cells cleaned."""

    def __call__(self, contract: Contract) -> PaymentRule:
        """Return the rule of a contract."""
        return TaxByCells(tax=contract.tax)


@dataclass(frozen=True, slots=True)
class ByPrice:
    """A price per cell cleaned, which harvesters pay in equal parts."""

    price: float
    """Apples per cell."""

    def __call__(self, contract: Contract) -> PaymentRule:
        """Return the rule of a contract, whose tax must be 0."""
        return PayPerCell(price=self.price)


@dataclass(frozen=True, slots=True)
class BySharing:
    """A share of its reward that every agent gives to all others equally."""

    share: float
    """Between 0 and 1."""

    def __call__(self, contract: Contract) -> PaymentRule:
        """Return the rule of a contract, whose tax must be 0."""
        return RewardSharing(share=self.share)


def named_payment(text: str) -> Callable[[Contract], PaymentRule] | None:
    """Read a payment rule; None is the default, tax and share.

    >>> named_payment("price:0.5")
    ByPrice(price=0.5)

    Raises:
        ContractsError: there is no rule of that name, or its price or share is none.
    """
    name, colon, number = text.partition(":")
    if text == "share":
        return None
    if text == "cells":
        return ByCells()
    if name == "price" and colon:
        try:
            price = float(number)
        except ValueError as error:
            raise ContractsError(
                f"a price is a number of apples per cell, such as price:0.5, got {shown(text)}"
            ) from error
        PayPerCell(price=price)
        return ByPrice(price)
    if name == "sharing" and colon:
        try:
            share = float(number)
        except ValueError as error:
            raise ContractsError(f"a share is a part of the reward, such as sharing:0.2, got {shown(text)}") from error
        RewardSharing(share=share)
        return BySharing(share)
    raise ContractsError(f"there is no payment {shown(text)}: choose one of {', '.join(NAMES)}")

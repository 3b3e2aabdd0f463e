"""A function of yours with named numbers, as a family of contracts."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import keyword
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from contract_wrapper.contracts.costs import MOST_APPLES
from contract_wrapper.contracts.families import Bounds, checked_range, numbers_of
from contract_wrapper.contracts.payment_rules import CustomPayment, PaymentRule
from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.contracts.transfers import FloatArray
from contract_wrapper.errors import ContractsError, shown

MOST_TERMS = 1_000
"""Named numbers that a function may have."""

_TAKEN = ("rewards", "activity", "roles")
"""Names of what the function gets besides its numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionContracts:
    """Contracts that a function of yours pays, `f(rewards, activity, roles, **numbers)`, which differ in its numbers.

    The function returns net transfers (..., N) in apples. In a batch of games the rewards and what agents did are
    (B, N) and each number is (B, 1), one per game; under one contract they are (N,) and a float. Written with numpy,
    the same lines serve both. Every step checks what it returns, as of any payment function.

    >>> def bonus(rewards, activity, roles, per_cell):
    ...     earned = per_cell * activity.cleaned * roles.cleaner
    ...     return earned - earned.sum(axis=-1, keepdims=True) * roles.harvester / roles.harvester.sum()
    >>> family = FunctionContracts(function=bonus, terms={"per_cell": (0.0, 0.5)}, needs=("cleaned",))
    >>> family.terms, family.bounds
    (('per_cell',), ((0.0, 0.5),))

    A file cannot hold a function, and none is looked for in a file: where contracts must be stored, give the family a
    name with `register_family` in every program that writes or reads them.
    """

    function: Callable[..., Any]
    """Takes rewards (..., N), activity, roles and its numbers by name; returns net transfers (..., N) in apples."""

    terms: tuple[str, ...]
    """Names of the numbers; given as a mapping from each to its least and largest value."""

    needs: tuple[str, ...] = ()
    """Which of 'shots', 'cleaned', 'apples' the function must know of those who are paid."""

    mints: bool = False
    """Whether the transfers may sum to something else than zero."""

    linear: bool = False
    """Whether the transfers are sums of what each number would move alone at 1, times the number. It is not checked:
    samples are then learned from under other contracts, which teaches nonsense where it is false."""

    pays: tuple[str, ...] = ("harvester",)
    """Roles that pay."""

    paid: tuple[str, ...] = ("cleaner",)
    """Roles that are paid."""

    bounds: Bounds = ()
    """Least and largest value of each number; left out where `terms` is a mapping."""

    if TYPE_CHECKING:  # a mapping is accepted, and its names are what is kept: a field has one type for both

        def __init__(
            self,
            *,
            function: Callable[..., Any],
            terms: Mapping[str, tuple[float, float]] | tuple[str, ...],
            needs: tuple[str, ...] = ...,
            mints: bool = ...,
            linear: bool = ...,
            pays: tuple[str, ...] = ...,
            paid: tuple[str, ...] = ...,
            bounds: Bounds = ...,
        ) -> None: ...

    def __post_init__(self) -> None:
        given: object = self.terms
        names = tuple(given) if isinstance(given, (Mapping, tuple)) else ()
        ranges = tuple(given.values()) if isinstance(given, Mapping) else self.bounds
        if not 1 <= len(names) <= MOST_TERMS or not isinstance(ranges, tuple) or len(ranges) != len(names):
            raise ContractsError(
                "terms must map the name of each number to its least and largest value, for example "
                f"{{'bonus': (0, 1)}}, from 1 to {MOST_TERMS:,} of them, got {shown(given)}"
            )
        for name in names:
            if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or name in _TAKEN:
                raise ContractsError(
                    f"a term is the name of an argument of the function, other than {', '.join(_TAKEN)}, got {shown(name)}"
                )
        checked = tuple(
            checked_range(name, pair, -MOST_APPLES, MOST_APPLES) for name, pair in zip(names, ranges, strict=True)
        )
        rule = CustomPayment(  # which checks these
            function=self.function, mints=self.mints, needs=self.needs, pays=self.pays, paid=self.paid
        )
        if not isinstance(self.linear, bool):
            raise ContractsError(f"linear must be True or False, got {shown(self.linear)}")
        _check_arguments(self.function, names)
        for field, value in (("terms", names), ("bounds", checked), *((f, getattr(rule, f)) for f in _OF_RULE)):
            object.__setattr__(self, field, value)

    @property
    def n_shown(self) -> int:
        """As many numbers as the contract has."""
        return len(self.terms)

    def with_bounds(self, bounds: Mapping[str, tuple[float, float]]) -> FunctionContracts:
        """Return the family with other bounds of the same numbers; an error if they are others."""
        if set(bounds) != set(self.terms):
            raise ContractsError(f"these contracts have the terms {', '.join(self.terms)}, got {shown(list(bounds))}")
        return dataclasses.replace(self, bounds=tuple(bounds[name] for name in self.terms))

    def payment(self, terms: FloatArray) -> PaymentRule:
        """Return the rule by which each game pays by its own numbers, terms (B, P)."""
        return self._paying({name: terms[:, k : k + 1] for k, name in enumerate(self.terms)})

    def rule(self, **numbers: float) -> PaymentRule:
        """Return the payment rule of one contract: `rule(bonus=0.1)`."""
        return self._paying(dict(zip(self.terms, numbers_of(self, numbers), strict=True)))

    def shown(self, terms: FloatArray, roles: Roles) -> FloatArray:
        """Return all terms, from 0 at the least value to 1 at the largest, (B, N, P): the same for every agent."""
        low, high = np.array(self.bounds).T
        seen = (terms - low) / np.where(high > low, high - low, 1.0)
        return np.repeat(seen[:, None], len(roles.names), axis=1)

    def scale(self, terms: FloatArray, roles: Roles) -> FloatArray:
        """Return ones, (B, N): nothing is known of how pay grows with the numbers."""
        return np.ones((len(terms), len(roles.names)))

    def _paying(self, numbers: Mapping[str, Any]) -> CustomPayment:
        function = self.function

        @functools.wraps(function)
        def with_numbers(rewards: FloatArray, activity: Activity, roles: Roles) -> Any:
            return function(rewards, activity, roles, **numbers)

        return CustomPayment(function=with_numbers, **{field: getattr(self, field) for field in _OF_RULE})


_OF_RULE = ("mints", "needs", "pays", "paid")
"""Fields that are those of the payment rule."""


def _check_arguments(function: Callable[..., Any], names: tuple[str, ...]) -> None:
    """Refuse a function that cannot be called with these numbers, as far as Python can tell beforehand."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of some compiled functions nothing can be told
        return
    try:
        signature.bind(None, None, None, **dict.fromkeys(names))
    except TypeError as error:
        raise ContractsError(
            f"the function must take (rewards, activity, roles, {', '.join(names)}), but cannot: {error}"
        ) from None

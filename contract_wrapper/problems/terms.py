"""The terms of a contract: its numbers, each with the range in which the principal chooses it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from contract_wrapper.contracts.contract import as_int, as_number
from contract_wrapper.contracts.designed_contract import Number
from contract_wrapper.errors import ContractsError, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One number of a contract.

    >>> Term(name="quota", low=0, high=10, whole=True).checked(7)
    7
    """

    name: str
    """Its name; a Python name, so that functions can take it as an argument."""

    low: float
    """Least value."""

    high: float
    """Largest value, at least `low`."""

    step: float | None = None
    """Distance of neighbouring values, from `low` on; None: any number between the two."""

    whole: bool = False
    """Whether it is a count: the integers from `low` to `high`."""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.isidentifier():
            raise ContractsError(f"the name of a term must be a Python name such as 'tax', got {shown(self.name)}")
        for name in ("low", "high"):
            number = as_number(getattr(self, name))
            if number is None or not math.isfinite(number):
                raise ContractsError(f"{name} of {self.name} must be a finite number, got {shown(getattr(self, name))}")
            if self.whole and not number.is_integer():
                raise ContractsError(f"{name} of {self.name} must be an integer, as it is a count, got {number:g}")
            object.__setattr__(self, name, number + 0.0)
        if self.low > self.high:
            raise ContractsError(f"low of {self.name} must be at most high, got {self.low:g} and {self.high:g}")
        if self.step is not None:
            step = as_number(self.step)
            if self.whole or step is None or not 0.0 < step <= max(self.high - self.low, 1e-300):
                raise ContractsError(
                    f"step of {self.name} must be a number above 0 and at most {self.high - self.low:g}, and None for a "
                    f"count, got {shown(self.step)}"
                )
            object.__setattr__(self, "step", step)

    def checked(self, value: object) -> Number:
        """Return a value of this term as a plain number.

        Raises:
            ContractsError: it is no number, lies outside the range or, for a count, is no integer.
        """
        number = as_number(value)
        if number is None or not self.low <= number <= self.high:
            raise ContractsError(f"{self.name} must lie in [{self.low:g}, {self.high:g}], got {shown(value)}")
        if not self.whole:
            return number + 0.0
        count = as_int(value)
        if count is None and not number.is_integer():
            raise ContractsError(f"{self.name} must be an integer, got {shown(value)}")
        return int(number)

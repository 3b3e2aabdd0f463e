"""Contracts of a design problem other than Clean-up's tax and crew: named numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract_wrapper.contracts.contract import Contract, as_int, as_number
from contract_wrapper.errors import ContractsError, shown

MOST_NUMBERS = 1000
"""Numbers of a contract; more than that no search gets through."""

Number = float | int


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignedContract:
    """What the principal chose in a design problem: a number for each of its terms, or no contract.

    Two contracts are equal when problem and numbers are, so a contract can be a dictionary key.

    >>> str(DesignedContract.of("fishery", {"tax": 0.25, "quota": 3}))
    'tax 0.25, quota 3'
    """

    problem: str
    """Name of the design problem."""

    numbers: tuple[tuple[str, Number], ...] = ()
    """Name and value of each term, in the problem's order; none: no contract, the baseline."""

    def __post_init__(self) -> None:
        if not isinstance(self.problem, str) or not self.problem:
            raise ContractsError(f"a contract names its design problem, got {shown(self.problem)}")
        if not isinstance(self.numbers, tuple) or len(self.numbers) > MOST_NUMBERS:
            raise ContractsError(f"a contract has at most {MOST_NUMBERS} pairs of a name and a number")
        pairs = tuple(_pair(pair) for pair in self.numbers)
        if len({name for name, _ in pairs}) < len(pairs):
            raise ContractsError(f"a contract names each term once, got {', '.join(name for name, _ in pairs)}")
        object.__setattr__(self, "numbers", pairs)

    @classmethod
    def of(cls, problem: str, numbers: Mapping[str, Number]) -> DesignedContract:
        """Build a contract from its numbers by name."""
        return cls(problem=problem, numbers=tuple(numbers.items()))

    @property
    def is_none(self) -> bool:
        """Whether this is the baseline without a contract."""
        return not self.numbers

    def as_dict(self) -> dict[str, Any]:
        """Return the contract as plain data, for JSON: `{"problem": ..., "numbers": {...}}`."""
        return {"problem": self.problem, "numbers": dict(self.numbers)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> DesignedContract:
        """Build the contract that `as_dict` wrote.

        Raises:
            ContractsError: a key is missing or unknown, or a number is none.
        """
        if not isinstance(data, Mapping) or set(data) != {"problem", "numbers"}:
            raise ContractsError(
                f"a contract of a design problem has the keys 'problem' and 'numbers', got {shown(data)}"
            )
        if not isinstance(data["numbers"], Mapping):
            raise ContractsError(f"the numbers of a contract are a mapping by name, got {shown(data['numbers'])}")
        return cls.of(data["problem"], data["numbers"])

    def __str__(self) -> str:
        if self.is_none:
            return "no contract"
        return ", ".join(f"{name} {value!r}".removesuffix(".0") for name, value in self.numbers)


AnyContract = Contract | DesignedContract
"""What a principal may have chosen."""


def of_cleanup(contract: AnyContract) -> Contract:
    """Return a contract of Clean-up's tax and crew as it is.

    Raises:
        ContractsError: it is one of a design problem.
    """
    if not isinstance(contract, Contract):
        raise ContractsError(
            f"{contract} is a contract of the problem {contract.problem}: this can be told of Clean-up's tax and crew alone"
        )
    return contract


def read_contract(data: Any) -> AnyContract:
    """Build the contract that its `as_dict` wrote, of Clean-up or of a design problem.

    Raises:
        ContractsError: it is none.
    """
    of_problem = isinstance(data, Mapping) and "problem" in data
    return DesignedContract.from_dict(data) if of_problem else Contract.from_dict(data)


def _pair(pair: Any) -> tuple[str, Number]:
    if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not isinstance(pair[0], str) or not pair[0]:
        raise ContractsError(f"a contract is made of pairs of a name and a number, got {shown(pair)}")
    whole, number = as_int(pair[1]), as_number(pair[1])
    if whole is None and (number is None or not math.isfinite(number)):
        raise ContractsError(f"{pair[0]} must be a finite number, got {shown(pair[1])}")
    return pair[0], whole if whole is not None else number + 0.0  # type: ignore[operator]

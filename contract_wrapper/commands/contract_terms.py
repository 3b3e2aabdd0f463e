"""The contract that the options of a command name: a tax and a number of cleaners, or the terms of another family."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, NoReturn

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError, shown

if TYPE_CHECKING:
    from contract_wrapper.contracts.designed_contract import AnyContract
    from contract_wrapper.evaluation.settings import EvaluationSettings
    from contract_wrapper.problems.problem import DesignProblem
    from contract_wrapper.problems.terms import Term

NOTHING = "none"
"""The terms of no contract, against which contracts are judged."""

TAX, CREW = "tax", "n_cleaners"
"""Terms that have options of their own."""

USUAL = "tax (0 to 1), n_cleaners (a whole number)"
"""Terms of the contracts of tax and share, with their ranges."""


def is_named(options: argparse.Namespace) -> bool:
    """Whether the options say any number of a contract."""
    return any(getattr(options, name) is not None for name in ("tax", "cleaners", "terms"))


def contract_of(options: argparse.Namespace, settings: EvaluationSettings) -> AnyContract:
    """Build the contract of a command that needs one, of the problem that its settings name.

    `--tax` and `--cleaners` are the terms `tax` and `n_cleaners` of any family that has them.

    Raises:
        ContractsError: `--terms` cannot be read, terms are missing, unknown, twice or out of range; it says which terms
            there are, and their ranges.
    """
    problem, numbers = settings.problem, _numbers(options)
    if options.terms == NOTHING and not numbers:
        return settings.none()
    if problem is None:
        return _usual(numbers)
    if set(numbers) != {term.name for term in problem.terms}:
        _refuse(_ranges(problem), numbers, problem.terms)
    try:
        return problem.contract(**numbers)
    except ContractsError as error:
        raise ContractsError(f"{error}; the terms are {_ranges(problem)}") from error


def _usual(numbers: Mapping[str, float]) -> Contract:
    if set(numbers) != {TAX, CREW}:
        _refuse(USUAL, numbers)
    crew = numbers[CREW]
    return Contract(tax=numbers[TAX], n_cleaners=int(crew) if float(crew).is_integer() else crew)  # type: ignore[arg-type]


def _refuse(ranges: str, numbers: Mapping[str, float], terms: tuple[Term, ...] = ()) -> NoReturn:
    example = ",".join(f"{term.name}={(term.low if term.whole else (term.low + term.high) / 2):g}" for term in terms)
    how = f"--terms {example}" if terms else "--tax 0.3 --cleaners 5, or --contract NAME and its --terms"
    raise ContractsError(
        f"the contract has the terms {ranges}, got {', '.join(numbers) or 'none of them'}: give all of them and no other, "
        f"such as {how}"
    )


def _numbers(options: argparse.Namespace) -> dict[str, float]:
    """All numbers that the options give, by the names of their terms."""
    numbers: dict[str, float] = {}
    for name, option in ((TAX, "tax"), (CREW, "cleaners")):
        if getattr(options, option) is not None:
            numbers[name] = getattr(options, option)
    text = options.terms
    for part in [] if text is None or text.strip() in ("", NOTHING) else text.split(","):
        name, equals, value = (some.strip() for some in part.partition("="))
        number = _number(value)
        if not equals or not name or number is None:
            raise ContractsError(
                f"--terms must be names with numbers, such as tax=0.3,piece_rate=0.5,n_cleaners=4, got {shown(part)}"
            )
        if name in numbers:
            raise ContractsError(f"the term {name} is given twice: leave one of them out")
        numbers[name] = number
    return numbers


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _ranges(problem: DesignProblem) -> str:
    """Terms with their ranges, as messages name them."""
    return ", ".join(
        f"{term.name} ({term.low:g} to {term.high:g}{', whole' if term.whole else ''})" for term in problem.terms
    )

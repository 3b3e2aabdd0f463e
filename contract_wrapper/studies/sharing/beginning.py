"""How a study begins, also where several processes begin it at once: the first of them, and it alone, queues its trials."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.errors import ContractsError
from contract_wrapper.studies.database import StudyDatabase
from contract_wrapper.studies.record import Phase
from contract_wrapper.studies.running.stored import Configuration, Queued
from contract_wrapper.studies.settings import MAY_CHANGE


def queue_initial(database: StudyDatabase, mine: Configuration, contracts: Sequence[AnyContract], folder: Path) -> None:
    """Queue what is missing of the baseline and the initial designs: all of them, unless somebody did.

    The first one to come writes its configuration in the same transaction, which binds the others.

    Args:
        database: of the study.
        mine: configuration of this process.
        contracts: none, and the initial designs.
        folder: of the study, for messages.

    Raises:
        ContractsError: the study has another configuration, or its first trials are others.
    """
    while True:
        known = database.configuration
        trials = () if known is None else database.trials()
        if known is not None and trials:
            difference = difference_of(known.to_dict(), mine.to_dict())
            if difference:
                raise ContractsError(
                    f"the study in {folder} was made with another configuration ({difference}): "
                    "give the options it was made with, or choose another folder with --folder"
                )
        there = [t.contract for t in trials[: len(contracts)]]
        if there != list(contracts[: len(there)]):
            raise ContractsError(
                f"the first trials of the study in {folder} are not those that its seed gives: a trial was removed "
                "or changed, or another version of this program made it; choose another folder with --folder"
            )
        missing = [
            Queued(contract=contracts[k], phase=Phase.INITIAL if k else Phase.BASELINE)
            for k in range(len(there), len(contracts))
        ]
        if not missing or database.queue(missing, len(trials), mine):
            break
    if database.configuration != mine:  # budgets may change
        database.configuration = mine


def difference_of(known: Any, mine: Any, name: str = "") -> str:
    """Name the first setting that differs and may not; empty if there is none."""
    if name == "crews" and None in (known, mine) and known != mine:
        there, now = ("scratch" if crews is None else "crews" for crews in (known, mine))
        return f"--inner: {there} there, {now} now"
    if not (isinstance(known, dict) and isinstance(mine, dict)):
        return "" if known == mine or name in MAY_CHANGE else f"{name}: {known!r} there, {mine!r} now"
    found = (difference_of(known.get(key), mine.get(key), key) for key in sorted({*known, *mine}))
    return next(filter(None, found), "")

"""A study on disk: a database in a folder, and everything else there made from it.

The folder holds `study.sqlite3` (the truth), `run.json` (configuration, commands, seeds, versions, machine),
`trials.csv`, `outcomes/` (cache, learned policies, checkpoints of stopped trainings; in its `crews/` the crews that
know every contract), `certificates.json` (of contracts
that could be recommended), `figures/`.
"""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any

from contract_wrapper.command_runs import CommandRun, to_plain
from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.envs.batch_game import check_game
from contract_wrapper.errors import ContractsError, require_package
from contract_wrapper.evaluation.by_crews.crew_folder import crews_seconds
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.judging.margins import margins_of, objective_of
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.files import make_folder, write_text
from contract_wrapper.folder_lock import lock_folder
from contract_wrapper.landscapes.certificate import Certificate
from contract_wrapper.studies.certificate_file import read_certificates, write_certificates
from contract_wrapper.studies.database import DATABASE, Configuration, StudyDatabase
from contract_wrapper.studies.record import Batch, Phase, StudyRecord, TrialRecord
from contract_wrapper.studies.settings import MAY_CHANGE, SearchSettings

OUTCOMES = "outcomes"
"""Folder of outcomes, learned policies, crews and checkpoints in a study's folder."""


class Study:
    """An open study; used by one process at a time (its workers only train)."""

    def __init__(
        self, folder: Path, settings: EvaluationSettings, search: SearchSettings, *, command: str = ""
    ) -> None:
        """Open the study in a folder, or begin one there; `command`: what opens it, kept with it (empty: a call).

        Raises:
            ContractsError: the folder holds a study with another configuration, a broken one, or
                one that another process is working on; or it cannot be written.
        """
        self.folder, self.settings, self.search = folder, settings, search
        initial = search.initial_contracts(settings.problem)
        if settings.problem is None:
            check_game(settings.game, search.max_cleaners)  # before anything is written
        if settings.crews is not None and settings.problem is None:
            for n_cleaners in range(1, search.max_cleaners + 1):
                settings.crews.check_knows(n_cleaners)
        make_folder(self.outcomes)
        self._known: StudyRecord | None = None
        self._lock = lock_folder(folder)
        try:
            self._database = StudyDatabase(folder, create=True)
            self._join()
            self._database.add_command(CommandRun.now(command, settings.versions()))
            self._queue_initial(initial)
            self._tell_again()
            self.write_files()
        except BaseException:
            self.close()
            raise

    @property
    def outcomes(self) -> Path:
        """Folder of outcomes, learned policies, crews and checkpoints."""
        return self.folder / OUTCOMES

    def _join(self) -> None:
        """Compare configurations; the first one to come writes its own, and binds others once it has trials."""
        known, mine = self._database.configuration, Configuration(evaluation=self.settings, search=self.search)
        if known is not None and self.record().trials:
            difference = _difference(known.to_dict(), mine.to_dict())
            if difference:
                raise ContractsError(
                    f"the study in {self.folder} was made with another configuration ({difference}): "
                    "give the options it was made with, or choose another folder with --folder"
                )
        self._known = None
        self._database.configuration = mine

    def _queue_initial(self, contracts: list[AnyContract]) -> None:
        """Queue what is missing of the baseline and the initial designs: all of them, unless a stop came between."""
        there = [t.contract for t in self.record().trials[: len(contracts)]]
        if there != contracts[: len(there)]:
            raise ContractsError(
                f"the first trials of the study in {self.folder} are not those that its seed gives: a trial was removed "
                "or changed, or another version of this program made it; choose another folder with --folder"
            )
        for k in range(len(there), len(contracts)):
            self.add(contracts[k], Phase.INITIAL if k else Phase.BASELINE)

    def _tell_again(self) -> None:
        """Finish trials whose result was stored when the program was killed, and which Optuna takes for running."""
        for number in self._database.untold():
            trial = self.record().trials[number]
            self.finish(number, trial.failure if trial.outcome is None else trial.outcome)

    def close(self) -> None:
        """Let other processes have the folder."""
        self._lock.release()

    def add(self, contract: AnyContract, phase: Phase, why: str = "", batch: Batch | None = None) -> None:
        """Queue one evaluation.

        Raises:
            ContractsError: the contract is none of the search's design space.
        """
        self.record().designs.check(contract)
        self._known = None
        self._database.queue(contract, phase, why, batch)

    def open_trials(self) -> list[TrialRecord]:
        """Return the evaluations that are queued or were interrupted, by number."""
        return [t for t in self.record().trials if not t.is_finished]

    def finish(self, number: int, result: Outcome | str) -> None:
        """Store the outcome of an evaluation, or the cause of its failure; one that cannot be judged has failed."""
        margins: dict[str, Estimate] = {}
        if number > 0 and not isinstance(result, str):
            result = self.judged(result)
        if number > 0 and not isinstance(result, str):
            margins = margins_of(result, self._baseline(), self.settings.problem)
        value = None if isinstance(result, str) else self._value(number, result)
        self._known = None
        self._database.finish(number, result, margins, value)
        self.write_files()

    def judged(self, result: Outcome | str) -> Outcome | str:
        """Return an outcome under a contract as it is, or why it cannot be judged: its agents are not the baseline's."""
        if isinstance(result, str):
            return result
        baseline = self._baseline()
        try:
            margins_of(result, baseline, self.settings.problem)
        except ContractsError as error:
            return str(error)
        return result

    def _baseline(self) -> Outcome:
        baseline = self.record().baseline
        if baseline is None:
            raise ContractsError("no contract can be judged before the baseline: finish trial 0 first")
        return baseline

    def _value(self, number: int, result: Outcome) -> float:
        """What the principal maximises, of an outcome that is about to be stored."""
        baseline = result if number == 0 else self.record().baseline
        return result.welfare.mean if baseline is None else objective_of(result, baseline, self.settings.problem).mean

    def certify(self, certificate: Certificate) -> None:
        """Store the certificate of a contract, in place of an older one of the same."""
        others = [c for c in self.record().certificates if c.contract != certificate.contract]
        self._known = None
        write_certificates(self.folder, [*others, certificate], self.settings)

    def record(self) -> StudyRecord:
        """Return the study as it stands, as plain values."""
        if self._known is None:
            self._known = _record(self.folder, self._database)
        return self._known

    def write_files(self) -> None:
        """Write `run.json` and `trials.csv` anew from the database."""
        record = self.record()
        write_text(self.folder / "run.json", json.dumps(_run(record), indent=2) + "\n")
        write_text(self.folder / "trials.csv", record.to_csv())


def read_study(folder: Path) -> StudyRecord:
    """Read a study without touching it.

    Raises:
        ContractsError: there is none in the folder, or it is broken, or optuna is not installed.
    """
    require_package("optuna", "search", "a study on disk")
    if not (folder / DATABASE).is_file():
        raise ContractsError(
            f"there is no study in {folder} (no {DATABASE}): give the folder that `cleanup-contracts optimize` printed"
        )
    return _record(folder, StudyDatabase(folder, create=False))


def _record(folder: Path, database: StudyDatabase) -> StudyRecord:
    trials, configuration = database.trials(), database.configuration
    assert configuration is not None  # `trials` needs it, too
    return StudyRecord(
        folder=folder, settings=configuration.evaluation, search=configuration.search, trials=trials,
        certificates=read_certificates(folder, configuration.evaluation), commands=database.commands(),
    )  # fmt: skip


def _run(record: StudyRecord) -> dict[str, Any]:
    """What `run.json` holds."""
    configuration = Configuration(evaluation=record.settings, search=record.search)
    crews = {} if record.settings.crews is None else crews_seconds(record.folder / OUTCOMES, record.settings)
    return {
        "configuration": configuration.to_dict(),
        "commands": to_plain(record.commands),
        "versions": record.settings.versions(),
        "machine": {
            "system": platform.system(), "kind": platform.machine(), "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "seeds": {str(t.number): t.seed for t in record.trials},
        "crews_cpu_seconds": {str(seed): seconds for seed, seconds in crews.items()},
        "cpu_seconds": sum(crews.values()) + sum(t.outcome.cpu_seconds for t in record.trials if t.outcome is not None),
    }  # fmt: skip


def _difference(known: Any, mine: Any, name: str = "") -> str:
    """Name the first setting that differs and may not; empty if there is none."""
    if name == "crews" and None in (known, mine) and known != mine:
        there, now = ("scratch" if crews is None else "crews" for crews in (known, mine))
        return f"--inner: {there} there, {now} now"
    if not (isinstance(known, dict) and isinstance(mine, dict)):
        return "" if known == mine or name in MAY_CHANGE else f"{name}: {known!r} there, {mine!r} now"
    found = (_difference(known.get(key), mine.get(key), key) for key in sorted({*known, *mine}))
    return next(filter(None, found), "")

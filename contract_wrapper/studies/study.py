"""A study on disk: a database in a folder, and everything else there made from it.

The folder holds `study.sqlite3` (the truth), `run.json` (configuration, commands, seeds, versions, machine),
`trials.csv`, `outcomes/` (cache, learned policies, checkpoints of stopped trainings; in its `crews/` the crews that
know every contract), `certificates.json` (of contracts
that could be recommended), `figures/`.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from contract_wrapper.command_runs import CommandRun
from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.envs.batch_game import check_game
from contract_wrapper.errors import ContractsError, require_package
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.judging.margins import margins_of, objective_of
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.files import make_folder
from contract_wrapper.folder_lock import lock_folder
from contract_wrapper.landscapes.certificate import Certificate
from contract_wrapper.studies.certificate_file import write_certificates
from contract_wrapper.studies.database import StudyDatabase
from contract_wrapper.studies.record import Batch, Phase, StudyRecord, TrialRecord
from contract_wrapper.studies.running.reading import record_of
from contract_wrapper.studies.running.run_file import OUTCOMES, StudyFiles
from contract_wrapper.studies.running.stored import Configuration, Queued
from contract_wrapper.studies.settings import SearchSettings
from contract_wrapper.studies.sharing.attendance import Attendance
from contract_wrapper.studies.sharing.beginning import queue_initial
from contract_wrapper.studies.sharing.place import StudyPlace, check_there, place_of, write_note

if TYPE_CHECKING:
    from filelock import FileLock


class Study:
    """An open study: what one worker knows of it, and the trials that it has claimed."""

    def __init__(
        self,
        folder: Path,
        settings: EvaluationSettings,
        search: SearchSettings,
        *,
        storage: str | None = None,
        study: str | None = None,
        command: str = "",
    ) -> None:
        """Open the study of a folder, or begin one there.

        Args:
            folder: of outcomes, policies, crews and checkpoints; and of the database, where no other is named.
            settings: what its evaluations have in common.
            search: how it is searched.
            storage: URL of a database, `sqlite:///FILE` or `postgresql+psycopg://USER@HOST/DATABASE`.
            study: its name in that database; None: that of the folder.
            command: what opens it, kept with it; empty: a call.

        Raises:
            ContractsError: the folder or name holds a study with another configuration, a broken one, or the folder is
                one that another such process is working in; or it cannot be written.
        """
        self.settings, self.search = settings, search
        initial = search.initial_contracts(settings.problem)
        if settings.problem is None:
            check_game(settings.game, search.max_cleaners)  # before anything is written
        if settings.crews is not None and settings.problem is None:
            for n_cleaners in range(1, search.max_cleaners + 1):
                settings.crews.check_knows(n_cleaners)
        place = place_of(folder, storage, study)
        make_folder(folder / OUTCOMES)
        self._lock: FileLock | None = lock_folder(folder)
        try:
            self._open(folder, place, create=True)
            self._database.add_command(CommandRun.now(command, settings.versions()))
            self._queue_initial(initial)
            self._begin()
        except BaseException:
            self.close()
            raise

    @classmethod
    def join(cls, folder: Path, *, storage: str | None = None, study: str | None = None, command: str = "") -> Study:
        """Work on a study beside others, with the configuration that it has; arguments as above.

        Raises:
            ContractsError: there is no such study, it is broken, or the folder cannot be written.
        """
        place = place_of(folder, storage, study)
        if storage is None:
            check_there(folder)
        self = cls.__new__(cls)
        self._lock = None
        try:
            self._open(folder, place, create=False)
            record = self.record()
            self.settings, self.search = record.settings, record.search
            make_folder(self.outcomes)
            self._begin()
            self._database.add_command(CommandRun.now(command, self.settings.versions()))
        except BaseException:
            self.close()
            raise
        return self

    def _open(self, folder: Path, place: StudyPlace, *, create: bool) -> None:
        self.folder, self.place = folder, place
        self._known: StudyRecord | None = None
        self._files = StudyFiles(folder)
        self._database = StudyDatabase(place, create=create)
        self.attendance = Attendance(self._database.claims)

    def _begin(self) -> None:
        """Take back what workers left that are gone, and finish what they had all but finished."""
        write_note(self.folder, self.place)
        self.attendance.look(alone=self._lock is not None)
        self.refresh()
        self.claim(lambda trial: trial.is_finished)
        self.write_files()

    @property
    def outcomes(self) -> Path:
        """Folder of outcomes, learned policies, crews and checkpoints."""
        return self.folder / OUTCOMES

    @property
    def leads(self) -> bool:
        """Whether this is the process that began or continued the study in this folder, which others join."""
        return self._lock is not None

    @property
    def name(self) -> str:
        """Name of the study in its database."""
        return self._database.name

    def _queue_initial(self, contracts: list[AnyContract]) -> None:
        mine = Configuration(evaluation=self.settings, search=self.search)
        queue_initial(self._database, mine, contracts, self.folder)
        self.refresh()

    def close(self) -> None:
        """Leave the study: claimed trials wait again for others, which may have the folder."""
        try:
            if hasattr(self, "attendance"):
                self._database.close()  # an interrupt inside a transaction leaves its connection with the lock
                self.attendance.close()
                with contextlib.suppress(ContractsError):
                    self._files.follow(self.record, at_once=True)
                self._database.close()
        finally:
            if self._lock is not None:
                self._lock.release()

    def add(self, contract: AnyContract, phase: Phase, why: str = "", batch: Batch | None = None) -> None:
        """Queue one evaluation; errors as in `queue`."""
        queued = Queued(contract=contract, phase=phase, why=why, batch=batch)
        while not self.queue([queued], len(self.record(fresh=True).trials)):
            pass

    def queue(self, trials: Sequence[Queued], expected: int) -> bool:
        """Queue evaluations if the study has as many trials as expected; else another worker queued some, and false.

        Raises:
            ContractsError: a contract is none of the search's design space.
        """
        for trial in trials:
            self.record().designs.check(trial.contract)
        self.refresh()
        return self._database.queue(trials, expected)

    def open_trials(self) -> list[TrialRecord]:
        """Return the evaluations that are queued, at work anywhere, or were interrupted, by number."""
        return [t for t in self.record(fresh=True).trials if not t.is_finished]

    def waiting(self) -> list[TrialRecord]:
        """Return the evaluations that nobody has claimed, by number."""
        return [self._trial(number) for number, _ in self._database.claims.waiting()]

    def _trial(self, number: int) -> TrialRecord:
        """What is known of a trial, which another worker may have queued since it was read."""
        if number >= len(self.record().trials):
            self.refresh()
        return self.record().trials[number]

    def claim(self, wanted: Callable[[TrialRecord], bool] = lambda _: True) -> TrialRecord | None:
        """Take the first evaluation that waits, of those that are wanted; None if there is none.

        One whose result an older version stored, but did not finish when it was killed, is finished on the way.
        """
        for number, trial_id in self._database.claims.waiting():
            if not wanted(self._trial(number)) or not self.attendance.claim(number, trial_id):
                continue
            trial = self._database.trial(number)
            if not trial.is_finished:
                return trial
            self.finish(number, trial.failure if trial.outcome is None else trial.outcome)
        return None

    def finish(self, number: int, result: Outcome | str) -> bool:
        """Store the outcome of an evaluation, or the cause of its failure; one that cannot be judged has failed.

        Returns:
            Whether it was stored. It is not if another worker has the evaluation, or finished it.
        """
        if number not in self.attendance.mine():
            self.attendance.claim(number, self._database.trial_id(number))
        mine = self.attendance.mine().get(number)
        if mine is None:
            return self._lost(number)
        margins: dict[str, Estimate] = {}
        if number > 0 and not isinstance(result, str):
            result = self.judged(result)
        if number > 0 and not isinstance(result, str):
            margins = margins_of(result, self._baseline(), self.settings.problem)
        value = None if isinstance(result, str) else self._value(number, result)
        if not self._database.finish(number, mine, result, margins, value):
            return self._lost(number)
        self.attendance.done(number)
        self._learn(number)
        self._files.follow(self.record)
        return True

    def _lost(self, number: int) -> bool:
        """Forget a trial that another worker has; false."""
        self.attendance.done(number)
        self.refresh()
        return False

    def _learn(self, number: int) -> None:
        """Bring what is known up to date where one trial was finished, without reading all others again."""
        if self._known is None or number >= len(self._known.trials):
            self.refresh()
            return
        trials = list(self._known.trials)
        trials[number] = self._database.trial(number)
        self._known = dataclasses.replace(self._known, trials=tuple(trials))

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
        baseline = self.record().baseline or self.record(fresh=True).baseline
        if baseline is None:
            raise ContractsError("no contract can be judged before the baseline: finish trial 0 first")
        return baseline

    def _value(self, number: int, result: Outcome) -> float:
        """What the principal maximises, of an outcome that is about to be stored."""
        baseline = result if number == 0 else self.record().baseline
        return result.welfare.mean if baseline is None else objective_of(result, baseline, self.settings.problem).mean

    def begin_certifying(self, number: int) -> bool:
        """Take the certificate of the contract of a trial; false if another worker is making or has made it."""
        if not self.attendance.certify(number, self._database.trial_id(number)):
            return False
        if self.record(fresh=True).certified(self.record().trials[number].contract) is not None:
            self.attendance.end_certifying(number)
            return False
        return True

    def certify(self, certificate: Certificate) -> None:
        """Store the certificate of a contract, in place of an older one of the same."""
        number = next(t.number for t in self.record().trials if t.contract == certificate.contract)
        self._database.certify(number, certificate, self.settings)
        write_certificates(self.folder, self.record(fresh=True).certificates, self.settings)

    def record(self, *, fresh: bool = False) -> StudyRecord:
        """Return the study as it stands, as plain values; `fresh`: with what other workers did meanwhile."""
        if fresh:
            self.refresh()
        if self._known is None:
            self._known = record_of(self.folder, self._database)
            if self._lock is None:  # budgets are those of whoever gave the study more
                self.search = self._known.search
        return self._known

    def refresh(self) -> None:
        """Forget what is known, so that what other workers did is read."""
        self._known = None

    def write_files(self) -> None:
        """Write `run.json` and `trials.csv` anew from the database."""
        self._files.write(self.record())


def read_study(folder: Path, *, storage: str | None = None, study: str | None = None) -> StudyRecord:
    """Read a study without touching it.

    Args:
        folder: of the study; with `storage`, of its outcomes alone, and it need not be there.
        storage: URL of the database, if it is not in the folder.
        study: its name in that database; None: that of the folder.

    Raises:
        ContractsError: there is none, or it is broken, or optuna is not installed.
    """
    require_package("optuna", "search", "a study on disk")
    place = place_of(folder, storage, study)
    if storage is None:
        check_there(folder)
    database = StudyDatabase(place, create=False)
    try:
        return record_of(folder, database)
    finally:
        database.close()

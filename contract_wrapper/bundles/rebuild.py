"""The database of a study, built anew from its trials as plain values."""

from __future__ import annotations

from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.judging.margins import margins_of
from contract_wrapper.studies.database import StudyDatabase
from contract_wrapper.studies.record import StudyRecord
from contract_wrapper.studies.running.run_file import OUTCOMES
from contract_wrapper.studies.running.stored import Configuration, Queued
from contract_wrapper.studies.sharing.attendance import Attendance
from contract_wrapper.studies.sharing.place import place_of


def store(record: StudyRecord) -> None:
    """Build the database of a study in its folder, where none is.

    Raises:
        ContractsError: an outcome cannot be judged, or the folder cannot be written.
    """
    (record.folder / OUTCOMES).mkdir()
    database = StudyDatabase(place_of(record.folder), create=True)
    attendance = Attendance(database.claims)
    try:
        _fill(record, database, attendance)
    finally:
        attendance.close()
        database.close()


def _fill(record: StudyRecord, database: StudyDatabase, attendance: Attendance) -> None:
    made_with = Configuration(evaluation=record.settings, search=record.search)
    queued = [
        Queued(contract=t.contract, phase=t.phase, why=t.why, batch=t.batch, pending=t.pending) for t in record.trials
    ]
    database.queue(queued, 0, made_with)
    for run in record.commands:
        database.add_command(run)
    baseline = record.baseline
    for trial in record.trials:
        outcome, margins = trial.outcome, dict[str, Estimate]()
        if not trial.is_finished:
            continue
        if outcome is not None and baseline is None:
            raise ContractsError(f"trial {trial.number} has an outcome, but the game without a contract has none")
        if outcome is not None and baseline is not None and trial.number:
            margins = margins_of(outcome, baseline, record.settings.problem)
        value = None if outcome is None else record.objective(trial).mean
        attendance.claim(trial.number, database.trial_id(trial.number))
        mine = attendance.mine()[trial.number]
        database.finish(trial.number, mine, trial.failure if outcome is None else outcome, margins, value)
        attendance.done(trial.number)

"""The database of a study, built anew from its trials as plain values."""

from __future__ import annotations

from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.judging.margins import margins_of
from contract_wrapper.studies.database import Configuration, StudyDatabase
from contract_wrapper.studies.record import StudyRecord
from contract_wrapper.studies.study import OUTCOMES


def store(record: StudyRecord) -> None:
    """Build the database of a study in its folder, where none is.

    Raises:
        ContractsError: an outcome cannot be judged, or the folder cannot be written.
    """
    (record.folder / OUTCOMES).mkdir()
    database = StudyDatabase(record.folder, create=True)
    database.configuration = Configuration(evaluation=record.settings, search=record.search)
    for run in record.commands:
        database.add_command(run)
    for trial in record.trials:
        database.queue(trial.contract, trial.phase, trial.why, trial.batch)
    baseline = record.baseline
    for trial in record.trials:
        outcome, margins = trial.outcome, dict[str, Estimate]()
        if outcome is None:
            if trial.failure:
                database.finish(trial.number, trial.failure, margins)
            continue
        if baseline is None:
            raise ContractsError(f"trial {trial.number} has an outcome, but the game without a contract has none")
        if trial.number:
            margins = margins_of(outcome, baseline, record.settings.problem)
        database.finish(trial.number, outcome, margins, record.objective(trial).mean)

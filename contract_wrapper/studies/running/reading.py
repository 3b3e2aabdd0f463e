"""From the database of a study to its record."""

from __future__ import annotations

from pathlib import Path

from contract_wrapper.studies.certificate_file import read_certificates
from contract_wrapper.studies.database import StudyDatabase
from contract_wrapper.studies.record import StudyRecord


def record_of(folder: Path, database: StudyDatabase) -> StudyRecord:
    """Read everything that the database of a study holds; errors as in `StudyDatabase.trials`."""
    trials, configuration = database.trials(), database.configuration
    assert configuration is not None  # `trials` needs it, too
    settings = configuration.evaluation
    certificates = [] if settings.crews is None else database.certificates(settings)
    there = {certificate.contract for certificate in certificates}
    older = [c for c in read_certificates(folder, settings) if c.contract not in there]
    return StudyRecord(
        folder=folder, settings=settings, search=configuration.search, trials=trials,
        certificates=(*older, *certificates), commands=database.commands(),
    )  # fmt: skip

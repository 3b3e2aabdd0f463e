"""A made-up study on disk, whole: database, run.json, trials.csv, certificates, and players that are none."""

import dataclasses
from pathlib import Path

from made_up_crews import certificate_of
from made_up_studies import DESIGNS, make_study

from contract_wrapper.bundles.rebuild import store
from contract_wrapper.command_runs import CommandRun
from contract_wrapper.evaluation.by_crews.crew_settings import CrewSettings
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.studies.record import StudyRecord
from contract_wrapper.studies.running.run_file import StudyFiles
from contract_wrapper.studies.settings import SearchSettings
from contract_wrapper.studies.study import Study, read_study

COMMAND = "cleanup-contracts optimize --seed 3 --folder 'a b'"


def store_study(folder: Path, *, n: int = 8, crews: bool = False) -> StudyRecord:
    """Store the study of `made_up_studies`, with the seeds that its trials must have, and return what is read of it."""
    settings = EvaluationSettings(crews=CrewSettings()) if crews else EvaluationSettings()
    search = SearchSettings(seed=3)
    initial = search.initial_contracts()
    made = make_study(folder, DESIGNS[:n], confirm=1)
    trials = []
    for trial in made.trials:
        seed = search.training_seed(trial.number)
        contract = initial[trial.number] if trial.number < len(initial) and trial.outcome is None else trial.contract
        outcome = None if trial.outcome is None else dataclasses.replace(trial.outcome, seed=seed)
        trials.append(dataclasses.replace(trial, seed=seed, contract=contract, outcome=outcome))
    run = CommandRun(command=COMMAND, version="0.1.0", code="abc", began="2026-01-02T03:04:05.678+00:00")
    record = dataclasses.replace(made, settings=settings, search=search, trials=tuple(trials), commands=(run,))
    folder.mkdir(parents=True)
    store(record)
    study = Study.__new__(Study)  # only to write what a study writes, without opening it
    study.folder, study._known, study._files = folder, read_study(folder), StudyFiles(folder)
    if crews:
        study.settings = settings
        best = study._known.best()
        assert best is not None
        from contract_wrapper.studies.certificate_file import write_certificates

        write_certificates(folder, [certificate_of(best.contract)], settings)
        study._known = read_study(folder)
    study.write_files()
    return study._known

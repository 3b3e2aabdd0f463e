"""A made-up study in which crews that know every contract judge them, with a certificate of its best contract."""

import dataclasses

from made_up_studies import make_study

from contract_wrapper.evaluation.by_crews.crew_settings import CrewSettings
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.landscapes.certificate import Bound, Certificate, GainBound
from contract_wrapper.studies.record import COMPETING, StudyRecord


def make_crew_study(folder, *, confirm=3, spread=4.0):
    """The study of `made_up_studies`, judged by two crews whose welfare lies `spread` above and below the mean."""
    study = make_study(folder, confirm=confirm)
    trials = [
        t
        if t.outcome is None or t.phase not in COMPETING
        else dataclasses.replace(
            t,
            outcome=dataclasses.replace(
                t.outcome, by_crew=(t.outcome.welfare.mean - spread, t.outcome.welfare.mean + spread)
            ),
        )
        for t in study.trials
    ]
    return dataclasses.replace(study, settings=EvaluationSettings(crews=CrewSettings()), trials=tuple(trials))


def certificate_of(contract, cleaner=(0.12, 0.31), harvester=(-2.5, -1.75), missing=()) -> Certificate:
    """A certificate: mean and upper bound of the gain of a cleaner that never works, and of a harvester."""
    gains = [
        GainBound(role=role, deviation=name, mean=mean, se=0.1, lower=2 * mean - upper, upper=upper, utility=17.5)
        for role, name, (mean, upper) in (
            ("cleaner", "never work", cleaner), ("harvester", "learned on", harvester),
        )
    ]  # fmt: skip
    return Certificate(
        contract=contract, margins=(Bound(name="harvester_0", mean=60.0, se=1.0, lower=57.0, upper=63.0),),
        gains=tuple(gains), missing=missing, epsilon=0.56, confidence=0.95, unit="episodes", n_trainings=2,
    )  # fmt: skip


def certified(study: StudyRecord, **gains) -> StudyRecord:
    """The study with certificates of all contracts that may be recommended, equal ones."""
    return dataclasses.replace(
        study, certificates=tuple(certificate_of(t.contract, **gains) for t in study.candidates())
    )

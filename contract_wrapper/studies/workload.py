"""How much work a search has, so that the time left can be told: rough seconds of a core, of which ratios count."""

from __future__ import annotations

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.studies.certification import PLAYING_PART, deviator_episodes, deviators_per_training
from contract_wrapper.studies.record import Phase, StudyRecord, TrialRecord
from contract_wrapper.studies.settings import SearchSettings

SCRATCH, CREWS, PLAYING = 8e-4, 1.6e-3, 0.3
"""Seconds per agent and episode of a training from scratch and of one of crews that know every contract (whose
networks are wider), and seconds in which the crews of one training play under one contract."""

DEVIATOR = 5e-3
"""Seconds per episode of a deviator's training."""

TYPICAL_AGENTS = 4
"""Agents that a game of a design problem is counted with."""

TYPICAL_CREW = 4
"""Cleaners that a contract which is not chosen yet is counted with."""


def of_scratch(settings: EvaluationSettings, n_cleaners: int) -> float:
    """One training from scratch; its time grows with its agents."""
    return SCRATCH * (settings.game.n_harvesters + n_cleaners) * settings.learner.episodes


def of_crews(settings: EvaluationSettings) -> float:
    """One training of crews that know every contract; 0 if there is none."""
    crews = settings.crews
    if crews is None:
        return 0.0
    agents = settings.game.n_harvesters + sum(crews.sizes) / len(crews.sizes)
    return CREWS * agents * crews.learner.episodes


def of_evaluation(settings: EvaluationSettings, contract: AnyContract, phase: Phase) -> float:
    """One evaluation of a contract, by crews that are there or from scratch."""
    if settings.crews is None or from_scratch(phase):
        if not isinstance(contract, Contract):  # of a problem nothing is known but the episodes
            return SCRATCH * TYPICAL_AGENTS * settings.learner.episodes
        return of_scratch(settings, contract.n_cleaners)
    return PLAYING * settings.crews.trainings


def of_deviators(settings: EvaluationSettings) -> float:
    """Deviators of the crews of one training, who learn and are played; 0 if there are no crews."""
    if settings.crews is None:
        return 0.0
    learning = deviators_per_training(settings) * DEVIATOR * deviator_episodes(settings.crews.learner.episodes)
    return learning / (1 - PLAYING_PART)


def from_scratch(phase: Phase) -> bool:
    """Whether agents are trained from scratch in a phase even where crews judge all contracts."""
    return phase in (Phase.BASELINE, Phase.CONFIRMATION)


def done(record: StudyRecord, crews_missing: int) -> float:
    """Finished evaluations, trainings of crews that are there, and certificates."""
    settings = record.settings
    trainings = 0 if settings.crews is None else settings.crews.trainings
    certified = trainings * len(record.certificates)
    shared = (trainings - crews_missing) * of_crews(settings) + certified * of_deviators(settings)
    return shared + sum(_of(record, t) for t in record.trials if t.is_finished)


def total(record: StudyRecord, search: SearchSettings) -> float:
    """All evaluations and trainings; a contract that is not chosen yet is counted with four cleaners."""
    settings = record.settings
    typical = Contract(tax=0.5, n_cleaners=TYPICAL_CREW) if settings.problem is None else settings.none()
    unknown = {Phase.SEARCH: search.n_search - sum(t.phase is Phase.SEARCH for t in record.trials)}
    if not any(t.phase is Phase.CONFIRMATION for t in record.trials):
        unknown[Phase.CONFIRMATION] = search.n_confirm
    expected = sum(max(0, n) * of_evaluation(settings, typical, phase) for phase, n in unknown.items())
    known = sum(_of(record, t) for t in record.trials)
    trainings = 0 if settings.crews is None else settings.crews.trainings
    certified = max(int(search.certify), len(record.certificates))
    return known + expected + trainings * (of_crews(settings) + certified * of_deviators(settings))


def _of(record: StudyRecord, trial: TrialRecord) -> float:
    return of_evaluation(record.settings, trial.contract, trial.phase)

"""What a study from scratch says of its best contracts by belief: trainings are noisy, and readings flatter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from contract_wrapper.errors import ContractsError
from contract_wrapper.studies.record import StudyRecord, TrialRecord
from contract_wrapper.studies.suggest import believed


def how_many(tried: Sequence[TrialRecord]) -> str:
    """Say how many contracts were tried, and where some were tried again, by how many trainings.

    >>> how_many([])
    '0 contracts tried: '
    """
    contracts = len({trial.contract for trial in tried})
    times = f" in {len(tried)} trainings" if len(tried) > contracts else ""
    return f"{contracts} contract{'' if contracts == 1 else 's'} tried{times}: "


def about_belief(record: StudyRecord) -> list[str]:
    """Say which contracts cannot be told from the one that is worth most by belief, and what choosing it may lose."""
    try:
        found = believed(record)
    except (ContractsError, np.linalg.LinAlgError):
        return []
    best, alike = found.best, found.alike()
    low, high = found.interval
    contract = record.designs.contract(best.design)
    others = sum(other.design != best.design for other in alike)
    told = f"{others} others cannot be told from it" if others != 1 else "one other cannot be told from it"
    return [
        f"By belief, which counts all trainings together, {contract} is worth most: {low:.1f} to {high:.1f} (95 %), accepted "
        f"with probability {best.probability_feasible:.2f}. Of {len(found.ranked)} that were compared, {told}; choosing it "
        f"loses at most {found.loss_bound:.1f} against the best of them (95 %)."
    ]

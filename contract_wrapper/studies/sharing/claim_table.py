"""The claims of one study: those of `claims`, of one database and with its errors in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contract_wrapper.studies.sharing import claims, results
from contract_wrapper.studies.sharing.claims import Claim, Taken
from contract_wrapper.studies.sharing.opening import patient, told
from contract_wrapper.studies.sharing.place import StudyPlace
from contract_wrapper.studies.sharing.results import Ending
from contract_wrapper.studies.sharing.worker import Worker

if TYPE_CHECKING:
    from optuna.storages import RDBStorage


class ClaimTable:
    """Who evaluates which trial of a study. Every call is one transaction, and raises ContractsError if it fails."""

    def __init__(self, storage: RDBStorage, study_id: int, place: StudyPlace) -> None:
        """Look at one study of a database."""
        self._storage, self._study_id, self._place = storage, study_id, place

    @patient
    def append(
        self,
        expected: int,
        trials: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
        configuration: Mapping[str, Any] | None = None,
    ) -> bool:
        """Queue trials if the study has exactly as many as expected, as `claims.append`."""
        with told(self._place):
            return claims.append(self._storage.engine, self._study_id, expected, trials, configuration)

    @patient
    def waiting(self) -> list[tuple[int, int]]:
        """Trials that wait: number in the study, and Optuna's; the lowest first."""
        with told(self._place):
            return claims.waiting(self._storage.engine, self._study_id)

    @patient
    def claim(self, wanted: Claim, worker: Worker) -> bool:
        """Take a trial that waits; false if another worker was faster."""
        with told(self._place):
            return claims.claim(self._storage.engine, wanted, worker)

    @patient
    def finish(self, mine: Claim, ending: Ending) -> bool:
        """Store how a claimed trial ended, as `results.finish`."""
        with told(self._place):
            return results.finish(self._storage.engine, mine, ending)

    @patient
    def put_back(self, taken: Claim) -> bool:
        """Let a trial wait again, if that claim still holds."""
        with told(self._place):
            return claims.put_back(self._storage.engine, taken)

    @patient
    def certify(self, wanted: Claim, worker: Worker) -> bool:
        """Take the certificate of a finished trial's contract; false if another worker has it."""
        with told(self._place):
            return claims.certify(self._storage.engine, wanted, worker)

    @patient
    def end_certifying(self, taken: Claim) -> bool:
        """Give a certificate back, if that claim still holds."""
        with told(self._place):
            return claims.end_certifying(self._storage.engine, taken)

    @patient
    def all_taken(self, *, certificates: bool = False) -> list[Taken]:
        """Claims of trials, or of certificates, that hold."""
        with told(self._place):
            return claims.all_taken(
                self._storage.engine, self._study_id, claims.CERTIFIER if certificates else claims.KEY
            )

    def beat(self, trial_id: int) -> None:
        """Record a heartbeat of the worker that has a trial."""
        with told(self._place):
            self._storage.record_heartbeat(trial_id)

"""What one worker has of a study: the trials that it claimed, its heartbeats, and its look at those of others."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Hashable

from contract_wrapper.errors import ContractsError
from contract_wrapper.studies.sharing import heartbeat
from contract_wrapper.studies.sharing import worker as workers
from contract_wrapper.studies.sharing.claim_table import ClaimTable
from contract_wrapper.studies.sharing.claims import Claim, Taken
from contract_wrapper.studies.sharing.heartbeat import Beating, Watch

log = logging.getLogger(__name__)


class Attendance:
    """One worker at a study; from its first claim on it records heartbeats in a thread, until it is closed."""

    def __init__(self, database: ClaimTable) -> None:
        """Begin, without a claim."""
        self.worker = workers.begin()
        self._database, self._every = database, heartbeat.BEAT_SECONDS
        self._watch = Watch(grace=heartbeat.GRACE_SECONDS, most=2 * self._every)
        self._mine: dict[int, Claim] = {}
        self._certifying: dict[int, Claim] = {}
        self._one = threading.Lock()
        self._beating: Beating | None = None

    def claim(self, number: int, trial_id: int) -> bool:
        """Take a trial that waits; false if another worker was faster."""
        wanted = Claim(trial_id, secrets.token_hex(8))
        if not self._database.claim(wanted, self.worker):
            return False
        with self._one:
            self._mine[number] = wanted
        self._start()
        return True

    def certify(self, number: int, trial_id: int) -> bool:
        """Take the certificate of a finished trial's contract; false if another worker has it."""
        wanted = Claim(trial_id, secrets.token_hex(8))
        if not self._database.certify(wanted, self.worker):
            return False
        with self._one:
            self._certifying[number] = wanted
        self._start()
        return True

    def end_certifying(self, number: int) -> None:
        """Give a certificate back, made or not."""
        with self._one:
            taken = self._certifying.pop(number, None)
        if taken is not None:
            self._database.end_certifying(taken)

    def mine(self) -> dict[int, Claim]:
        """Trials that this worker has, by number in the study."""
        with self._one:
            return dict(self._mine)

    def done(self, number: int) -> None:
        """Forget a trial that is finished, or that another worker has."""
        with self._one:
            self._mine.pop(number, None)

    def put_back(self, number: int) -> None:
        """Leave a trial to others."""
        taken = self.mine().get(number)
        if taken is not None:
            self.done(number)
            self._database.put_back(taken)

    def others(self) -> list[Taken]:
        """Trials that other workers have."""
        mine = set(self.mine().values())
        return [taken for taken in self._database.all_taken() if taken.claim not in mine]

    def look(self, *, alone: bool = False) -> list[Taken]:
        """Let trials of workers that are gone wait again, and return them.

        Args:
            alone: whether nobody else can be at work, so that trials are taken back of which nothing says who has them,
                as an older version of this program left them.
        """
        signs: dict[str, Hashable] = {}
        found: dict[str, tuple[Taken, bool]] = {}
        gone: set[str] = set()
        own = {*self.mine().values(), *self._certifying.values()}
        for certificates in (False, True):
            for taken in self._database.all_taken(certificates=certificates):
                if taken.claim in own:
                    continue
                key = f"{taken.claim.trial_id} {taken.claim.token}"
                found[key] = (taken, certificates)
                ended = taken.worker.is_gone() if taken.worker.name else alone or None
                if ended is None:
                    signs[key] = taken.beat
                elif ended:
                    gone.add(key)
        gone |= self._watch.look(signs)
        back = []
        for key in sorted(gone):
            taken, certificates = found[key]
            if certificates:
                self._database.end_certifying(taken.claim)
            elif self._database.put_back(taken.claim):
                log.info("trial %d was left by the worker %s: it is tried again", taken.number, taken.worker.name)
                back.append(taken)
        return back

    def close(self) -> None:
        """Stop the heartbeats and leave everything to others; what cannot be left is found by them."""
        if self._beating is not None:
            self._beating.stop()
        try:
            for number in self.mine():
                self.put_back(number)
            for number in list(self._certifying):
                self.end_certifying(number)
        except ContractsError as error:
            log.info("claims could not be put back (%s): the others find them", error)
        finally:
            self.worker.leave()

    def _start(self) -> None:
        if self._beating is None:
            self._beating = Beating(self._beat, self._every)

    def _beat(self) -> None:
        """Record heartbeats of all claims, and look at those of others: every few seconds, whatever else goes on."""
        try:
            for claim in (*self.mine().values(), *self._certifying.copy().values()):
                self._database.beat(claim.trial_id)
            self.look()
        except ContractsError as error:
            log.info("no heartbeat this time: %s", error)
            self._watch.forget()

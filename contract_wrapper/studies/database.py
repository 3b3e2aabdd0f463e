"""The database of a study: an Optuna study whose trials carry contracts, outcomes and margins.

Everything is read and written as plain values of this package. What Optuna's dashboard shows of a trial is written
beside them (`dashboard`).
"""

from __future__ import annotations

import contextlib
import json
import secrets
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contract_wrapper.command_runs import CommandRun
from contract_wrapper.contracts.designed_contract import read_contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.files import seal
from contract_wrapper.landscapes.certificate import Certificate
from contract_wrapper.studies import dashboard
from contract_wrapper.studies.certificate_file import sealed_certificate, unsealed_certificate
from contract_wrapper.studies.record import Batch, Phase, TrialRecord, numbers_of
from contract_wrapper.studies.running.stored import Configuration, Queued
from contract_wrapper.studies.settings import SearchSettings
from contract_wrapper.studies.sharing import results
from contract_wrapper.studies.sharing.claim_table import ClaimTable
from contract_wrapper.studies.sharing.claims import Claim
from contract_wrapper.studies.sharing.opening import open_storage, patient, told
from contract_wrapper.studies.sharing.place import NoStudy, StudyPlace
from contract_wrapper.studies.sharing.results import Ending

if TYPE_CHECKING:
    import optuna

_CONFIGURATION, _CERTIFICATE = "configuration", "certificate "
_COMMAND = "command "
"""Beginning of the names under which commands are stored, each under its own, so that none takes another's place."""


class StudyDatabase:
    """The trials of one study, and who evaluates them."""

    def __init__(self, place: StudyPlace, *, create: bool) -> None:
        """Open the study of a place, or create it there.

        Raises:
            ContractsError: the database is broken, holds something else, or cannot be written; or there is no such study.
        """
        import optuna

        self._place = place
        self._known: dict[int, TrialRecord] = {}
        self._configuration: tuple[str, Configuration] | None = None
        self._ids: dict[int, int] = {}
        self._runs: dict[str, CommandRun] = {}
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with self._reading():
            self._storage = open_storage(place, create=create)
            self._study = self._create() if create else self._load()
            self._study_id = self._storage.get_study_id_from_name(self._study.study_name)
        self.claims = ClaimTable(self._storage, self._study_id, place)

    def _name(self) -> str:
        """Name of the study; one that is kept in a folder keeps its name where it is moved."""
        import optuna

        if self._place.name is not None:
            return self._place.name
        there = optuna.study.get_all_study_names(self._storage)
        if len(there) > 1:
            raise ContractsError(f"{self._place} holds {len(there)} studies, but a folder has one: choose another")
        return there[0] if there else self._place.new_name

    def _create(self) -> optuna.Study:
        import optuna

        study = optuna.create_study(
            storage=self._storage, study_name=self._name(), direction="maximize", load_if_exists=True, sampler=_nobody()
        )
        begun = bool(study.get_trials(deepcopy=False))  # before the configuration, which is stored together with them
        foreign = begun or study.direction != optuna.study.StudyDirection.MAXIMIZE
        if foreign and _CONFIGURATION not in study.user_attrs:
            raise ContractsError(
                f"{self._place} holds the study {study.study_name!r} of another program: choose another folder with --folder"
            )
        if study.metric_names is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                study.set_metric_names([dashboard.OBJECTIVE])
        return study

    def _load(self) -> optuna.Study:
        import optuna

        name, there = self._name(), optuna.study.get_all_study_names(self._storage)
        if self._place.name is not None and name not in there:
            raise NoStudy(
                f"there is no study {name!r} in {self._place.shown}, but {', '.join(map(repr, sorted(there)[:9])) or 'none at all'}: "
                "name one of them, or begin it with `cleanup-contracts optimize --storage ...`"
            )
        return optuna.load_study(storage=self._storage, study_name=name, sampler=_nobody())

    @property
    def name(self) -> str:
        """Name of the study."""
        return str(self._study.study_name)

    @property
    @patient
    def configuration(self) -> Configuration | None:
        """What the study was made with; None before it is stored."""
        with self._reading():
            stored = self._attributes().get(_CONFIGURATION)
            if stored is None:
                return None
            if self._configuration is None or self._configuration[0] != stored:
                self._configuration = stored, Configuration.from_dict(json.loads(stored))
            return self._configuration[1]

    @configuration.setter
    def configuration(self, configuration: Configuration) -> None:
        with self._errors():
            self._study.set_user_attr(_CONFIGURATION, configuration.to_dict())

    def _made_with(self) -> Configuration:
        """The configuration as it was read last: what of it may change concerns no single trial."""
        known = self.configuration if self._configuration is None else self._configuration[1]
        assert known is not None  # stored when the study was opened
        return known

    def _attributes(self) -> dict[str, str]:
        return results.of_study(self._storage.engine, self._study_id)

    def add_command(self, run: CommandRun) -> None:
        """Store a command that begins to work on the study."""
        with self._errors():
            self._study.set_user_attr(f"{_COMMAND}{run.began} {secrets.token_hex(4)}", run.to_dict())

    def commands(self) -> tuple[CommandRun, ...]:
        """The commands that began and continued the study, the earliest first; none if it was made before they were kept."""
        with self._reading():
            stored = self._attributes()
            names = sorted(name for name in stored if name.startswith(_COMMAND))
            for name in names:
                if name not in self._runs:  # each is stored once, under a name of its own
                    self._runs[name] = CommandRun.from_dict(json.loads(stored[name]))
            return tuple(self._runs[name] for name in names)

    @patient
    def trials(self) -> tuple[TrialRecord, ...]:
        """All trials by number."""
        configuration = self.configuration
        if configuration is None:
            raise ContractsError(f"{self._place} holds no study of this program: choose another folder with --folder")
        with self._reading():
            there = results.states(self._storage.engine, self._study_id)
            news = {trial_id: number for number, trial_id, state in there if self._is_news(number, state)}
            read = results.attributes(self._storage.engine, list(news))
            self._known.update({news[k]: _read(news[k], values, configuration.search) for k, values in read.items()})
        for number, (known, _, _) in enumerate(there):
            if known != number:
                raise ContractsError(f"trial {number} is missing in {self._place}: put back a copy of the database")
        return tuple(self._known[number] for number in range(len(there)))

    def _is_news(self, number: int, state: str) -> bool:
        """Whether a trial is to be read: what a trial is stays, and what came out is stored when it ends."""
        known = self._known.get(number)
        return known is None or (state in results.FINISHED and not known.is_finished)

    @patient
    def trial(self, number: int) -> TrialRecord:
        """One trial, as it is stored now."""
        trial_id, search = self.trial_id(number), self._made_with().search
        with self._reading():
            read = results.attributes(self._storage.engine, [trial_id])
            self._known[number] = _read(number, read[trial_id], search)
        return self._known[number]

    def queue(self, trials: Sequence[Queued], expected: int, configuration: Configuration | None = None) -> bool:
        """Append trials that wait for their evaluation, if the study has as many as expected; else do nothing.

        Args:
            trials: what is to be evaluated.
            expected: trials that the study has.
            configuration: stored together with them.

        Returns:
            Whether they were appended; if not, another worker appended others.
        """
        rows = [(numbers_of(trial.contract), trial.attributes()) for trial in trials]
        made_with = None if configuration is None else {_CONFIGURATION: configuration.to_dict()}
        return self.claims.append(expected, rows, made_with)

    def finish(
        self,
        number: int,
        mine: Claim,
        result: Outcome | str,
        margins: Mapping[str, Estimate],
        objective: float | None = None,
    ) -> bool:
        """Store what came out of a claimed trial: an outcome with its margins and objective (default: welfare), or a failure.

        Returns:
            Whether it is stored; it is not if another worker has claimed the trial meanwhile.
        """
        contract = (self._known.get(number) or self.trial(number)).contract
        made_with = self._made_with()
        ranges = dashboard.ranges(made_with.evaluation.problem, made_with.search.max_cleaners)
        numbers = {name: float(value) for name, value in numbers_of(contract).items() if name in ranges}
        if isinstance(result, str):
            ending = Ending(value=None, numbers=numbers, ranges=ranges, user={"failure": result}, system={})
            return self.claims.finish(mine, ending)
        plain = result.to_dict()
        ending = Ending(
            value=result.welfare.mean if objective is None else objective,
            numbers=numbers,
            ranges=ranges,
            user={**dashboard.attributes(result, margins), "seal": seal("outcome", plain), "outcome": plain},
            system=dashboard.feasibility(margins),
            started=dashboard.began(result),
        )
        return self.claims.finish(mine, ending)

    @patient
    def certificates(self, settings: EvaluationSettings) -> list[Certificate]:
        """Certificates that are whole and of these settings, in the order in which they were asked for."""
        with self._reading():
            stored = [json.loads(v) for k, v in self._attributes().items() if k.startswith(_CERTIFICATE)]
            stored.sort(key=lambda value: int(value["order"]))
        found = (unsealed_certificate(value, settings) for value in stored)
        return [certificate for certificate in found if certificate is not None]

    @patient
    def certify(self, number: int, certificate: Certificate, settings: EvaluationSettings) -> None:
        """Store the certificate of a trial's contract, in place of an older one."""
        with self._errors():
            order = sum(key.startswith(_CERTIFICATE) for key in self._attributes())
            self._study.set_user_attr(f"{_CERTIFICATE}{number}", sealed_certificate(certificate, settings, order))

    @patient
    def trial_id(self, number: int) -> int:
        """Optuna's number of a trial among those of all studies."""
        if number not in self._ids:
            self._ids[number] = self._id(number)
        return self._ids[number]

    def _id(self, number: int) -> int:
        with self._errors():
            return int(self._storage.get_trial_id_from_study_id_trial_number(self._study_id, number))

    def close(self) -> None:
        """Close the connections."""
        self._storage.remove_session()
        self._storage.engine.dispose()

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return told(self._place)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """Turn whatever a damaged or foreign database makes a reader raise into one line, too."""
        try:
            with self._errors():
                yield
        except ContractsError:
            raise
        except (AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            cause = " ".join(f"{type(error).__name__}: {error}".split())
            raise ContractsError(
                f"{self._place} is damaged, or holds no study of this program ({cause}): put back a copy of it, or choose "
                "another folder with --folder"
            ) from error


def _nobody() -> optuna.samplers.BaseSampler:
    """A sampler that is never asked: every trial is queued with its contract."""
    import optuna

    return optuna.samplers.RandomSampler(seed=0)


def _read(number: int, attributes: Mapping[str, Any], search: SearchSettings) -> TrialRecord:
    batch = attributes["batch"]
    if "outcome" in attributes and attributes.get("seal") != seal("outcome", attributes["outcome"]):
        raise ContractsError(
            f"the outcome of trial {number} was changed after it was stored: put back a copy of the database"
        )
    record = TrialRecord(
        number=number,
        contract=read_contract(attributes["contract"]),
        phase=Phase(attributes["phase"]),
        seed=search.training_seed(number),
        outcome=Outcome.from_dict(attributes["outcome"]) if "outcome" in attributes else None,
        failure=attributes.get("failure", ""),
        why=attributes["why"],
        batch=None if batch is None else Batch(*batch),
        pending=tuple(map(int, attributes.get("pending", ()))),
    )
    outcome = record.outcome
    if outcome is not None and (outcome.contract, outcome.seed) != (record.contract, record.seed):
        raise ContractsError(
            f"trial {number} is of {record.contract} with seed {record.seed}, but its outcome is of "
            f"{outcome.contract} with seed {outcome.seed}: the database was changed; put back a copy of it"
        )
    return record

"""The database of a study: an Optuna study whose trials carry contracts, outcomes and margins.

Everything is read and written as plain values of this package. What Optuna's dashboard shows of a trial is written
beside them (`dashboard`).
"""

from __future__ import annotations

import contextlib
import secrets
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contract_wrapper.bo.history import as_constraints
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
from contract_wrapper.studies.sharing.claim_table import ClaimTable
from contract_wrapper.studies.sharing.opening import open_storage, patient, told
from contract_wrapper.studies.sharing.place import NoStudy, StudyPlace

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
        self._parsed: tuple[dict[str, Any], Configuration] | None = None
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
        if _CONFIGURATION not in study.user_attrs and (
            study.direction != optuna.study.StudyDirection.MAXIMIZE or study.get_trials()
        ):
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
            stored = self._study.user_attrs.get(_CONFIGURATION)
            if stored is None:
                return None
            if self._parsed is None or self._parsed[0] != stored:
                self._parsed = stored, Configuration.from_dict(stored)
            return self._parsed[1]

    @configuration.setter
    def configuration(self, configuration: Configuration) -> None:
        with self._errors():
            self._study.set_user_attr(_CONFIGURATION, configuration.to_dict())

    def add_command(self, run: CommandRun) -> None:
        """Store a command that begins to work on the study."""
        with self._errors():
            self._study.set_user_attr(f"{_COMMAND}{run.began} {secrets.token_hex(4)}", run.to_dict())

    def commands(self) -> tuple[CommandRun, ...]:
        """The commands that began and continued the study, the earliest first; none if it was made before they were kept."""
        with self._reading():
            stored = self._study.user_attrs
            return tuple(CommandRun.from_dict(stored[name]) for name in sorted(stored) if name.startswith(_COMMAND))

    @patient
    def trials(self) -> tuple[TrialRecord, ...]:
        """All trials by number."""
        configuration = self.configuration
        if configuration is None:
            raise ContractsError(f"{self._place} holds no study of this program: choose another folder with --folder")
        with self._reading():
            stored = self._study.get_trials(deepcopy=False)
            trials = tuple(self._known.get(t.number) or _read(t, configuration.search) for t in stored)
            self._known.update(
                (t.number, record) for t, record in zip(stored, trials, strict=True) if t.state.is_finished()
            )
        for number, trial in enumerate(trials):
            if trial.number != number:
                raise ContractsError(f"trial {number} is missing in {self._place}: put back a copy of the database")
        return trials

    @patient
    def trial(self, number: int) -> TrialRecord:
        """One trial."""
        configuration = self.configuration
        assert configuration is not None  # stored when the study was opened
        with self._reading():
            return _read(self._storage.get_trial(self.trial_id(number)), configuration.search)

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

    @patient
    def finish(
        self, number: int, result: Outcome | str, margins: Mapping[str, Estimate], objective: float | None = None
    ) -> None:
        """Store what came out of a claimed trial: an outcome with its margins and objective (default: welfare), or a failure."""
        import optuna

        with self._errors():
            configuration = self.configuration
            assert configuration is not None  # stored when the study was opened
            trial_id = self.trial_id(number)
            if self._storage.get_trial(trial_id).state.is_finished():
                return  # a call before this one did it, and the server went away before it said so
            trial = optuna.trial.Trial(self._study, trial_id)
            _suggest(trial, configuration)
            if isinstance(result, str):
                trial.set_user_attr("failure", result)
                self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
                return
            plain = result.to_dict()
            trial.set_user_attr("seal", seal("outcome", plain))
            trial.set_user_attr("outcome", plain)
            there = trial.constraints
            for name, value in as_constraints({name: margin.mean for name, margin in margins.items()}).items():
                if name not in there:  # a stop may have come between two of them
                    trial.set_constraint(name, value)
            dashboard.show(self._storage.engine, trial._trial_id, result, margins)
            self._study.tell(trial, result.welfare.mean if objective is None else objective)

    @patient
    def certificates(self, settings: EvaluationSettings) -> list[Certificate]:
        """Certificates that are whole and of these settings, in the order in which they were asked for."""
        with self._reading():
            stored = [v for k, v in self._study.user_attrs.items() if k.startswith(_CERTIFICATE)]
            stored.sort(key=lambda value: int(value["order"]))
        found = (unsealed_certificate(value, settings) for value in stored)
        return [certificate for certificate in found if certificate is not None]

    @patient
    def certify(self, number: int, certificate: Certificate, settings: EvaluationSettings) -> None:
        """Store the certificate of a trial's contract, in place of an older one."""
        with self._errors():
            order = sum(key.startswith(_CERTIFICATE) for key in self._study.user_attrs)
            self._study.set_user_attr(f"{_CERTIFICATE}{number}", sealed_certificate(certificate, settings, order))

    @patient
    def trial_id(self, number: int) -> int:
        """Optuna's number of a trial among those of all studies."""
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


def _suggest(trial: optuna.Trial, configuration: Configuration) -> None:
    """Give a trial, whose numbers were queued with it, the ranges of its contract."""
    problem = configuration.evaluation.problem
    if problem is None:
        trial.suggest_float("tax", 0.0, 1.0, step=0.01)
        trial.suggest_int("n_cleaners", 0, configuration.search.max_cleaners)
        return
    if not read_contract(trial.user_attrs["contract"]).is_none:
        for term in problem.terms:
            if term.whole:
                trial.suggest_int(term.name, int(term.low), int(term.high))
            else:
                trial.suggest_float(term.name, term.low, term.high, step=term.step)


def _read(trial: optuna.trial.FrozenTrial, search: SearchSettings) -> TrialRecord:
    attributes = trial.user_attrs
    batch = attributes["batch"]
    if "outcome" in attributes and attributes.get("seal") != seal("outcome", attributes["outcome"]):
        raise ContractsError(
            f"the outcome of trial {trial.number} was changed after it was stored: put back a copy of the database"
        )
    record = TrialRecord(
        number=trial.number,
        contract=read_contract(attributes["contract"]),
        phase=Phase(attributes["phase"]),
        seed=search.training_seed(trial.number),
        outcome=Outcome.from_dict(attributes["outcome"]) if "outcome" in attributes else None,
        failure=attributes.get("failure", ""),
        why=attributes["why"],
        batch=None if batch is None else Batch(*batch),
        pending=tuple(map(int, attributes.get("pending", ()))),
    )
    outcome = record.outcome
    if outcome is not None and (outcome.contract, outcome.seed) != (record.contract, record.seed):
        raise ContractsError(
            f"trial {trial.number} is of {record.contract} with seed {record.seed}, but its outcome is of "
            f"{outcome.contract} with seed {outcome.seed}: the database was changed; put back a copy of it"
        )
    return record

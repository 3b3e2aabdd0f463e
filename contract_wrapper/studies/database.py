"""The database of a study: an Optuna study whose trials carry contracts, outcomes and margins.

Everything is read and written as plain values of this package. What Optuna's dashboard shows of a trial is written
beside them (`dashboard`).
"""

from __future__ import annotations

import contextlib
import json
import secrets
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract_wrapper.bo.history import as_constraints
from contract_wrapper.command_runs import CommandRun
from contract_wrapper.contracts.designed_contract import AnyContract, read_contract
from contract_wrapper.errors import ContractsError, require_package
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.files import seal
from contract_wrapper.studies import dashboard
from contract_wrapper.studies.record import Batch, Phase, TrialRecord, numbers_of
from contract_wrapper.studies.settings import SearchSettings

if TYPE_CHECKING:
    import optuna

DATABASE = "study.sqlite3"
"""File of the database in a study's folder."""

FORMAT = 4
"""Number of what trials carry and how; it changes when an older program could not read them."""

READS = (3, FORMAT)
"""Formats that are read: 3 does not say how the optimiser chooses."""

_CONFIGURATION = "configuration"
_COMMAND = "command "
"""Beginning of the names under which commands are stored, each under its own, so that none takes another's place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What a study was made with."""

    evaluation: EvaluationSettings
    """What its evaluations have in common."""

    search: SearchSettings
    """How it is searched."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as JSON gives it back."""
        plain = {"format": FORMAT, "evaluation": self.evaluation.to_dict(), "search": self.search.to_dict()}
        return dict(json.loads(json.dumps(plain)))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Configuration:
        """Read what `to_dict` wrote.

        Raises:
            ContractsError: a program of another version wrote it.
        """
        if data.get("format", 1) not in READS:
            raise ContractsError(
                f"the study was made by another version of this program (its format is {data.get('format', 1)}, this "
                f"version reads {FORMAT}): use that version for it, or choose another folder with --folder"
            )
        return cls(
            evaluation=EvaluationSettings.from_dict(data["evaluation"]), search=SearchSettings.from_dict(data["search"])
        )


class StudyDatabase:
    """The trials of one study, in a SQLite file in its folder."""

    def __init__(self, folder: Path, *, create: bool) -> None:
        """Open the database of a folder, or create one there.

        Raises:
            ContractsError: it is broken, holds something else, or cannot be written.
        """
        for package in ("optuna", "sqlalchemy"):
            require_package(package, "search", "a study on disk")
        import optuna
        from sqlalchemy.engine import URL

        self._path = folder / DATABASE
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sampler = optuna.samplers.RandomSampler(seed=0)  # never asked: every trial is queued with its contract
        with self._reading():
            url = URL.create("sqlite", database=str(self._path.absolute()))
            self._storage = optuna.storages.RDBStorage(
                url.render_as_string(hide_password=False), skip_table_creation=not create
            )
            there = optuna.study.get_all_study_names(self._storage)
            if len(there) > 1:
                raise ContractsError(f"{self._path} holds {len(there)} studies, but a folder has one: choose another")
            name = there[0] if there else folder.resolve().name or "study"  # a study keeps its name where it is moved
            if create:
                self._study = optuna.create_study(
                    storage=self._storage, study_name=name, direction="maximize", load_if_exists=True, sampler=sampler
                )
                if _CONFIGURATION not in self._study.user_attrs and (
                    self._study.direction != optuna.study.StudyDirection.MAXIMIZE or self._study.get_trials()
                ):
                    raise ContractsError(
                        f"{self._path} holds the study {name!r} of another program: choose another folder with --folder"
                    )
                if self._study.metric_names is None:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                        self._study.set_metric_names([dashboard.OBJECTIVE])
            else:
                self._study = optuna.load_study(storage=self._storage, study_name=name, sampler=sampler)

    @property
    def configuration(self) -> Configuration | None:
        """What the study was made with; None before it is stored."""
        with self._reading():
            stored = self._study.user_attrs.get(_CONFIGURATION)
            return None if stored is None else Configuration.from_dict(stored)

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

    def trials(self) -> tuple[TrialRecord, ...]:
        """All trials by number."""
        configuration = self.configuration
        if configuration is None:
            raise ContractsError(f"{self._path} holds no study of this program: choose another folder with --folder")
        with self._reading():
            trials = tuple(_read(t, configuration.search) for t in self._study.get_trials(deepcopy=False))
        for number, trial in enumerate(trials):
            if trial.number != number:
                raise ContractsError(f"trial {number} is missing in {self._path}: put back a copy of the file")
        return trials

    def queue(self, contract: AnyContract, phase: Phase, why: str = "", batch: Batch | None = None) -> None:
        """Append one trial that waits for its evaluation."""
        attributes = {
            "contract": contract.as_dict(), "phase": phase.value, "why": why,
            "batch": None if batch is None else list(batch),
        }  # fmt: skip
        with self._errors():
            self._study.enqueue_trial(dict(numbers_of(contract)), user_attrs=attributes)

    def untold(self) -> tuple[int, ...]:
        """Numbers of trials whose result is stored and that Optuna takes for running: a stop came between the two."""
        import optuna

        with self._errors():
            running = self._study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,))
            return tuple(t.number for t in running if {"outcome", "failure"} & set(t.user_attrs))

    def finish(
        self, number: int, result: Outcome | str, margins: Mapping[str, Estimate], objective: float | None = None
    ) -> None:
        """Store what came out of a trial: an outcome with its margins and objective (default: welfare), or a failure."""
        import optuna

        with self._errors():
            configuration = self.configuration
            assert configuration is not None  # stored when the study was opened
            trial = self._begun(number)
            _suggest(trial, configuration)
            if isinstance(result, str):
                trial.set_user_attr("failure", result)
                self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
                return
            plain = result.to_dict()
            trial.set_user_attr("seal", seal("outcome", plain))
            trial.set_user_attr("outcome", plain)
            for name, value in as_constraints({name: margin.mean for name, margin in margins.items()}).items():
                if name not in trial.constraints:  # a stop may have come between two of them
                    trial.set_constraint(name, value)
            dashboard.show(self._storage.engine, trial._trial_id, result, margins)
            self._study.tell(trial, result.welfare.mean if objective is None else objective)

    def _begun(self, number: int) -> optuna.Trial:
        """Return a trial that runs; it is begun only now, when its result is there, so that a stop leaves it waiting."""
        import optuna

        study_id = self._storage.get_study_id_from_name(self._study.study_name)
        trial_id = self._storage.get_trial_id_from_study_id_trial_number(study_id, number)
        if self._storage.get_trial(trial_id).state == optuna.trial.TrialState.WAITING:
            self._storage.set_trial_state_values(trial_id, optuna.trial.TrialState.RUNNING)
        return optuna.trial.Trial(self._study, trial_id)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn what the database raises into one line that says what to do."""
        import optuna
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
            cause = str(getattr(error, "orig", None) or error.__cause__ or error).splitlines()[0]
            raise ContractsError(
                f"the study database {self._path} cannot be used ({cause}): free disk space or mend the permissions "
                "and run the same command again; if the file is broken, put back a copy or choose another --folder"
            ) from error

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
                f"{self._path} is damaged, or holds no study of this program ({cause}): put back a copy of it, or choose "
                "another folder with --folder"
            ) from error


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
    )
    outcome = record.outcome
    if outcome is not None and (outcome.contract, outcome.seed) != (record.contract, record.seed):
        raise ContractsError(
            f"trial {trial.number} is of {record.contract} with seed {record.seed}, but its outcome is of "
            f"{outcome.contract} with seed {outcome.seed}: the database was changed; put back a copy of it"
        )
    return record

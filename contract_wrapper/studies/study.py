"""A study on disk: an Optuna database in a folder, and everything else there made from it.

The folder holds `study.sqlite3` (the truth), `run.json` (configuration, seeds, versions, machine),
`trials.csv`, `outcomes/` (cache, learned policies, checkpoints of stopped trainings), `figures/`.
Optuna minimises constraints (<= 0 feasible); here alone the sign of our margins is turned.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.settings import EvaluationSettings, versions
from contract_wrapper.files import write_text
from contract_wrapper.learners.registry import learner_of
from contract_wrapper.studies.record import StudyRecord, TrialRecord

if TYPE_CHECKING:
    import optuna

DATABASE = "study.sqlite3"
_NAME = "contracts"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    """How a search goes, besides what its evaluations have in common."""

    seed: int = 0
    """Of the whole study: initial designs, trainings and suggestions derive from it."""

    n_initial: int = 10
    """Initial designs: corners first, then random ones."""

    n_search: int = 20
    """Evaluations that cPMES chooses; a study may be continued with more."""

    batch: int = 2
    """Contracts that cPMES chooses at once."""

    n_confirm: int = 5
    """Fresh trainings that confirm the best contract at the end; 0: none."""

    max_cleaners: int = 5
    """Largest number of cleaners in the design space (taxes: 0.00 to 1.00 in steps of 0.01)."""

    def __post_init__(self) -> None:
        least = {"seed": 0, "n_initial": 3, "n_search": 0, "batch": 1, "n_confirm": 0, "max_cleaners": 1}
        for name, low in least.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < low:
                raise ContractsError(f"{name} must be an integer of at least {low}, got {value!r}")


class Study:
    """An open study; used by one process at a time (its workers only train)."""

    def __init__(self, folder: Path, settings: EvaluationSettings, search: SearchSettings) -> None:
        """Open the study in a folder, or begin one there.

        Raises:
            ContractsError: the folder holds a study with another configuration, a broken one, or
                one that another process is working on; or it cannot be written.
        """
        self.folder, self.settings, self.search = folder, settings, search
        try:
            (folder / "outcomes").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ContractsError(
                f"cannot make the study folder {folder}: {error.strerror or error}; choose another with --folder"
            ) from error
        self._known: StudyRecord | None = None
        self._lock = _lock(folder)
        try:
            self._join()
            if not self.record().trials:
                self._begin()
            self.write_files()
        except BaseException:
            self.close()
            raise

    def _join(self) -> None:
        """Open the database and compare configurations; the first one to come writes its own."""
        with _database(self.folder):
            self._study = _open(self.folder, create=True)
            known, mine = self._study.user_attrs.get("configuration"), self._configuration()
            if known is not None and _fixed(known) != _fixed(mine):
                raise ContractsError(
                    f"the study in {self.folder} was made with another configuration ({_difference(known, mine)}): "
                    "give the options it was made with, or choose another folder with --folder"
                )
            self._study.set_user_attr("configuration", mine)

    def _configuration(self) -> dict[str, Any]:
        plain = {"evaluation": self.settings.to_dict(), "search": dataclasses.asdict(self.search)}
        return dict(json.loads(json.dumps(plain)))

    def _begin(self) -> None:
        """Queue the baseline and the initial designs."""
        from contract_wrapper.bo.sampling import initial_designs
        from contract_wrapper.bo.space import contract_space

        space = contract_space(self.search.max_cleaners)
        rng = np.random.default_rng(np.random.SeedSequence([self.search.seed, 10]))
        self.add(Contract.none(), "baseline")
        for tax, cleaners in initial_designs(space, self.search.n_initial, rng):
            self.add(Contract(tax=float(tax), n_cleaners=int(cleaners)), "initial")

    def close(self) -> None:
        """Let other processes have the folder."""
        if self._lock is not None:
            self._lock.close()

    def add(self, contract: Contract, phase: str, why: str = "") -> None:
        """Queue one evaluation."""
        self._known = None
        with _database(self.folder):
            self._study.enqueue_trial(
                {"tax": contract.tax, "n_cleaners": contract.n_cleaners}, user_attrs={"phase": phase, "why": why}
            )

    def open_trials(self) -> list[TrialRecord]:
        """Return the evaluations that are queued or were interrupted, by number."""
        return [t for t in self.record().trials if t.outcome is None and not t.failure]

    def finish(self, number: int, result: Outcome | str) -> None:
        """Store the outcome of an evaluation, or the cause of its failure."""
        import optuna

        self._known = None
        with _database(self.folder):
            # A trial is begun only now, when its result is there: one that a crash interrupted is
            # simply still waiting.
            storage, trial_id = self._study._storage, self._study.get_trials(deepcopy=False)[number]._trial_id
            if storage.get_trial(trial_id).state == optuna.trial.TrialState.WAITING:
                storage.set_trial_state_values(trial_id, optuna.trial.TrialState.RUNNING)
            trial = optuna.trial.Trial(self._study, trial_id)
            trial.suggest_float("tax", 0.0, 1.0, step=0.01)
            trial.suggest_int("n_cleaners", 0, self.search.max_cleaners)
            if isinstance(result, str):
                trial.set_user_attr("failure", result)
                self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                trial.set_user_attr("outcome", result.to_dict())
                if number > 0:
                    for name, margin in result.margins(self._baseline()).items():
                        trial.set_constraint(name, -margin.mean)
                self._study.tell(trial, result.welfare.mean)
        self.write_files()

    def _baseline(self) -> Outcome:
        return Outcome.from_dict(self._study.trials[0].user_attrs["outcome"])

    def record(self) -> StudyRecord:
        """Return the study as it stands, as plain values."""
        if self._known is None:
            with _database(self.folder):
                self._known = _record(self.folder, self._study)
        return self._known

    def write_files(self) -> None:
        """Write `run.json` and `trials.csv` anew from the database."""
        record = self.record()
        write_text(self.folder / "run.json", json.dumps(record.run, indent=2) + "\n")
        write_text(self.folder / "trials.csv", record.to_csv())


def training_seed(study_seed: int, number: int) -> int:
    """Seed of the training of a trial: a function of the study's seed and the trial's number alone."""
    return int(np.random.SeedSequence([study_seed, 20, number]).generate_state(1, np.uint32)[0])


def read_study(folder: Path) -> StudyRecord:
    """Read a study without touching it.

    Raises:
        ContractsError: there is none in the folder, or it is broken.
    """
    if not (folder / DATABASE).is_file():
        raise ContractsError(
            f"there is no study in {folder} (no {DATABASE}): give the folder that `cleanup-contracts optimize` printed"
        )
    with _database(folder):
        return _record(folder, _open(folder, create=False))


def _open(folder: Path, *, create: bool) -> optuna.Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = optuna.storages.RDBStorage(f"sqlite:///{(folder / DATABASE).absolute()}")
    sampler = optuna.samplers.RandomSampler(seed=0)  # never asked: every trial is queued with its contract
    if create:
        return optuna.create_study(
            storage=storage, study_name=_NAME, direction="maximize", load_if_exists=True, sampler=sampler
        )
    return optuna.load_study(storage=storage, study_name=_NAME, sampler=sampler)


def _record(folder: Path, study: optuna.Study) -> StudyRecord:
    configuration = study.user_attrs["configuration"]
    search = SearchSettings(**configuration["search"])
    settings = EvaluationSettings.from_dict(configuration["evaluation"])
    trials = []
    for trial in study.get_trials(deepcopy=False):
        params = trial.params or trial.system_attrs["fixed_params"]
        attrs = trial.user_attrs
        trials.append(
            TrialRecord(
                number=trial.number,
                contract=Contract(tax=round(float(params["tax"]), 10), n_cleaners=int(params["n_cleaners"])),
                phase=attrs["phase"],
                seed=training_seed(search.seed, trial.number),
                outcome=Outcome.from_dict(attrs["outcome"]) if "outcome" in attrs else None,
                failure=attrs.get("failure", ""),
                why=attrs.get("why", ""),
            )
        )
    run = {
        "configuration": configuration,
        "versions": study.user_attrs.get("versions", versions(learner_of(settings.learner).name)),
        "machine": {
            "system": platform.system(), "kind": platform.machine(), "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "seeds": {str(t.number): t.seed for t in trials},
        "cpu_seconds": sum(t.outcome.cpu_seconds for t in trials if t.outcome is not None),
    }  # fmt: skip
    return StudyRecord(
        folder=folder,
        settings=settings,
        run=run,
        trials=tuple(trials),
    )


def _fixed(configuration: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a configuration that may not change when a study goes on; the budget may."""
    search = {k: v for k, v in configuration["search"].items() if k not in ("n_search", "n_confirm")}
    return {"evaluation": configuration["evaluation"], "search": search}


def _difference(known: Any, mine: Any, path: str = "") -> str:
    """Name the first settings that differ."""
    if isinstance(known, dict) and isinstance(mine, dict):
        for key in sorted({*known, *mine}):
            if known.get(key) != mine.get(key) and key not in ("n_search", "n_confirm"):
                return _difference(known.get(key), mine.get(key), key)
    return f"{path}: {known!r} there, {mine!r} now"


@contextlib.contextmanager
def _database(folder: Path) -> Iterator[None]:
    """Turn what the database raises into one line that says what to do."""
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        cause = str(getattr(error, "orig", None) or error.__cause__ or error).splitlines()[0]
        raise ContractsError(
            f"the study database {folder / DATABASE} cannot be used ({cause}): free disk space or mend the permissions "
            "and run the same command again; if the file is broken, put back a copy or choose another --folder"
        ) from error
    except (KeyError, json.JSONDecodeError) as error:
        raise ContractsError(
            f"{folder / DATABASE} holds no study of this program ({error!r}): choose another folder with --folder"
        ) from error


def _lock(folder: Path) -> Any:
    """Hold the folder for this process; the lock goes with the process."""
    try:
        import fcntl
    except ImportError:  # pragma: no cover - no such locks on this system
        return None
    try:
        file = (folder / ".lock").open("w")
    except OSError as error:
        raise ContractsError(
            f"cannot write to the study folder {folder}: {error.strerror or error}; choose another with --folder"
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise ContractsError(
            f"another process is working on the study in {folder}: wait for it, or choose another --folder"
        ) from error
    return file

"""A study as text: its configuration and commands in one sealed file, its trials one a line, each with its seal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from contract_wrapper.command_runs import CommandRun, read_runs, to_plain
from contract_wrapper.contracts.designed_contract import read_contract
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.files import MOST_JSON_BYTES, read_sealed, seal, sealed_text
from contract_wrapper.studies.record import Batch, Phase, StudyRecord, TrialRecord
from contract_wrapper.studies.running.stored import Configuration
from contract_wrapper.studies.settings import SearchSettings

STUDY = "study of a bundle"
"""What the file of the configuration says that it is."""

TRIAL = "trial of a bundle"
"""What the seal of a line is made of, besides the trial."""

MOST_TRIALS = 100_000
"""Trials of a study."""

_NAMES = ("number", "contract", "phase", "seed", "why", "failure", "batch", "pending", "outcome")


def study_text(record: StudyRecord) -> str:
    """Configuration and commands of a study, sealed."""
    configuration = Configuration(evaluation=record.settings, search=record.search).to_dict()
    return sealed_text(STUDY, {"configuration": configuration, "commands": to_plain(record.commands)})


def read_study_text(path: Path) -> tuple[Configuration, tuple[CommandRun, ...]]:
    """Read what `study_text` gave.

    Raises:
        ContractsError: it is damaged, edited, of another version, or its design problem is not known here.
    """
    content = read_sealed(path, STUDY)
    try:
        return Configuration.from_dict(content["configuration"]), read_runs(content["commands"])
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, ContractsError):
            raise
        raise ContractsError(f"{path.name} holds no configuration of a study ({shown(str(error))})") from error


def trial_lines(record: StudyRecord) -> str:
    """All trials of a study, one a line, by number."""
    return "".join(_line(trial) + "\n" for trial in record.trials)


def _line(trial: TrialRecord) -> str:
    plain = {
        "number": trial.number, "contract": trial.contract.as_dict(), "phase": trial.phase.value, "seed": trial.seed,
        "why": trial.why, "failure": trial.failure, "batch": None if trial.batch is None else list(trial.batch),
        "pending": list(trial.pending),
        "outcome": None if trial.outcome is None else trial.outcome.to_dict(),
    }  # fmt: skip
    values = json.loads(json.dumps(plain))
    return json.dumps({"sha256": seal(TRIAL, values), "trial": values})


def read_trial_lines(path: Path, search: SearchSettings) -> list[TrialRecord]:
    """Read what `trial_lines` gave, and check it as the database of a study is checked.

    Raises:
        ContractsError: a line is damaged, edited, or no trial of a study with these settings.
    """
    found = list[TrialRecord]()
    with path.open("rb") as file:
        while line := file.readline(MOST_JSON_BYTES + 1):
            number = len(found)
            if len(line) > MOST_JSON_BYTES or number >= MOST_TRIALS:
                raise ContractsError(f"trial {number} of {path.name} is too long, or one too many")
            try:
                found.append(_trial(line, number, search))
            except ContractsError as error:
                raise ContractsError(f"trial {number} of {path.name} cannot be used: {error}") from error
            except (AttributeError, LookupError, TypeError, ValueError, RecursionError, OverflowError) as error:
                raise ContractsError(f"trial {number} of {path.name} is damaged ({shown(str(error))})") from error
    return found


def _trial(line: bytes, number: int, search: SearchSettings) -> TrialRecord:
    sealed = json.loads(line)
    plain = sealed["trial"]
    if set(sealed) != {"sha256", "trial"} or sealed["sha256"] != seal(TRIAL, plain):
        raise ContractsError("it was changed after it was exported: its seal is another")
    if not isinstance(plain, dict) or set(plain) != set(_NAMES) or plain["number"] != number:
        raise ContractsError(f"it has other names than {', '.join(_NAMES)}, or another number")
    for name in ("why", "failure"):
        check_printable(name, plain[name])
    batch, outcome = plain["batch"], plain["outcome"]
    trial = TrialRecord(
        number=number, contract=read_contract(plain["contract"]), phase=Phase(plain["phase"]), seed=plain["seed"],
        why=plain["why"], failure=plain["failure"],
        batch=None if batch is None else Batch(*_two_counts(batch)), pending=_earlier(plain["pending"], number),
        outcome=None if outcome is None else Outcome.from_dict(outcome),
    )  # fmt: skip
    if trial.seed != search.training_seed(number):
        raise ContractsError(f"its seed is {shown(trial.seed)}, and {search.training_seed(number)} in such a study")
    if (trial.phase is Phase.BASELINE) != (number == 0) or (number == 0 and not trial.contract.is_none):
        raise ContractsError("trial 0, and no other, is the game without a contract")
    if trial.failure and trial.outcome is not None:
        raise ContractsError("it has an outcome, and a cause of failure")
    if trial.outcome is not None:
        if (trial.outcome.contract, trial.outcome.seed) != (trial.contract, trial.seed):
            raise ContractsError(f"its outcome is of {trial.outcome.contract} with seed {trial.outcome.seed}")
        for text in (*trial.outcome.utilities, *trial.outcome.training_curve, *trial.outcome.versions.values()):
            check_printable("name", text)
    return trial


def _two_counts(batch: Any) -> list[int]:
    whole = isinstance(batch, list) and all(type(n) is int and 0 <= n < 2**31 for n in batch)
    if not whole or len(batch) != 2:
        raise ContractsError(f"its batch is no first number and size, got {shown(batch)}")
    return list(batch)


def _earlier(pending: Any, number: int) -> tuple[int, ...]:
    if not isinstance(pending, list) or not all(type(n) is int and 0 <= n < number for n in pending):
        raise ContractsError(f"its pending trials are no numbers below its own, got {shown(pending)}")
    return tuple(pending)


def check_printable(what: str, text: object) -> None:
    """Refuse text that would move the cursor of a terminal, or is none; line ends are text.

    Raises:
        ContractsError: naming it.
    """
    if not isinstance(text, str) or not all(line.isprintable() for line in text.split("\n")):
        raise ContractsError(f"a {what} in it is no printable text, got {shown(text)}")

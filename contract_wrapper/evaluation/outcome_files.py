"""The files in which outcomes are kept between evaluations: each says what it is for, and bears a seal.

A file is read only as the outcome of the very evaluation that asks for it: same contract, settings, seed and code,
unchanged since it was written. The seal (a checksum) tells damage and edits, not forgery.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.files import read_sealed, write_sealed

KIND = "outcome"
"""What a file says that it is."""

log = logging.getLogger(__name__)


def write_outcome(path: Path, outcome: Outcome, settings: EvaluationSettings) -> None:
    """Write the outcome of an evaluation, and the settings that it is of; errors as in `write_sealed`."""
    identity = settings.identity(outcome.contract, outcome.seed)
    write_sealed(path, KIND, {"identity": identity, "outcome": outcome.to_dict(), "settings": settings.to_dict()})


def read_settings(path: Path) -> tuple[EvaluationSettings, Outcome]:
    """Read the settings of an evaluation from the file of its outcome, and the outcome.

    Raises:
        ContractsError: the file cannot be read, is damaged, or holds other settings than its outcome is of, or none, as
            before they were kept there.
    """
    content = read_sealed(path, KIND)
    kept, identity = content.get("settings"), content.get("identity")
    if not isinstance(kept, Mapping):
        raise ContractsError(
            f"{path} does not say the settings of its outcome: an older version of this program wrote it"
        )
    settings = EvaluationSettings.from_dict(kept)
    if not isinstance(identity, Mapping) or identity.get("settings") != settings.fingerprint():
        raise ContractsError(f"{path} holds other settings than those of its outcome: it was edited; evaluate again")
    return settings, Outcome.from_dict(content.get("outcome", {}))


def read_outcome(path: Path, contract: AnyContract, settings: EvaluationSettings, seed: int) -> Outcome | None:
    """Read the outcome of an evaluation; None if there is none.

    A file that is damaged, edited or another evaluation's is renamed to `*.json.broken`, with a warning.

    Raises:
        ContractsError: the file cannot be read or renamed.
    """
    try:
        if not path.exists():
            return None
        try:
            return _outcome(path, contract, settings, seed)
        except ContractsError as error:
            if isinstance(error.__cause__, OSError) and not path.is_dir():
                raise
            why = error
            aside = path.with_suffix(".json.broken")
            log.warning(
                "%s is not used (%s): it is kept as %s, and the contract is trained again", path, why, aside.name
            )
            path.replace(aside)
            return None
    except OSError as error:
        raise ContractsError(
            f"cannot read {path}: {error.strerror or error}; remove it or choose another folder"
        ) from error


def _outcome(path: Path, contract: AnyContract, settings: EvaluationSettings, seed: int) -> Outcome:
    content, wanted = read_sealed(path, KIND), settings.identity(contract, seed)
    found = content.get("identity")
    for name, value in wanted.items():
        if not isinstance(found, Mapping) or found.get(name) != value:
            raise ContractsError(f"it belongs to an evaluation with another {name}")
    outcome = Outcome.from_dict(content.get("outcome", {}))
    if (outcome.contract, outcome.seed) != (contract, seed):
        raise ContractsError(f"it belongs to an evaluation of {outcome.contract} with seed {outcome.seed}")
    return outcome

"""The files in which outcomes are kept between evaluations: each says what it is for, and bears a seal.

A file is read only as the outcome of the very evaluation that asks for it: same contract, settings, seed and code,
unchanged since it was written. The seal (a checksum) tells damage and edits, not forgery.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.files import write_text

KIND = "outcome of cleanup-contracts"
"""What a file says that it is."""

MOST_BYTES = 64 * 2**20
"""Size above which a file is not read: an outcome takes some 20 bytes per step of an episode."""

log = logging.getLogger(__name__)


def write_outcome(path: Path, outcome: Outcome, settings: EvaluationSettings) -> None:
    """Write the outcome of an evaluation; errors as in `write_text`."""
    content = {
        "kind": KIND,
        "key": settings.key(outcome.contract, outcome.seed),
        "settings": settings.fingerprint(),
        "outcome": outcome.to_dict(),
    }
    write_text(path, json.dumps({**content, "seal": seal(content)}, indent=1))


def read_outcome(path: Path, contract: Contract, settings: EvaluationSettings, seed: int) -> Outcome | None:
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
        except (ValueError, RecursionError) as error:  # ValueError: not JSON, not UTF-8, or refused
            why = str(error).splitlines()[0] if isinstance(error, ContractsError) else "it holds no JSON text"
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


def _outcome(path: Path, contract: Contract, settings: EvaluationSettings, seed: int) -> Outcome:
    if not path.is_file() or path.stat().st_size > MOST_BYTES:
        raise ContractsError(f"it is no file of at most {MOST_BYTES // 2**20} MiB")
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, Mapping) or content.get("kind") != KIND:
        raise ContractsError("it is no outcome of an evaluation, or an older version wrote it")
    given = {name: value for name, value in content.items() if name != "seal"}
    if content.get("seal") != seal(given):
        raise ContractsError("it was changed after it was written: its checksum does not fit")
    if given.get("settings") != settings.fingerprint():
        raise ContractsError("it belongs to an evaluation with other settings")
    outcome = Outcome.from_dict(given.get("outcome", {}))
    if (outcome.contract, outcome.seed) != (contract, seed):
        raise ContractsError(f"it belongs to an evaluation of {outcome.contract} with seed {outcome.seed}")
    if given.get("key") != settings.key(contract, seed):
        raise ContractsError("it was made by another version of the code")
    return outcome


def seal(content: Mapping[str, Any]) -> str:
    """Return the checksum of some plain data, the same before and after a trip through JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

"""Certificates of contracts that could be recommended, in a study's database and folder: what was measured, and for which study.

They are sealed: damage and edits are found, and such a certificate counts as none, so that the search certifies again.
The file in the folder is for people, and for studies of before certificates were in the database.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from contract_wrapper.contracts.designed_contract import read_contract
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.files import read_sealed, seal, write_sealed
from contract_wrapper.landscapes.certificate import Bound, Certificate, GainBound

KIND = "certificates"
"""What a file says that it is."""

NAME = "certificates.json"
"""Name of the file in a study's folder."""

log = logging.getLogger(__name__)


def write_certificates(folder: Path, certificates: Sequence[Certificate], settings: EvaluationSettings) -> None:
    """Write the certificates of a study; errors as in `write_sealed`."""
    plain = [{**dataclasses.asdict(each), "contract": each.contract.as_dict()} for each in certificates]
    write_sealed(folder / NAME, KIND, {"settings": settings.fingerprint(), "certificates": plain})


def read_certificates(folder: Path, settings: EvaluationSettings) -> tuple[Certificate, ...]:
    """Read the certificates of a study; none if there are none, or some that are damaged or another study's."""
    path = folder / NAME
    if settings.crews is None or not path.is_file():
        return ()
    try:
        content = read_sealed(path, KIND)
        if content.get("settings") != settings.fingerprint():
            raise ContractsError(f"{path} belongs to a study with other settings")
        plain = content.get("certificates")
        if not isinstance(plain, list):
            raise _no_certificate(plain)
        return tuple(map(certificate_from, plain))
    except ContractsError as error:
        log.warning("the certificates are not used (%s); the search makes others", error)
        return ()


def sealed_certificate(certificate: Certificate, settings: EvaluationSettings, order: int) -> dict[str, Any]:
    """Return a certificate of a study as plain values with a seal, as its database keeps it; `order`: it is the how manieth."""
    plain = {**dataclasses.asdict(certificate), "contract": certificate.contract.as_dict()}
    content = json.loads(json.dumps({"settings": settings.fingerprint(), "certificates": [plain], "order": order}))
    return {"sha256": seal(KIND, content), **content}


def unsealed_certificate(data: object, settings: EvaluationSettings) -> Certificate | None:
    """Read what `sealed_certificate` returned; None, with a warning, if it is damaged or another study's."""
    try:
        if not isinstance(data, Mapping):
            raise _no_certificate(data)
        content = {key: value for key, value in data.items() if key != "sha256"}
        if data.get("sha256") != seal(KIND, content) or content.get("settings") != settings.fingerprint():
            raise ContractsError("it was damaged, edited or made for other settings")
        (plain,) = content["certificates"]
        return certificate_from(plain)
    except (ContractsError, LookupError, TypeError, ValueError) as error:
        log.warning("a certificate in the database is not used (%s); the search makes another", error)
        return None


def certificate_from(data: object) -> Certificate:
    """Read a certificate from plain values, and check it.

    Raises:
        ContractsError: something is missing, unknown, of another type or not finite.
    """
    names = {f.name for f in dataclasses.fields(Certificate)}
    if not isinstance(data, Mapping) or set(data) | {"counted_in"} != names:  # older files do not say it
        raise _no_certificate(data)
    counted_in = data.get("counted_in", "apples")
    if not isinstance(counted_in, str):
        raise _no_certificate(counted_in)
    margins, gains, missing = data["margins"], data["gains"], data["missing"]
    lists = all(isinstance(items, list) for items in (margins, gains, missing))
    if not lists or not all(isinstance(role, str) for role in missing) or data["unit"] not in ("trainings", "episodes"):
        raise _no_certificate(data)
    n = data["n_trainings"]
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise _no_certificate(n)
    return Certificate(
        contract=read_contract(data["contract"]),
        margins=tuple(Bound(**_fields(Bound, bound)) for bound in margins),
        gains=tuple(GainBound(**_fields(GainBound, bound)) for bound in gains),
        missing=tuple(missing),
        epsilon=_number(data["epsilon"]),
        confidence=_number(data["confidence"]),
        unit=data["unit"],
        n_trainings=n,
        counted_in=counted_in,
    )


def _fields(kind: type[Bound] | type[GainBound], data: object) -> dict[str, Any]:
    """Names as text, everything else as numbers; a bound may be infinite where there was too little to measure it by."""
    names = [f.name for f in dataclasses.fields(kind)]
    if not isinstance(data, Mapping) or set(data) != set(names):
        raise _no_certificate(data)
    texts = {"name", "role", "deviation"}
    if not all(isinstance(data[name], str) for name in texts & set(names)):
        raise _no_certificate(data)
    return {name: data[name] if name in texts else _number(data[name], infinite=True) for name in names}


def _number(value: object, *, infinite: bool = False) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not (infinite or math.isfinite(value)):  # type: ignore[arg-type]
        raise _no_certificate(value)
    return float(value)  # type: ignore[arg-type]


def _no_certificate(got: object) -> ContractsError:
    return ContractsError(f"this is no certificate as it is written to a file, got {shown(got)}: certify again")

"""The one JSON document that `--json` writes: what is in it, by command, with all digits.

Every document is an object with the keys of `document`. A later version of the format may have more keys; one in which
a key is gone or means something else has a higher `version`. Numbers are as they were computed; what is not known or
not finite is null. Amounts are in apples per episode. An estimate is an object with `mean` and `se` (standard error).
"""

from __future__ import annotations

import dataclasses
import enum
import importlib.metadata
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract_wrapper.command_runs import to_plain

if TYPE_CHECKING:
    from contract_wrapper.evaluation.estimate import Estimate
    from contract_wrapper.evaluation.outcome import Outcome
    from contract_wrapper.landscapes.certificate import Certificate
    from contract_wrapper.landscapes.designs.design_landscape import DesignLandscape
    from contract_wrapper.landscapes.landscape import Landscape
    from contract_wrapper.playback.any_game import GameEpisode
    from contract_wrapper.playback.recording import Episode
    from contract_wrapper.problems.problem import DesignProblem
    from contract_wrapper.studies.record import StudyRecord, TrialRecord

VERSION = 1
"""Version of the format."""

DISTRIBUTION = "cleanup-contracts"
"""Name of what is installed."""


def program_version() -> str:
    """Version of the installed program; "unknown" where it runs from a folder that was never installed."""
    try:
        return importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def document(
    command: str, options: Mapping[str, Any], result: Mapping[str, Any], configuration: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Put a result into the frame that all documents share.

    Keys: `format` (with the command's name), `version` (of the format), `program`, `options` (as given), `configuration`
    (the settings that they come to, under the names of the keys in a file for `--config`; null where it is not known), and
    `result`.
    """
    return {
        "format": f"cleanup-contracts {command}",
        "version": VERSION,
        "program": {"name": DISTRIBUTION, "version": program_version()},
        "options": options,
        "configuration": configuration,
        "result": result,
    }


def to_json(data: Any, indent: int | None = 2) -> str:
    """Write plain data as strict JSON, with every digit."""
    return json.dumps(plain(data), indent=indent, allow_nan=False, ensure_ascii=False)


def plain(value: Any) -> Any:
    """What JSON can hold of a value: dataclasses as objects, arrays as lists, numbers that are not finite as null.

    >>> plain({"a": (1, float("nan"))})
    {'a': [1, None]}
    """
    if value is None or isinstance(value, (bool, str)):
        return str(value) if isinstance(value, enum.Enum) else value
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, (Sequence, set, frozenset)):
        return [plain(item) for item in value]
    return str(value)


def margins_document(margins: Mapping[str, Estimate]) -> dict[str, Any]:
    """Margins by agent, and who accepts.

    Keys: `margins` (name to estimate; `participation` is that of the worst-off cleaner), `feasible` (none is below 0, as
    measured), `acceptance` (accepted, refused or undecided: within two standard errors of 0).
    """
    from contract_wrapper.evaluation.participation import acceptance, accepts

    return {
        "margins": margins, "feasible": all(map(accepts, margins.values())), "acceptance": acceptance(margins.values()),
    }  # fmt: skip


def evaluation_document(
    baselines: list[Outcome], outcomes: list[Outcome], problem: DesignProblem | None = None
) -> dict[str, Any]:
    """Result of `evaluate`.

    Keys: `contract`, `seeds`, `baselines` (outcomes without a contract, one per seed), `outcomes` (with it), `mean` (over
    the outcomes), and those of `margins_document`, paired by seed. An outcome has the keys of `contract_wrapper.Outcome`.
    """
    from contract_wrapper.evaluation.judging.margins import paired
    from contract_wrapper.evaluation.outcome import mean_outcome

    mean = mean_outcome(outcomes)
    return {
        "contract": mean.contract.as_dict(), "seeds": [o.seed for o in outcomes],
        "baselines": [o.to_dict() for o in baselines], "outcomes": [o.to_dict() for o in outcomes],
        "mean": mean.to_dict(), **margins_document(paired(outcomes, baselines, problem)),
    }  # fmt: skip


def certificate_document(certificate: Certificate) -> dict[str, Any]:
    """Result of `certify`: the keys of `contract_wrapper.Certificate`, `verdict` and `acceptance` and `deciding` among them."""
    told: dict[str, Any] = {
        **plain(certificate),
        "verdict": certificate.verdict,
        "acceptance": certificate.acceptance,
        "deciding": certificate.deciding,
    }
    return {**told, "contract": certificate.contract.as_dict()}


def study_document(record: StudyRecord, suggestions: Sequence[str], files: Sequence[Path]) -> dict[str, Any]:
    """Result of `optimize`, and of `report` on a study.

    Keys: `kind` ("study"), `folder`, `settings`, `search`, `trials` (by number, the first without a contract),
    `best` (number of the trial to recommend, or null), `confirmation` (mean outcome of fresh trainings of the best,
    margins and `confirmed`, or null), `certificate` (or null), `suggestions` (what the search would try next, in words),
    `commands` (that began and continued it), `files`.
    """
    from contract_wrapper.evaluation.judging.margins import margins_of

    best = record.best() if record.baseline is not None else None
    again = None if best is None else record.confirmation(best.contract)
    certificate = None if best is None else record.certified(best.contract)
    confirmation = None
    if best is not None and again is not None and record.baseline is not None:
        confirmation = {
            "outcome": again.to_dict(),
            **margins_document(margins_of(again, record.baseline, record.settings.problem)),
            "confirmed": record.confirmed(best.contract),
        }  # fmt: skip
    return {
        "kind": "study",
        "folder": record.folder,
        "settings": record.settings.to_dict(),
        "search": record.search,
        "trials": [_trial(record, trial) for trial in record.trials],
        "best": None if best is None else best.number,
        "confirmation": confirmation,
        "certificate": None if certificate is None else certificate_document(certificate),
        "suggestions": suggestions,
        "commands": to_plain(record.commands),
        "files": files,
    }


def _trial(record: StudyRecord, trial: TrialRecord) -> dict[str, Any]:
    known = trial.outcome is not None and record.baseline is not None
    return {
        "number": trial.number, "phase": trial.phase.value, "contract": trial.contract.as_dict(), "seed": trial.seed,
        "state": "failed" if trial.failure else "finished" if trial.outcome else "unfinished",
        "outcome": None if trial.outcome is None else trial.outcome.to_dict(),
        **(margins_document(record.margins(trial)) if known else dict.fromkeys(("margins", "feasible", "acceptance"))),
        "why": trial.why, "failure": trial.failure,
    }  # fmt: skip


def landscape_document(landscape: Landscape, files: Sequence[Path]) -> dict[str, Any]:
    """Result of `landscape`, and of `report` on a landscape.

    Keys: `kind` ("landscape"), `about`, `seeds`, `agents`, `epsilon`, `contracts` (the first is no contract; each with
    `tax`, `n_cleaners`, `welfare` by training, `utilities` and `margins` by training and agent, `gains` by training and
    role, `feasible`, `certified`, `refuted`), `roles` (of the gains), `best` (certificate of the best certified contract,
    or else of the best feasible one, or null), `files`.
    """
    from contract_wrapper.landscapes.table.fields import ROLES
    from contract_wrapper.reports.landscape_findings import Findings

    feasible, certified, refuted = landscape.feasible(), landscape.certified(), landscape.refuted()
    margins, number = landscape.margins(), Findings(landscape=landscape).best
    contracts = [
        {
            "tax": landscape.tax[k], "n_cleaners": landscape.n_cleaners[k], "welfare": landscape.welfare[:, k],
            "utilities": landscape.utilities[:, k], "margins": margins[:, k], "gains": landscape.gains[:, k],
            "feasible": feasible[k], "certified": certified[k], "refuted": refuted[k],
        }
        for k in range(len(landscape.tax))
    ]  # fmt: skip
    best = None if number is None else landscape.contracts()[number]
    return {
        "kind": "landscape", "about": landscape.about, "seeds": landscape.seeds, "agents": landscape.agents,
        "epsilon": landscape.default_epsilon(), "roles": ROLES, "contracts": contracts,
        "best": None if best is None else certificate_document(landscape.certificate(best)), "files": files,
    }  # fmt: skip


def designs_document(landscape: DesignLandscape, files: Sequence[Path]) -> dict[str, Any]:
    """Result of `landscape` with a design problem, and of `report` on such a landscape.

    Keys: as of `landscape_document`, with the kind "landscape of designs"; a contract has its `numbers` in place of tax
    and cleaners, and the `value` that is maximised, by training; `maximised` names it, `terms` the numbers.
    """
    feasible, certified, refuted = landscape.feasible(), landscape.certified(), landscape.refuted()
    mask = certified if certified.any() else feasible
    mask[0] = False
    best = landscape.contracts()[landscape.best(mask)] if mask.any() else None
    contracts = [
        {
            "numbers": dict(contract.numbers), "value": landscape.value[:, k], "welfare": landscape.welfare[:, k],
            "utilities": landscape.utilities[:, k], "margins": landscape.margin[:, k], "gains": landscape.gains[:, k],
            "feasible": feasible[k], "certified": certified[k], "refuted": refuted[k],
        }
        for k, contract in enumerate(landscape.contracts())
    ]  # fmt: skip
    return {
        "kind": "landscape of designs", "about": landscape.about, "seeds": landscape.seeds, "agents": landscape.agents,
        "terms": landscape.terms, "maximised": landscape.maximised, "epsilon": landscape.default_epsilon(),
        "roles": landscape.roles, "contracts": contracts,
        "best": None if best is None else certificate_document(landscape.certificate(best)), "files": files,
    }  # fmt: skip


def episode_document(episode: Episode | GameEpisode, seed: int, files: Sequence[Path]) -> dict[str, Any]:
    """Result of `play`.

    Keys: `contract`, `players`, `seed`, `agents`, `steps` (for the start and each step: `step`, `waste` in cells,
    `apples` eaten and `tax` paid so far, `transfers` by agent in this step; in a game that is not Clean-up `rewards`,
    `transfers` and `costs` by agent in this step, and `taken_home` so far), `files`.
    """
    return {
        "contract": episode.contract.as_dict(), "players": episode.players, "seed": seed,
        "agents": episode.agents, "steps": [m.told() for m in episode.moments], "files": files,
    }  # fmt: skip

"""What a study's database keeps besides results: what the study was made with, and evaluations that are queued."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.studies.record import Batch, Phase
from contract_wrapper.studies.settings import SearchSettings

FORMAT = 4
"""Number of what trials carry and how; it changes when an older program could not read them."""

READS = (3, FORMAT)
"""Formats that are read: 3 does not say how the optimiser chooses."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """An evaluation that is to be queued."""

    contract: AnyContract
    """What is to be evaluated."""

    phase: Phase
    """Why it is."""

    why: str = ""
    """Why the optimiser asked for it."""

    batch: Batch | None = None
    """Which trials it asked for together with it."""

    pending: tuple[int, ...] = ()
    """Numbers of the trials that were without a result when it was asked for."""

    def attributes(self) -> dict[str, Any]:
        """User attributes of the trial."""
        found: dict[str, Any] = {
            "contract": self.contract.as_dict(), "phase": self.phase.value, "why": self.why,
            "batch": None if self.batch is None else list(self.batch),
        }  # fmt: skip
        return found | ({"pending": list(self.pending)} if self.pending else {})

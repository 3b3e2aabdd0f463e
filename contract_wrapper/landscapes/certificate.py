"""The certificate of a contract: everybody accepts it, and nobody gains by leaving the crew's play, beyond the errors.

gain_i = max over deviations d of E[u_i(d, pi_-i)] - E[u_i(pi)] (Molina Concha et al. 2024, eq. 3, which the paper
assumes). The crew pi is an epsilon-equilibrium as far as the deviations that were tried reach: a certificate says
nothing of others. Everything here is a function of utilities, whoever learned or played them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from contract_wrapper.contracts.contract import as_number
from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.contracts.roles import a_role
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.participation import SURE, Acceptance, acceptance
from contract_wrapper.landscapes.bounds import CONFIDENCE, BoolArray, FloatArray, Unit, checked_confidence, simultaneous

EPSILON_SHARE = 0.02
"""Part of a baseline agent's utility that counts as nothing: about 0.6 apples in the default game."""


class Verdict(StrEnum):
    """What the errors allow to say."""

    CERTIFIED = "certified"
    """Every margin, and minus every gain, is at least -epsilon, and so are their lower bounds."""

    REFUTED = "refuted"
    """One of them lies below -epsilon, and so does its upper bound."""

    UNDECIDED = "undecided"
    """Neither: the errors are too large, or something was not measured."""


def gain(deviation: ArrayLike, crew: ArrayLike) -> Estimate:
    """What a deviation brings over the crew's own play, episode by episode; both utilities (E,), same seeds.

    >>> print(gain([3.0, 5.0], [2.0, 2.0]))
    2.00 ± 1.00

    Raises:
        ContractsError: they are not the same at least two episodes.
    """
    after, before = np.asarray(deviation, np.float64), np.asarray(crew, np.float64)
    if after.shape != before.shape or after.ndim != 1 or len(after) < 2:
        raise ContractsError(
            f"a gain is measured on the same at least 2 episodes, got {after.shape} and {before.shape}"
        )
    return Estimate.of(after - before)


def strongest(gains: ArrayLike) -> NDArray[np.int64]:
    """Number of the deviation with the largest mean gain, (..., D) -> (...); NaN: not tried; -1: none was tried.

    Choose on some episodes and measure the chosen one on others: the largest of several means is high by luck.
    """
    array = np.asarray(gains, np.float64)
    tried = ~np.isnan(array)
    number = np.where(tried, array, -np.inf).argmax(axis=-1)
    return np.where(tried.any(axis=-1), number, -1).astype(np.int64)


def default_epsilon(baseline: ArrayLike) -> float:
    """2 % of the mean utility of the agents that are there without a contract, at least 0, per episode."""
    return max(0.0, EPSILON_SHARE * float(np.mean(np.asarray(baseline, np.float64))))


def decided(lower: FloatArray, upper: FloatArray, needed: BoolArray, epsilon: float) -> tuple[BoolArray, BoolArray]:
    """Which of K contracts are certified, and which are refuted, both (K,).

    Args:
        lower: bounds on margins and minus gains, (K, M), of which those of a row hold together.
        upper: the same from above.
        needed: which of them a contract has, (K, M); one that was not measured is NaN and leaves it undecided.
        epsilon: apples per episode that count as nothing.
    """
    kept, broken = lower >= -checked_epsilon(epsilon), upper < -epsilon  # false for NaN
    certified, refuted = (kept | ~needed).all(axis=1), (broken & needed).any(axis=1)
    return np.asarray(certified, np.bool_), np.asarray(refuted, np.bool_)


def checked_epsilon(epsilon: object) -> float:
    """Return an epsilon as a plain float.

    Raises:
        ContractsError: it is no number of at least 0.
    """
    number = as_number(epsilon)
    if number is None or not 0.0 <= number < math.inf:
        raise ContractsError(f"epsilon must be a number of apples of at least 0, got {shown(epsilon)}")
    return number


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGain:
    """What agents of a role gain by their strongest deviation, as measured in S trainings."""

    role: str
    """Who deviates: the first agent of a role, which stands for all, or an agent by name."""

    gains: Sequence[Estimate]
    """Gain in each training, on other episodes than those on which the strongest was chosen."""

    deviations: Sequence[str]
    """Name of the strongest in each training."""

    utility: float
    """What the deviator gets in the crew, mean over trainings, in apples per episode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One quantity that must not lie below -epsilon, in apples per episode."""

    name: str
    """An agent's margin, or minus a role's gain."""

    mean: float
    """Mean over trainings."""

    se: float
    """Its standard error."""

    lower: float
    """Bound from below, which holds together with all others of the certificate."""

    upper: float
    """Bound from above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GainBound:
    """What a role gains at most by the deviations that were tried, in apples per episode."""

    role: str
    """Who deviates: the first agent of a role, which stands for all, or an agent by name."""

    deviation: str
    """Its strongest deviation; where trainings differ, each with its count."""

    mean: float
    """Gain, mean over trainings; below 0 nobody gains."""

    se: float
    """Its standard error."""

    lower: float
    """Bound from below."""

    upper: float
    """Bound from above, which holds together with all others of the certificate."""

    utility: float
    """What the deviator gets in the crew."""

    def percent(self, gain: float | None = None) -> float:
        """A gain (default: the mean; the upper bound is `percent(bound.upper)`) in percent of the utility; NaN where that is not above 0."""
        return 100.0 * (self.mean if gain is None else gain) / self.utility if self.utility > 0.0 else math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What is known of one contract: who accepts it, who would gain by leaving, and how sure that is."""

    contract: AnyContract
    """Which contract."""

    margins: tuple[Bound, ...]
    """Margins of participation, agent by agent (eqs. 4, 5)."""

    gains: tuple[GainBound, ...]
    """Gains by deviating alone, role by role (eq. 3)."""

    missing: tuple[str, ...]
    """Roles, or agents, of which no deviation was measured: as long as there is one, nothing is certified."""

    epsilon: float
    """Apples per episode that count as nothing."""

    confidence: float
    """That all lower bounds hold (or all upper ones)."""

    unit: Unit
    """What errors are over."""

    n_trainings: int
    """Trainings over which means were taken."""

    counted_in: str = "apples"
    """What amounts are counted in, in the plural."""

    @property
    def bounds(self) -> tuple[Bound, ...]:
        """All that must not lie below -epsilon: the margins, and minus the gains."""
        turned = (
            Bound(name=f"minus the gain of {a_role(g.role)}", mean=-g.mean, se=g.se, lower=-g.upper, upper=-g.lower)
            for g in self.gains
        )
        return (*self.margins, *turned)

    @property
    def verdict(self) -> Verdict:
        """Certified, refuted or undecided."""
        if any(bound.upper < -self.epsilon for bound in self.bounds):
            return Verdict.REFUTED
        kept = all(bound.lower >= -self.epsilon for bound in self.bounds)
        return Verdict.CERTIFIED if kept and not self.missing else Verdict.UNDECIDED

    @property
    def acceptance(self) -> Acceptance:
        """Whether everybody accepts by the margins alone, by the rule that holds for every evaluation."""
        return acceptance(Estimate(mean=m.mean, se=m.se) for m in self.margins)

    @property
    def certified(self) -> bool:
        """Whether everybody accepts and nobody gains, beyond the errors."""
        return self.verdict is Verdict.CERTIFIED

    @property
    def deciding(self) -> Bound:
        """The bound that the verdict hangs on: the lowest from above if refuted, else the lowest from below."""
        refuted = self.verdict is Verdict.REFUTED
        return min(self.bounds, key=lambda bound: bound.upper if refuted else bound.lower)

    def __str__(self) -> str:
        """Return a table for the command line."""
        many = f"{self.n_trainings} training{'s' if self.n_trainings > 1 else ''}"
        over = f"Student's t over {many}" if self.unit == "trainings" else f"normal, over the episodes of {many}"
        lines = [
            f"{self.contract}: {self.verdict}, epsilon {self.epsilon:.2f}",
            f"{self.counted_in} per episode, ± standard error; {len(self.bounds)} one-sided bounds, which hold",
            f"together with {self.confidence:.0%} ({over})",
            f"by the margins alone, to {SURE:g} standard errors: {self.acceptance}",
            f"{'margin':14}{'mean':>16}{'at least':>10}",
        ]
        lines += [f"{m.name:14}{_text(m.mean, m.se):>16}{m.lower:>10.2f}" for m in self.margins]
        lines.append(f"{'gain':14}{'mean':>16}{'at most':>10}{'of utility':>12}{'at most':>10}")
        for g in self.gains:
            part = f"{g.percent():>10.1f} %{g.percent(g.upper):>8.1f} %"
            lines += [f"{g.role:14}{_text(g.mean, g.se):>16}{g.upper:>10.2f}{part}", f"    strongest: {g.deviation}"]
        lines += [f"{role:14}no deviation was tried" for role in self.missing]
        at = self.deciding
        side = f"at most {at.upper:.2f}" if self.verdict is Verdict.REFUTED else f"at least {at.lower:.2f}"
        return "\n".join([*lines, f"the verdict hangs on: {at.name}, {side} (needed: {-self.epsilon:.2f})"])


def certify(
    contract: AnyContract,
    margins: Mapping[str, Sequence[Estimate]],
    gains: Sequence[RoleGain],
    *,
    epsilon: float,
    confidence: float = CONFIDENCE,
    unit: Unit | None = None,
    needed: Sequence[str] | None = None,
    counted_in: str = "apples",
) -> Certificate:
    """Put what was measured in S trainings of one contract together to its certificate.

    Args:
        contract: which contract.
        margins: margin of participation of each agent, by name, one estimate per training.
        gains: gains of each role, or of agents by name.
        epsilon: see `default_epsilon`.
        confidence: that all bounds on one side hold.
        unit: what errors are over; None: trainings if there are at least two, else episodes.
        needed: roles and agents whose gain the contract needs: one that is missing leaves it undecided. Left out: the
            roles that the agents' names say, up to the last underscore.
        counted_in: what amounts are counted in, in the plural.

    Raises:
        ContractsError: there is nothing to certify, or not one estimate for each training.
    """
    rows = [[(e.mean, e.se) for e in row] for row in (*margins.values(), *(g.gains for g in gains))]
    n = len(rows[0]) if rows else 0
    if not margins or not n or any(len(row) != n for row in rows):
        raise ContractsError(
            f"{contract} is certified by one estimate per margin and gain from each training, got "
            f"{', '.join(str(len(row)) for row in rows) or 'none'}"
        )
    values, errors = np.moveaxis(np.array(rows), 2, 0).swapaxes(1, 2)  # (S, M) each
    signs = np.array([1.0] * len(margins) + [-1.0] * len(gains))
    found = simultaneous((values * signs)[:, None], errors[:, None], confidence=confidence, unit=unit)
    mean, se, lower, upper = (array[0].tolist() for array in (found.mean, found.se, found.lower, found.upper))
    bounds = [
        Bound(name=name, mean=mean[i], se=se[i], lower=lower[i], upper=upper[i]) for i, name in enumerate(margins)
    ]
    measured = [
        GainBound(
            role=g.role, deviation=_named(g.deviations), mean=-mean[i], se=se[i], lower=-upper[i], upper=-lower[i],
            utility=g.utility,
        )
        for i, g in enumerate(gains, start=len(margins))
    ]  # fmt: skip
    told = tuple(g for g in measured if math.isfinite(g.mean))
    there = dict.fromkeys([name.rpartition("_")[0] or name for name in margins] if needed is None else needed)
    return Certificate(
        contract=contract, margins=tuple(bounds), gains=told,
        missing=tuple(role for role in there if role not in {g.role for g in told}),
        epsilon=checked_epsilon(epsilon), confidence=checked_confidence(confidence), unit=found.unit, n_trainings=n,
        counted_in=counted_in,
    )  # fmt: skip


def _named(deviations: Sequence[str]) -> str:
    counts = Counter(deviations).most_common()
    return counts[0][0] if len(counts) == 1 else ", ".join(f"{name} ({n} of {len(deviations)})" for name, n in counts)


def _text(mean: float, se: float) -> str:
    return f"{mean:.2f} ± {se:.2f}"

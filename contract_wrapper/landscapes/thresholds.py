"""The tax from which nobody free-rides, by crew size: as deviators measure it, and as marginal harvests predict it.

A cleaner that stops working saves the cost of its shots and loses its share, tax / N_a, of what it added to the
harvest: moral hazard in a team (Holmstrom 1982). The larger the crew, the smaller the share, the higher that tax.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.contracts.costs import get_costs
from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes.bounds import CONFIDENCE, BoolArray, FloatArray, Interval, interval, quantile
from contract_wrapper.landscapes.compare import settled_from
from contract_wrapper.landscapes.landscape import Landscape
from contract_wrapper.landscapes.making import costs_of
from contract_wrapper.landscapes.table.fields import ROLES

FREE_RIDER = "never work"
"""Name of the deviation in which a cleaner never shoots."""


IDLE = 0.1
"""Part of its most shots below which a crew is said to idle."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Threshold:
    """Smallest tax from which on, at every larger one too, free riding does not pay; one for each training."""

    n_cleaners: int
    """Size of the crew."""

    tax: FloatArray
    """Taxes that were compared, (T,), rising: the threshold is one of them, and lies above the one before."""

    free_rider: FloatArray
    """Gain of the free rider, (S, T), in apples per episode."""

    per_training: FloatArray
    """Threshold in each training, (S,); infinite where free riding pays at the largest tax."""

    interval: Interval | None
    """Their mean with its interval over trainings (Student's t); None with one training, or if one is infinite."""

    @property
    def at_smallest(self) -> BoolArray:
        """Trainings whose threshold is the smallest tax compared, (S,): the true one may lie below it."""
        return np.asarray(self.per_training == self.tax[0], np.bool_)

    def __str__(self) -> str:
        words = str(self.interval) if self.interval else ", ".join(f"{tax:g}" for tax in self.per_training)
        return f"{self.n_cleaners} cleaner{'s' if self.n_cleaners > 1 else ''}: nobody free-rides from tax {words}"


def threshold(landscape: Landscape, n_cleaners: int, *, confidence: float = CONFIDENCE) -> Threshold:
    """Measure from which tax on the free rider gains nothing beyond its error, in each training.

    At a tax the free rider gains if its gain is above 0 by more than its standard error over episodes times the
    normal quantile of `confidence` (0.95: 1.64). A crew that idles itself leaves nothing to gain by idling, so a tax
    under which a crew shoots less than `IDLE` of what it shoots at most counts as one with free riders. The contracts
    are those at which all deviations were tried.

    Raises:
        ContractsError: the free rider was not tried with this crew.
    """
    places = _rising(landscape, landscape.tried_at, n_cleaners)
    if FREE_RIDER not in landscape.deviations or not len(places):
        raise ContractsError(
            f"the free rider ({FREE_RIDER!r}) was not tried with {n_cleaners} cleaners in this landscape"
        )
    at = (slice(None), places, ROLES.index("cleaner"), landscape.deviations.index(FREE_RIDER))
    gains, errors = landscape.tried[at], landscape.tried_se[at]
    if np.isnan(gains).any():
        raise ContractsError(f"the free rider was not tried in every training with {n_cleaners} cleaners")
    numbers = landscape.tried_at[places]
    quiet = gains <= float(quantile(confidence, len(gains), "episodes")) * errors
    return _found(
        n_cleaners, landscape.tax[numbers], gains, quiet & _works(landscape, n_cleaners)[:, numbers], confidence
    )


def predicted_threshold(landscape: Landscape, n_cleaners: int, *, confidence: float = CONFIDENCE) -> Threshold:
    """Predict the same from the table's own rows: the smallest tax from which on tax >= cost / (added / N_a).

    cost: price of a shot times the shots of one of the N_a cleaners; added: harvest of N_a cleaners less that of
    N_a - 1 under the same tax (of none: without a contract), in the same training. Both are medians over the taxes
    under which the crew works, since the harvest of a crew that works hardly depends on the tax. So the free rider's
    predicted gain is cost - tax / N_a * added. It takes the other cleaners for those of a smaller crew, which has
    learned to do with one less, and has one agent less in the field: where a crew saturates, `added` is near 0 and
    free riding is predicted at every tax. Flat costs cannot be saved by idling, so they play no part.

    Raises:
        ContractsError: a crew or a tax is not in the table, the landscape does not say its costs, or they have a
            price per cell cleaned, which the table does not count, or prices of single cleaners.
    """
    rule = get_costs(costs_of(landscape.about))
    price = rule.role("cleaner")
    if any(name.startswith("cleaner_") for name, _ in rule.by_role):
        raise ContractsError("a landscape counts the shots of a crew, so prices of single cleaners allow no prediction")
    if price.per_cell:
        raise ContractsError("a landscape does not count cells cleaned, so a price per cell allows no prediction")
    everything = np.arange(len(landscape.tax))
    places = _rising(landscape, everything, n_cleaners)
    if n_cleaners < 1 or not len(places):
        raise ContractsError(f"this landscape has no contract with {n_cleaners} cleaners")
    if n_cleaners == 1:
        before = np.zeros_like(places)
    else:
        before = _rising(landscape, everything, n_cleaners - 1)
        if not np.array_equal(landscape.tax[before], landscape.tax[places]):
            raise ContractsError(f"the taxes of {n_cleaners} and of {n_cleaners - 1} cleaners differ in this landscape")
    tax = landscape.tax[places]
    works = _works(landscape, n_cleaners)[:, places]
    added = _median(landscape.harvest[:, places] - landscape.harvest[:, before], works)
    cost = _median(price.per_shot * landscape.shots[:, places] / n_cleaners, works)
    gains = cost - tax / n_cleaners * added
    return _found(n_cleaners, tax, gains, gains <= 0.0, confidence)


def _works(landscape: Landscape, n_cleaners: int) -> BoolArray:
    """Contracts (S, K) under which a crew of this size works: it shoots at least `IDLE` of what it shoots at most."""
    most = landscape.shots[:, landscape.n_cleaners == n_cleaners].max(axis=1, keepdims=True)
    return np.asarray((landscape.shots >= IDLE * most) & (most > 0), np.bool_)


def _median(values: FloatArray, mask: BoolArray) -> FloatArray:
    """Medians over what a mask keeps, (S, T) -> (S, 1); 0 where it keeps nothing."""
    kept = [row[good] for row, good in zip(values, mask, strict=True)]
    return np.array([[float(np.median(row)) if len(row) else 0.0] for row in kept])


def _rising(landscape: Landscape, numbers: NDArray[np.int64], n_cleaners: int) -> NDArray[np.int64]:
    """Places in `numbers` of the contracts with a crew size, by tax."""
    places = np.flatnonzero(landscape.n_cleaners[numbers] == n_cleaners)
    return places[np.argsort(landscape.tax[numbers[places]], kind="stable")]


def _found(n_cleaners: int, tax: FloatArray, gains: FloatArray, quiet: BoolArray, confidence: float) -> Threshold:
    per_training = settled_from(tax, quiet)
    told = len(per_training) > 1 and bool(np.isfinite(per_training).all())
    return Threshold(
        n_cleaners=int(n_cleaners), tax=tax, free_rider=gains, per_training=per_training,
        interval=interval(per_training, confidence=confidence) if told else None,
    )  # fmt: skip

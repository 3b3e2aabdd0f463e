"""What the search believes of contracts beside the best one: one term at a time is changed, all others stay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.bo.acquisition import log_probability_feasible
from contract_wrapper.bo.dimensions import Integer
from contract_wrapper.bo.gp.blas_threads import one_thread
from contract_wrapper.bo.surrogates import fit
from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.errors import ContractsError
from contract_wrapper.studies.record import StudyRecord
from contract_wrapper.studies.suggest import history_of

POINTS = 61
"""Values of a term at which the belief is asked for, at most."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The belief along one term; arrays are (Q,)."""

    term: str
    """Which term is changed."""

    values: Floats
    """Its values, rising."""

    mean: Floats
    """Predicted objective."""

    sd: Floats
    """Standard deviation of the prediction."""

    accepted: Floats
    """Probability that everybody accepts."""

    at: float
    """The term of the contract that is looked around."""


def slices_through(record: StudyRecord, contract: AnyContract) -> list[Slice]:
    """Return the belief of the surrogates along every term of the designs, through a contract.

    Raises:
        ContractsError: there are too few results, or the contract is no design.
    """
    space = record.designs.space
    design = record.designs.design(contract)
    if design is None:
        raise ContractsError(f"{contract} has no terms that could be changed")
    with one_thread():
        surrogates = fit(space, history_of(record))
        if surrogates is None:
            raise ContractsError("the results are too few, or too much alike, to say anything of other contracts")
        found = []
        for k, dimension in enumerate(space.dimensions):
            values = np.linspace(dimension.low, dimension.high, POINTS)
            if isinstance(dimension, Integer):
                values = np.unique(np.round(values))
            designs = np.tile(np.asarray(design, np.float64), (len(values), 1))
            designs[:, k] = values
            mean, sd = surrogates.predict(space.to_unit(designs))
            found.append(
                Slice(
                    term=dimension.name, values=values, mean=mean[0], sd=sd[0], at=float(design[k]),
                    accepted=np.exp(log_probability_feasible(mean[1:], sd[1:])),
                )
            )  # fmt: skip
    return found

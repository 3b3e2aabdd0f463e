"""What one agent sees of a contract is what it sees among all, whether a family says so for itself or not."""

import numpy as np
import pytest

from contract_wrapper.contracts.families import CellTaxContracts, TaxContracts
from contract_wrapper.contracts.family_tools import seen_by
from contract_wrapper.contracts.roles import Roles
from contract_wrapper.contracts.tax_families import HarvesterTaxContracts, PieceRateContracts

ROLES = Roles(names=("harvester", "cleaner", "harvester", "cleaner", "cleaner"))


class Doubled(TaxContracts):
    """Agents see twice their share, and the inherited `seen_by` does not say so."""

    def shown(self, terms, roles):
        return 2.0 * TaxContracts.shown(self, terms, roles)


@pytest.mark.parametrize(
    "family",
    [TaxContracts(), CellTaxContracts(), Doubled(), HarvesterTaxContracts(n_harvesters=2), PieceRateContracts()],
)
def test_what_an_agent_sees_is_what_it_sees_among_all(family):
    rng = np.random.default_rng(0)
    terms, agents = rng.random((40, len(family.terms))), rng.integers(0, 5, 40)
    terms[0] = 0.0
    shown, scale = seen_by(family, agents, terms, ROLES)
    each = np.arange(40)
    assert np.array_equal(shown, family.shown(terms, ROLES)[each, agents])
    assert np.array_equal(scale, family.scale(terms, ROLES)[each, agents])

"""Who has to be tried: agents of a role that the contract and the costs treat alike stand for each other, others not.

Agents of a role begin alike and share their policy; what tells them apart is what they are paid and what their work
costs. Two of them are alike if, whatever the agents do, exchanging what the two did exchanges what they take home and
changes nobody else's part. That is asked of the settlement itself, on steps drawn at random, so that it holds for any
payment rule, a user's own function included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.contracts.settlement import StepSettlement
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.deviators import roles_of

if TYPE_CHECKING:
    from contract_wrapper.learners.population import PlayedGame

N_STEPS = 64
"""Steps that are drawn, at least."""

MOST_OF_EACH = 3
"""Apples, shots and cells of an agent in a step, at most."""


def who_deviates(game: PlayedGame) -> tuple[str, ...]:
    """Return who has to be tried under the contract of some games: roles by name, or agents where those of a role differ.

    A game that does not say how its steps are settled is taken to treat agents of a role alike.

    >>> from contract_wrapper import Contract, ContractedGame
    >>> who_deviates(ContractedGame(Contract(tax=0.4, n_cleaners=2), n_games=1, costs="cleaner_1:per_shot=0.1"))
    ('cleaner_0', 'cleaner_1', 'harvester')
    """
    settlement = getattr(game, "settlement", None)
    if not isinstance(settlement, StepSettlement):
        return roles_of(game)
    return who_differs(settlement, roles_of(game), game.n_games)


def who_differs(settlement: StepSettlement, roles: tuple[str, ...], n_games: int) -> tuple[str, ...]:
    """Return the same for any settlement of `n_games` games: each of `roles`, or the first agent of each kind within it."""
    agents: Roles = settlement.roles
    names = agents.agents or tuple(f"{role}_{i}" for i, role in enumerate(agents.names))
    found: list[str] = []
    for role in roles:
        kinds: list[int] = []
        for i, name in enumerate(agents.names):
            if name == role and not any(alike(settlement, i, other, n_games) for other in kinds):
                kinds.append(i)
        found += [role] if len(kinds) <= 1 else [names[i] for i in kinds]
    return tuple(found)


def alike(settlement: StepSettlement, i: int, j: int, n_games: int) -> bool:
    """Whether a settlement of `n_games` games treats agents i and j alike; a rule that refuses the question does not."""
    rng = np.random.default_rng(0)
    order = np.arange(len(settlement.roles.names))
    order[[i, j]] = order[[j, i]]
    try:
        for _ in range(-(-N_STEPS // n_games)):
            apples, shots, cells = rng.integers(0, MOST_OF_EACH + 1, (3, n_games, len(order))).astype(np.float64)
            done = Activity(shots=shots, cleaned=np.where(shots > 0, cells, 0.0), apples=apples)
            before = settlement.settle(apples, done).utilities
            after = settlement.settle(apples[:, order], Activity(*(count[:, order] for count in done))).utilities
            if not np.allclose(before[:, order], after, rtol=1e-9, atol=1e-9):
                return False
    except ContractsError:
        return False
    return True


def role_of(who: str, agents: tuple[str, ...]) -> str:
    """Return the role of an agent by its name, or the role itself.

    >>> role_of("cleaner_1", ("harvester_0", "cleaner_0", "cleaner_1")), role_of("free", ("free_0",))
    ('cleaner', 'free')
    """
    return who.rpartition("_")[0] if who in agents else who

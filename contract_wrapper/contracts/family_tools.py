"""What games ask of a family of contracts: whether it fits their roles, of what its transfers are sums, and draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.contracts.families import ContractFamily
from contract_wrapper.contracts.payment_rules import paid_by, payers_of
from contract_wrapper.contracts.roles import Roles
from contract_wrapper.contracts.transfers import FloatArray
from contract_wrapper.errors import ContractsError


def check_family(family: ContractFamily, roles: Roles) -> None:
    """Refuse a game that a family of contracts is not for.

    Every agent must pay or be paid, by role, and somebody must be there who pays. That nobody is there who is paid
    is no fault: the crew may be empty (`somebody_is_paid`).

    Raises:
        ContractsError: naming the roles of both; or the family's own check refuses the game.
    """
    pays, paid = payers_of(family), paid_by(family)
    others = sorted({*roles.of_game} - {*pays, *paid})
    if others or not {*pays} & {*roles.of_game}:
        what = f"the contracts {type(family).__name__} take from {' and '.join(pays)} and pay {' and '.join(paid)}"
        has = f"the game has agents of the role {' and '.join(others)}" if others else "nobody in the game pays"
        raise ContractsError(f"{what}, but {has}: choose contracts for the roles {', '.join(sorted({*roles.of_game}))}")
    own = getattr(family, "check_roles", None)
    if own is not None:
        own(roles)


def somebody_is_paid(family: ContractFamily, roles: Roles) -> bool:
    """Whether some agent has a role that is paid; without one a contract moves nothing."""
    return bool({*paid_by(family)} & {*roles.of_game})


def parts_of(family: ContractFamily) -> FloatArray:
    """Return terms (Q, P) of the contracts of whose transfers all others are weighted sums (`weights_of`).

    What was played under one contract can then be learned from under every other (`ConditionedGame.reward_parts`).
    For families that are `linear` these are what each term would move alone, at 1; others may list `parts`. (0, P) if
    the family has neither. The parts need not lie within the bounds.
    """
    n = len(family.terms)
    if getattr(family, "linear", False) is True:
        return np.eye(n)
    listed = getattr(family, "parts", None)
    return np.zeros((0, n)) if listed is None else np.asarray(listed, np.float64).reshape(-1, n)


def weights_of(family: ContractFamily, terms: FloatArray) -> FloatArray:
    """Return the weights (R, Q) of the parts in contracts with terms (R, P): the terms themselves, if linear."""
    if getattr(family, "linear", False) is True or getattr(family, "parts", None) is None:
        return terms
    weights: FloatArray = family.weights(terms)  # type: ignore[attr-defined]  # it lists parts
    return weights


def drawn_terms(family: ContractFamily, n: int, rng: np.random.Generator) -> FloatArray:
    """Draw n contracts, each for itself, (n, P): evenly within the bounds, unless the family draws its own (`draw`)."""
    draw = getattr(family, "draw", None)
    if draw is not None:
        own: FloatArray = draw(n, rng)
        return own
    drawn: FloatArray = rng.random((n, len(family.bounds)))
    for k, (low, high) in enumerate(family.bounds):
        drawn[:, k] = (
            low + (high - low) * drawn[:, k]
        )  # as rng.uniform does for arrays of bounds, in a fifth of its time
    return drawn


def seen_by(
    family: ContractFamily, agents: NDArray[np.int64], terms: FloatArray, roles: Roles
) -> tuple[FloatArray, FloatArray]:
    """Return what one agent (its number) sees of each of R contracts, (R, C), and the scale of its utilities, (R,).

    A family may say so for itself (`seen_by`), which saves what all others would see; one that changes `shown` or
    `scale` of another and leaves its `seen_by` is asked for all.
    """
    kind = type(family)
    own = getattr(kind, "seen_by", None)
    home = None if own is None else next(base for base in kind.__mro__ if "seen_by" in vars(base))
    if home is not None and all(getattr(kind, name) is getattr(home, name) for name in ("shown", "scale")):
        found: tuple[FloatArray, FloatArray] = family.seen_by(agents, terms, roles)  # type: ignore[attr-defined]
        return found
    each = np.arange(len(agents))
    return family.shown(terms, roles)[each, agents], family.scale(terms, roles)[each, agents]


def moves_nothing(family: ContractFamily, terms: FloatArray) -> bool:
    """Whether contracts with terms (B, P) are none: all weights of their parts are 0, or all terms where it has none."""
    return not weights_of(family, terms).any()

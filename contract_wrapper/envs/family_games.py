"""Games that each play under a contract of their own, which the agents see, whatever the game.

One training on them serves every contract of a family: the learner is shown a context (`mtmfq.ContextGame`) and
knows of nothing else.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from contract_wrapper.contracts.contract import as_int
from contract_wrapper.contracts.costs import CostRule, as_costs
from contract_wrapper.contracts.families import ContractFamily, check_terms, stratified_terms
from contract_wrapper.contracts.family_tools import (
    check_family,
    drawn_terms,
    moves_nothing,
    parts_of,
    seen_by,
    somebody_is_paid,
    weights_of,
)
from contract_wrapper.contracts.payment_rules import PaymentRule
from contract_wrapper.contracts.roles import Activity
from contract_wrapper.contracts.settlement import StepSettlement
from contract_wrapper.envs.settled_games import ALL, FloatArray, Rows, SettledGames
from contract_wrapper.errors import ContractsError, shown

LARGEST_CREW = 5
"""Largest crew of the paper (its N_a is 0 to 5); crew sizes are shown to the agents in units of it."""


class FamilyGames(SettledGames):
    """B games, each under a contract of its own; a `mtmfq.RelabelGame` where the family's transfers are sums of parts.

    The contracts are drawn anew at every reset, from its seed and spread over the family, or are fixed. A subclass
    builds the games, then calls `_play_under`.
    """

    def _play_under(
        self,
        family: ContractFamily,
        terms: ArrayLike | None,
        largest_crew: object,
        costs: CostRule | str | None,
        *,
        says_roles: bool = True,
    ) -> None:
        """Say what contracts there are.

        Args:
            family: what contracts there are, and what agents see of them.
            terms: of the contracts of the B games, (B, P), or of one for all, (1, P); None: drawn at every reset.
            largest_crew: unit in which crew sizes are shown.
            costs: a cost rule, or text for `get_costs`; default: `effort`.
            says_roles: whether the family says who pays and who is paid. The game must then have such roles, and where
                nobody is there who is paid, all terms are the least ones, which must move nothing.

        Raises:
            ContractsError: the family is not for the roles of this game, or terms are none of its contracts.
        """
        if says_roles:
            check_family(family, self.roles)
        self._crew = int(self.roles.cleaner.sum())
        self.family, self.largest_crew, self.costs = family, check_largest(largest_crew), as_costs(costs)
        if self._crew > self.largest_crew:
            raise ContractsError(
                f"the game has {self._crew} cleaners, but crew sizes are shown in units of largest_crew="
                f"{self.largest_crew}: raise largest_crew"
            )
        self._nobody_to_pay = says_roles and not somebody_is_paid(family, self.roles)
        self.n_context = family.n_shown + 1
        self._drawn = terms is None and not self._nobody_to_pay
        parts = parts_of(family) if self._drawn else ()
        self.n_parts = len(parts) + 2 if len(parts) else 0
        self._alone = [self._of_all(one) for one in parts]
        least = [[low for low, _ in family.bounds]]
        self._settle_under(self._checked(least if terms is None else terms))
        self._flat: FloatArray = np.tile(self.settlement.prices.per_step, (self.n_games, 1))

    def context(self) -> NDArray[np.float32]:
        """What each agent sees of its contract, and the size of its crew in units of the largest, (B, N, C)."""
        return self._context

    def episode_scale(self) -> FloatArray:
        """Declared factors on utilities under the present contracts, (B, N): those of the family."""
        return self.family.scale(self.terms, self.roles)

    def episode_shift(self) -> FloatArray:
        """The flat part of each agent's costs per step, which no action changes, (B, N)."""
        return self._flat.copy()

    def reward_parts(self) -> FloatArray:
        """Return of what the last step's utilities were made, (Q + 2, B, N) in apples.

        Rewards; what would have moved under each of the family's Q parts (of a linear family: under each term alone,
        at 1); less costs beyond the flat part. Weighted by 1, `weights_of` the terms and 1 they sum to utilities plus
        `episode_shift`.
        """
        moved = [self._moved_alone(rule) for rule in self._alone]
        return np.stack([self.raw_rewards, *moved, self._flat - self.settled.costs])

    def other_contexts(
        self, rng: np.random.Generator, agents: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], FloatArray]:
        """Draw a contract for each of R agents (their numbers): contexts (R, C), weights of the parts (R, Q + 2)."""
        return self.under(drawn_terms(self.family, len(agents), rng), agents)

    def under(self, terms: FloatArray, agents: NDArray[np.int64]) -> tuple[NDArray[np.float32], FloatArray]:
        """Return what R agents see of contracts, terms (R, P), and the weights of the parts under them.

        The weights hold the contract's scale, so that the weighted sum is in common units.
        """
        shown, scale = seen_by(self.family, agents, terms, self.roles)
        contexts = np.empty((len(agents), self.n_context), np.float32)
        contexts[:, :-1], contexts[:, -1] = shown, self._crew / self.largest_crew
        weights = np.empty((len(agents), self.n_parts))
        weights[:, 0] = weights[:, -1] = scale
        np.multiply(weights_of(self.family, terms), scale[:, None], out=weights[:, 1:-1])
        return contexts, weights

    def _offer(self, seed: int) -> None:
        if self._drawn:
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
            self._settle_under(stratified_terms(self.family, self.n_games, rng))

    def _settlement_of(self, rows: Rows) -> StepSettlement:
        return StepSettlement(
            roles=self.roles, payment=self.family.payment(self.terms[rows]), costs=self.costs, horizon=self.horizon
        )

    def _moved_alone(self, rule: tuple[PaymentRule, FloatArray]) -> FloatArray:
        """What would have moved under a part in the last step, (B, N)."""
        of_all, one = rule
        if self._nobody_leaves or self.here.all():
            return of_all.transfers(self.raw_rewards, self.activity, self.roles)
        moved: FloatArray = np.zeros_like(self.raw_rewards)
        for rows, here in self._by_presence():
            some = self.family.payment(np.tile(one, (len(rows), 1)))
            activity = Activity(*(count[rows] for count in self.activity))
            moved[rows] = some.transfers(self.raw_rewards[rows], activity, self._roles_of(here))
        return moved

    def _of_all(self, one: FloatArray) -> tuple[PaymentRule, FloatArray]:
        """The rule by which the terms `one`, (P,), are paid in all games, and these terms."""
        return self.family.payment(np.tile(one, (self.n_games, 1))), one

    def _checked(self, terms: ArrayLike) -> FloatArray:
        checked = check_terms(self.family, terms)
        if len(checked) not in (1, self.n_games):
            raise ContractsError(f"{self.n_games} games need as many contracts, or one for all, got {len(checked)}")
        if self._nobody_to_pay and not moves_nothing(self.family, checked):
            raise ContractsError(
                f"there are no cleaners to be paid, so {' and '.join(self.family.terms)} must be 0: recruit at least "
                "one (n_cleaners=1), or give a family that begins at 0"
            )
        return np.repeat(checked, self.n_games, axis=0) if len(checked) == 1 else checked

    def _settle_under(self, terms: FloatArray) -> None:
        self.terms: FloatArray = terms
        """Terms of the present contracts, (B, P)."""
        self.settlement = self._settlement_of(ALL)
        crew = np.full((self.n_games, self.n_agents, 1), self._crew / self.largest_crew)
        self._context = np.concatenate([self.family.shown(terms, self.roles), crew], axis=2, dtype=np.float32)


def check_largest(largest_crew: Any) -> int:
    """Return the unit of crew sizes as a plain int.

    Raises:
        ContractsError: it is no integer of at least 1.
    """
    largest = as_int(largest_crew)
    if largest is None or largest < 1:
        raise ContractsError(f"largest_crew must be an integer of at least 1, got {shown(largest_crew)}")
    return largest

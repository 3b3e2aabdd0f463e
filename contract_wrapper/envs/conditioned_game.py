"""Clean-up games that each play under a contract of their own, which the agents see.

One training on them serves every contract of a family: the learner is shown a context (`mtmfq.ContextGame`) and
knows of nothing else.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cleanup_env import CleanupConfig
from contract_wrapper.contracts.contract import as_int
from contract_wrapper.contracts.costs import CostRule, as_costs
from contract_wrapper.contracts.families import (
    ContractFamily,
    TaxContracts,
    check_terms,
    stratified_terms,
)
from contract_wrapper.contracts.family_tools import (
    check_family,
    drawn_terms,
    moves_nothing,
    parts_of,
    somebody_is_paid,
    weights_of,
)
from contract_wrapper.contracts.roles import Activity
from contract_wrapper.contracts.settlement import StepSettlement
from contract_wrapper.envs.batch_game import FloatArray, SettledGame
from contract_wrapper.errors import ContractsError, shown

LARGEST_CREW = 5
"""Largest crew of the paper (its N_a is 0 to 5); crew sizes are shown to the agents in units of it."""


class ConditionedGame(SettledGame):
    """B games with one crew, each under a contract of its own; a `mtmfq.RelabelGame` where the family's transfers
    are sums of parts (`parts_of`).

    The contracts are drawn anew at every reset, from its seed and spread over the family, or are fixed. Where nobody
    is there who is paid (no cleaners, for most families), all terms are the least ones, which must move nothing.

    >>> game = ConditionedGame(2, n_games=4)
    >>> observations = game.reset(seed=1)
    >>> sorted((4 * game.terms[:, 0]).astype(int).tolist())  # one tax from each quarter of [0, 1]
    [0, 1, 2, 3]
    >>> game.context().shape  # own share kept, own share of the pot, tax, sqrt(tax), crew size
    (4, 7, 5)
    """

    def __init__(
        self,
        n_cleaners: int,
        *,
        family: ContractFamily | None = None,
        terms: ArrayLike | None = None,
        largest_crew: int = LARGEST_CREW,
        n_games: int = 1,
        config: CleanupConfig | None = None,
        costs: CostRule | str | None = None,
        observation: str = "features",
    ) -> None:
        """Build the games.

        Args:
            n_cleaners: size of the crew, at most `largest_crew`.
            family: what contracts there are, and what agents see of them; default: all taxes, `TaxContracts()`.
            terms: of the contracts of the B games, (B, P), or of one for all, (1, P); None: drawn at every reset.
            largest_crew: unit in which crew sizes are shown; a policy knows crews in the unit of its training.
            n_games, config, observation: as in `ContractedGame`.
            costs: a cost rule, or text for `get_costs`; default: `effort`.

        Raises:
            ContractsError: the crew is too large, terms are none of the family's, there is somebody to pay and
                nobody to be paid, or as `ContractedGame`.
        """
        largest, crew = as_int(largest_crew), as_int(n_cleaners)
        if largest is None or largest < 1:
            raise ContractsError(f"largest_crew must be an integer of at least 1, got {shown(largest_crew)}")
        if crew is None or not 0 <= crew <= largest:
            raise ContractsError(
                f"n_cleaners must be an integer between 0 and largest_crew={largest}, got {shown(n_cleaners)}"
            )
        self.family: ContractFamily = TaxContracts() if family is None else family
        super().__init__(crew, n_games=n_games, config=config, observation=observation, contract=self.family)
        check_family(self.family, self.roles)
        self.largest_crew, self.costs = largest, as_costs(costs)
        self.n_context = self.family.n_shown + 1
        self._drawn = terms is None and somebody_is_paid(self.family, self.roles)
        parts = parts_of(self.family) if self._drawn else ()
        self.n_parts = len(parts) + 2 if len(parts) else 0
        self._alone = [self.family.payment(np.tile(one, (n_games, 1))) for one in parts]
        least = [[low for low, _ in self.family.bounds]]
        self._settle_under(self._checked(least if terms is None else terms))
        self._flat: FloatArray = np.tile(self.settlement.prices.per_step, (n_games, 1))

    def reset(self, seed: int, *, seeds: Any = None) -> NDArray[Any]:
        """Draw the contracts, unless they are fixed, and start an episode in every copy; observations (B, N, ...).

        seeds: (B,) seeds of the copies in place of those derived from `seed`, as in `BatchCleanup.reset`.
        """
        if self._drawn:
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
            self._settle_under(stratified_terms(self.family, self.n_games, rng))
        return self.game.reset(seed) if seeds is None else self.game.reset(seeds=seeds)

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
        activity = Activity(shots=self.game.shots, cleaned=self.game.cleaned, apples=self.game.apples)
        moved = [rule.transfers(self.raw_rewards, activity, self.roles) for rule in self._alone]
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
        each = np.arange(len(agents))
        crew = np.full((len(agents), 1), self.config.n_cleaners / self.largest_crew)
        contexts = np.concatenate([self.family.shown(terms, self.roles)[each, agents], crew], axis=1, dtype=np.float32)
        ones = np.ones((len(agents), 1))
        weights = np.concatenate([ones, weights_of(self.family, terms), ones], axis=1)
        return contexts, weights * self.family.scale(terms, self.roles)[each, agents, None]

    def _checked(self, terms: ArrayLike) -> FloatArray:
        checked = check_terms(self.family, terms)
        if len(checked) not in (1, self.n_games):
            raise ContractsError(f"{self.n_games} games need as many contracts, or one for all, got {len(checked)}")
        if not somebody_is_paid(self.family, self.roles) and not moves_nothing(self.family, checked):
            raise ContractsError(
                f"there are no cleaners to be paid, so {' and '.join(self.family.terms)} must be 0: recruit at least "
                "one (n_cleaners=1), or give a family that begins at 0"
            )
        return np.repeat(checked, self.n_games, axis=0) if len(checked) == 1 else checked

    def _settle_under(self, terms: FloatArray) -> None:
        self.terms: FloatArray = terms
        """Terms of the present contracts, (B, P)."""
        self.settlement = StepSettlement(
            roles=self.roles, payment=self.family.payment(terms), costs=self.costs, horizon=self.horizon
        )
        crew = np.full((self.n_games, self.n_agents, 1), self.config.n_cleaners / self.largest_crew)
        self._context = np.concatenate([self.family.shown(terms, self.roles), crew], axis=2, dtype=np.float32)

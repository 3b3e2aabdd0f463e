"""Any PettingZoo parallel game as a batch of games under contracts, in the shape that batched learners take.

Rewards become utilities exactly as in `ContractWrapper`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.costs import CostRule, as_costs
from contract_wrapper.contracts.families import ContractFamily, TaxContracts, tax_scale
from contract_wrapper.contracts.payment_rules import CustomPayment, PaymentRule, TaxAndShare
from contract_wrapper.contracts.settlement import Payment, Settlement, StepSettlement
from contract_wrapper.envs.family_games import LARGEST_CREW, FamilyGames
from contract_wrapper.envs.game_readings import RoleMap
from contract_wrapper.envs.settled_games import FloatArray, mean_of_equals
from contract_wrapper.envs.zoo_games import MakeEnv, Visible, ZooGames


class PettingZooGames(ZooGames):
    """B copies of any PettingZoo parallel game under one contract, or under a payment rule alone.

    All copies end after `horizon` steps. A game that is over earlier stays over until then. An agent that has left, or
    has not come yet, observes zeros, earns 0, sees nobody and is seen by nobody; its actions are not played, and its
    role is 'absent' to the rules. In the last step of the horizon agents see what the game shows them last: to a
    learner the end is a time limit.

    >>> from cleanup_env import parallel_env
    >>> from functools import partial
    >>> game = PettingZooGames(partial(parallel_env, n_cleaners=2, observation="features"), n_games=3)
    >>> game.type_names, game.n_actions, game.horizon
    (('cleaner', 'harvester'), (8, 7), 200)
    >>> game.reset(seed=1).shape
    (3, 7, 49)
    """

    def __init__(
        self,
        make_env: MakeEnv,
        contract: Contract | None = None,
        *,
        n_games: int = 1,
        roles: RoleMap | None = None,
        horizon: int | None = None,
        payment: Payment | None = None,
        costs: CostRule | str | None = None,
        visible: Visible | None = None,
        processes: int = 1,
        type_names: Sequence[str] | None = None,
        no_op: int | None = None,
        only_of_use: bool = False,
        seed_bits: int = 63,
    ) -> None:
        """Build the games.

        Args:
            make_env: builds one copy, a parallel environment; the same each time.
            contract: what the principal chose, as in `ContractWrapper`. Left out: the payment alone says who pays whom.
            n_games: copies in lockstep, B.
            roles: role of each agent, as in `ContractWrapper`; agents of one role are one type and share a network.
            horizon: steps of an episode. Left out: what the game says (`horizon`, `max_cycles` or `max_steps`).
            payment: a payment rule, or a function (rewards, activity, roles) -> transfers that conserves money; its
                arrays are (..., N). Left out: `TaxAndShare` with the contract's tax; without a contract nobody pays.
            costs: a cost rule, or text for `get_costs`. Left out: `effort`, 0.02 per shot of a cleaner.
            visible: who sees whom, (N, N), or a function from a game to that. Left out: all who are there.
            processes: worker processes over which the copies are spread; 1: they play in this process.
            type_names: the roles in the order of the types; default: sorted.
            no_op: number of the action that does nothing, for learners that need one.
            only_of_use: whether an action that a game's mask forbids is replaced by the first that it allows.
            seed_bits: bits of the seeds of several copies; 31 or 32 for games that take no larger ones.

        Raises:
            ContractsError: the game is none of the parallel interface, does not say what is needed, has actions or
                observations that the learner cannot take, or the parts do not fit together (as `ContractWrapper`).
        """
        super().__init__(
            make_env, n_games=n_games, roles=roles, horizon=horizon, visible=visible, processes=processes,
            type_names=type_names, no_op=no_op, only_of_use=only_of_use, seed_bits=seed_bits,
        )  # fmt: skip
        if contract is None:
            rule = TaxAndShare(tax=0.0) if payment is None else _as_rule(payment)
            self.settlement = StepSettlement(
                roles=self.roles, payment=rule, costs=as_costs(costs), horizon=self.horizon
            )
        else:
            self.settlement = Settlement.of(contract, self.roles, payment=payment, costs=costs, horizon=self.horizon)
        self._contract = contract

    def reward_scale(self) -> FloatArray:
        """Return the declared constants (per type) that a learner may multiply utilities with.

        Under a contract those of its tax for cleaners and harvesters (`ContractedGame`), and 1 for other roles and
        without a contract.
        """
        scale = {}
        if self._contract is not None:
            scale = dict(
                zip(("cleaner", "harvester"), tax_scale(self._contract.tax, self._contract.n_cleaners), strict=True)
            )
        return np.array([float(scale.get(name, 1.0)) for name in self.type_names])

    def reward_shift(self) -> FloatArray:
        """Return what a learner may add to each type's utility per step: the flat part of its costs."""
        flat = self.settlement.prices.per_step
        return np.array([mean_of_equals(flat[self.agent_types == m]) for m in range(len(self.type_names))])


class ConditionedPettingZooGames(FamilyGames, ZooGames):
    """B copies of a PettingZoo parallel game, each under a contract of its own that its agents see.

    The contracts are drawn anew at every reset, from its seed and spread over the family, or are fixed. The families of
    this package tax agents of the role 'harvester' and pay those of the role 'cleaner'.

    >>> from cleanup_env import parallel_env
    >>> from functools import partial
    >>> game = ConditionedPettingZooGames(partial(parallel_env, n_cleaners=2, observation="features"), n_games=4)
    >>> observations = game.reset(seed=1)
    >>> sorted((4 * game.terms[:, 0]).astype(int).tolist())  # one tax from each quarter of [0, 1]
    [0, 1, 2, 3]
    """

    def __init__(
        self,
        make_env: MakeEnv,
        family: ContractFamily | None = None,
        *,
        terms: ArrayLike | None = None,
        largest_crew: int = LARGEST_CREW,
        costs: CostRule | str | None = None,
        **settings: Any,
    ) -> None:
        """Build the games.

        Args:
            make_env, costs: as in `PettingZooGames`.
            settings: of the games: n_games, roles, horizon and so on, as in `PettingZooGames`.
            family: what contracts there are, and what agents see of them; default: all taxes, `TaxContracts()`.
            terms, largest_crew: as in `ConditionedGame`.

        Raises:
            ContractsError: as `PettingZooGames` and `ConditionedGame`.
        """
        super().__init__(make_env, **settings)
        chosen = TaxContracts() if family is None else family
        # A family of the user's that does not say whom it pays may pay whom it likes.
        told = type(chosen).__module__.startswith("contract_wrapper.") or hasattr(chosen, "pays")
        self._play_under(chosen, terms, largest_crew, costs, says_roles=told)


def _as_rule(payment: Any) -> PaymentRule:
    return payment if hasattr(payment, "transfers") else CustomPayment(function=payment)

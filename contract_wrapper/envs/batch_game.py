"""A batch of Clean-up games under a contract, as learners see it: rewards are utilities.

The game gives apples; its steps are settled under one contract (`contracts.settlement`).
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanup_env import Action, BatchCleanup, CleanupConfig, make_config
from contract_wrapper.contracts.contract import Contract, as_int
from contract_wrapper.contracts.costs import CostRule
from contract_wrapper.contracts.families import sharing_scale, tax_scale
from contract_wrapper.contracts.payment_rules import RewardSharing, paid_by, payers_of
from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.contracts.settlement import Payment, Settlement
from contract_wrapper.envs.settled_games import FloatArray, SettledGames, mean_of_equals
from contract_wrapper.errors import ContractsError, shown

TYPES = ("cleaner", "harvester")
"""Agents with the same incentive form a type (Molina Concha et al. 2024, eq. 9)."""


def check_game(
    config: CleanupConfig,
    n_cleaners: int = 1,
    *,
    pays: tuple[str, ...] = ("harvester",),
    paid: tuple[str, ...] = ("cleaner",),
) -> None:
    """Refuse a game in which no contract with so many cleaners can be played.

    Args:
        config: the game without recruits.
        n_cleaners: cleaners for which it must have room beside its other agents.
        pays, paid: roles that pay and are paid under the contract; left out: harvesters pay cleaners.

    Raises:
        ContractsError: it has agents that the contract does not know, nobody who pays, or too few places to start
            from; or there is no such number of cleaners.
    """
    if not isinstance(config, CleanupConfig):
        raise ContractsError(f"the game must be a CleanupConfig, for example make_config(), got {shown(config)}")
    there = {"free": config.n_free, "harvester": config.n_harvesters}
    known = {*pays, *paid}
    for role, count in there.items():
        if count and role not in known:
            way_out = (
                "use a preset without them, such as 'contract', or contracts among them, FreeTaxContracts or FreeTax"
                if role == "free"
                else "use a preset without them, such as 'original', or contracts that they pay, such as TaxContracts"
            )
            agents = "free agents" if role == "free" else f"{role}s"
            raise ContractsError(
                f"contracts know the roles {' and '.join(sorted(known))}, but the game has {count} {agents}: {way_out}"
            )
    if not any(there.get(role) for role in pays):
        if "harvester" in pays:
            raise ContractsError("there is nothing to tax in a game without harvesters: set n_harvesters")
        raise ContractsError(f"nobody pays in a game without agents of the role {' or '.join(pays)}: set n_free")
    crew = as_int(n_cleaners)
    if crew is None or crew < 0:
        raise ContractsError(f"n_cleaners must be an integer of at least 0, got {shown(n_cleaners)}")
    if crew and "cleaner" not in known:
        raise ContractsError(
            f"these contracts know the roles {' and '.join(sorted(known))}, so nobody is recruited: "
            f"n_cleaners must be 0, got {shown(crew)}"
        )
    if config.n_harvesters + config.n_free + crew > config.n_places:
        where = "floor cells" if config.spawn_anywhere else "spawn points"
        others = " and ".join(
            text
            for count, text in (
                (config.n_harvesters, f"{config.n_harvesters} harvesters"), (config.n_free, f"{config.n_free} free agents")
            )
            if count
        )  # fmt: skip
        way_out = "use a larger map" if config.spawn_anywhere else "set spawn_anywhere=True or use a larger map"
        raise ContractsError(
            f"the game has {config.n_places} {where}, too few for {others} and "
            f"{shown(crew)} cleaner{'s' * (crew != 1)}: {way_out}, or lower n_harvesters"
        )


def types_of(config: CleanupConfig) -> tuple[str, ...]:
    """Return the types of a game's agents: cleaners and harvesters, whoever is recruited, and free agents if it has any.

    >>> types_of(make_config("contract")), types_of(make_config("original"))
    (('cleaner', 'harvester'), ('free',))
    """
    tied = TYPES if config.n_harvesters or config.n_cleaners or not config.n_free else ()
    return (*tied, "free") if config.n_free else tied


class SettledGame(SettledGames):
    """B Clean-up games with one crew whose steps are settled; how, its subclasses say."""

    no_op: int | None = int(Action.STAY)

    def __init__(
        self, n_cleaners: int, *, n_games: int, config: CleanupConfig | None, observation: str, contract: object = None
    ) -> None:
        """Build the games with so many cleaners; subclasses set `settlement`.

        `contract` is the payment rule or the family of contracts, for whose roles the game must be.
        """
        base = make_config("contract") if config is None else config
        check_game(base, n_cleaners, pays=payers_of(contract), paid=paid_by(contract))
        self.config = dataclasses.replace(base, n_cleaners=n_cleaners)
        self.roles = Roles(names=self.config.roles, agents=self.config.agents)
        self.game = BatchCleanup(self.config, n_games, observation=observation)  # type: ignore[arg-type]
        self.n_games, self.n_agents, self.horizon = n_games, self.config.n_agents, self.config.horizon
        self.type_names = types_of(self.config)
        self.agent_types = np.array([self.type_names.index(role) for role in self.config.roles])
        self.n_actions = tuple(len(self.config.actions(role)) for role in self.type_names)
        self.observation_shape = self.game.observation_shape
        self.n_classes = self.game.n_classes if observation == "symbolic" else 0
        self._begin_unsettled()
        self.activity = self._did()

    def visible(self) -> NDArray[np.bool_]:
        """(B, N, N): does agent i see agent j now? False on the diagonal."""
        return self.game.visible()

    def action_mask(self) -> NDArray[np.bool_]:
        """(B, N, A): which actions are of use now? False for those a role lacks and for a beam that cools down."""
        return self.game.action_mask()

    @property
    def waste(self) -> NDArray[np.int32]:
        """Waste cells of each copy now, (B,)."""
        return self.game.waste

    def _start(self, seed: int, seeds: Any) -> NDArray[Any]:
        return self.game.reset(seed) if seeds is None else self.game.reset(seeds=seeds)

    def _play(self, actions: NDArray[np.int64]) -> NDArray[Any]:
        observations, self.raw_rewards, _ = self.game.step(actions)
        self.activity = self._did()
        return observations

    def _did(self) -> Activity:
        return Activity(shots=self.game.shots, cleaned=self.game.cleaned, apples=self.game.apples)


class ContractedGame(SettledGame):
    """B games under one contract, in the shape that batched learners take (`mtmfq.BatchGame`).

    >>> game = ContractedGame(Contract(tax=0.1, n_cleaners=2), n_games=3)
    >>> game.reset(seed=1).shape
    (3, 7, 49)
    """

    settlement: Settlement

    def __init__(
        self,
        contract: Contract,
        *,
        n_games: int = 1,
        config: CleanupConfig | None = None,
        costs: CostRule | str | None = None,
        payment: Payment | None = None,
        observation: str = "features",
    ) -> None:
        """Build the games with as many cleaners as the contract recruits.

        Args:
            contract: what the principal chose.
            n_games: copies in lockstep, B.
            config: the game without recruits (its n_cleaners is set here); default: preset `contract`.
            costs, payment: as in `Settlement.of`.
            observation: what agents see, as in `BatchCleanup`.

        Raises:
            ContractsError: the parts do not fit together (see `Settlement`), or the contract cannot be played
                in the game (see `check_game`).
            CleanupError: so many games take too much memory.
        """
        if not isinstance(contract, Contract):
            raise ContractsError(
                f"contract must be a Contract, for example Contract(tax=0.04, n_cleaners=5), got {shown(contract)}"
            )
        super().__init__(contract.n_cleaners, n_games=n_games, config=config, observation=observation, contract=payment)
        self.settlement = Settlement.of(contract, self.roles, payment=payment, costs=costs, horizon=self.horizon)

    def reward_scale(self) -> FloatArray:
        """Return the declared constants (per type) that a learner may multiply utilities with.

        They are `tax_scale`, or where agents share their rewards `sharing_scale`. Free agents' is 1: what is taken from
        them they get back.
        """
        contract, payment = self.settlement.contract, self.settlement.payment
        if isinstance(payment, RewardSharing):
            scales = sharing_scale(payment.share, self.n_agents)
        else:
            cleaner, harvester = tax_scale(contract.tax, contract.n_cleaners)
            scales = (float(cleaner), float(harvester))
        by_type = dict(zip(TYPES, scales, strict=True))
        return np.array([by_type.get(name, 1.0) for name in self.type_names])

    def reward_shift(self) -> FloatArray:
        """Return what a learner may add to each type's utility per step: the flat part of its costs.

        It is paid whatever an agent does, so that leaving it out changes no preference. Where agents of a type have
        prices of their own it is their mean; each agent's own is `settlement.prices.per_step`, (N,).
        """
        flat, shifts = self.settlement.prices.per_step, []
        for m, name in enumerate(self.type_names):
            own = flat[self.agent_types == m]
            if not len(own):
                shifts.append(self.settlement.costs.flat_per_step(name, self.horizon))
            else:
                shifts.append(mean_of_equals(own))
        return np.array(shifts, np.float64)

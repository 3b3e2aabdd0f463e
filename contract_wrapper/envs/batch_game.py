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
from contract_wrapper.contracts.payment_rules import RewardSharing
from contract_wrapper.contracts.roles import Activity, Roles
from contract_wrapper.contracts.settlement import Payment, Settled, Settlement, StepSettlement
from contract_wrapper.errors import ContractsError, shown

FloatArray = NDArray[np.float64]

TYPES = ("cleaner", "harvester")
"""Agents with the same incentive form a type (Molina Concha et al. 2024, eq. 9)."""


def check_game(config: CleanupConfig, n_cleaners: int = 1) -> None:
    """Refuse a game in which no contract with so many cleaners can be played.

    Args:
        config: the game without recruits.
        n_cleaners: cleaners for which it must have room beside its harvesters.

    Raises:
        ContractsError: it has free agents, no harvesters, or too few places to start from; or there is no such
            number of cleaners.
    """
    if not isinstance(config, CleanupConfig):
        raise ContractsError(f"the game must be a CleanupConfig, for example make_config(), got {shown(config)}")
    if config.n_free:
        raise ContractsError(
            f"contracts know the roles {' and '.join(TYPES)}, but the game has {config.n_free} free agents: "
            "use a preset without them, such as 'contract'"
        )
    if not config.n_harvesters:
        raise ContractsError("there is nothing to tax in a game without harvesters: set n_harvesters")
    crew = as_int(n_cleaners)
    if crew is None or crew < 0:
        raise ContractsError(f"n_cleaners must be an integer of at least 0, got {shown(n_cleaners)}")
    if config.n_harvesters + crew > config.n_places:
        where = "floor cells" if config.spawn_anywhere else "spawn points"
        way_out = "use a larger map" if config.spawn_anywhere else "set spawn_anywhere=True or use a larger map"
        raise ContractsError(
            f"the game has {config.n_places} {where}, too few for {config.n_harvesters} harvesters and "
            f"{shown(crew)} cleaner{'s' * (crew != 1)}: {way_out}, or lower n_harvesters"
        )


class SettledGame:
    """B games with one crew whose steps are settled; how, its subclasses say."""

    type_names: tuple[str, ...] = TYPES
    no_op: int = Action.STAY
    settlement: StepSettlement

    def __init__(self, n_cleaners: int, *, n_games: int, config: CleanupConfig | None, observation: str) -> None:
        """Build the games with so many cleaners; subclasses set `settlement`."""
        base = make_config("contract") if config is None else config
        check_game(base, n_cleaners)
        self.config = dataclasses.replace(base, n_cleaners=n_cleaners)
        self.roles = Roles(names=self.config.roles, agents=self.config.agents)
        self.game = BatchCleanup(self.config, n_games, observation=observation)  # type: ignore[arg-type]
        self.n_games, self.n_agents, self.horizon = n_games, self.config.n_agents, self.config.horizon
        self.agent_types = np.array([TYPES.index(role) for role in self.config.roles])
        self.n_actions = tuple(len(self.config.actions(role)) for role in TYPES)
        self.observation_shape = self.game.observation_shape
        self.n_classes = self.game.n_classes if observation == "symbolic" else 0
        nothing: FloatArray = np.zeros((n_games, self.n_agents))
        self.raw_rewards = nothing
        """Rewards of the last step before settlement, (B, N) in apples; overwritten by the next step."""
        self.settled = Settled(transfers=nothing, costs=nothing, utilities=nothing)
        """Transfers, costs and utilities of the last step, (B, N) each in apples."""

    def reset(self, seed: int) -> NDArray[Any]:
        """Start an episode in every copy; observations (B, N, ...)."""
        return self.game.reset(seed)

    def step(self, actions: NDArray[np.int64]) -> tuple[NDArray[Any], FloatArray]:
        """Play actions (B, N); observations (B, N, ...) and utilities (B, N) in apples."""
        observations, self.raw_rewards, _ = self.game.step(actions)
        activity = Activity(shots=self.game.shots, cleaned=self.game.cleaned, apples=self.game.apples)
        self.settled = self.settlement.settle(self.raw_rewards, activity)
        return observations, self.settled.utilities

    def visible(self) -> NDArray[np.bool_]:
        """(B, N, N): does agent i see agent j now? False on the diagonal."""
        return self.game.visible()

    def action_mask(self) -> NDArray[np.bool_]:
        """(B, N, A): which actions are of use now? False for those a role lacks and for a beam that cools down."""
        return self.game.action_mask()


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
        super().__init__(contract.n_cleaners, n_games=n_games, config=config, observation=observation)
        self.settlement = Settlement.of(contract, self.roles, payment=payment, costs=costs, horizon=self.horizon)

    def reward_scale(self) -> FloatArray:
        """Return the declared constants (per type) that a learner may multiply utilities with.

        They are `tax_scale`, or where agents share their rewards `sharing_scale`.
        """
        contract, payment = self.settlement.contract, self.settlement.payment
        if isinstance(payment, RewardSharing):
            return np.array(sharing_scale(payment.share, self.n_agents))
        return np.array(tax_scale(contract.tax, contract.n_cleaners))

    def reward_shift(self) -> FloatArray:
        """Return what a learner may add to each type's utility per step: the flat part of its costs.

        It is paid whatever an agent does, so that leaving it out changes no preference.
        """
        return np.array([self.settlement.costs.flat_per_step(name, self.horizon) for name in TYPES])

"""The principal's problem as a Gymnasium environment: one step, whose action is a contract."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from contract_wrapper.contracts.contract import Contract, as_int
from contract_wrapper.envs.batch_game import check_game
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.evaluate import evaluate
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.settings import EvaluationSettings, check_seed

TAXES = 101
"""Taxes on offer: 0.00 to 1.00 in steps of 0.01."""


class ContractDesign(gymnasium.Env[NDArray[np.float32], NDArray[np.int64]]):
    """A game of one step: choose a contract, agents are trained under it, the reward is welfare.

    Action: `MultiDiscrete([101, max_cleaners])`, the tax in hundredths and the number of cleaners less
    one: (4, 2) is tax 0.04 with 3 cleaners. Observation: zeros (1,), as there is nothing to see before
    acting. Reward: welfare G in apples per episode. The episode terminates at once. Info: the outcome as
    plain data (`Outcome.to_dict`), `margins` (name -> mean and se, >= 0 good) and `feasible`, whether
    everybody accepts. A step is a whole training: seconds to minutes.

    Seeds: after `reset(seed=k)` the step is `evaluate(contract, settings, seed=k)`; a reset without a
    seed draws the training's seed from `np_random`. The baseline is trained once, before the first step,
    with `baseline_seed`, and nothing is trained twice with the same seed.

    >>> env = ContractDesign(max_cleaners=3)
    >>> print(env.contract((4, 2)))
    tax 0.04, 3 cleaners
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}  # type: ignore[misc]

    def __init__(
        self,
        settings: EvaluationSettings | None = None,
        *,
        folder: Path | str | None = None,
        max_cleaners: int = 5,
        baseline_seed: int = 0,
        render_mode: None = None,
    ) -> None:
        """Set the problem up; nothing is trained yet.

        Args:
            settings: game, costs, learner; default as in `evaluate`.
            folder: where outcomes and policies are kept between environments and programs; None: nowhere.
            max_cleaners: largest crew on offer.
            baseline_seed: of the training without a contract.
            render_mode: None; there is nothing to draw (`record_episode` draws games).

        Raises:
            ContractsError: an argument is out of range or of another type, the game has no room for so many
                cleaners, or a render mode is asked for.
        """
        for name, value, least in (("max_cleaners", max_cleaners, 1), ("baseline_seed", baseline_seed, 0)):
            number = as_int(value)
            if number is None or number < least:
                raise ContractsError(f"{name} must be an integer of at least {least}, got {shown(value)}")
        if render_mode is not None:
            raise ContractsError(f"there is nothing to draw, so render_mode must be None, got {shown(render_mode)}")
        if settings is not None and not isinstance(settings, EvaluationSettings):
            raise ContractsError(f"settings must be EvaluationSettings, got {shown(settings)}")
        if folder is not None and not isinstance(folder, (str, Path)):
            raise ContractsError(f"folder must be a path or None, got {shown(folder)}")
        self.settings = EvaluationSettings() if settings is None else settings
        check_game(self.settings.game, max_cleaners)
        self.folder = None if folder is None else Path(folder)
        self.max_cleaners, self.baseline_seed = int(max_cleaners), check_seed(baseline_seed)
        self.render_mode = None
        self.observation_space = spaces.Box(0.0, 1.0, (1,), np.float32)
        self.action_space = spaces.MultiDiscrete([TAXES, max_cleaners])
        self._known: dict[tuple[Contract, int], Outcome] = {}
        self._seed: int | None = None

    def contract(self, action: Any) -> Contract:
        """Contract that an action stands for.

        Raises:
            ContractsError: it is none.
        """
        try:
            numbers = np.asarray(action)
        except (TypeError, ValueError, OverflowError):
            numbers = np.empty(0)
        if numbers.dtype.kind not in "iu" or not self.action_space.contains(numbers.astype(np.int64)):
            raise ContractsError(
                "an action is two integers, the tax in hundredths, 0 to 100, and the number of cleaners less one, "
                f"0 to {self.max_cleaners - 1}, got {shown(action)}"
            )
        return Contract(tax=int(numbers[0]) / (TAXES - 1), n_cleaners=int(numbers[1]) + 1)

    def action(self, contract: Contract) -> NDArray[np.int64]:
        """Action that stands for a contract; its tax is rounded to hundredths.

        Raises:
            ContractsError: it recruits nobody, or more than max_cleaners.
        """
        action = np.array([round(contract.tax * (TAXES - 1)), contract.n_cleaners - 1], np.int64)
        if not self.action_space.contains(action):
            raise ContractsError(f"{contract} is not on offer: contracts recruit 1 to {self.max_cleaners}")
        return action

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin anew; seed: of the training to come, see the class."""
        super().reset(seed=None if seed is None else check_seed(seed))
        self._seed = int(self.np_random.integers(2**31)) if seed is None else seed
        return self._nothing_to_see(), {}

    def step(self, action: Any) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Train and measure agents under a contract; see the class for what comes back.

        Raises:
            ContractsError: no episode has been begun, or the action is none.
            mtmfq.LearnerError: the learner diverged.
        """
        if self._seed is None:
            raise ContractsError("an episode is one step long: call reset() before the next step")
        outcome = self._evaluate(self.contract(action), self._seed)
        self._seed = None
        baseline = self.baseline
        margins = {name: dataclasses.asdict(margin) for name, margin in outcome.margins(baseline).items()}
        info = {**copy.deepcopy(outcome.to_dict()), "margins": margins, "feasible": outcome.feasible(baseline)}
        return self._nothing_to_see(), outcome.welfare.mean, True, False, info

    @property
    def baseline(self) -> Outcome:
        """Outcome without a contract, trained when first asked for."""
        return self._evaluate(Contract.none(), self.baseline_seed)

    def _evaluate(self, contract: Contract, seed: int) -> Outcome:
        if (contract, seed) not in self._known:
            self._known[contract, seed] = evaluate(contract, self.settings, seed, folder=self.folder)
        return self._known[contract, seed]

    @staticmethod
    def _nothing_to_see() -> NDArray[np.float32]:
        return np.zeros(1, np.float32)

"""A landscape as a Gymnasium environment: the principal's problem of one step, without any training."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from contract_wrapper.contracts.contract import Contract, as_int
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.landscapes.landscape import Landscape
from contract_wrapper.landscapes.shipped import load_landscape
from contract_wrapper.landscapes.tabular import TabularProblem


class LandscapeDesign(gymnasium.Env[NDArray[np.float32], NDArray[np.int64]]):
    """A game of one step: choose a contract, the reward is its welfare in a training drawn at random.

    Action: `MultiDiscrete([taxes, crew sizes])`, the number of a tax and of a crew size of the landscape, each from
    the smallest. Observation: zeros (1,), as there is nothing to see before acting. Reward: welfare in apples per
    episode. The episode terminates at once. Info: `contract` and `margins` (name -> mean and se, >= 0 good),
    `feasible`, whether everybody accepts by this reading, and `regret`, what recommending the contract would lose
    by the truth (`TabularProblem.regret`). A step takes less than a millisecond; `ContractDesign` is the same
    problem with a training in each step.

    Seeds: `reset(seed=k)` seeds the draws of trainings, which go on from there.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}  # type: ignore[misc]

    def __init__(self, landscape: Landscape | str | Path = "effort", *, render_mode: None = None) -> None:
        """Set the problem up.

        Args:
            landscape: one that is loaded, or a name or path for `load_landscape`.
            render_mode: None; there is nothing to draw.

        Raises:
            ContractsError: there is no such landscape, not every tax is in it with every crew size, or a render
                mode is asked for.
        """
        if render_mode is not None:
            raise ContractsError(f"there is nothing to draw, so render_mode must be None, got {shown(render_mode)}")
        table = landscape if isinstance(landscape, Landscape) else load_landscape(landscape)
        self.problem = TabularProblem(landscape=table)
        if not self.problem.is_grid:
            raise ContractsError("an action is a tax and a crew size, so every tax must be there with every crew size")
        self.render_mode = None
        self._taxes, self._sizes = self.problem.taxes, self.problem.crew_sizes
        self.observation_space = spaces.Box(0.0, 1.0, (1,), np.float32)
        self.action_space = spaces.MultiDiscrete([len(self._taxes), len(self._sizes)])
        self._begun = False

    def contract(self, action: Any) -> Contract:
        """Contract that an action stands for.

        Raises:
            ContractsError: it is none.
        """
        numbers = [as_int(number) for number in action] if isinstance(action, (tuple, list, np.ndarray)) else []
        n_taxes, n_sizes = len(self._taxes), len(self._sizes)
        if len(numbers) == 2:
            i, j = numbers
            if i is not None and j is not None and 0 <= i < n_taxes and 0 <= j < n_sizes:
                return Contract(tax=float(self._taxes[i]), n_cleaners=int(self._sizes[j]))
        raise ContractsError(
            f"an action is two integers, the number of a tax, 0 to {n_taxes - 1}, and of a crew size, "
            f"0 to {n_sizes - 1}, got {shown(action)}"
        )

    def action(self, contract: Contract) -> NDArray[np.int64]:
        """Action that stands for a contract of the landscape.

        Raises:
            ContractsError: it is none of the landscape's, or no contract.
        """
        known = self.problem.contract((contract.tax, contract.n_cleaners))
        return np.array(
            [np.searchsorted(self._taxes, known.tax), np.searchsorted(self._sizes, known.n_cleaners)], np.int64
        )

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin anew; see the class for seeds."""
        super().reset(seed=seed)
        self._begun = True
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Read a contract off the table; see the class for what comes back.

        Raises:
            ContractsError: no episode has been begun, or the action is none.
        """
        if not self._begun:
            raise ContractsError("an episode is one step long: call reset() before the next step")
        contract = self.contract(action)
        reading = self.problem.reading(contract, self.np_random)
        self._begun = False
        info = {
            "contract": contract.as_dict(),
            "margins": {name: {"mean": m, "se": reading.margins_se[name]} for name, m in reading.margins.items()},
            "feasible": reading.feasible,
            "regret": self.problem.regret(contract),
        }
        return np.zeros(1, np.float32), reading.welfare, True, False, info

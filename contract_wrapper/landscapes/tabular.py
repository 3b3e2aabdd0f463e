"""A landscape as a problem for optimisers: evaluations as noisy as trainings, a known truth, and no time to wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.contracts.contract import Contract, as_int
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.participation import PARTICIPATION
from contract_wrapper.landscapes.bounds import BoolArray, FloatArray
from contract_wrapper.landscapes.landscape import Landscape


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one evaluation of a contract says, or (as the truth) the mean over trainings; apples per episode."""

    contract: Contract
    """What was evaluated."""

    welfare: float
    """To be maximised."""

    margins: Mapping[str, float]
    """Margins by name, >= 0 good: each harvester, and the worst cleaner as `participation` (eqs. 4 to 6)."""

    welfare_se: float
    """Standard error: of a reading over its episodes, of the truth over trainings (NaN with one)."""

    margins_se: Mapping[str, float]
    """Standard errors of the margins, likewise."""

    @property
    def feasible(self) -> bool:
        """Whether all margins are at least 0, by these numbers."""
        return all(margin >= 0.0 for margin in self.margins.values())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TabularProblem:
    """Which contract of a landscape is best among those that everybody accepts?

    An evaluation draws one training at random and reports its row, baseline included: noisy as a training is, and
    the noise of two contracts goes together only if the same training is drawn for both. The truth is the mean over
    the trainings. Designs are (tax, number of cleaners), as in `contract_space()`.
    """

    landscape: Landscape
    """The table; its contract 0, no contract, is the baseline and no design."""

    constraints: tuple[str, ...] = field(init=False)
    """Names of the margins, in one order: harvesters, then `participation`."""

    _margins: FloatArray = field(init=False, repr=False)
    """(S, K, constraints), of each training; the worst cleaner of each training."""

    _true_margins: FloatArray = field(init=False, repr=False)
    """(K, constraints), of the means over trainings; the cleaner that is worst on average."""

    def __post_init__(self) -> None:
        land = self.landscape
        if not isinstance(land, Landscape):
            raise ContractsError(f"landscape must be a Landscape (load_landscape reads one), got {shown(land)}")
        if (land.n_cleaners[1:] < 1).any():
            raise ContractsError("contracts of a tabular problem recruit somebody, but for contract 0")
        harvesters, cleaners = land.of_role("harvester"), land.of_role("cleaner")
        margins, mean = land.margins(), land.margins().mean(axis=0)
        worst = _worst(margins[:, :, cleaners])
        object.__setattr__(self, "constraints", (*(land.agents[i] for i in harvesters), PARTICIPATION))
        object.__setattr__(self, "_margins", np.dstack([margins[:, :, harvesters], worst]))
        truth = np.column_stack([mean[:, harvesters], _worst(mean[:, cleaners])])
        object.__setattr__(self, "_true_margins", truth)

    @property
    def participation(self) -> int:
        """Place of the recruited agents' margin in `constraints`, as `CPMES` and `History` take it."""
        return self.constraints.index(PARTICIPATION)

    @property
    def designs(self) -> FloatArray:
        """All designs, (n, 2): tax and number of cleaners."""
        return np.column_stack([self.landscape.tax[1:], self.landscape.n_cleaners[1:].astype(np.float64)])

    @property
    def taxes(self) -> FloatArray:
        """All taxes, rising."""
        return np.unique(self.landscape.tax[1:])

    @property
    def crew_sizes(self) -> NDArray[np.int64]:
        """All numbers of cleaners, rising."""
        return np.unique(self.landscape.n_cleaners[1:])

    @property
    def is_grid(self) -> bool:
        """Whether every tax is there with every crew size."""
        return len(self.designs) == len(self.taxes) * len(self.crew_sizes)

    def reading(self, contract: Contract, rng: np.random.Generator) -> Reading:
        """Evaluate a contract: the row of a training drawn at random.

        Raises:
            ContractsError: the contract is none of the table's, or no contract.
        """
        k, s = self._number(contract), int(rng.integers(len(self.landscape.seeds)))
        land, errors = self.landscape, self.landscape.margins_se()[s, k]
        cleaners = land.of_role("cleaner")
        worst = cleaners[int(np.nanargmin(land.utilities[s, k, cleaners]))]
        places = [*land.of_role("harvester"), worst]
        return Reading(
            contract=contract,
            welfare=float(land.welfare[s, k]),
            margins=self._named(self._margins[s, k]),
            welfare_se=float(land.welfare_se[s, k]),
            margins_se=self._named(errors[places]),
        )

    def evaluate(self, contract: Contract, rng: np.random.Generator) -> tuple[float, dict[str, float]]:
        """Welfare and margins by name (>= 0 good) of `reading`."""
        reading = self.reading(contract, rng)
        return reading.welfare, dict(reading.margins)

    def told(self, contract: Contract, rng: np.random.Generator) -> dict[str, Any]:
        """An evaluation as `CPMES.tell` takes it: `optimiser.tell(**problem.told(contract, rng))`.

        Margins are lists in the order of `constraints`, with which the `CPMES` or `History` is to be built.
        """
        reading = self.reading(contract, rng)
        return {
            "design": (contract.tax, contract.n_cleaners),
            "objective": reading.welfare,
            "margins": list(reading.margins.values()),
            "objective_se": reading.welfare_se,
            "margins_se": list(reading.margins_se.values()),
        }

    def truth(self, contract: Contract) -> Reading:
        """Mean over all trainings, with its standard error over them; of a crew, the cleaner that is worst on average.

        Raises:
            ContractsError: as in `reading`.
        """
        k, land = self._number(contract), self.landscape
        n = len(land.seeds)

        def error(values: FloatArray) -> FloatArray:
            spread = values.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.full(values.shape[1:], np.nan)
            return np.asarray(spread, np.float64)

        cleaners = land.of_role("cleaner")
        worst = cleaners[int(np.nanargmin(land.utilities[:, k, cleaners].mean(axis=0)))]
        return Reading(
            contract=contract,
            welfare=float(land.welfare[:, k].mean()),
            margins=self._named(self._true_margins[k]),
            welfare_se=float(error(land.welfare[:, k])),
            margins_se=self._named(error(land.margins()[:, k, [*land.of_role("harvester"), worst]])),
        )

    def feasible(self) -> BoolArray:
        """Contracts that everybody truly accepts, by number in the landscape, (K,); no contract is none of them."""
        mask = self.landscape.feasible()
        mask[0] = False
        return mask

    def best(self) -> Contract:
        """The truly best contract among those that everybody truly accepts; no contract, if there are none."""
        mask = self.feasible()
        return self.landscape.contracts()[self.landscape.best(mask)] if mask.any() else Contract.none()

    def regret(self, contract: Contract) -> float:
        """Welfare that recommending this contract loses against the best one, by the truth, in apples per episode.

        A contract that somebody truly refuses is not signed, so its welfare is that without a contract; so is that
        of `Contract.none()`, which may be recommended. At least 0, unless no contract is better than all others.
        """
        mean, feasible = self.landscape.welfare.mean(axis=0), self.feasible()
        best = self.landscape.number(self.best())
        k = 0 if contract.is_none else self._number(contract)
        return float(mean[best] - (mean[k] if feasible[k] else mean[0]))

    def contract(self, design: Any) -> Contract:
        """Contract of a design (tax, number of cleaners), each the nearest of the table's within rounding.

        Raises:
            ContractsError: it is none of the table's.
        """
        try:
            tax, n = (float(number) for number in design)
            contract = Contract(tax=tax, n_cleaners=round(n))
        except (TypeError, ValueError, OverflowError):
            raise ContractsError(f"a design is (tax, number of cleaners), got {shown(design)}") from None
        return self.landscape.contracts()[self._number(contract)]

    def _number(self, contract: Contract) -> int:
        if not isinstance(contract, Contract) or contract.is_none:
            raise ContractsError(f"an evaluation needs a contract that recruits somebody, got {shown(contract)}")
        return self.landscape.number(contract)

    def _named(self, values: FloatArray) -> dict[str, float]:
        return dict(zip(self.constraints, values.tolist(), strict=True))


def optuna_objective(problem: TabularProblem, seed: int) -> Callable[[Any], float]:
    """Return an objective for `optuna.Study.optimize` (Optuna 5), to be maximised.

    It suggests `tax` and `n_cleaners`, and sets one constraint per margin, <= 0 good as Optuna has it, by
    `trial.set_constraint`. What trial number t draws depends on (seed, t) alone, so a resumed study goes on as if
    it had not been stopped. Taxes that are not evenly spaced are suggested as categories.

    Raises:
        ContractsError: not every tax is there with every crew size, or the seed is none.
    """
    if not problem.is_grid:
        raise ContractsError("Optuna suggests tax and cleaners apart, so every tax must be there with every crew size")
    entropy = as_int(seed)
    if entropy is None or entropy < 0:
        raise ContractsError(f"seed must be an integer of at least 0, got {shown(seed)}")
    taxes, sizes = problem.taxes, problem.crew_sizes
    spacing = _spacing(taxes)

    def objective(trial: Any) -> float:
        if spacing is None:
            tax = trial.suggest_categorical("tax", taxes.tolist())
        else:
            low, high, step = spacing
            suggested = trial.suggest_float("tax", low, high, step=step)
            tax = float(taxes[np.abs(taxes - suggested).argmin()])
        if len(sizes) == sizes[-1] - sizes[0] + 1:
            cleaners = trial.suggest_int("n_cleaners", int(sizes[0]), int(sizes[-1]))
        else:
            cleaners = trial.suggest_categorical("n_cleaners", sizes.tolist())
        rng = np.random.default_rng(np.random.SeedSequence([entropy, trial.number]))
        welfare, margins = problem.evaluate(Contract(tax=tax, n_cleaners=cleaners), rng)
        for name, margin in margins.items():
            trial.set_constraint(name, -margin)
        return welfare

    return objective


def _spacing(taxes: FloatArray) -> tuple[float, float, float] | None:
    """Lowest, highest and step of evenly spaced taxes, such that Optuna finds them to fit exactly; None: uneven."""
    if len(taxes) < 2:
        return None
    step = round(float(taxes[-1] - taxes[0]) / (len(taxes) - 1), 9)
    low = round(float(taxes[0]), 9)
    if step <= 0.0 or not np.allclose(taxes, low + step * np.arange(len(taxes)), rtol=0.0, atol=step / 100.0):
        return None
    return low, float(Decimal(str(low)) + Decimal(str(step)) * (len(taxes) - 1)), step


def _worst(margins: FloatArray) -> FloatArray:
    """Smallest margin along the last axis; infinite where nobody is recruited."""
    return np.asarray(np.where(np.isnan(margins), np.inf, margins).min(axis=-1), np.float64)

"""Clean-up under any family of contracts as a design problem: what varies are the family's terms and the crew."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cleanup_env import CleanupConfig, CleanupError, make_config
from contract_wrapper.contracts.contract import Contract, as_int
from contract_wrapper.contracts.costs import CostRule, as_costs, get_costs
from contract_wrapper.contracts.designed_contract import AnyContract, Number
from contract_wrapper.contracts.families import ContractFamily
from contract_wrapper.contracts.named_families import family_as_dict, family_from_dict, get_family
from contract_wrapper.contracts.outside_options import OutsideOptions, as_outside_options
from contract_wrapper.contracts.payment_rules import paid_by, payers_of
from contract_wrapper.contracts.roles import Roles
from contract_wrapper.envs.batch_game import ContractedGame, check_game
from contract_wrapper.envs.conditioned_game import ConditionedGame
from contract_wrapper.envs.family_games import LARGEST_CREW
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.problems.problem import DesignProblem
from contract_wrapper.problems.terms import Term

CREW = "n_cleaners"
"""Name of the term that recruits."""

WEIGHTS = (-0.5, 0.5)
"""Bounds of the weights of `linear`, a share of the team's reward for each agent of a role, unless others are given."""

KIND = "cleanup"
"""How a file says that a problem is one of Clean-up's, which is made of plain values alone."""

STEP = 0.01
"""Distance of neighbouring values of a term (the paper's grid of taxes), unless another is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanupGames:
    """Builds Clean-up games under the contracts of a family."""

    family: ContractFamily
    """The contracts."""

    game: CleanupConfig
    """The game without recruits."""

    costs: CostRule
    """What work costs."""

    largest_crew: int
    """Unit in which the size of a crew is shown."""

    def __call__(self, numbers: Mapping[str, Number] | None, n_games: int, observation: str) -> Any:
        """Build the games; without a contract nobody is recruited and nobody pays."""
        if numbers is None:
            return self.without(n_games, observation)
        return ConditionedGame(
            int(numbers.get(CREW, 0)),
            family=self.family,
            terms=[[numbers[term] for term in self.family.terms]],
            largest_crew=self.largest_crew,
            n_games=n_games,
            config=self.game,
            costs=self.costs,
            observation=observation,
        )

    def without(self, n_games: int, observation: str) -> ContractedGame:
        """Build the games without a contract."""
        return ContractedGame(
            Contract.none(), n_games=n_games, config=self.game, costs=self.costs, observation=observation,
            payment=_Nothing(pays=payers_of(self.family), paid=paid_by(self.family)),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Nothing:
    """A payment rule under which nobody pays, among agents of the roles of a family."""

    pays: tuple[str, ...]
    paid: tuple[str, ...]
    tax: float = 0.0
    mints: bool = False
    needs: tuple[str, ...] = ()

    def transfers(self, rewards: Any, activity: Any, roles: Roles) -> Any:
        """Return zeros of the shape of the rewards."""
        return rewards * 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class CleanupProblem(DesignProblem):
    """A design problem whose contracts agents can be conditioned on: made by `cleanup_problem`."""

    family: ContractFamily
    """The contracts, the size of the crew apart."""

    game: CleanupConfig
    """The game without recruits."""

    costs: CostRule
    """What work costs."""

    largest_crew: int
    """Largest crew, in units of which its size is shown."""

    def to_dict(self) -> dict[str, Any]:
        """What files keep of it; all of it, so that it need not be registered to be read."""
        return {**super().to_dict(), "kind": KIND}

    def crew_of(self, contract: AnyContract) -> int:
        """Number of cleaners that a contract recruits."""
        return int(dict(self.check(contract).numbers).get(CREW, 0))

    def terms_of(self, contract: AnyContract) -> list[float]:
        """Terms of the family in a contract, in their order."""
        numbers = dict(self.check(contract).numbers)
        return [float(numbers[term]) for term in self.family.terms]


def cleanup_problem(
    family: ContractFamily | str = "tax",
    *,
    name: str | None = None,
    game: CleanupConfig | str = "contract",
    costs: CostRule | str | None = None,
    max_cleaners: int = 5,
    step: float | None = STEP,
    objective: str = "welfare",
    outside: OutsideOptions | str | None = None,
    epsilon: float | None = None,
) -> CleanupProblem:
    """Make a design problem of Clean-up and a family of contracts.

    Args:
        family: the contracts, or their name for `get_family`; `tax-per-harvester` then has a tax for each harvester, and
            `linear` weights between -0.5 and 0.5.
        name: of the problem; default: `cleanup`, the family's name and the preset.
        game: the game without recruits, or its preset; with free agents (`original`) for families such as `free-tax`.
        costs: a cost rule, or text for `get_costs`; default: `effort`.
        max_cleaners: largest crew; counts only where the family pays cleaners, who are then recruited, at least one.
        step: distance of neighbouring values of each term of the family; None: any number between the bounds.
        objective, outside, epsilon: as in `DesignProblem`.

    Raises:
        ContractsError: the family has no name that files could keep, or is not for the roles of the game; there is an
            outside option of an agent that the game does not have.

    >>> cleanup_problem("tax-and-piece-rate").contract(tax=0.2, piece_rate=0.5, n_cleaners=3).numbers
    (('tax', 0.2), ('piece_rate', 0.5), ('n_cleaners', 3))
    """
    config = make_config(game) if isinstance(game, str) else game
    if not isinstance(config, CleanupConfig):
        raise ContractsError(f"the game must be a CleanupConfig or the name of a preset, got {shown(game)}")
    if isinstance(family, str):
        usual: dict[str, dict[str, Any]] = {
            "tax-per-harvester": {"n_harvesters": config.n_harvesters},
            "linear": {"harvester_weight": WEIGHTS, "cleaner_weight": WEIGHTS},
        }
        chosen = get_family(family, **usual.get(family, {}))
    else:
        chosen = family
    plain, rule = family_as_dict(chosen), as_costs(costs)
    offers = OutsideOptions() if outside is None else as_outside_options(outside)
    offers.check(config.agents)
    recruits = "cleaner" in {*payers_of(chosen), *paid_by(chosen)}
    most = as_int(max_cleaners)
    if most is None or most < 1:
        raise ContractsError(f"max_cleaners must be an integer of at least 1, got {shown(max_cleaners)}")
    check_game(config, most if recruits else 0, pays=payers_of(chosen), paid=paid_by(chosen))
    terms: Sequence[Term] = [
        Term(name=term, low=low, high=high, step=_step(step, low, high))
        for term, (low, high) in zip(chosen.terms, chosen.bounds, strict=True)
    ]
    crew = [Term(name=CREW, low=1, high=most, whole=True)] if recruits else []
    largest = max(LARGEST_CREW, most)
    return CleanupProblem(
        name=name or f"cleanup-{plain['family']}",
        terms=(*terms, *crew),
        games=CleanupGames(family=chosen, game=config, costs=rule, largest_crew=largest),
        recruits=recruits,
        outside=offers,
        objective=objective,
        epsilon=epsilon,
        settings={"family": plain, "costs": str(rule), "game": {**config.as_dict(), "map": list(config.map)}},
        unit="apples",
        family=chosen,
        game=config,
        costs=rule,
        largest_crew=largest,
    )


def _step(step: float | None, low: float, high: float) -> float | None:
    """A step that the range holds."""
    return None if step is None or high - low < step else step


def cleanup_from(data: Mapping[str, Any]) -> CleanupProblem:
    """Build again the problem that wrote `to_dict`; all of it is plain values, and no code is named.

    Raises:
        ContractsError: something is missing, unknown, out of range, or not as this version writes it.
    """
    try:
        own, terms = data["settings"], data["terms"]
        crew = next((high for name, _, high, *_ in terms if name == CREW), 1.0)
        game = make_config("contract", **{str(name): value for name, value in own["game"].items()})
        found = cleanup_problem(
            family_from_dict(own["family"]), name=data["name"], game=game, costs=get_costs(own["costs"]),
            max_cleaners=int(crew), step=next((step for *_, step, whole in terms if not whole), None),
            objective=data["objective"], outside=data["outside"], epsilon=data.get("epsilon"),
        )  # fmt: skip
        same = found.to_dict() == json.loads(json.dumps(data))
    except (LookupError, TypeError, ValueError, AttributeError, CleanupError) as error:
        if isinstance(error, ContractsError):
            raise
        raise ContractsError(f"a file says nothing that a problem of Clean-up can be made of: {error}") from error
    if not same:
        raise ContractsError(
            "the design problem of a file is not as this version writes it: use the version that wrote it"
        )
    return found

"""What determines an evaluation besides contract and seed, and the name of its result in the cache.

The name is a hash of settings, contract, seed and of the code that plays, settles, learns and evaluates, so that
nothing is trained twice by mistake and nothing is taken for what it is not.
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cleanup_env import CleanupConfig, CleanupError, make_config
from cleanup_env.batch import check_games
from contract_wrapper.contracts.contract import Contract, as_int
from contract_wrapper.contracts.costs import CostRule, check_cost_roles, get_costs
from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.contracts.settlement import Payment
from contract_wrapper.envs.batch_game import check_game
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.by_crews.crew_settings import CrewSettings
from contract_wrapper.evaluation.judging.code_version import code_version, versions
from contract_wrapper.learners.learner import LearnerConfig
from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile
from contract_wrapper.learners.registry import (
    check_config,
    config_from_dict,
    config_to_dict,
    learner_of,
)
from contract_wrapper.problems.cleanup import CREW, CleanupProblem
from contract_wrapper.problems.problem import DesignProblem
from contract_wrapper.problems.registry import problem_from


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSettings:
    """What, besides contract and seed, determines an evaluation."""

    game: CleanupConfig = dataclasses.field(default_factory=lambda: make_config("contract"))
    """The game without recruits; may be given by the name of its preset."""

    costs: CostRule = dataclasses.field(default_factory=lambda: get_costs("effort"))
    """What work costs, by role, in apples; may be given as text for `get_costs`."""

    learner: LearnerConfig = dataclasses.field(default_factory=lambda: get_mtmfq_profile("fast"))
    """Settings of the learner, which is chosen by their type: `MTMFQConfig` (default), `PPOConfig`, or that of a
    learner that was registered (`register_learner`); may be given by the name of a profile of `MTMFQConfig`."""

    episodes: int = 100
    """Greedy episodes after training over which all means are taken (paper: 100); they are played at once."""

    payment: Callable[[Contract], Payment] | None = None
    """From a contract to its payment rule, or a function (rewards, activity, roles) -> transfers, which is then the rule
    of every contract; None: tax and share. Evaluations under a custom payment rule cannot be kept in a folder, because a
    file cannot tell one function from another: `evaluate` refuses a folder then."""

    crews: CrewSettings | None = None
    """Crews that know every contract, by which contracts are judged; None: each contract trains agents of its own
    from scratch. The game without a contract is trained from scratch in either case, by `learner`."""

    problem: DesignProblem | None = dataclasses.field(default=None, metadata={"key": False})
    """The design problem, where it is another than Clean-up's tax and crew; it then says game, payment and costs, and
    `game`, `costs` and `payment` are left alone."""

    if TYPE_CHECKING:  # names are accepted, and settings are what is kept: a field has one type for both

        def __init__(
            self,
            *,
            game: CleanupConfig | str = ...,
            costs: CostRule | str = ...,
            learner: LearnerConfig | str = ...,
            episodes: int = ...,
            payment: Callable[..., Any] | None = ...,
            crews: CrewSettings | None = ...,
            problem: DesignProblem | None = ...,
        ) -> None: ...

    def __post_init__(self) -> None:
        for name, read in _BY_NAME.items():
            value = getattr(self, name)
            if isinstance(value, str):
                object.__setattr__(self, name, read(value))
        if self.problem is not None:
            self._check_problem(self.problem)
        check_game(self.game)
        if not isinstance(self.costs, CostRule):
            raise ContractsError(f"costs must be a CostRule, or text such as 'paper', got {shown(self.costs)}")
        check_cost_roles(self.costs, agents=self.game.agents)
        check_config(self.learner)
        episodes = as_int(self.episodes)
        if episodes is None or episodes < 2:
            raise ContractsError(f"episodes must be an integer of at least 2, got {shown(self.episodes)}")
        object.__setattr__(self, "episodes", episodes)
        counted = (("evaluation episodes", episodes), ("training games", self.learner.n_games))
        for what, count in counted if self.problem is None else ():
            try:
                check_games(self.game, count, self.learner.observation)
            except CleanupError as error:
                raise ContractsError(f"{shown(count)} {what} cannot be played at once: {error}") from error
        if self.payment is not None and not callable(self.payment):
            raise ContractsError(
                "payment must be a function from a contract to its payment rule, "
                f"got {shown(self.payment)}: write payment=lambda contract: ..."
            )
        if self.payment is not None and _settles_a_step(self.payment):
            object.__setattr__(self, "payment", _of_every_contract(self.payment))
        if self.crews is not None:
            self._check_crews(self.crews)

    def _check_problem(self, problem: object) -> None:
        if not isinstance(problem, DesignProblem):
            raise ContractsError(
                f"problem must be a DesignProblem, or None for Clean-up's contracts, got {shown(problem)}"
            )
        default = {name: read(_DEFAULTS[name]) for name, read in _BY_NAME.items() if name in _DEFAULTS}
        changed = [name for name, usual in default.items() if getattr(self, name) != usual]
        changed += ["payment"] if self.payment is not None else []
        if changed:
            raise ContractsError(
                f"the problem {problem.name} says for itself which game is played and who pays: leave out "
                f"{' and '.join(changed)}"
            )

    def _check_crews(self, crews: object) -> None:
        if not isinstance(crews, CrewSettings):
            raise ContractsError(f"crews must be CrewSettings, for example CrewSettings(), or None, got {shown(crews)}")
        scratch, by_crews = learner_of(self.learner).name, learner_of(crews.learner).name
        if scratch != by_crews:
            raise ContractsError(
                f"without a contract agents are trained by {scratch}, but the crews by {by_crews}, so that margins would "
                "compare two learners: give learner and CrewSettings(learner=...) settings of the same one (mtmfq or ppo), "
                "or leave out crews (--inner scratch)"
            )
        if self.payment is not None:
            raise ContractsError("crews know the contracts of tax and share: leave out payment, or leave out crews")
        if self.problem is None:
            check_game(self.game, max(crews.sizes))
            return
        if not isinstance(self.problem, CleanupProblem):
            raise ContractsError(
                f"agents cannot be conditioned on the contracts of {self.problem.name}: leave out crews, or make it by "
                "cleanup_problem(family)"
            )
        largest = next((int(term.high) for term in self.problem.terms if term.name == CREW), 0)
        for n_cleaners in range(1, largest + 1):
            crews.check_knows(n_cleaners)

    def from_scratch(self) -> EvaluationSettings:
        """The same settings, under which every contract trains agents of its own."""
        return self if self.crews is None else dataclasses.replace(self, crews=None)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON and for the cache key.

        Raises:
            ContractsError: there is a custom payment rule.
        """
        if self.payment is not None:
            name = getattr(self.payment, "__name__", shown(self.payment))
            raise ContractsError(
                f"the settings have a custom payment rule (payment={name}), which cannot be written to a file, so no "
                "outcome can be kept in a folder under it: evaluate without a folder, or leave payment out (tax and share)"
            )
        if self.problem is not None:
            told = {} if self.crews is None else {"crews": self.crews.to_dict()}
            return {
                "problem": self.problem.to_dict(), "learner": config_to_dict(self.learner), "episodes": self.episodes,
                **told,
            }  # fmt: skip
        plain = {
            "game": {**self.game.as_dict(), "map": list(self.game.map)},
            "costs": str(self.costs),
            "learner": config_to_dict(self.learner),
            "episodes": self.episodes,
        }
        return plain if self.crews is None else {**plain, "crews": self.crews.to_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> EvaluationSettings:
        """Read what `to_dict` wrote.

        Raises:
            ContractsError: something is missing, unknown or not as `to_dict` writes it.
            CleanupError, LearnerError: a setting of the game or the learner is out of range.
        """
        if isinstance(data, Mapping) and "problem" in data:
            return cls._of_problem(data)
        names = ("game", "costs", "learner", "episodes")
        if not isinstance(data, Mapping) or set(data) - {"crews"} != set(names):
            raise ContractsError(f"settings of an evaluation have the names {', '.join(names)}, got {shown(data)}")
        game, learner = data["game"], data["learner"]
        if not isinstance(game, Mapping) or not isinstance(learner, Mapping):
            raise ContractsError(f"game and learner must be mappings from names to values, got {shown(data)}")
        settings = cls(
            game=make_config("contract", **{str(name): value for name, value in game.items()}),
            costs=get_costs(data["costs"]),
            learner=config_from_dict(learner),
            episodes=data["episodes"],
            crews=CrewSettings.from_dict(data["crews"]) if "crews" in data else None,
        )
        if _plain(settings.to_dict()) != _plain(data):
            raise ContractsError(
                "the settings of an evaluation are not as this version writes them (a value is missing or has another "
                "form): use the version that wrote them"
            )
        return settings

    @classmethod
    def _of_problem(cls, data: Mapping[str, Any]) -> EvaluationSettings:
        """Read settings of a design problem, which the program must know."""
        if set(data) - {"crews"} != {"problem", "learner", "episodes"} or not isinstance(data["learner"], Mapping):
            raise ContractsError(f"settings of a design problem have problem, learner and episodes, got {shown(data)}")
        problem, learner = problem_from(data["problem"]), config_from_dict(data["learner"])
        crews = CrewSettings.from_dict(data["crews"]) if "crews" in data else None
        return cls(problem=problem, learner=learner, episodes=data["episodes"], crews=crews)

    def none(self) -> AnyContract:
        """The contract that is none: the baseline."""
        return Contract.none() if self.problem is None else self.problem.none()

    def code(self) -> str:
        """Hash of the sources that results depend on, those of the learner and the problem among them."""
        ours = code_version(learner_of(self.learner).name)
        return ours if self.problem is None else f"{ours}-{self.problem.code_version()}"

    def versions(self) -> dict[str, str]:
        """Versions of the packages that a result depends on; `code` is that of the problem's sources, too."""
        found = dict(versions(learner_of(self.learner).name))
        return found if self.problem is None else {**found, "code": f"{found['code']}-{self.problem.code_version()}"}

    def fingerprint(self) -> str:
        """Hash of all settings; errors as `to_dict`."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:24]

    def identity(self, contract: AnyContract, seed: int) -> dict[str, Any]:
        """What determines the result of an evaluation, as plain data; its files say it. Errors as `to_dict`."""
        return {
            "settings": self.fingerprint(), "contract": contract.as_dict(), "seed": check_seed(seed),
            "code": self.code(),
        }  # fmt: skip

    def key(self, contract: AnyContract, seed: int) -> str:
        """Name of an evaluation in the cache: a hash of its identity; errors as `to_dict`."""
        return hashlib.sha256(json.dumps(self.identity(contract, seed), sort_keys=True).encode()).hexdigest()[:24]


_DEFAULTS = {"game": "contract", "costs": "effort"}
"""Names of what a field is where nobody chooses."""

_BY_NAME: Mapping[str, Callable[[str], Any]] = {
    "game": make_config,
    "costs": get_costs,
    "learner": get_mtmfq_profile,
}
"""Fields that may be given by name, and who knows the names."""


def check_seed(seed: object) -> int:
    """Return the seed of an evaluation as a plain int.

    Raises:
        ContractsError: it is no integer from 0 to 2**63 - 1.
    """
    number = as_int(seed)
    if number is None or not 0 <= number < 2**63:
        raise ContractsError(f"seed must be an integer of at least 0 (below 2**63), got {shown(seed)}")
    return number


def _plain(data: Any) -> Any:
    """What JSON makes of some data; None for what it cannot write."""
    try:
        return json.loads(json.dumps(data, default=dict))
    except (TypeError, ValueError, RecursionError):
        return None


def _settles_a_step(payment: Callable[..., Any]) -> bool:
    """Whether a function is a payment function (rewards, activity, roles), and none of a contract."""
    try:
        parameters = inspect.signature(payment)
        parameters.bind(None, None, None)
    except (TypeError, ValueError):
        return False
    try:
        parameters.bind(None)
    except TypeError:
        return True
    return False


def _of_every_contract(payment: Any) -> Callable[[Contract], Payment]:
    """From any contract to one and the same payment function."""

    def same(contract: Contract) -> Payment:
        function: Payment = payment
        return function

    same.__name__ = getattr(payment, "__name__", same.__name__)
    return same

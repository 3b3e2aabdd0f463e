"""A design problem: the contracts among which a principal chooses, and the game that each of them makes.

A problem is code, made or registered by the running program. Files name it and keep its plain numbers, so that what
was found for it is never taken for what was found for another; nothing of it is read from a file.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import inspect
import json
import math
import tokenize
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.contracts.contract import as_items, as_number
from contract_wrapper.contracts.designed_contract import AnyContract, DesignedContract, Number
from contract_wrapper.contracts.outside_options import OutsideOptions, as_outside_options
from contract_wrapper.contracts.roles import Roles, check_names
from contract_wrapper.contracts.settlement import Settled
from contract_wrapper.errors import ContractsError, raised, shown
from contract_wrapper.problems.terms import Term


class ProblemGame(Protocol):
    """B games under a contract, as they are learned and judged: an `mtmfq.BatchGame` whose steps are settled.

    A game whose agents see their contract (`mtmfq.ContextGame`) has context, scale and shift of each episode in place of
    `reward_scale` and `reward_shift`.
    """

    n_games: int
    n_agents: int
    horizon: int
    type_names: tuple[str, ...]
    agent_types: NDArray[np.int64]
    n_actions: tuple[int, ...]
    observation_shape: tuple[int, ...]
    n_classes: int

    roles: Roles
    """Names and roles of the agents."""

    raw_rewards: NDArray[np.float64]
    """Rewards of the last step before settlement, (B, N)."""

    settled: Settled
    """Transfers, costs and utilities of the last step, (B, N) each."""

    def reset(self, seed: int) -> NDArray[Any]:
        """Start an episode in every copy; observations (B, N, ...)."""
        ...

    def step(self, actions: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Play actions (B, N); observations and utilities (B, N)."""
        ...

    def visible(self) -> NDArray[np.bool_]:
        """(B, N, N): does agent i see agent j now?"""
        ...

    def reward_scale(self) -> NDArray[np.float64]:
        """Factors on the utilities of each type, (M,)."""
        ...

    def reward_shift(self) -> NDArray[np.float64]:
        """What a learner may add to each type's utility per step, (M,)."""
        ...


Games = Callable[[Mapping[str, Number] | None, int, str], ProblemGame]
"""From the numbers of a contract (None: no contract), a number of copies and the kind of observation that the learner
asks for, to the games in which it is learned and judged."""

OBJECTIVES = ("welfare", "worst", "nash", "income")
"""What a principal may maximise; see `contract_wrapper.evaluation.objectives`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DesignProblem:
    """What the principal designs, and what it must respect.

    Agents of the game without a contract are there anyway: each must be at least as well off under a contract (eq. 4).
    Agents that only a contract brings are recruited: the worst of them must get at least its outside option (eqs. 5, 6).
    """

    name: str
    """Its name, under which files know it."""

    terms: tuple[Term, ...]
    """The numbers of a contract, in order."""

    games: Games
    """Builds the games of a contract; a function at the top of a module, so that other processes find it."""

    recruits: bool = False
    """Whether contracts bring agents that are not there without one."""

    outside: OutsideOptions = field(default_factory=OutsideOptions)
    """What agents could have elsewhere, per episode, by role or agent; may be given as text, `cleaner:5`. For who is
    recruited it stands in place of 0; for others it counts where it is more than they have without a contract."""

    objective: str = "welfare"
    """What is maximised: `welfare`, `worst` (utility of the worst-off agent), `nash` or `income`."""

    epsilon: float | None = None
    """Gain or loss per episode that a certificate takes for nothing; None: 2 % of the mean utility without a contract,
    which is nothing where agents have nothing then, so that next to no contract could be certified."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    """Plain values that tell this problem from others of its name, such as prices; files keep them."""

    packages: tuple[str, ...] = ()
    """Importable packages or modules besides this project whose sources its results depend on."""

    unit: str = "units"
    """What rewards are counted in, in the plural, for tables and figures."""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name or len(self.name) > 100 or not self.name.isprintable():
            raise ContractsError(f"the name of a design problem must be a short text, got {shown(self.name)}")
        terms = as_items(self.terms)
        if not terms or not all(isinstance(term, Term) for term in terms):
            raise ContractsError(
                f"{self.name} needs the terms of its contracts, for example (Term(name='tax', low=0, high=1),), "
                f"got {shown(self.terms)}"
            )
        names = [term.name for term in terms]
        if len(set(names)) < len(names):
            raise ContractsError(f"the terms of {self.name} need different names, got {', '.join(names)}")
        object.__setattr__(self, "terms", terms)
        if not callable(self.games) or not _takes_three(self.games):
            raise ContractsError(
                f"games of {self.name} must be a function (numbers, n_games, observation) -> games, got {shown(self.games)}"
            )
        if self.objective not in OBJECTIVES:
            raise ContractsError(f"objective must be one of {', '.join(OBJECTIVES)}, got {shown(self.objective)}")
        if self.epsilon is not None:
            number = as_number(self.epsilon)
            if number is None or not 0.0 <= number < math.inf:
                raise ContractsError(
                    f"epsilon must be a number of {self.unit} of at least 0, or None, got {shown(self.epsilon)}"
                )
            object.__setattr__(self, "epsilon", number)
        if not isinstance(self.outside, (OutsideOptions, str)):
            raise ContractsError(
                f"outside must be OutsideOptions, or text such as 'cleaner:5;cleaner_2:8', got {shown(self.outside)}"
            )
        object.__setattr__(self, "outside", as_outside_options(self.outside))
        packages = as_items(self.packages)
        if packages is None or not all(isinstance(p, str) and p for p in packages):
            raise ContractsError(f"packages must be names of packages or modules, got {shown(self.packages)}")
        object.__setattr__(self, "packages", packages)
        try:
            plain = json.loads(json.dumps(dict(self.settings), allow_nan=False))
        except (TypeError, ValueError) as error:
            raise ContractsError(f"settings of {self.name} must be plain values, as JSON has them: {error}") from error
        object.__setattr__(self, "settings", plain)

    def contract(self, **numbers: Number) -> DesignedContract:
        """Build a contract from a number for each term.

        Raises:
            ContractsError: a term is missing or unknown, or a number lies outside its range.
        """
        names = [term.name for term in self.terms]
        if set(numbers) != set(names):
            raise ContractsError(
                f"a contract of {self.name} has {', '.join(names)}, got {', '.join(numbers) or 'nothing'}"
            )
        return DesignedContract.of(self.name, {term.name: term.checked(numbers[term.name]) for term in self.terms})

    def none(self) -> DesignedContract:
        """Return the baseline: no contract."""
        return DesignedContract(problem=self.name)

    def check(self, contract: AnyContract) -> DesignedContract:
        """Make sure that a contract is one of this problem's.

        Raises:
            ContractsError: it is of another problem, or none that this one has.
        """
        if not isinstance(contract, DesignedContract) or contract.problem != self.name:
            raise ContractsError(
                f"{shown(str(contract))} is no contract of the problem {self.name}: build it by problem.contract(...)"
            )
        if not contract.is_none:
            known = self.contract(**dict(contract.numbers))
            if known.numbers != contract.numbers:
                raise ContractsError(f"the terms of {self.name} are in another order than those of {contract}")
        return contract

    def build(self, contract: AnyContract, n_games: int, observation: str = "features") -> ProblemGame:
        """Build the games of a contract.

        Raises:
            ContractsError: the contract is none of this problem's; `games` raises, or what it returns are no games, or
                another number of them; there is an outside option of an agent that the game does not have.
        """
        games = self._made(contract, n_games, observation)
        needed = (
            "n_games", "n_agents", "horizon", "type_names", "agent_types", "n_actions", "roles", "settled", "reset",
            "step", "visible",
        )  # fmt: skip
        scaled = ("n_context", "context", "episode_scale", "episode_shift"), ("reward_scale", "reward_shift")
        needed = (*needed, *(scaled[0] if getattr(games, "n_context", 0) else scaled[1]))
        missing = [name for name in needed if not hasattr(games, name)]
        if missing:
            raise ContractsError(
                f"games of {self.name} must return games that learners can play (such as PettingZooGames), got "
                f"{shown(games)} without {', '.join(missing)}"
            )
        if not games.roles.agents:
            raise ContractsError(f"the games of {self.name} must name their agents: Roles(names=..., agents=...)")
        if games.n_games != n_games:
            raise ContractsError(
                f"games of {self.name} were asked for {n_games} copies, but made {games.n_games}: pass n_games on"
            )
        if not self.recruits:  # else agents come and go with the contract
            named = [name for name, _ in self.outside.by_name]
            check_names(f"the outside options of {self.name}", named, {*games.roles.names}, games.roles.agents)
        return games

    def _made(self, contract: AnyContract, n_games: int, observation: str) -> ProblemGame:
        """What `games` returns, unchecked."""
        numbers = dict(self.check(contract).numbers) or None
        try:
            return self.games(numbers, n_games, observation)
        except ContractsError:
            raise
        except (Exception, SystemExit) as error:
            hint = " (without a contract, numbers is None)" if numbers is None else ""
            # Without `from`: what a user's games raise is never a fault of the machine, also if it is an OSError.
            raise ContractsError(f"games of {self.name} raised {raised(error)} for {contract}{hint}")  # noqa: B904

    def options_of(self, roles: Mapping[str, str]) -> OutsideOptions:
        """Outside options of agents, given with their roles, each under its own name."""
        listed = dict(self.outside.by_name)
        own = {agent: listed.get(agent, listed.get(role)) for agent, role in roles.items()}
        return OutsideOptions(by_name=tuple((agent, value) for agent, value in own.items() if value is not None))

    def code_version(self) -> str:
        """Hash of the sources of `games` and of `packages`: an edit in any of them makes other results.

        Raises:
            ContractsError: the sources of a package cannot be found.
        """
        total = hashlib.sha256(source_of(self.games))
        for name in self.packages:
            for source in sources_of(name):
                total.update(len(source).to_bytes(8, "big") + source)
        return total.hexdigest()[:12]

    def to_dict(self) -> dict[str, Any]:
        """What files keep of it, and compare."""
        return {
            "name": self.name,
            "terms": [[t.name, t.low, t.high, t.step, t.whole] for t in self.terms],
            "recruits": self.recruits, "outside": str(self.outside), "objective": self.objective, "settings": dict(self.settings),
            **({} if self.epsilon is None else {"epsilon": self.epsilon}),
        }  # fmt: skip


def _takes_three(games: Callable[..., Any]) -> bool:
    """Whether a function can be called with numbers, n_games and observation, as far as Python can tell beforehand."""
    try:
        inspect.signature(games).bind(None, 1, "features")
    except TypeError:
        return False
    except ValueError:  # some functions of compiled code do not say what they take
        return True
    return True


def source_of(function: Any) -> bytes:
    """Source of the module that defines a function, or of the function alone where there is no file; empty: neither."""
    while isinstance(function, functools.partial):
        function = function.func
    if not inspect.isroutine(function) and not inspect.isclass(function):
        function = type(function)
    try:
        file = inspect.getsourcefile(function)
        if file is not None and Path(file).is_file():
            return Path(file).read_bytes()
        return inspect.getsource(function).encode()
    except (OSError, TypeError, SyntaxError, tokenize.TokenError):
        return b""


def sources_of(name: str) -> list[bytes]:
    """Sources of all modules of a package, or of one module, by name.

    Raises:
        ContractsError: there is no such package with sources.
    """
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        raise ContractsError(f"the sources of {name} cannot be found: name an importable package or module")
    if spec.submodule_search_locations is None:
        return [Path(spec.origin).read_bytes()]
    return [p.read_bytes() for place in spec.submodule_search_locations for p in sorted(Path(place).rglob("*.py"))]

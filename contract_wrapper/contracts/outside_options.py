"""What agents have if they do not take part: the paper's c_min, by role or agent, in apples per episode."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from contract_wrapper.contracts.contract import as_number
from contract_wrapper.contracts.costs import MOST_APPLES
from contract_wrapper.contracts.roles import KNOWN_ROLES, check_names
from contract_wrapper.errors import ContractsError, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideOptions:
    """What each role, or single agents, could have elsewhere (c_min of eq. 5), in apples per episode.

    An agent's own option, listed by its name, replaces that of its role. A recruited agent that is not listed has 0,
    the paper's default. A harvester's alternative is to go on without the contract, which nobody can take from it:
    what is listed for it counts where it is more than that, and who is not listed has the baseline alone
    (`participation.harvester_margins`).

    >>> options = get_outside_options("cleaner:5;cleaner_2:8")
    >>> options.of_agent("cleaner_0"), options.of_agent("cleaner_2"), options.of_agent("harvester_0")
    (5.0, 8.0, None)
    """

    by_name: tuple[tuple[str, float], ...] = ()
    """Pairs of a role, or an agent's name, and apples per episode, sorted by name (see `of`)."""

    def __post_init__(self) -> None:
        pairs = self.by_name
        if not isinstance(pairs, (tuple, list)) or not all(_is_name_and_value(pair) for pair in pairs):
            raise ContractsError(
                "by_name must be pairs of a role or agent and its apples per episode, for example (('cleaner', 5.0),), "
                f"got {shown(pairs)}: OutsideOptions.of(cleaner=5) writes them"
            )
        checked = []
        for name, value in pairs:
            number = as_number(value)
            if number is None or not -MOST_APPLES <= number <= MOST_APPLES:
                raise ContractsError(
                    f"the outside option of {shown(name)} must be a finite number of apples, at most {MOST_APPLES:,.0f} "
                    f"in size, got {shown(value)}"
                )
            checked.append((name, number + 0.0))
        names = [name for name, _ in checked]
        if len(set(names)) < len(names):
            raise ContractsError(f"outside options list each role or agent once, got {', '.join(names)}")
        object.__setattr__(self, "by_name", tuple(sorted(checked)))

    @classmethod
    def of(cls, **by_name: float) -> OutsideOptions:
        """Build options: `OutsideOptions.of(cleaner=5, cleaner_2=8)`."""
        return cls(by_name=tuple(by_name.items()))

    def of_agent(self, agent: str) -> float | None:
        """Return an agent's option: its own, else that of its role (its name up to the last underscore), else None."""
        listed = dict(self.by_name)
        return listed.get(agent, listed.get(agent.rpartition("_")[0]))

    def check(self, agents: Collection[str]) -> None:
        """Refuse options of a role or an agent that a game with these agents cannot have.

        Raises:
            ContractsError: naming the first.
        """
        roles = {*KNOWN_ROLES, *(agent.rpartition("_")[0] for agent in agents)} - {""}
        check_names("the outside options", [name for name, _ in self.by_name], roles, agents)

    def __str__(self) -> str:
        """Return text that `get_outside_options` reads back, empty if nobody is listed."""
        return ";".join(f"{name}:{value!r}" for name, value in self.by_name)


def get_outside_options(text: str) -> OutsideOptions:
    """Read options from text such as 'cleaner:5;cleaner_2:8': a role or an agent, and apples per episode.

    Raises:
        ContractsError: the text cannot be read.
    """
    if not isinstance(text, str):
        raise ContractsError(f"outside options are written as text such as 'cleaner:5', got {shown(text)}")
    pairs = []
    for part in filter(None, map(str.strip, text.split(";"))):
        name, colon, number = (piece.strip() for piece in part.partition(":"))
        try:
            value = float(number)
        except ValueError:
            value = None
        if not name or not colon or value is None:
            raise ContractsError(
                f"cannot read {shown(part)} in outside options: write role:apples or agent:apples, "
                "for example 'cleaner:5;cleaner_2:8'"
            )
        pairs.append((name, value))
    return OutsideOptions(by_name=tuple(pairs))


def as_outside_options(given: OutsideOptions | str | float) -> OutsideOptions:
    """Return options as they are, or by their text; a number is that of every cleaner, the paper's c_min."""
    if isinstance(given, OutsideOptions):
        return given
    return get_outside_options(given) if isinstance(given, str) else OutsideOptions.of(cleaner=given)


def _is_name_and_value(pair: object) -> bool:
    return isinstance(pair, (tuple, list)) and len(pair) == 2 and isinstance(pair[0], str) and bool(pair[0])

"""Options that several commands share, and what they stand for."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract_wrapper.command_runs import shell_line
from contract_wrapper.errors import ContractsError

if TYPE_CHECKING:
    from contract_wrapper.studies.record import StudyRecord

MOST_MAP_BYTES = 1_000_000
"""A map that could be used is far smaller."""


class Given(argparse.Action):
    """Stores a value, and that it was given: only then does it count more than a file."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: Any, values: Any, option: str | None = None) -> None:
        """Store both."""
        setattr(namespace, self.dest, values)
        namespace.given = frozenset((*getattr(namespace, "given", ()), self.dest))


FAMILIES = (
    "tax (default), tax-by-cells, price-per-cell, tax-per-harvester, tax-and-piece-rate, linear; free-tax with --preset "
    "original"
)
"""Families of contracts, as `--contract` names them."""


def add_contract(sub: argparse.ArgumentParser) -> None:
    """Add the numbers of a contract: tax and cleaners, or the terms of another family."""
    sub.add_argument("--tax", type=float, help="share of harvest income for the cleaners, 0 to 1")
    sub.add_argument("--cleaners", type=int, metavar="N", help="number of recruited cleaners")
    sub.add_argument("--contract", metavar="NAME", help=f"family of the contract: {FAMILIES}")
    sub.add_argument(
        "--terms",
        metavar="NAME=NUMBER,...",
        help="its numbers, such as tax=0.3,piece_rate=0.5,n_cleaners=4 (none: no contract)",
    )


def add_outside(sub: argparse.ArgumentParser) -> None:
    """Add what agents could have elsewhere."""
    sub.add_argument(
        "--outside",
        metavar="OPTIONS",
        help="what agents could have elsewhere, such as cleaner:5;cleaner_2:8 (default: 0)",
    )


def add_epsilon(sub: argparse.ArgumentParser) -> None:
    """Add what a certificate takes for nothing."""
    sub.add_argument(
        "--epsilon", type=float, metavar="AMOUNT",
        help="gain or loss per episode that a certificate takes for nothing (default: 2%% of an agent's utility without a "
        "contract)",
    )  # fmt: skip


def add_objective(sub: argparse.ArgumentParser) -> None:
    """Add what the principal maximises."""
    sub.add_argument(
        "--objective",
        help="what is maximised: welfare (default), worst (the worst-off agent's utility), nash or income",
    )


def add_game(sub: argparse.ArgumentParser) -> None:
    """Add what says which game is played, and what work costs in it."""
    sub.add_argument("--preset", action=Given, default="contract", help="rules of the game (default: contract)")
    sub.add_argument("--harvesters", type=int, metavar="N", help="number of harvesters (default: the preset's)")
    sub.add_argument("--map", type=Path, metavar="FILE", help="text file with the map (default: the published one)")
    sub.add_argument(
        "--costs",
        action=Given,
        default="effort",
        help="what work costs: effort (default), paper, costly, none, or prices such as cleaner:per_shot=0.05",
    )


def add_shared(sub: argparse.ArgumentParser) -> None:
    """Add what every command that trains or plays one contract has: the game, the learner, the seed."""
    add_game(sub)
    sub.add_argument(
        "--learner",
        action=Given,
        default="mtmfq",
        metavar="NAME",
        help="who learns: mtmfq (default), ppo of stable-baselines3, or one that an installed package brings",
    )
    sub.add_argument("--profile", help="its settings: smoke, quick or fast (default); mtmfq also paper and faithful")
    sub.add_argument("--episodes", type=int, metavar="N", help="training episodes, instead of the profile's")
    sub.add_argument("--seed", action=Given, type=int, default=0, help="seed of everything drawn (default: 0)")


def add_configuration(sub: argparse.ArgumentParser) -> None:
    """Add where settings come from that no option has."""
    sub.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="TOML file with settings, over those of preset and profile (-: standard input)",
    )
    sub.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="one setting, over all others, such as learner.gamma=0.9; may be given several times",
    )


def add_payment(sub: argparse.ArgumentParser) -> None:
    """Add the choice of a payment rule."""
    sub.add_argument(
        "--payment",
        action=Given,
        default="share",
        metavar="RULE",
        help="who is paid what: share (the tax in equal parts, default), cells (the tax by cells cleaned), "
        "price:APPLES (per cell, paid by the harvesters; --tax 0), or sharing:SHARE (every agent gives this share of its "
        "reward to all others equally; --tax 0)",
    )


STORAGE = (
    "URL of the database in which the study is: sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE (default: "
    "study.sqlite3 in the folder)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyAddress:
    """Where a study is, as the options of a command say it."""

    folder: Path
    """Folder of its outcomes, and of its database if that is not elsewhere."""

    storage: str | None = field(default=None, repr=False)
    """URL of its database; None: the file in the folder."""

    name: str | None = None
    """Its name in that database; None: that of the folder."""

    def __str__(self) -> str:
        if self.storage is None:
            return str(self.folder)
        from contract_wrapper.studies.sharing.place import place_of

        return str(place_of(self.folder, self.storage, self.name))

    def read(self) -> StudyRecord:
        """Read the study; errors as in `read_study`."""
        from contract_wrapper.studies.study import read_study

        return read_study(self.folder, storage=self.storage, study=self.name)


def add_storage(sub: argparse.ArgumentParser, dest: str = "study") -> None:
    """Add the choice of a database, and of a study in it."""
    sub.add_argument("--storage", metavar="URL", help=STORAGE)
    sub.add_argument(
        "--study", dest=dest, metavar="NAME", help="name of the study in --storage (default: that of its folder)"
    )


def add_study(
    sub: argparse.ArgumentParser,
    text: str = "folder of the study",
    *,
    dest: str = "study",
    metavar: str = "STUDY",
    needed: bool = False,
) -> None:
    """Add where the study of a command is: a folder, or a name in a database; `study_address` reads it."""
    sub.add_argument(
        dest,
        nargs=None if needed else "?",
        metavar=metavar,
        type=Path,
        help=f"{text}; with --storage its folder or its name",
    )
    add_storage(sub, "study_name")


def study_address(options: argparse.Namespace, place: Path | None = None, folder: Path | None = None) -> StudyAddress:
    """Return where the study of a command is.

    Args:
        options: with `storage` and, if the command has it, `study_name`.
        place: what the command names: a folder or, with --storage, a folder or a name.
        folder: what --folder says, where the command has it.

    Raises:
        ContractsError: nothing is named, or the same thing twice.
    """
    storage, name = options.storage, getattr(options, "study_name", None)
    if storage is None:
        if name is not None:
            raise ContractsError(
                f"--study {name} names a study in a database: give its URL with --storage, too, or name its folder alone"
            )
        if place is not None and folder is not None:
            raise ContractsError(
                f"--folder {folder} belongs to --storage: without it the study is a folder, here {place}"
            )
        if place is None and folder is None:
            raise ContractsError("no study is named: give its folder, or --storage URL and --study NAME")
        return StudyAddress(folder=folder if place is None else place)  # type: ignore[arg-type]
    if place is not None and (place.is_dir() or len(place.parts) > 1):
        if folder is None:
            return StudyAddress(folder=place, storage=storage, name=name)
        return StudyAddress(folder=folder, storage=storage, name=name or place.name)
    if place is not None:
        if name not in (None, str(place)):
            raise ContractsError(f"two studies are named, {place} and --study {name}: leave one of them out")
        name = str(place)
    if name is None and folder is None:
        raise ContractsError("no study of --storage is named: give --study NAME")
    return StudyAddress(folder=folder or Path("studies") / str(name), storage=storage, name=name)


def add_log(sub: argparse.ArgumentParser) -> None:
    """Add where trainings are told of."""
    sub.add_argument(
        "--log",
        action="append",
        default=[],
        metavar="WHERE[:FOLDER]",
        help="follow trainings in tensorboard, wandb (offline, unless WANDB_MODE says otherwise) or mlflow; may be given "
        "several times (default folder: WHERE in the command's folder)",
    )


def add_json(sub: argparse.ArgumentParser) -> None:
    """Add the choice of a document in place of text."""
    sub.add_argument("--json", action="store_true", help="write one JSON document to stdout, and nothing else there")


def add_loudness(parser: argparse.ArgumentParser, **default: Any) -> None:
    """Add `-q` and `-v`; `default`: what they are set to where they are not given."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("-q", "--quiet", action="store_true", help="say results and errors only, no progress", **default)
    group.add_argument(
        "-v", "--verbose", action="store_true",
        help="say also settings, versions, and when each training begins and ends", **default,
    )  # fmt: skip


def game_name(options: argparse.Namespace) -> list[str]:
    """Parts of a folder's name that say which game is played: the preset, and what differs from it."""
    parts = [options.preset]
    if options.harvesters is not None:
        parts.append(f"{options.harvesters}-harvesters")
    if options.map is not None:
        import hashlib

        digest = hashlib.sha256("\n".join(read_map(options.map)).encode()).hexdigest()[:6]
        parts.append(f"map-{digest}")
    return parts


def read_map(path: Path) -> tuple[str, ...]:
    """Read the lines of a map.

    Raises:
        ContractsError: the file cannot be read, is too large, or holds other letters than those of a map.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MOST_MAP_BYTES + 1)
        if len(text) > MOST_MAP_BYTES:
            raise ContractsError(f"{path} is no map: it has more than {MOST_MAP_BYTES:,} bytes")
        return tuple(text.decode("ascii").splitlines())
    except UnicodeDecodeError as error:
        raise ContractsError(f"{path} is no map: it holds other letters than those of a map") from error
    except (OSError, ValueError) as error:
        if isinstance(error, ContractsError):
            raise
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ContractsError(f"the map {path} cannot be read: {why}") from error


def logging_to(options: argparse.Namespace, folder: Path) -> AbstractContextManager[None]:
    """Tell trainings of a block to the logs that the options name; those without a folder lie in `folder`."""
    from contract_wrapper.listeners.listener import log_trainings
    from contract_wrapper.listeners.named import named_log

    return log_trainings(*(named_log(text, folder) for text in options.log))


def typed(options: argparse.Namespace) -> str:
    """The command of the options as it was typed, without passwords; empty where nothing was typed."""
    words = getattr(options, "words", None)
    return "" if words is None else shell_line(("cleanup-contracts", *words))

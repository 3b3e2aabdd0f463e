"""Results on disk: `run.json` with what was played, `rounds.csv` with the sums, `actions.csv` with what was learned."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from contract_tree.errors import TreeError
from contract_tree.result import Result
from contract_tree.tree import Tree

RUN, ROUNDS, ACTIONS = "run.json", "rounds.csv", "actions.csv"
SUMS = ("rewards", "utilities", "regrets", "received")
LEARNED = ("shares", "payments")


def save_result(result: Result, folder: Path | str) -> None:
    """Write a result into a folder, which is made if need be.

    `rounds.csv` has a line per game, recorded round and node: sums so far, in units of reward.
    `actions.csv` has one per game, node and action: its share of the last tenth, and the payment
    that the principal has come to (empty: none).

    Raises:
        TreeError: the folder cannot be written.
    """
    folder = Path(folder)
    names = result.tree.names
    run = {
        "tree": result.tree.as_nested(), "players": dict(zip(names, result.players, strict=True)),
        "horizon": result.horizon, "noise": result.noise, "seed": result.seed, "games": result.n_games,
    }  # fmt: skip
    sums = (
        [g, int(t), name, *(repr(float(getattr(result, what)[g, c, v])) for what in SUMS)]
        for g in range(result.n_games)
        for c, t in enumerate(result.rounds)
        for v, name in enumerate(names)
    )
    learned = (
        [g, name, action, *("" if np.isnan(x := getattr(result, what)[g, at]) else repr(float(x)) for what in LEARNED)]
        for g in range(result.n_games)
        for at, (name, action) in enumerate(_actions(result.tree))
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / RUN, json.dumps(run, indent=1) + "\n")
        _write(folder / ROUNDS, _table(["game", "round", "node", *SUMS], sums))
        _write(folder / ACTIONS, _table(["game", "node", "action", *LEARNED], learned))
    except OSError as error:
        raise TreeError(
            f"cannot write {error.filename or folder}: {error.strerror or error}; choose another folder with --folder"
        ) from error


def load_result(folder: Path | str) -> Result:
    """Read a result back, exactly as it was saved.

    Raises:
        TreeError: the folder holds no result, or one that is damaged.
    """
    folder = Path(folder)
    try:
        run = json.loads((folder / RUN).read_text(encoding="utf-8"))
        sums, learned = (_read(folder / name) for name in (ROUNDS, ACTIONS))
    except FileNotFoundError as error:
        raise TreeError(
            f"{folder} holds no run ({Path(error.filename).name} is missing): make one with contract-tree run --folder {folder}"
        ) from error
    except (OSError, ValueError) as error:
        raise TreeError(f"cannot read the run in {folder}: {error}") from error
    try:
        tree = Tree.from_nested(run["tree"])
        games, n = int(run["games"]), tree.n_nodes
        rounds = np.array([int(row["round"]) for row in sums[: len(sums) // games : n]], np.int64)
        shape = (games, len(rounds), n)
        return Result(
            tree=tree, players=tuple(run["players"][name] for name in tree.names), horizon=run["horizon"],
            noise=run["noise"], seed=run["seed"], rounds=rounds,
            **{what: np.array([float(row[what]) for row in sums]).reshape(shape) for what in SUMS},
            **{what: np.array([float(row[what] or "nan") for row in learned]).reshape(games, -1) for what in LEARNED},
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise TreeError(f"the run in {folder} is damaged ({error}): run it again") from error


def _actions(tree: Tree) -> Iterator[tuple[str, int]]:
    return ((name, action) for name, n in zip(tree.names, tree.n_actions, strict=True) for action in range(n))


def _table(head: list[str], rows: Iterator[list[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, text: str) -> None:
    """Write a file that is either whole or not there."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise

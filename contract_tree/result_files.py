"""Results on disk: `rounds.csv` with the sums, `actions.csv` with what was learned, `run.json` with what was played.

`run.json` is written last and holds hashes of all three, which find damage, edits by hand and tables of another run.
They are no signature: a folder is input from outside, so sizes are limited by what was played, and all that a
simulation could not have given is refused.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract_tree.checks import brief
from contract_tree.epochs import SHORTEST, doubling
from contract_tree.errors import TreeError
from contract_tree.files import read_limited, write_whole
from contract_tree.result import Result, check_settings, checkpoints
from contract_tree.tree import MOST_FILE_BYTES, Tree

FORMAT = 3
RUN, ROUNDS, ACTIONS = "run.json", "rounds.csv", "actions.csv"
SUMS = ("rewards", "utilities", "regrets", "received")
LEARNED = ("shares", "payments")

_MOST_LINE = 1024
"""Longest line of a table: a name, in quotes, of letters that take four bytes each, and six numbers."""

_ROUNDING = 1e-6
"""Largest error of a sum per round, in units of reward."""


def save_result(result: Result, folder: Path | str) -> None:
    """Write a result into a folder, which is made if need be.

    `rounds.csv` has a line per game, recorded round and node: sums so far, in units of reward.
    `actions.csv` has one per game, node and action: its share of the last tenth, and the payment
    that the principal has come to (empty: none).

    Raises:
        TreeError: the folder cannot be written.
    """
    folder = Path(folder)
    sums = np.stack([getattr(result, what) for what in SUMS], axis=-1).reshape(-1, len(SUMS))
    learned = np.stack([getattr(result, what) for what in LEARNED], axis=-1).reshape(-1, len(LEARNED))
    tables = {
        ROUNDS: _table(_keys_of_rounds(result.tree, result.n_games, result.rounds), SUMS, sums),
        ACTIONS: _table(_keys_of_actions(result.tree, result.n_games), LEARNED, learned),
    }
    run = {
        "format": FORMAT, "tree": result.tree.as_nested(),
        "players": dict(zip(result.tree.names, result.players, strict=True)),
        "horizon": result.horizon, "noise": result.noise, "seed": result.seed, "games": result.n_games,
        "epochs": list(result.epochs),
        "tables": {name: hashlib.sha256(content).hexdigest() for name, content in tables.items()},
    }  # fmt: skip
    for name, content in tables.items():
        write_whole(folder / name, content)
    write_whole(folder / RUN, (json.dumps({**run, "sha256": _seal(run)}, indent=1) + "\n").encode())


def load_result(folder: Path | str) -> Result:
    """Read a result back, exactly as it was saved.

    Raises:
        TreeError: the folder holds no result, one of another version, or one that is damaged or was edited.
    """
    folder = Path(folder)
    try:
        return _load(folder)
    except FileNotFoundError as error:
        raise TreeError(
            f"{folder} holds no run ({Path(error.filename).name} is missing): make one with contract-tree run --folder {folder}"
        ) from error
    except OSError as error:
        raise TreeError(f"cannot read the run in {folder}: {error.strerror or error}") from error
    except TreeError as error:
        raise TreeError(f"the run in {folder} cannot be used: {error}; run it again") from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, csv.Error) as error:
        raise TreeError(f"the run in {folder} is damaged ({brief(str(error), 200)}): run it again") from error


def _load(folder: Path) -> Result:
    run = json.loads(read_limited(folder / RUN, MOST_FILE_BYTES).decode())
    if not isinstance(run, dict) or (found := run.get("format")) != FORMAT:
        version = brief(found) if isinstance(run, dict) else "none"
        raise TreeError(f"{RUN} has the format {version}, and this version reads {FORMAT}")
    if run.pop("sha256", None) != _seal(run):
        raise TreeError(f"{RUN} was damaged or edited")
    tree, players = Tree.from_nested(run["tree"]), run["players"]
    if set(players) != set(tree.names) or not all(isinstance(player, str) for player in players.values()):
        raise TreeError("its players are not those of its tree")
    horizon, games, seed, noise = check_settings(
        tree, horizon=run["horizon"], n_games=run["games"], seed=run["seed"], noise=run["noise"]
    )
    epochs = run["epochs"]
    if not _begins_of(epochs, horizon):
        raise TreeError(f"its players cannot have begun after {brief(epochs)} rounds")
    rounds = checkpoints(horizon)
    shape = (games, len(rounds), tree.n_nodes)
    tables: dict[str, str] = run["tables"]
    sums = _read(folder / ROUNDS, tables, _keys_of_rounds(tree, games, rounds), math.prod(shape), SUMS)
    learned = _read(folder / ACTIONS, tables, _keys_of_actions(tree, games), games * sum(tree.n_actions), LEARNED)
    result = Result(
        tree=tree, players=tuple(players[name] for name in tree.names), horizon=horizon, noise=noise, seed=seed,
        rounds=rounds, epochs=tuple(epochs),
        **{what: sums[:, i].reshape(shape).copy() for i, what in enumerate(SUMS)},
        **{what: learned[:, i].reshape(games, -1).copy() for i, what in enumerate(LEARNED)},
    )  # fmt: skip
    with np.errstate(all="ignore"):  # infinite numbers are refused by name
        _check(result)
    return result


def _begins_of(epochs: object, horizon: int) -> bool:
    """Whether players can have begun after these numbers of rounds: once, or at the epochs of the doubling trick."""
    if not isinstance(epochs, list) or not epochs or not all(type(begin) is int for begin in epochs):
        return False
    if len(epochs) == 1:
        return epochs == [0]
    return epochs[1] >= SHORTEST and epochs == [epoch.begin for epoch in doubling(epochs[1], horizon)]


def _check(result: Result) -> None:
    """Refuse numbers that no simulation gives."""
    tree, rounds = result.tree, result.rounds[:, None]
    slack = _ROUNDING * (1.0 + rounds)
    paid = np.zeros_like(result.received)
    for v in range(1, tree.n_nodes):
        paid[:, :, tree.parents[v]] += result.received[:, :, v]
    balance = result.rewards + result.received - paid - result.utilities
    ends = np.cumsum(tree.n_actions)[:-1]
    shares = np.array([part.sum(axis=1) for part in np.split(result.shares, ends, axis=1)])
    payments = result.payments[~np.isnan(result.payments)]
    for holds, law in (
        (all(np.isfinite(getattr(result, what)).all() for what in (*SUMS, "shares")), "holds NaN or infinite numbers"),
        (((result.rewards >= 0) & (result.rewards <= rounds + slack)).all(), "has rewards outside 0 and 1 per round"),
        ((result.received >= 0).all(), "has payments below 0"),
        ((np.diff(result.rewards, axis=1) >= 0).all() and (np.diff(result.received, axis=1) >= 0).all(),
         "has sums that shrink"),
        ((np.abs(balance) <= slack * (1 + np.abs(paid))).all(), "has utilities that are not reward and payments"),
        ((result.shares >= 0).all() and (np.abs(shares - 1) <= _ROUNDING).all(), "has shares that do not add up to 1"),
        ((payments >= 0).all() and np.isfinite(payments).all(), "has payments below 0 or infinite ones"),
        (np.isnan(result.payments[:, : tree.n_actions[0]]).all(), "pays its root"),
    ):  # fmt: skip
        if not holds:
            raise TreeError(f"it {law}")


def _keys_of_rounds(tree: Tree, games: int, rounds: NDArray[np.int64]) -> Iterator[tuple[str, ...]]:
    """The first columns of `rounds.csv`, their heads first."""
    yield ("game", "round", "node")
    for g in range(games):
        for t in rounds.tolist():
            for name in tree.names:
                yield (str(g), str(t), name)


def _keys_of_actions(tree: Tree, games: int) -> Iterator[tuple[str, ...]]:
    """The first columns of `actions.csv`, their heads first."""
    yield ("game", "node", "action")
    for g in range(games):
        for name, n in zip(tree.names, tree.n_actions, strict=True):
            for action in range(n):
                yield (str(g), name, str(action))


def _table(keys: Iterator[tuple[str, ...]], columns: tuple[str, ...], numbers: NDArray[np.float64]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*next(keys), *columns])
    for key, row in zip(keys, numbers.tolist(), strict=True):
        writer.writerow([*key, *("" if x != x else repr(x) for x in row)])
    return text.getvalue().encode()


def _read(
    path: Path, hashes: dict[str, str], keys: Iterator[tuple[str, ...]], n_lines: int, columns: tuple[str, ...]
) -> NDArray[np.float64]:
    """Numbers (lines, columns) of a table of so many lines, whose other columns must be `keys`."""
    content = read_limited(path, _MOST_LINE * (1 + n_lines))
    if hashes[path.name] != hashlib.sha256(content).hexdigest():
        raise TreeError(f"{path.name} was damaged or edited, or belongs to another run")
    rows = csv.reader(io.StringIO(content.decode(), newline=""))
    head = [*next(keys), *columns]
    if next(rows, None) != head:
        raise TreeError(f"{path.name} has other columns than {', '.join(head)}")
    numbers = np.empty((n_lines, len(columns)))
    for i, key in enumerate(keys):
        row = next(rows, [])
        if tuple(row[: len(key)]) != key or len(row) != len(key) + len(columns):
            raise TreeError(f"line {i + 2} of {path.name} is not that of {', '.join(key)}")
        numbers[i] = [float(cell or "nan") for cell in row[len(key) :]]
    if next(rows, None) is not None:
        raise TreeError(f"{path.name} has more than {1 + n_lines} lines")
    return numbers


def _seal(run: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(run, sort_keys=True).encode()).hexdigest()

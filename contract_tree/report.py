"""The report of a run: a table for people, one for spreadsheets, and four figures."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from contract_tree.files import write_whole
from contract_tree.result import Estimate, Result

if TYPE_CHECKING:
    from contract_tree.figure_style import FigureStyle

WIDTH = 80
"""Characters that no line of the table passes."""

_LONGEST_NAME = 14

_ROUNDING = 1e-9
"""What a margin of exactly 0 may be off by, in units of reward per round."""

_HEAD = [
    ("", "best", "", "", "paid by", "utility", "nobody", ""),
    ("node", "action", "played", "share", "principal", "last tenth", "pays", "regret"),
]


def closing_table(result: Result) -> str:
    """Return what came of a run as text: welfare, regret and its growth, participation, and a line per node."""
    solution = result.solution
    gap = Estimate.of(100 * result.gap())
    lost = Estimate.of(result.welfare_regret()[:, -1])
    slope = Estimate.of(result.slopes())
    social = Estimate.of(result.per_round().sum(axis=1))
    lines = [
        f"{result.n_games} games of {result.horizon:,} rounds, seed {result.seed}, "
        + ("Bernoulli rewards" if result.noise is None else f"Gaussian noise sd {result.noise:g}")
        + ";",
        "mean ± half of the 95 % interval",
        f"best welfare per round:    {solution.welfare:.4f} (nobody pays: {solution.selfish_welfare:.4f})",
        f"welfare, last tenth:       {_fixed(social, 4)}, missed: {_fixed(gap, 3)} %",
        f"lost welfare:              {_fixed(lost, 0)}",
        f"which grows like:          T^({_fixed(slope, 2)}) from round {result.horizon // 10:,} on",
        f"participation:             {_participation(result)}",
        "",
    ]
    if len(result.epochs) > 1:
        known = f"the horizon is unknown to the players, who begin anew {len(result.epochs) - 1} times, last in round"
        lines.insert(2, f"{known} {result.epochs[-1]:,}")
    rows = [
        (
            _shortened(str(row["node"])), str(row["best_action"]), str(row["most_played"]), f"{row['share']:.3f}",
            f"{row['received']:.4f}", f"{row['utility']:.4f} ± {row['utility_half']:.4f}",
            f"{row['alone']:.4f}",
            f"{row['regret']:.1f} ± {row['regret_half']:.1f}",
        )
        for row in rows_of_nodes(result)
    ]  # fmt: skip
    return "\n".join([*lines, *_columns([*_HEAD, *rows])])


def _participation(result: Result) -> str:
    """Say how many nodes keep less than where nobody pays, on average over the games, and the least margin."""
    margins = [Estimate.of(column) for column in result.margins().T]
    least = min(range(len(margins)), key=lambda v: margins[v].mean)
    below = sum(margin.mean < -_ROUNDING for margin in margins)
    clearly = sum(margin.mean + margin.half_interval < -_ROUNDING for margin in margins)
    return (
        f"{below} of {len(margins)} nodes keep less than where nobody pays,\n"
        f"{'':27}{clearly} by more than the half interval\n"
        f"least margin of a node:    {_fixed(margins[least], 4)} ({_shortened(result.tree.names[least])})"
    )


def _columns(rows: list[tuple[str, ...]]) -> list[str]:
    """Lay out rows: names flush left, all else flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    gap = "  " if sum(widths) + 2 * (len(widths) - 1) <= WIDTH else " "
    right = ([text.rjust(w) for text, w in zip(row[1:], widths[1:], strict=True)] for row in rows)
    return [gap.join((row[0].ljust(widths[0]), *rest)).rstrip() for row, rest in zip(rows, right, strict=True)]


def _shortened(name: str) -> str:
    """A name of which a table shows the beginning and the end.

    >>> _shortened("a" * 20)
    'aaaaaa..aaaaaa'
    """
    return name if len(name) <= _LONGEST_NAME else f"{name[:6]}..{name[-6:]}"


def _fixed(estimate: Estimate, digits: int) -> str:
    return f"{round(estimate.mean, digits) + 0.0:.{digits}f} ± {estimate.half_interval:.{digits}f}"


def rows_of_nodes(result: Result) -> list[dict[str, object]]:
    """Say of every node what it played, was paid and kept per round in the last tenth, and its regret over the run.

    `alone` is what it has per round where nobody pays, `margin` what it keeps beyond that.
    """
    solution, tree = result.solution, result.tree
    start = np.flatnonzero(result.rounds == result.horizon - result.horizon // 10)[0]
    received = ((result.received[:, -1] - result.received[:, start]) / (result.horizon // 10)).mean(axis=0)
    kept = result.per_round()
    rows: list[dict[str, object]] = []
    at = 0
    for v, name in enumerate(tree.names):
        shares = result.shares[:, at : at + tree.n_actions[v]].mean(axis=0)
        at += tree.n_actions[v]
        utility, regret = Estimate.of(kept[:, v]), Estimate.of(result.regrets[:, -1, v])
        alone = solution.alone[v]
        rows.append(
            {
                "node": name, "player": result.players[v], "best_action": solution.actions[v],
                "most_played": int(shares.argmax()), "share": float(shares.max()),
                "needed": float(solution.payment[v][solution.actions[v]]) if v else 0.0, "received": float(received[v]),
                "utility": utility.mean, "utility_half": utility.half_interval,
                "alone": alone, "margin": utility.mean - alone, "margin_half": utility.half_interval,
                "regret": regret.mean, "regret_half": regret.half_interval,
            }
        )  # fmt: skip
    return rows


def write_report(result: Result, folder: Path | str, *, style: FigureStyle | None = None) -> list[Path]:
    """Write `nodes.csv`, `welfare.csv` and four figures into a folder; return their paths.

    Args:
        result: what came of the games.
        folder: is made if need be.
        style: format, pixels, titles and width of the figures; default: PNG, as for a screen.

    Raises:
        TreeError: the folder cannot be written.
    """
    from contract_tree import figures
    from contract_tree.figure_style import SCREEN, file_content

    look = style or SCREEN
    folder = Path(folder)
    lost = result.welfare_regret()
    curve = [
        {"round": int(t), "welfare_regret": Estimate.of(lost[:, c]).mean, "half": Estimate.of(lost[:, c]).half_interval}
        for c, t in enumerate(result.rounds)
    ]
    drawings = {
        "welfare": figures.draw_welfare, "regret": figures.draw_regret,
        "payments": figures.draw_payments, "tree": figures.draw_tree,
    }  # fmt: skip
    written = []
    for name, rows in (("nodes", rows_of_nodes(result)), ("welfare", curve)):
        text = io.StringIO()
        table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        written.append(folder / f"{name}.csv")
        write_whole(written[-1], text.getvalue().encode())
    for name, draw in drawings.items():
        written.append(folder / f"{name}.{look.format}")
        write_whole(written[-1], file_content(draw(result, style=look), look))
    return written

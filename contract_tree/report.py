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


def closing_table(result: Result) -> str:
    """Return what came of a run as text: welfare, regret and its growth, and a line per node."""
    solution = result.solution
    gap = Estimate.of(100 * result.gap())
    lost = Estimate.of(result.welfare_regret()[:, -1])
    slope = Estimate.of(result.slopes())
    social = Estimate.of(result.per_round().sum(axis=1))
    lines = [
        f"{result.n_games} games of {result.horizon:,} rounds, seed {result.seed}, "
        + ("Bernoulli rewards" if result.noise is None else f"Gaussian noise sd {result.noise:g}")
        + "; mean ± half of the 95 % interval",
        f"best welfare per round:    {solution.welfare:.4f} (nobody pays: {solution.selfish_welfare:.4f})",
        f"welfare, last tenth:       {_fixed(social, 4)}, missed: {_fixed(gap, 3)} %",
        f"lost welfare:              {_fixed(lost, 0)}, growing like T^({_fixed(slope, 2)}) from round {result.horizon // 10:,} on",
        "",
        f"{'node':<14}{'best':>5}{'played':>7}{'share':>8}{'paid by principal':>19}{'utility, last tenth':>22}{'regret':>20}",
    ]
    lines += [
        f"{row['node']:<14}{row['best_action']:>5}{row['most_played']:>7}{row['share']:>8.3f}{row['received']:>19.4f}"
        f"{row['utility']:>13.4f} ± {row['utility_half']:<6.4f}{row['regret']:>13.1f} ± {row['regret_half']:<.1f}"
        for row in rows_of_nodes(result)
    ]
    return "\n".join(lines)


def _fixed(estimate: Estimate, digits: int) -> str:
    return f"{round(estimate.mean, digits) + 0.0:.{digits}f} ± {estimate.half_interval:.{digits}f}"


def rows_of_nodes(result: Result) -> list[dict[str, object]]:
    """Say of every node what it played, was paid and kept per round in the last tenth, and its regret over the run."""
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
        rows.append(
            {
                "node": name, "player": result.players[v], "best_action": solution.actions[v],
                "most_played": int(shares.argmax()), "share": float(shares.max()),
                "needed": float(solution.payment[v][solution.actions[v]]) if v else 0.0, "received": float(received[v]),
                "utility": utility.mean, "utility_half": utility.half_interval,
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

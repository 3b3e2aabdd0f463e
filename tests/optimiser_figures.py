"""What the pages give of the optimisers' benchmarks, from their committed results."""

import json
import math
import re
from collections.abc import Iterable, Sequence

from result_files import RESULTS, Figure, Table, row, rows_of

from optimiser_bench.clustered import interval, plus_minus


def regret(optimiser: str, evaluations: int, file: str = "synthetic-all", setting: str = "batch 1") -> dict[str, str]:
    return row(f"{file}.csv", setting=setting, optimiser=optimiser, evaluations=evaluations)


def mean(r: dict[str, str]) -> Figure:
    """Mean over runs, and half its 95 % interval over the file's units: instances, problems, or runs on one problem."""
    return float(r["mean"]), float(r["half"])


def behind(r: dict[str, str]) -> Figure:
    """Mean of (rival - cPMES) over paired runs, and half its 95 % interval over the file's units."""
    return float(r["behind"]), float(r["behind_half"])


def townsend(seeds: Sequence[int]) -> Figure:
    """By how much cPMES is behind Optuna's Gaussian process on Townsend, log10 regret after 24 evaluations, from the runs."""
    found = {}
    for line in (RESULTS / "problems.jsonl").read_text().splitlines():
        run = json.loads(line)
        if run["job"]["problem"] == "townsend":
            found[run["job"]["optimiser"], run["job"]["seed"]] = math.log10(max(run["regrets"][24], 1e-6))
    gaps = [found["cPMES", seed] - found["Optuna GP", seed] for seed in seeds]
    it = interval(gaps, seeds)
    return it.mean, it.half


def ahead(r: dict[str, str]) -> Figure:
    """By how much a rival is ahead of cPMES where the file says by how much it is behind."""
    lag, half = behind(r)
    return -lag, half


LABELS = {
    "cPMES paper": "cPMES as printed",
    "cPMES everywhere": "cPMES without boxes",
    "cEI": "constrained expected improvement (cEI)",
    "Optuna GP": "Optuna, constrained Gaussian process",
    "Optuna TPE": "Optuna, TPE",
    "BoTorch logCEI": "BoTorch, constrained log EI",
    "skopt penalty": "scikit-optimize, penalty",
}
"""Name of an optimiser in the result files -> in the pages, where the two differ."""


def regrets(
    file: str, columns: Iterable[tuple[str, int]], form: str = ".0f", *, solved_by: tuple[str, int] | None = None
) -> Table:
    """One row per optimiser: mean ± half the 95 % interval for each (setting, evaluations), and the share solved with its."""
    rows: Table = []
    for name in dict.fromkeys(r["optimiser"] for r in rows_of(f"{file}.csv")):
        found = [mean(regret(name, evaluations, file, setting)) for setting, evaluations in columns]
        cells = [plus_minus(m, half, form) for m, half in found]
        if solved_by:
            r = regret(name, solved_by[1], file, solved_by[0])
            share, low, high = (100 * float(r[column]) for column in ("solved", "solved_low", "solved_high"))
            cells.append(f"{share:.0f} % ({low:.0f} to {high:.0f})")
        rows.append((LABELS.get(name, name), cells))
    return rows


def budgets() -> Table:
    """Regret of every optimiser at five budgets, and the paper's own figures, which the benchmark prints below."""
    rows = regrets("synthetic-all", [("batch 1", t) for t in (4, 8, 12, 16, 20)], solved_by=("batch 1", 20))
    (printed,) = re.findall(r"^cPMES \(printed\) +(.*)$", (RESULTS / "synthetic-all.txt").read_text(), re.MULTILINE)
    return [*rows, ("cPMES in the paper, on its own instance", [*printed.split(), ""])]


def problems() -> Table:
    return regrets("problems-all", [(setting, 24) for setting in single_problems()], ".2f")


def single_problems() -> list[str]:
    return list(dict.fromkeys(r["setting"] for r in rows_of("problems-all.csv") if r["unit"] == "run"))


def over_problems() -> Table:
    """How far each rival is behind over all problems, and on how many it is behind or ahead beyond the interval."""
    rows: Table = []
    for r in rows_of("problems-all.csv"):
        if (r["unit"], r["evaluations"]) == ("problem", "24") and r["optimiser"] != "cPMES":
            lag, half = behind(r)
            single = [behind(regret(r["optimiser"], 24, "problems-all", problem)) for problem in single_problems()]
            counts = [sum(m > h for m, h in single), sum(m < -h for m, h in single)]
            rows.append((LABELS.get(r["optimiser"], r["optimiser"]), [plus_minus(lag, half, ".2f"), *map(str, counts)]))
    return rows


def landscape_search(landscape: str = "effort") -> Table:
    """Regret after 30 evaluations ± half its interval over runs, and in brackets that over runs and trainings."""
    name, rows = f"landscape_search-{landscape}.csv", []
    for optimiser in dict.fromkeys(r["optimiser"] for r in rows_of(name) if r["evaluations"] == "30"):
        found = [row(name, optimiser=optimiser, evaluations=30, batch=batch) for batch in (1, 2, 4)]
        values = [[float(r[column]) for column in ("regret", "regret_runs", "regret_both")] for r in found]
        rows.append(
            (LABELS.get(optimiser, optimiser), [f"{m:.1f} ± {runs:.1f} ({both:.1f})" for m, runs, both in values])
        )
    return rows


def noisy(name: str = "noisy_search.txt") -> Table:
    """Regret, flattery and shares of a table of `noisy_search`, as it was printed."""
    rows = []
    for line in (RESULTS / name).read_text().splitlines():
        if found := re.match(r"(\w+) [\d.]+(?: %)?(?: by \w+)? +(\w+) +(.*)$", line):
            problem, rule, rest = found.groups()
            cells = [cell.replace("+-", "±") for cell in re.split(r" {2,}", re.sub(r"\+- +", "+- ", rest.strip()))]
            rows.append((f"{problem}, {rule}", [{"-": ""}.get(cell, cell.replace("%", " %")) for cell in cells]))
    return rows


def batches() -> Table:
    """Regret of every optimiser in the end, by the number of designs asked for at once."""
    return regrets("synthetic", [(f"batch {b}", 20) for b in (1, 2, 4)], solved_by=("batch 1", 20))


CROWDED = {"cleanup-slack-1": "made-up Clean-up", "gramacy": "Gramacy", "g24": "G24"}
"""Problem of `ask_speed.py --many` -> its name in the pages."""


def many_results() -> Table:
    """The fit to many results beside the exact one: one row for each problem, number of results and fit."""
    rows: Table = []
    for line in (RESULTS / "ask_speed_many.txt").read_text().splitlines():
        cells = line.replace("|", " ").split()
        if cells and cells[0] in CROWDED:
            name, noise, n, fit, kept, seconds, *e = cells
            how = f"{'rule' if fit == 'part' else fit}, {kept}"
            pairs = [f"{e[0]} / {e[1]}", f"{e[3]} / {e[4]}", e[5], f"{e[6]} / {e[7]}", f"{e[8]} / {e[9]}"]
            rows.append((CROWDED[name], [noise, f"{int(n):,}", how, seconds, *pairs]))
    return rows


def design_problems(name: str) -> Table:
    """Mean ranks on a set of design problems, and in how many runs nothing feasible was found."""
    rows: Table = []
    for line in (RESULTS / f"{name}.txt").read_text().splitlines():
        found = re.match(r"(\S.*?) +(\S+ ± \S+) +(?:(\S+) ± \+?(\S+) +)?(\d+ of \d+) +([\d.]+)$", line)
        if found:
            label, rank, less, half, nothing, seconds = found.groups()
            gap = "" if less is None else f"{less} ± {half}"
            rows.append((LABELS.get(label, label), [rank, gap, nothing, seconds]))
    return rows


def scratch() -> Table:
    """Searches whose every evaluation is a training from scratch: runs, reading, judged welfare, acceptance, gap, contracts."""
    rows: Table = []
    bounds = r"\(\S+ to \S+\)"
    for line in (RESULTS / "scratch_search-effort-fast-2500.txt").read_text().splitlines():
        found = re.match(
            rf"(\S.*?) +(\d+) +([\d.]+) +([\d.]+ {bounds}) +(\d+ of \d+) +(?:(\S+ {bounds}) +)?(\(.*\))$", line
        )
        if found:
            name, runs, read, welfare, accepted, gap, contracts = found.groups()
            rows.append((LABELS.get(name, name), [runs, read, welfare, accepted, gap or "", contracts]))
    return rows

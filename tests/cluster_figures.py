"""What the pages give of many workers and machines, from the outputs of the benchmarks of studies."""

import re
from collections.abc import Callable, Mapping
from functools import cache

from result_files import RESULTS, Figure, Table


@cache
def text(name: str) -> str:
    return (RESULTS / f"{name}.txt").read_text()


def lines(name: str, pattern: str) -> list[tuple[str, ...]]:
    """The groups of a pattern, line by line."""
    found = re.findall(pattern, text(name), re.MULTILINE)
    return [one if isinstance(one, tuple) else (one,) for one in found]


def of_trials(*names: str) -> Callable[[], Figure]:
    """Sum of what the trials of killed workers counted under some names, over all runs."""
    return lambda: (float(sum(int(n) for name in names for (n,) in lines("thousand_trials", rf"^{name} +(\d+)"))),)


def of_storage(database: str, workers: int, column: int) -> Callable[[], Figure]:
    """Evaluations per second (0), or milliseconds of one (1)."""

    def figure() -> Figure:
        (found,) = lines("many_workers", rf"^ +{database} +{workers} +([\d.]+) +(\d+)$")
        return (float(found[column]),)

    return figure


def of_ask(results: int, pending: int, number: int) -> Callable[[], Figure]:
    """CPU seconds of one ask."""

    def figure() -> Figure:
        ((seconds,),) = lines("many_workers", rf"^ +{results} +{pending} +{number} +([\d.]+)$")
        return (float(seconds),)

    return figure


def landscapes() -> Table:
    """CPU seconds of a seed by part, and its hours, for each number of agents."""
    rows = lines("landscape_cost", r"^ +(\d+) +([\d,]+) +([\d,]+) +([\d,]+) +([\d,]+) +([\d.]+)$")
    return [(agents, list(cells)) for agents, *cells in rows]


def simulated() -> Table:
    """Results and regret of simulated searches, for each number of workers and time."""
    rows = lines("many_workers", r"^ +(\d+) +([\d.]+) +(\d+) +([\d.]+) \([\d.]+\) +\d+ +(\d+) +[\d.]+$")
    return [(workers, list(cells)) for workers, *cells in rows]


def scaling(studies: int, workers: int) -> Callable[[], Figure]:
    """Evaluations per second against one worker, the mean over rounds."""

    def figure() -> Figure:
        found = [
            float(ratio) for (ratio,) in lines("worker_scaling", rf"^ +\d+ +{studies} +{workers} +[\d.]+ +([\d.]+)$")
        ]
        return (sum(found) / len(found),)

    return figure


FIGURES: Mapping[str, Callable[[], Figure]] = {
    "trials.all": of_trials("trials"),
    "trials.kills": of_trials("kills"),
    "trials.again": of_trials("begun again"),
    "trials.wrong": of_trials("lost", "doubled designs", "doubled trials"),
    "storage.sqlite": of_storage("SQLite", 1, 0),
    "storage.sqlite.ms": of_storage("SQLite", 1, 1),
    "storage.postgresql": of_storage("PostgreSQL", 1, 0),
    "storage.postgresql.ms": of_storage("PostgreSQL", 1, 1),
    "ask.100": of_ask(100, 0, 1),
    "ask.1000": of_ask(1000, 0, 1),
    "ask.5000": of_ask(5000, 0, 1),
    "ask.1000.twenty": of_ask(1000, 0, 20),
    "scaling.workers": scaling(1, 2),
    "scaling.apart": scaling(2, 1),
}

TABLES: Mapping[str, Callable[[], Table]] = {"cluster.landscapes": landscapes, "cluster.simulated": simulated}

"""What the pages give of contracts beyond one tax, from the output of `benchmarks/families.py`."""

import re
from collections.abc import Callable, Mapping

from result_files import RESULTS, Figure, Table

WAYS = ("no contract, trained for it alone", "no contract", "best tax, shared equally", "best tax and piece rate")


def text(what: str) -> str:
    return (RESULTS / f"families-{what}.txt").read_text()


def number(what: str, pattern: str) -> float:
    """The one number that a pattern finds in the output of a command."""
    (found,) = re.findall(pattern, text(what), re.MULTILINE)
    return float(found)


def of_everybody() -> Table:
    """Preset `original`: welfare per step and agent, its interval, the contract, shots and waste."""
    rows = Table()
    for way in WAYS:
        line = rf"^{way} +([\d.]+) \((-?[\d.]+) to ([\d.]+)\)(?: +tax ([\d.]+), piece rate ([\d.]+); (\d+) shots an episode, ([\d.]+) waste cells)?$"
        ((mean, low, high, *others),) = re.findall(line, text("original"), re.MULTILINE)
        rows.append((way, [f"{float(mean):.3f} ({float(low):.3f} to {float(high):.3f})", *others]))
    return rows


def of_unequal() -> Table:
    """Unequal harvesters: welfare, the smallest margin, and that of the harvester with an offer elsewhere."""
    rows, bounds = Table(), r"(-?[\d.]+ \(-?[\d.]+ to -?[\d.]+\))"
    for way, begin in (("best single tax", "single tax"), ("a tax for each harvester", "own taxes")):
        told = rf"^{begin} .*: welfare {bounds}\n +smallest margin, of \w+: {bounds}; of harvester_0: {bounds}$"
        ((welfare, smallest, offered),) = re.findall(told, text("unequal"), re.MULTILINE)
        rows.append((way, [welfare, smallest, offered]))
    return rows


def of_piece_rate() -> Table:
    """Equal sharing and a piece rate: lowest certified tax, how many are certified, what a cleaner gains."""
    rows, told = Table(), text("piece-rate")
    for way, rate in (("shared equally", 0), ("shared by cells cleaned", 1)):
        ((tax, many),) = re.findall(
            rf"^5 cleaners, work, piece rate {rate}: tax (.*?); certified taxes: ([\d ]+)$", told, re.MULTILINE
        )
        (gain,) = re.findall(rf"^5 cleaners, piece rate {rate}: a cleaner gains (.*), mean over", told, re.MULTILINE)
        rows.append((way, [tax, many, gain]))
    return rows


FIGURES: Mapping[str, Callable[[], Figure]] = {
    "fishery.seconds": lambda: (
        float(re.findall(r"^in all +(\d+) s", (RESULTS / "fishery_from_nothing.txt").read_text(), re.MULTILINE)[0]),
    ),
    "families.harvesters.ratio": lambda: (number("harvesters", r"best symmetric: ([\d.]+);"),),
    "families.harvesters.recommended": lambda: (number("harvesters", r"^recommended .*welfare ([\d.]+) ±"),),
    "families.harvesters.symmetric": lambda: (number("harvesters", r"^best symmetric .*welfare ([\d.]+) ±"),),
    "families.high": lambda: (number("piece-rate-high", r"a cleaner gains ([\d.]+) \("),),
    "families.epsilon": lambda: (number("piece-rate", r"epsilon ([\d.]+):$"),),
    "families.unequal.single": lambda: (number("unequal", r"accept as measured: (\d+) of 100$"),),
    "families.unequal.margin": lambda: (number("unequal", r"^ +smallest margin ([\d.]+) \("),),
    "families.overhead.tax": lambda: (number("overhead", r"^problem tax +[\d,]+ +([\d.]+) of"),),
}
TABLES: Mapping[str, Callable[[], Table]] = {
    "families.original": of_everybody,
    "families.unequal": of_unequal,
    "families.piece-rate": of_piece_rate,
}

"""What a landscape shows, beside what it must show: one page of figures.

    python benchmarks/landscape.py                        # the shipped landscapes
    python benchmarks/landscape.py landscapes/contract-effort

Prints the summary that `cleanup-contracts landscape` prints, the best certified contract with its interval over
trainings and the largest gain of any deviation, what the trainings cost, and the tax from which nobody free-rides by
crew size beside its prediction. Intervals are over the conditioned trainings (Student's t).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from contract_wrapper.landscapes.bounds import interval
from contract_wrapper.landscapes.landscape import Landscape
from contract_wrapper.landscapes.shipped import load_landscape, shipped_names
from contract_wrapper.landscapes.thresholds import Threshold, predicted_threshold, threshold
from contract_wrapper.reports.landscape_summary import summary

MADE = ("crews", "deviators", "playing")
"""What the CPU time of a landscape went into."""


def about_best(landscape: Landscape) -> Iterator[str]:
    """The contract with most welfare of those that are certified, and of those that are feasible as measured."""
    contracts = landscape.contracts()
    for what, mask in (("feasible", landscape.feasible()), ("certified", landscape.certified())):
        mask = mask & (landscape.n_cleaners > 0)
        yield f"{what}: {int(mask.sum())} of {len(contracts) - 1} contracts"
        if not mask.any():
            continue
        k = landscape.best(mask)
        found = interval(landscape.welfare[:, k], landscape.welfare_se[:, k])
        by_seed = ", ".join(f"{w:.1f}" for w in landscape.welfare[:, k])
        yield f"  best {what}: {contracts[k]}, welfare {found}; by seed {by_seed}"
        certificate = landscape.certificate(contracts[k])
        for gain in certificate.gains:
            yield (
                f"    gain of a {gain.role}: {gain.mean:+.2f}, at most {gain.upper:+.2f} "
                f"({gain.percent(gain.upper):+.1f} % of its utility of {gain.utility:.1f}) by {gain.deviation}"
            )


def by_crew(landscape: Landscape) -> Iterator[str]:
    """Best mean welfare of each crew size, and the tax from which nobody free-rides beside its prediction."""
    contracts = landscape.contracts()
    yield f"{'cleaners':>9}{'best tax':>10}{'welfare':>9}{'95 % interval':>20}   nobody free-rides from (95 % interval; by training); predicted"
    for n in sorted({int(n) for n in landscape.n_cleaners} - {0}):
        numbers = np.flatnonzero(landscape.n_cleaners == n)
        k = int(numbers[landscape.welfare[:, numbers].mean(axis=0).argmax()])
        found = interval(landscape.welfare[:, k], landscape.welfare_se[:, k])
        yield (
            f"{n:>9}{contracts[k].tax:>10.2f}{found.mean:>9.1f}{f'{found.low:.1f} to {found.high:.1f}':>20}   "
            f"{in_words(threshold(landscape, n))}; {in_words(predicted_threshold(landscape, n))}"
        )


def in_words(found: Threshold) -> str:
    """Mean tax with its interval, if there is one, and the tax of every training."""
    seeds = ", ".join("nowhere" if np.isinf(t) else f"{t:g}" for t in found.per_training)
    if found.interval is None:
        return seeds
    return f"{found.interval.mean:.3f} ({found.interval.low:.3f} to {found.interval.high:.3f}; {seeds})"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "landscapes", nargs="*", help="names of shipped landscapes, files or folders (default: shipped)"
    )
    options = parser.parse_args()
    for name in options.landscapes or shipped_names():
        landscape = load_landscape(name)
        print(f"== {name}: costs {landscape.about.get('costs')}, seeds {', '.join(map(str, landscape.seeds))}")
        print(f"made by: {landscape.about.get('command', '?')}\n")
        print(summary(landscape), end="\n\n")
        print(*about_best(landscape), sep="\n", end="\n\n")
        print(*by_crew(landscape), sep="\n", end="\n\n")
        seconds = landscape.cpu_seconds
        parts = ", ".join(f"{what} {np.median(seconds[:, i]):.0f}" for i, what in enumerate(MADE))
        print(f"CPU-seconds a seed, medians: {parts}; all {np.median(seconds.sum(axis=1)):.0f}\n")


if __name__ == "__main__":
    main()

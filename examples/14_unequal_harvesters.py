"""Unequal harvesters: no single tax suits everybody, a tax for each of them does.

One harvester could have 110 apples per episode elsewhere, and cleaners 45. The tax that pays the cleaners drives that
harvester away, and the tax that keeps it there pays too little, whatever the crew. If it pays less than the others, all
accept. Nothing is trained here: both kinds of contracts are computed from the landscape that comes with the package,
which says what crews harvest under every tax. What a harvester eats is taken to depend on the mean tax alone.
`python benchmarks/families.py unequal` measures the same with crews that know every contract of five taxes.
"""

import numpy as np

from contract_wrapper import Estimate, OutsideOptions, load_landscape
from contract_wrapper.evaluation.participation import acceptance, tightest_margin

OUTSIDE = OutsideOptions.of(harvester_0=110, cleaner=45)  # of cleanup_problem("tax-per-harvester", outside=OUTSIDE)
HARVESTERS = 5


def margins(landscape, k, own):
    """By how much each agent is better off than otherwise, if harvester j pays `own[j]` in place of the tax of row k."""
    n, tax = landscape.n_cleaners[k], landscape.tax[k]
    without = landscape.utilities[:, landscape.n_cleaners == 0].mean(axis=(0, 1))
    home = landscape.utilities[:, k, : HARVESTERS + n].copy()  # (trainings, agents)
    earned = home[:, :HARVESTERS] / (1.0 - tax)  # harvesters have no costs
    home[:, :HARVESTERS] = earned * (1.0 - own)
    home[:, HARVESTERS:] += (earned * (own - tax)).sum(axis=1, keepdims=True) / n
    found = {}
    for i, agent in enumerate(landscape.agents[: HARVESTERS + n]):
        gains = home[:, i] - np.fmax(OUTSIDE.of_agent(agent) or 0.0, without[i])  # cleaners have nothing without
        found[agent] = Estimate(mean=gains.mean(), se=gains.std(ddof=1) / len(gains) ** 0.5)
    return found


def best(landscape, firsts):
    """The contract of highest welfare that all accept beyond the error, or the nearest to it; `firsts(mean tax)`."""
    found = []
    for k in np.flatnonzero((landscape.n_cleaners > 0) & (landscape.tax < 0.8)):
        for first in firsts(landscape.tax[k]):
            own = np.array([first, *[(5.0 * landscape.tax[k] - first) / 4.0] * 4])  # the others pay what is missing
            each = margins(landscape, k, own)
            sure = min(margin.mean - 2.0 * margin.se for margin in each.values())
            found.append((min(sure, 0.0), landscape.welfare[:, k].mean(), k, own, each))
    return max(found, key=lambda row: row[:2])


def main(step=0.02):
    """Print the best contract of each kind, own taxes in steps; return the margins of both."""
    landscape, both = load_landscape("effort"), {}
    for kind, firsts in {"one tax": lambda tax: [tax], "own taxes": lambda tax: np.arange(0, tax, step)}.items():
        _, welfare, k, own, both[kind] = best(landscape, firsts)
        print(
            f"{kind:10}{own[0]:.2f} of harvester_0, {own[1]:.2f} of others, {landscape.n_cleaners[k]} cleaners: ",
            end="",
        )
        print(f"{acceptance(both[kind].values())}; welfare {welfare:.0f}, least margin {tightest_margin(both[kind])}")
    return both


if __name__ == "__main__":
    main()

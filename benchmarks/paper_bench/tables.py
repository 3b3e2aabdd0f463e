"""What the trainings show, in lines beside what can be read from the paper."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.evaluation.published_results import PAPER
from paper_bench.trainings import ALL, COMPARED, TRAINED, Training, of_contract

LAST = 0.9
"""Fraction of a training from which on its level is its last."""

SPANS = ((0.0, 0.1), (0.45, 0.55), (LAST, 1.0))
"""Parts of a training whose levels stand in the tables: its first tenth, half-way, its last tenth."""

PUBLISHED: Mapping[str, str] = {
    "Figure 3": "about 150",
    "Figure 4": "about 225",
    "Figure 5": "about 100",
    "Figure 6": "slow, noisy",
}
"""What the paper's text says of the moving average of collective reward at the end of training."""

PUBLISHED_PLAY: Mapping[str, str] = {
    "Figure 8, baseline": f"harvester at most {PAPER.baseline_harvester}; orchard empty near step 150",
    "Figure 8, best contract": (
        f"welfare {PAPER.welfare}, harvesters over {PAPER.worst_harvester}, cleaner {PAPER.worst_cleaner}; apples at step 150"
    ),
}
"""What it says of the play after training."""


def training_lines(trainings: Sequence[Training]) -> Iterator[str]:
    """Collective reward while training, early and late, for Figures 3 to 6; nothing for contracts without a training."""
    yield "collective reward (harvest less costs) per episode while training: mean over trainings ± their standard deviation"
    yield (
        f"{'figure':10}{'contract':22}{'trainings':>11}{'first tenth':>17}{'half-way':>17}{'last tenth':>17}"
        f"{'from part to part':>19}  paper, at the end"
    )
    for name, contract in TRAINED.items():
        mine = of_contract(trainings, contract)
        if mine:
            cells = [spread([t.level(*span) for t in mine]) for span in SPANS]
            moves = (
                np.mean([np.abs(np.diff(t.curve[len(t.curve) // 2 :])).mean() for t in mine]) if _long(mine) else np.nan
            )
            yield (
                f"{name:10}{short(contract):22}{len(mine):>11}{cells[0]:>17}{cells[1]:>17}{cells[2]:>17}{moves:>19.1f}"
                f"  {PUBLISHED[name]}"
            )
    yield "from part to part: mean change of a curve from one of its parts to the next, over its second half"


def play_lines(trainings: Sequence[Training]) -> Iterator[str]:
    """What greedy agents do after training under each contract."""
    yield "greedy play after training, apples per episode: mean over trainings ± their standard deviation"
    yield (
        f"{'contract':22}{'trainings':>11}{'welfare':>17}{'harvest':>17}{'harvesters':>15}{'cleaner, least':>17}{'shots':>9}"
        f"{'waste at end':>14}{'CPU-min':>9}"
    )
    for contract in ALL.values():
        mine = of_contract(trainings, contract)
        if mine:
            paid = [t.least_cleaner for t in mine if t.least_cleaner is not None]
            between = (
                f"{np.mean([t.least_harvester for t in mine]):.1f}-{np.mean([t.most_harvester for t in mine]):.1f}"
            )
            yield (
                f"{short(contract):22}{len(mine):>11}{spread([t.welfare for t in mine]):>17}"
                f"{spread([t.harvest for t in mine]):>17}{between:>15}{spread(paid) if paid else '':>17}"
                f"{np.mean([t.shots for t in mine]):>9.0f}{np.mean([t.waste[-1] for t in mine]):>14.1f}"
                f"{np.median([t.cpu_seconds for t in mine]) / 60:>9.1f}"
            )
    yield "harvesters: utility of the one with least and of the one with most; paper:"
    yield from (f"  {short(COMPARED[name])}: {said}" for name, said in PUBLISHED_PLAY.items())


def orchard_lines(trainings: Sequence[Training]) -> Iterator[str]:
    """Apples on the trees and waste in the river during an episode, for the comparison of Figure 8."""
    steps = (1, 50, 100, 150, 200)
    yield "apples on the trees / waste cells after a step of greedy play, means over trainings"
    yield f"{'contract':22}" + "".join(f"{f'step {step}':>15}" for step in steps)
    for contract in COMPARED.values():
        mine = of_contract(trainings, contract)
        if mine:
            cells = [
                "/".join(f"{np.mean([getattr(t, what)[step - 1] for t in mine]):.1f}" for what in ("apples", "waste"))
                if step <= len(mine[0].waste)
                else ""
                for step in steps
            ]
            yield f"{short(contract):22}" + "".join(f"{cell:>15}" for cell in cells)


def missing_lines(
    trainings: Sequence[Training], seeds: int, under_way: Mapping[tuple[Contract, int], bool]
) -> Iterator[str]:
    """How many trainings are done, which have begun and which are missing, and what the missing ones will take."""
    left = 0
    for name, contract in ALL.items():
        done = {t.seed for t in of_contract(trainings, contract)}
        open_seeds = [seed for seed in range(seeds) if seed not in done]
        left += len(open_seeds)
        begun = [seed for seed in open_seeds if under_way.get((contract, seed))]
        anew = [seed for seed in open_seeds if seed not in begun]
        parts = [f"{seeds - len(open_seeds)} of {seeds} done"]
        parts += [
            f"{word}: seed {', '.join(map(str, some))}" for word, some in (("begun", begun), ("missing", anew)) if some
        ]
        yield f"{name} ({short(contract)}): {'; '.join(parts)}"
    if left and trainings:
        minutes = float(np.median([t.cpu_seconds for t in trainings])) / 60
        yield f"{left} trainings are left, {left * minutes:.0f} CPU-minutes at the median of those that are done"


def write_table(path: Path, trainings: Sequence[Training]) -> None:
    """One row for each training, as CSV: its levels while training and its play."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([
            "tax", "n_cleaners", "seed", "episodes", "first_tenth", "half_way", "last_tenth", "welfare", "harvest",
            "least_harvester", "most_harvester", "least_cleaner", "shots", "cleaned", "cpu_seconds",
        ])  # fmt: skip
        for contract in ALL.values():
            for t in of_contract(trainings, contract):
                levels = [round(t.level(*span), 2) for span in SPANS]
                play = [t.welfare, t.harvest, t.least_harvester, t.most_harvester]
                cleaner = "" if t.least_cleaner is None else round(t.least_cleaner, 3)
                writer.writerow([
                    t.tax, t.n_cleaners, t.seed, t.episodes, *levels, *(round(x, 3) for x in play), cleaner,
                    round(t.shots, 1), round(t.cleaned, 1), t.cpu_seconds,
                ])  # fmt: skip


def short(contract: Contract) -> str:
    """A contract as the paper writes it."""
    return "no contract" if contract.is_none else f"Na = {contract.n_cleaners}, tax {contract.tax:g}"


def spread(values: Sequence[float]) -> str:
    """Mean over trainings and, if there are several, their standard deviation."""
    mean = f"{np.mean(values):.1f}"
    return mean if len(values) < 2 else f"{mean} ± {np.std(values, ddof=1):.1f}"


def _long(mine: Sequence[Training]) -> bool:
    return min(len(t.curve) for t in mine) >= 4

"""The figures of what agents do, one function each: how they learned, the field and the river of an episode."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.envs.batch_game import TYPES
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.crews import Crews
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.playback.recording import Episode
from contract_wrapper.reports.style import CLEANER, FAINT, GREEN, GREY, HARVESTER, INK, canvas, empty_figure
from contract_wrapper.studies.record import StudyRecord


def draw_training(outcome: Outcome) -> Figure:
    """Utility per type of agents and welfare against training episodes, beside the trained crew's."""
    curve = outcome.training_curve
    episodes = np.array(curve.get("episode", ()))
    if episodes.size < 2:
        raise ContractsError(f"the outcome of {outcome.contract} holds no training curve of two or more points")
    lines = [(name, np.array(curve[name])) for name in TYPES if name in curve]
    total = np.sum([values for _, values in lines], axis=0)
    name = "without a contract" if outcome.contract.is_none else f"under {outcome.contract}"
    tenth = max(1, episodes.size // 10)
    title = f"Training {name}: welfare {total[:tenth].mean():.0f} at first, {total[-tenth:].mean():.0f} at the end"
    figure, ax = canvas(8.6, 5.0, title)
    styles = {"cleaner": (CLEANER, "all cleaners", "--"), "harvester": (HARVESTER, "all harvesters", "-.")}
    if outcome.contract.is_none:
        lines = [line for line in lines if line[0] != "cleaner"]
    if len(lines) > 1:
        for kind, values in lines:
            colour, label, style = styles[kind]
            _curve(ax, episodes, values, colour, label, style)
    _curve(ax, episodes, total, INK, "everybody (welfare)", "-")
    ax.errorbar([episodes[-1] * 1.03], [outcome.welfare.mean], yerr=[2 * outcome.welfare.se], fmt="*", ms=13, capsize=3,
                color=GREEN, label=f"everybody, greedy after training: {outcome.welfare}")  # fmt: skip
    ax.set(xlabel="training episodes", ylabel="utility (apples per episode)")
    ax.axhline(0.0, color=FAINT, lw=0.8, zorder=0)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    return figure


def draw_crews_training(crews: Sequence[Crews]) -> Figure:
    """Welfare while crews that know every contract were trained: a line per crew size, over all taxes at once.

    Lines are means over trainings; the size of the crew changes from vector episode to vector episode.
    """
    if not crews or min(len(known.curve.episode) for known in crews) < 2 * len(crews[0].sizes):
        raise ContractsError("the crews hold no training curve of two or more points for each crew size")
    totals = np.mean([known.curve.returns.sum(axis=1) for known in crews], axis=0)
    episodes, sizes = crews[0].curve.episode, crews[0].sizes
    tenth = max(1, totals.size // 10)
    many = f"{len(crews)} training{'s' if len(crews) > 1 else ''}"
    figure, ax = canvas(
        8.6, 5.0,
        f"Crews for every contract ({many}): welfare {totals[:tenth].mean():.0f} at first, "
        f"{totals[-tenth:].mean():.0f} at the end, mean over taxes and crew sizes",
    )  # fmt: skip
    for k, size in enumerate(sizes):
        label = f"{size} cleaner{'s' if size != 1 else ''}"
        colour, style = LINES[k % len(LINES)]
        _curve(ax, episodes[k :: len(sizes)], totals[k :: len(sizes)], colour, label, style)
    ax.set(xlabel="training episodes, all crew sizes together", ylabel="welfare (apples per episode)")
    figure.legend(loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    return figure


LINES = ((GREY, "-"), (CLEANER, "--"), (GREEN, "-."), (HARVESTER, ":"), (INK, "-"))
"""Colour and dash of each crew size's line."""


def _curve(ax: Axes, x: np.ndarray, y: np.ndarray, colour: str, label: str, style: str) -> None:
    """Draw a curve faintly as it is, and its running mean over a twentieth of it."""
    width = max(1, x.size // 20)
    sums = np.cumsum(np.concatenate(([0.0], y)))
    ends = np.arange(1, x.size + 1)
    begins = np.maximum(ends - width, 0)
    if width > 1:
        ax.plot(x, y, color=colour, lw=0.6, alpha=0.35)
    ax.plot(x, (sums[ends] - sums[begins]) / (ends - begins), color=colour, lw=2, ls=style, label=label)


def draw_field(episodes: Sequence[Episode], shares: Sequence[float] = (0, 0.125, 0.25, 0.5, 0.75, 1)) -> Figure:
    """The board at some shares of an episode, a row of pictures per episode."""
    ends = [f"{_whose(e.contract)} {e.moments[-1].apples}" for e in episodes]
    figure = empty_figure(2.0 * len(shares), 3.0 * len(episodes) + 0.75, f"Apples eaten by the end: {', '.join(ends)}")
    axes = figure.subplots(len(episodes), len(shares), squeeze=False)
    for row, episode in zip(axes, episodes, strict=True):
        for ax, share in zip(row, shares, strict=True):
            k = round(share * (len(episode) - 1))
            m = episode.moments[k]
            ax.imshow(episode.picture(k, scale=16))
            ax.set_xlabel(f"step {m.step}, waste {m.waste}\napples eaten {m.apples}", fontsize=9.5)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        row[0].set_ylabel(_whose(episode.contract), fontsize=11, weight="bold")
    figure.text(
        0.5, 0.0, "blue: river   brown: waste   green discs: apples   red to orange discs: harvesters   "
        "violet discs: cleaners   pale green, yellow: beam", ha="center", va="bottom", fontsize=9.5, color=INK,
    )  # fmt: skip
    figure.set_layout_engine("constrained", rect=(0, 0.03, 1, 0.97))
    return figure


def draw_waste(record: StudyRecord, best: Outcome | None) -> Figure:
    """Waste in the river against steps, with a contract and without any."""
    shown = [o for o in (record.baseline, best) if o is not None and o.waste_curve]
    if not shown:
        raise ContractsError("waste curves need at least one finished evaluation")
    ends = " and ".join(f"{o.waste_curve[-1]:.0f} {_whose(o.contract)}" for o in shown)
    figure, ax = canvas(8.0, 4.6, f"Waste cells at the end of an episode: {ends}")
    for outcome in shown:
        steps = np.arange(1, len(outcome.waste_curve) + 1)
        none = outcome.contract.is_none
        ax.plot(steps, outcome.waste_curve, color=INK if none else GREEN, ls="--" if none else "-", lw=2.2,
                label=_whose(outcome.contract))  # fmt: skip
    game = record.settings.game
    river = sum(letter in "RH" for line in game.map for letter in line)
    limit = game.depletion * river
    ax.axhline(limit, color=HARVESTER, ls=":", lw=1.6)
    ax.annotate(f"above {limit:.1f} cells ({game.depletion:.0%} of the river) no apple grows", (0.02, limit),
                xytext=(0, 8), textcoords="offset points", xycoords=("axes fraction", "data"), fontsize=9,
                color=HARVESTER)  # fmt: skip
    ax.set(xlabel="step of the episode", ylabel=f"waste cells (of {river})", xlim=(0, game.horizon))
    ax.set_ylim(0, max(ax.get_ylim()[1], 1.18 * limit))
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    return figure


def _whose(contract: Contract) -> str:
    return "without a contract" if contract.is_none else f"with {contract}"

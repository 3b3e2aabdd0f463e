"""The figures of what agents do, one function each: how they learned, the field and the river of an episode.

The field is drawn as shapes, cells and discs, with a swatch for every colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from contract_wrapper.contracts.designed_contract import AnyContract, of_cleanup
from contract_wrapper.envs.batch_game import TYPES
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.crews import Crews
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.playback.board import APPLE_COLOUR, BEAM_COLOUR, Board, Swatch, colour_of, swatches
from contract_wrapper.playback.recording import Episode
from contract_wrapper.reports.figure_style import SCREEN, FigureStyle, canvas, empty_figure, legend, named
from contract_wrapper.reports.style import CLEANER, FAINT, GREEN, GREY, HARVESTER, INK, WELFARE, crew_name
from contract_wrapper.studies.record import StudyRecord


def draw_training(outcome: Outcome, *, style: FigureStyle = SCREEN) -> Figure:
    """Utility per type of agents and welfare against training episodes, beside the trained crew's."""
    curve = outcome.training_curve
    episodes = np.array(curve.get("episode", ()))
    if episodes.size < 2:
        raise ContractsError(f"the outcome of {outcome.contract} holds no training curve of two or more points")
    lines = [(name, np.array(curve[name])) for name in TYPES if name in curve]
    total = np.sum([values for _, values in lines], axis=0)
    name = "without a contract" if outcome.contract.is_none else f"under {outcome.contract}"
    points = style.points
    figure, ax = canvas(*style.size(8.6, 5.0, 2.3), f"Training {name}: welfare {_from_to(total)}", style)
    styles = {"cleaner": (CLEANER, "all cleaners", "--"), "harvester": (HARVESTER, "all harvesters", "-.")}
    if outcome.contract.is_none:
        lines = [line for line in lines if line[0] != "cleaner"]
    if len(lines) > 1:
        for kind, values in lines:
            _curve(ax, episodes, values, *styles[kind], style)
    _curve(ax, episodes, total, INK, "everybody (welfare)", "-", style)
    end = [episodes[-1] + 0.04 * (episodes[-1] - episodes[0])]
    ax.plot(end, [outcome.welfare.mean], "*", ms=points(15), mfc="white", mec=GREEN, mew=points(1.3), zorder=4,
            label=f"everybody, greedy after training: {outcome.welfare} (bar: 2 se)")  # fmt: skip
    ax.errorbar(end, [outcome.welfare.mean], yerr=[2 * outcome.welfare.se], fmt="none", ecolor=INK, zorder=5,
                capsize=points(3.5), elinewidth=points(1.4), capthick=points(1.4))  # fmt: skip
    ax.set(xlabel="training episodes", ylabel="utility (apples per episode)")
    ax.xaxis.set_major_locator(MaxNLocator(4 if style.narrow else 9))
    ax.axhline(0.0, color=FAINT, lw=points(0.8), zorder=0)
    legend(figure, *named(ax), style, "outside lower center")
    return figure


def draw_crews_training(crews: Sequence[Crews], *, style: FigureStyle = SCREEN) -> Figure:
    """Welfare while crews that know every contract were trained: a line per crew size, over all taxes at once.

    Lines are means over trainings; the size of the crew changes from vector episode to vector episode.
    """
    if not crews or min(len(known.curve.episode) for known in crews) < 2 * len(crews[0].sizes):
        raise ContractsError("the crews hold no training curve of two or more points for each crew size")
    totals = np.mean([known.curve.returns.sum(axis=1) for known in crews], axis=0)
    episodes, sizes = crews[0].curve.episode, crews[0].sizes
    ends = [totals[k :: len(sizes)] for k in range(len(sizes))]
    first, last = (float(np.mean([smooth(values)[k] for values in ends])) for k in (0, -1))
    many = f"{len(crews)} training{'s' if len(crews) > 1 else ''}"
    figure, ax = canvas(
        *style.size(8.6, 5.0, 2.3),
        f"Crews for every contract ({many}): welfare {first:.0f} at first, {last:.0f} at the end, "
        "mean over taxes and crew sizes",
        style,
    )
    for k, (size, values) in enumerate(zip(sizes, ends, strict=True)):
        colour, dash = LINES[k % len(LINES)]
        _curve(ax, episodes[k :: len(sizes)], values, colour, crew_name(size), dash, style)
    ax.set(xlabel="training episodes, all crew sizes together", ylabel=WELFARE)
    ax.xaxis.set_major_locator(MaxNLocator(4 if style.narrow else 9))
    legend(figure, *named(ax), style, "outside lower center")
    return figure


BEAM_OPACITY = 0.8
"""A beam lets what lies below it be seen."""

WIDE, NARROW = (0, 0.125, 0.25, 0.5, 0.75, 1), (0, 0.25, 1)
"""Shares of an episode that are shown, as many as the width of a figure holds."""

LINES = ((GREY, "-"), (CLEANER, "--"), (GREEN, "-."), (HARVESTER, ":"), (INK, "-"))
"""Colour and dash of each crew size's line."""


def smooth(values: ArrayLike) -> NDArray[np.float64]:
    """Running mean over a twentieth of a curve, centred: each value is the mean of its neighbours on both sides.

    At its ends the window is cut off, so that the first and last values are means of half as many.

    >>> smooth([1.0, 3.0]).tolist()  # too short: nothing to smooth
    [1.0, 3.0]
    """
    y = np.asarray(values, np.float64)
    half = y.size // 40
    sums = np.concatenate(([0.0], np.cumsum(y)))
    places = np.arange(y.size)
    begins, ends = np.maximum(places - half, 0), np.minimum(places + half + 1, y.size)
    mean: NDArray[np.float64] = (sums[ends] - sums[begins]) / (ends - begins)
    return mean


def _from_to(values: NDArray[np.float64]) -> str:
    """Where a smooth curve begins and ends, in words."""
    mean = smooth(values)
    return f"{mean[0]:.0f} at first, {mean[-1]:.0f} at the end"


def _curve(
    ax: Axes, x: np.ndarray, y: np.ndarray, colour: str, label: str, dash: str, style: FigureStyle
) -> None:  # fmt: skip
    """Draw a curve faintly as it is, and its running mean."""
    if x.size >= 40:
        ax.plot(x, y, color=colour, lw=style.points(0.6), alpha=0.35, zorder=1)
    ax.plot(x, smooth(y), color=colour, lw=style.points(2), ls=dash, label=label, zorder=2)


def draw_field(
    episodes: Sequence[Episode], shares: Sequence[float] | None = None, *, style: FigureStyle = SCREEN
) -> Figure:
    """The board at some shares of an episode, a row of pictures per episode; default: as many as the width holds."""
    moments = shares or (NARROW if style.narrow else WIDE)
    ends = [f"{whose(e.contract)} {e.moments[-1].apples}" for e in episodes]
    natural = (2.0 * len(moments), 3.15 * len(episodes) + 0.75)
    width, _ = style.size(*natural)
    figure = empty_figure(
        width, natural[1] if style.inches is None else len(episodes) * (1.4 * width / len(moments) + 0.3) + (0.0 if style.narrow else 0.75),
        f"Apples eaten by the end: {', '.join(ends)}", style,
    )  # fmt: skip
    axes = figure.subplots(len(episodes), len(moments), squeeze=False)
    boards = []
    for row, episode in zip(axes, episodes, strict=True):
        for ax, share in zip(row, moments, strict=True):
            k = round(share * (len(episode) - 1))
            m = episode.moments[k]
            boards.append(episode.board(k))
            _board(ax, boards[-1])
            text = f"step {m.step}, waste {m.waste}\napples eaten {m.apples}"
            ax.set_xlabel(text, fontsize=style.points(9.5))
        name = whose(episode.contract)
        row[0].set_ylabel(name, fontsize=style.points(11), weight="bold")
    _legend(figure, swatches(boards), style)
    return figure


def _board(ax: Axes, board: Board) -> None:
    """Draw a board, row 0 on top; one unit is one cell."""
    rows, columns = board.ground.shape
    classes = np.unique(board.ground)
    ax.pcolormesh(
        np.arange(columns + 1), np.arange(rows + 1), np.searchsorted(classes, board.ground), rasterized=False,
        cmap=ListedColormap([colour_of(int(c)) for c in classes]), vmin=-0.5, vmax=len(classes) - 0.5,
        edgecolors="face", linewidth=0.5, zorder=1, gid="ground",
    )  # fmt: skip
    for row, column in board.beams:
        ax.add_patch(Rectangle((column, row), 1, 1, color=BEAM_COLOUR, alpha=BEAM_OPACITY, lw=0, zorder=2, gid="beam"))
    _discs(ax, board.apples, 0.64, [APPLE_COLOUR] * len(board.apples), "apples", 3)
    _discs(ax, board.agents, 0.9, list(board.colours), "agents", 4, rim=True)
    _discs(ax, board.agents + 0.26 * board.ahead, 0.34, ["white"] * len(board.agents), "heading", 5)
    ax.set(xlim=(0, columns), ylim=(rows, 0), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def _discs(
    ax: Axes, places: Any, width: float, colours: Sequence[Any], gid: str, zorder: int, rim: bool = False
) -> None:
    """Draw discs, so many cells wide, in the middle of cells (row, column); a rim tells them from others without colour."""
    if not len(places):
        return
    middles = np.asarray(places, np.float64)[:, ::-1] + 0.5
    ax.add_collection(
        EllipseCollection(
            [width] * len(middles), [width] * len(middles), [0] * len(middles), units="x", offsets=middles,
            offset_transform=ax.transData, facecolors=colours, edgecolors=INK, linewidths=0.6 if rim else 0.0, zorder=zorder, gid=gid,
        )
    )  # fmt: skip


def _legend(figure: Figure, some: Sequence[Swatch], style: FigureStyle) -> None:
    """A swatch for every colour: a square for a kind of cell, a disc for each shade of what stands on cells."""
    handles: list[Any] = []
    for swatch in some:
        if swatch.disc:
            rim, size = 0.6 if swatch.agents else 0.0, style.points(8)
            discs = (Line2D([], [], ls="none", marker="o", mew=rim, mec=INK, ms=size, mfc=c) for c in swatch.colours)
            handles.append(tuple(discs))
        else:
            opacity = BEAM_OPACITY if swatch.colours == (BEAM_COLOUR,) else 1.0
            handles.append(Patch(fc=(*swatch.colours[0], opacity), ec=INK, lw=style.points(0.4)))
    legend(
        figure, handles, [swatch.name for swatch in some], style, "outside lower center",
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0.0)},
    )  # fmt: skip


def draw_waste(record: StudyRecord, best: Outcome | None, *, style: FigureStyle = SCREEN) -> Figure:
    """Waste in the river against steps, with a contract and without any."""
    shown = [o for o in (record.baseline, best) if o is not None and o.waste_curve]
    if not shown:
        raise ContractsError("waste curves need at least one finished evaluation")
    points = style.points
    ends = " and ".join(f"{o.waste_curve[-1]:.0f} {whose(of_cleanup(o.contract))}" for o in shown)
    figure, ax = canvas(*style.size(8.0, 4.6, 2.3), f"Waste cells at the end of an episode: {ends}", style)
    for outcome in shown:
        steps = np.arange(1, len(outcome.waste_curve) + 1)
        none = outcome.contract.is_none
        ax.plot(steps, outcome.waste_curve, color=INK if none else GREEN, ls="--" if none else "-", lw=points(2.2),
                label=whose(of_cleanup(outcome.contract)))  # fmt: skip
    game = record.settings.game
    river = sum(letter in "RH" for line in game.map for letter in line)
    limit = game.depletion * river
    ax.axhline(limit, color=HARVESTER, ls=":", lw=points(1.6))
    ax.annotate(f"above {limit:.1f} cells ({game.depletion:.0%} of the river) no apple grows", (0.02, limit),
                xytext=(0, points(8)), textcoords="offset points", xycoords=("axes fraction", "data"),
                fontsize=points(9), color=HARVESTER)  # fmt: skip
    ax.set(xlabel="step of the episode", ylabel=f"waste cells (of {river})", xlim=(0, game.horizon))
    ax.set_ylim(0, max(ax.get_ylim()[1], 1.18 * limit))
    legend(figure, *named(ax), style, "outside lower center")
    return figure


def whose(contract: AnyContract) -> str:
    """A contract after 'apples eaten' or 'waste'."""
    return "without a contract" if contract.is_none else f"with {contract}"

"""The figures of a run, one function each: a Result in, a matplotlib Figure out."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch
from matplotlib.ticker import FuncFormatter

from contract_tree.canvas import BLUE, FAINT, GREEN, GREY, INK, LEVELS, ORANGE, letters
from contract_tree.figure_style import SCREEN, FigureStyle, canvas, legend, named
from contract_tree.result import Estimate, Result

MOST_ROWS = 60
"""Most rows of the figure of payments; of a larger tree the first ones are shown."""


def draw_welfare(result: Result, *, style: FigureStyle = SCREEN) -> Figure:
    """Welfare per round between recorded rounds, against the optimum and what selfish players come to."""
    solution, gap = result.solution, Estimate.of(100 * result.gap())
    figure, ax = canvas(
        *style.size(8.6, 4.8, 2.7),
        f"In the last tenth {gap.mean + 0.0:.2f} ± {gap.half_interval:.2f} % of the best welfare are missed".replace(
            "-0.00", "0.00"
        ),
        style,
    )
    points = style.points
    edges = np.concatenate([[0], result.rounds])
    earned = np.diff(np.concatenate([np.zeros((result.n_games, 1)), result.rewards.sum(axis=2)], axis=1), axis=1)
    per_round = earned / np.diff(edges)
    late = edges[:-1] >= result.horizon / 1000  # before that, players only try what there is
    mean = per_round.mean(axis=0)[late]
    half = np.array([Estimate.of(column).half_interval for column in per_round.T])[late]
    bounds = [*edges[:-1][late], edges[-1]]
    ax.stairs(
        mean, bounds, color=BLUE, lw=points(2), baseline=None, label=f"played (mean of {result.n_games} games, 95 %)"
    )
    ax.fill_between(bounds, [*(mean - half), mean[-1] - half[-1]], [*(mean + half), mean[-1] + half[-1]], step="post",
                    color=BLUE, alpha=0.2, lw=0)  # fmt: skip
    for value, text, colour, dash in (
        (solution.welfare, "best", GREEN, "--"), (solution.selfish_welfare, "nobody pays", ORANGE, ":"),
    ):  # fmt: skip
        ax.axhline(value, color=colour, ls=dash, lw=points(1.5), label=f"{text}: {value:.3g}")
    ax.set(xlabel="round", ylabel="welfare per round (units of reward)", xscale="log", xlim=(bounds[0], bounds[-1]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    ax.margins(y=0.1)
    legend(figure, *named(ax), style, "outside lower center")
    return figure


def draw_regret(result: Result, *, style: FigureStyle = SCREEN) -> Figure:
    """Welfare regret and the nodes' own, on logarithmic axes, with the slope fitted to the last decade of rounds."""
    slope = Estimate.of(result.slopes())
    figure, ax = canvas(
        *style.size(8.6, 5.2, 2.6),
        f"From round {result.horizon // 10:,} on, lost welfare grows like T to the power {slope.mean:.2f} ± {slope.half_interval:.2f}",
        style,
    )
    points = style.points
    lost = result.welfare_regret()
    mean = lost.mean(axis=0)
    half = np.array([Estimate.of(column).half_interval for column in lost.T])
    rounds = result.rounds
    ax.fill_between(rounds, np.maximum(mean - half, 1e-3), mean + half, color=INK, alpha=0.15, lw=0)
    ax.plot(rounds, np.maximum(mean, 1e-3), color=INK, lw=points(2.4), zorder=4)
    late = rounds >= result.horizon / 10
    x = np.log(rounds[late])
    line = np.exp(np.log(np.maximum(mean[late], 1e-9)).mean() + slope.mean * (x - x.mean()))
    ax.plot(rounds[late], line, color=ORANGE, lw=points(2), ls="--", zorder=5)
    ax.plot(rounds, rounds * result.solution.gap, color=ORANGE, lw=points(1.2), ls=":", zorder=1)
    handles = [
        Line2D([], [], color=INK, lw=points(2.4), label="welfare (95 %)"),
        Line2D(
            [], [], color=ORANGE, lw=points(2), ls="--", label=f"slope {slope.mean:.2f} ± {slope.half_interval:.2f}"
        ),
        Line2D([], [], color=ORANGE, lw=points(1.2), ls=":", label="nobody pays"),
    ]
    nodes = result.regrets.mean(axis=0)
    for depth, members in _levels(result):
        colour = LEVELS[depth % len(LEVELS)]
        for v in members:
            ax.plot(
                rounds,
                np.where(nodes[:, v] > 0.05, nodes[:, v], np.nan),
                color=colour,
                lw=points(1.2),
                alpha=0.8,
                zorder=2,
            )
        few = len(members) == 1
        text = (
            f"{letters(result.tree.names[members[0]])}'s own"
            if few
            else f"level {depth}: {len(members)} nodes, each its own"
        )
        handles.append(Line2D([], [], color=colour, lw=points(1.2), label=text))
    least = max(0.05, float(mean[mean > 0].min(initial=1.0)) / 2)
    ax.set(
        xscale="log", yscale="log", xlabel="round", ylabel="regret so far (units of reward)",
        xlim=(1, result.horizon), ylim=(least, None),
    )  # fmt: skip
    ax.grid(color=FAINT, lw=points(0.5))
    legend(figure, handles, [str(h.get_label()) for h in handles], style, "outside lower center")
    return figure


def draw_payments(result: Result, *, style: FigureStyle = SCREEN) -> Figure:
    """What principals have come to pay for each action of each child, against tau*, and what they offer most."""
    solution, tree = result.solution, result.tree
    offset = np.concatenate([[0], np.cumsum(tree.n_actions)])
    rows = [(v, action) for v in range(1, tree.n_nodes) for action in range(tree.n_actions[v])]
    shown = rows[:MOST_ROWS]
    best = [
        np.nanmean(paid) - solution.payment[v][solution.actions[v]]
        for v in range(1, tree.n_nodes)
        if not np.isnan(paid := result.payments[:, offset[v] + solution.actions[v]]).all()
    ]
    height = 1.7 + 0.27 * max(len(shown), 3)
    title = "No principal has come to a payment"
    if best:
        side = "above" if np.mean(best) >= 0 else "below"
        title = (
            f"For what is best for all, learned payments lie {abs(np.mean(best)):.3f} {side} what is needed, on average"
        )
    if len(shown) < len(rows):
        title += f" ({len(shown)} of {len(rows)} actions shown)"
    figure, ax = canvas(*style.size(7.6, height, 0.3 + 0.78 * height), title, style)
    points = style.points
    for y, (v, action) in enumerate(shown):
        paid = result.payments[:, offset[v] + action]
        paid = paid[~np.isnan(paid)]
        ax.plot(paid, np.full(len(paid), y), "o", color=BLUE, ms=points(5), alpha=0.35, mew=0, zorder=2)
        if len(paid):
            ax.plot([paid.mean()], [y], "|", color=BLUE, ms=points(13), mew=points(2), zorder=3)
        ax.plot(
            [solution.payment[v][action]], [y], "D", mfc="none", mec=ORANGE, mew=points(1.6), ms=points(7), zorder=4
        )
    labels = [
        f"{letters(tree.names[v])}: {action}" + ("  (best)" if solution.actions[v] == action else "")
        for v, action in shown
    ]
    ax.set_yticks(range(len(shown)), labels, fontsize=points(9))
    for text, (v, action) in zip(ax.get_yticklabels(), shown, strict=True):
        text.set_fontweight("bold" if solution.actions[v] == action else "normal")
    for y, ((v, _), (u, _)) in enumerate(itertools.pairwise(shown)):
        if u != v:
            ax.axhline(y + 0.5, color=FAINT, lw=points(0.8))
    ax.set(xlabel="payment per round (units of reward)", ylim=(len(shown) - 0.5, -0.5))
    ax.set_xlim(left=min(-0.02, ax.get_xlim()[0]))
    handles = [
        Line2D([], [], marker="o", ls="none", color=BLUE, alpha=0.5, label="learned, one game each"),
        Line2D([], [], marker="|", ls="none", color=BLUE, ms=points(12), mew=points(2), label="their mean"),
        Line2D([], [], marker="D", ls="none", mfc="none", mec=ORANGE, mew=points(1.6), label="needed: tau*"),
    ]
    legend(figure, handles, [str(h.get_label()) for h in handles], style, "outside lower center")
    return figure


def draw_tree(result: Result, *, style: FigureStyle = SCREEN) -> Figure:
    """The tree: what each node plays most in the last tenth; an arrow runs from each principal to whom it pays."""
    tree, solution = result.tree, result.solution
    offset = np.concatenate([[0], np.cumsum(tree.n_actions)])
    x, y = _places(result)
    leaves = sum(not tree.children(v) for v in range(tree.n_nodes))
    depth = int(-min(y)) + 1
    natural = max(5.0, min(0.62 * leaves, 17.0)) if leaves > 9 else max(5.0, 2.0 * leaves)
    shares = result.shares.mean(axis=0)
    most = [int(shares[offset[v] : offset[v + 1]].argmax()) for v in range(tree.n_nodes)]
    good = [a == b for a, b in zip(most, solution.actions, strict=True)]
    figure, ax = canvas(
        *style.size(natural, 0.9 + 1.45 * depth, 0.4 + 1.1 * depth),
        f"{sum(good)} of {tree.n_nodes} nodes mostly play what is best for all",
        style,
    )
    points = style.points
    room = figure.get_figwidth() / leaves * 72.0 / points(1.0)  # points of a leaf, as on a screen
    crowded, full = room < 45.0, leaves > 9
    size = max(5.0, min(24.0, 0.55 * room))
    text_size = min(9.0, max(6.5, 0.6 * size))
    start = np.flatnonzero(result.rounds == result.horizon - result.horizon // 10)[0]
    flow = ((result.received[:, -1] - result.received[:, start]) / (result.horizon // 10)).mean(axis=0)
    paid = flow >= LEAST_FLOW
    for v in range(tree.n_nodes):
        if v:
            p = tree.parents[v]
            _edge(ax, (x[p], y[p]), (x[v], y[v]), float(flow[v]), points, size)
            at = 0.68 if crowded or full else 0.45
            if paid[v] and room > 14.0:
                ax.text(x[p] + at * (x[v] - x[p]), y[p] + at * (y[v] - y[p]), f"{flow[v]:.2f}", zorder=2, ha="center",
                        va="center", color=INK, fontsize=points(text_size),
                        bbox={"boxstyle": "round,pad=0.12", "fc": "white", "ec": "none"})  # fmt: skip
        marker, colour = GOOD if good[v] else OTHER
        ax.plot([x[v]], [y[v]], marker, color=colour, ms=points(size), zorder=3)
        if size >= 10.0:
            ax.text(x[v], y[v], str(most[v]), color="white", ha="center", va="center", weight="bold",
                    fontsize=points(0.5 * size), zorder=4)  # fmt: skip
        name = letters(tree.names[v])
        share = f"{100 * shares[offset[v] + most[v]]:.0f} %"
        if tree.children(v):  # beside the node, where no edge runs
            text = name if full else f"{name}\n{share}"
            ax.annotate(text, (x[v], y[v]), (points(0.65 * size), 0), textcoords="offset points", ha="left", va="center",
                        fontsize=points(text_size))  # fmt: skip
        elif room > 9.0:
            ax.annotate(name if crowded else f"{name}\n{share}", (x[v], y[v]), (0, -points(0.7 * size)), va="top",
                        textcoords="offset points", ha="center", fontsize=points(text_size),
                        rotation=90 if crowded else 0)  # fmt: skip
    ax.set(xlim=(-0.7, leaves - 0.3), ylim=(-depth + 0.6, 0.3))
    ax.axis("off")
    handles = [
        Line2D([], [], marker=marker, ls="none", color=colour, ms=points(9), label=label)
        for (marker, colour), label, seen in (
            (GOOD, "plays what is best for all", any(good)), (OTHER, "plays something else", not all(good)),
        )
        if seen
    ]  # fmt: skip
    if paid.any():
        handles.append(Line2D([], [], color=GREY, lw=points(2), marker=">", ms=points(8), markevery=[1],
                              label="principal pays agent, per round"))  # fmt: skip
    if not paid[1:].all():
        handles.append(Line2D([], [], color=GREY, lw=points(0.7), ls=":", label="pays nothing"))
    for handle in handles:
        if handle.get_marker() == ">":
            handle.set_data([0, 1], [0, 0])
    legend(figure, handles, [str(h.get_label()) for h in handles], style, "outside lower center")
    return figure


GOOD, OTHER = ("o", GREEN), ("s", ORANGE)
"""Marker and colour of a node that plays what is best for all, and of another."""

LEAST_FLOW = 0.005
"""Payment per round from which on an arrow is drawn."""


def _edge(
    ax: Axes, above: tuple[float, float], below: tuple[float, float], flow: float, points: Callable[[float], float], size: float
) -> None:  # fmt: skip
    """Draw who answers to whom: an arrow to the one who is paid, as wide as the payment; else a dotted line."""
    if flow < LEAST_FLOW:
        ax.plot(*zip(above, below, strict=True), color=GREY, lw=points(0.7), ls=":", zorder=1)
        return
    width = points(0.6 + 4 * min(flow, 0.6))
    ax.add_patch(
        FancyArrowPatch(
            above, below, arrowstyle="-|>", color=GREY, lw=width, zorder=1, shrinkA=points(0.5 * size),
            shrinkB=points(0.55 * size), mutation_scale=points(9) + 2 * width, joinstyle="miter", gid="pays",
        )
    )  # fmt: skip


def _places(result: Result) -> tuple[list[float], list[float]]:
    """Leaves side by side, a principal above the middle of its agents."""
    tree = result.tree
    x, y = [0.0] * tree.n_nodes, [0.0] * tree.n_nodes
    count = itertools.count()

    def place(v: int, depth: int) -> None:
        y[v] = -float(depth)
        children = tree.children(v)
        for u in children:
            place(u, depth + 1)
        x[v] = float(np.mean([x[u] for u in children])) if children else float(next(count))

    place(0, 0)
    return x, y


def _levels(result: Result) -> list[tuple[int, list[int]]]:
    """Nodes by their distance from the root."""
    depth = [0] * result.tree.n_nodes
    for v in range(1, len(depth)):
        depth[v] = depth[result.tree.parents[v]] + 1
    return [(d, [v for v in range(len(depth)) if depth[v] == d]) for d in range(max(depth) + 1)]

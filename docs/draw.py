"""Draw the pictures of these pages from the code of the game: `python docs/draw.py [NAME ...]`.

What they show is staged in `situations.py`. `tests/test_docs.py` checks that the files under `images/`
are what the code draws today: tile pictures pixel by pixel, charts by a digest of their data, which is
kept in the file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import landscape_pictures
import numpy as np
from chart import Chart, figure_of, tidy
from situations import (
    CONTEST,
    CREWS,
    ENDS_AT_AGENT,
    ENDS_AT_WALL,
    ENDS_AT_WASTE,
    REACH,
    RING,
    SWAP,
    UNCLEANED_STEPS,
    WASTE_MODES,
    WATCHED,
    apple_chances,
    field_curves,
    field_of_view,
    preset_games,
    waste_curve,
    what_is_seen,
)
from tiles import Picture, above, beside, framed, step_of

from cleanup_env import CLASS_NAMES, FEATURE_NAMES, PRESETS
from cleanup_env.colours import agent_colours, palette
from cleanup_env.render import rgb
from contract_tree import Result, named_tree, simulate

COLOURS = 56
"""Colours of a chart's file, so that it stays small."""

IMAGES = Path(__file__).parent / "images"

# ---- tile pictures


def draw_reach() -> Picture:
    """Beams that nothing stops."""
    return beside([rgb(scene.after(), scale=24) for scene in REACH], gap=36)


def draw_moves() -> Picture:
    """Three ways in which moves meet."""
    return beside([step_of(scene, 22) for scene in (CONTEST, SWAP, RING)], gap=40)


def draw_windows(scale: int = 12, pad: int = 5) -> Picture:
    """The whole map with two windows outlined, then both windows as they are observed."""
    game, seen = field_of_view(), what_is_seen("rgb")
    side, r = seen.shape[1], game.config.radius
    board = rgb(game, scale=scale)
    whole = np.full((board.shape[0] + 2 * pad * scale, board.shape[1] + 2 * pad * scale, 3), 255, np.uint8)
    whole[pad * scale : -pad * scale, pad * scale : -pad * scale] = board
    colours, windows = agent_colours(game.roles), []
    for i in WATCHED:
        row, column = (int(k) + pad - r for k in game.position[0, i])
        framed(whole, row * scale, column * scale, side * scale, colours[i])
        window = seen[i].repeat(scale, axis=0).repeat(scale, axis=1)
        framed(window, 0, 0, side * scale, colours[i])
        windows.append(window)
    return beside([whole, above(windows, gap=24)], gap=24)


# ---- charts


_THREE: tuple[dict[str, Any], ...] = (
    {"color": "#222222"}, {"color": "#0072B2", "ls": "--"}, {"color": "#D55E00", "ls": "-."},
)  # fmt: skip
_FOUR: tuple[dict[str, Any], ...] = (
    {"color": "#777777", "ls": ":"}, {"color": "#E69F00", "ls": "-."}, {"color": "#0072B2", "ls": "--"}, {"color": "#222222"},
)  # fmt: skip
_CHAIN: tuple[dict[str, Any], ...] = (
    {"color": "#222222", "ls": ":", "zorder": 3}, {"color": "#E69F00"}, {"color": "#0072B2"},
)  # fmt: skip
"""Looks of curves, which can be told apart without colour, too."""


def draw_presets() -> Chart:
    """Every preset at its start, and below after some steps without cleaning."""
    figure, axes = figure_of(6.4, 6.2, len(PRESETS), 2)
    pictures = []
    for line, steps in zip(axes, (0, UNCLEANED_STEPS), strict=True):
        for ax, name in zip(line, PRESETS, strict=True):
            pictures.append(rgb(preset_games(name, steps), scale=16))
            ax.imshow(pictures[-1], interpolation="none")
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
            if steps == 0:
                ax.set_title(name, fontsize=10)
        line[0].set_ylabel("the start" if steps == 0 else f"after {steps} steps", fontsize=10)
    return Chart(figure, tuple(pictures))


def draw_growth() -> Chart:
    """Chance of an apple over the waste density; waste over time while nobody cleans."""
    figure, axes = figure_of(8.4, 3.2, 2)
    left, right = axes[0]
    density, chance = apple_chances()
    left.plot(density, chance, color="#222222")
    tidy(left, "waste density (waste cells / river cells)", "chance of an apple per cell and step")
    curves = {name: waste_curve(settings) for name, settings in WASTE_MODES.items()}
    for (name, curve), look in zip(curves.items(), _THREE, strict=True):
        right.plot(np.arange(1, len(curve) + 1), curve, label=name, **look)
    tidy(right, "step", "waste cells")
    right.set_ylim(top=165)  # room for the legend
    right.legend(fontsize=8, frameon=False, loc="upper left")
    return Chart(figure, (density, chance, *curves.values()))


def draw_field_curves() -> Chart:
    """Waste and apples over an episode under scripted crews."""
    figure, axes = figure_of(8.4, 3.2, 2)
    curves = [field_curves(n_cleaners) for n_cleaners in CREWS]
    for k, (ax, what) in enumerate(zip(axes[0], ("waste cells", "apples in the orchard"), strict=True)):
        for n_cleaners, curve, look in zip(CREWS, curves, _FOUR, strict=True):
            label = f"{n_cleaners} cleaner{'s' * (n_cleaners != 1)}"
            ax.plot(np.arange(1, curve.shape[1] + 1), curve[k], label=label, **look)
        tidy(ax, "step", what)
    axes[0][0].legend(fontsize=8, frameon=False)
    return Chart(figure, tuple(curves))


def draw_symbolic() -> Chart:
    """What harvester_0 sees: cell classes as numbers, and colours."""
    figure, axes = figure_of(8.4, 4.1, 2)
    classes, colours = what_is_seen("symbolic")[0], what_is_seen("rgb")[0]
    shades = palette().copy()
    shades[CLASS_NAMES.index("agent")] = (160, 60, 60)
    axes[0][0].imshow(shades[classes])
    for (row, column), number in np.ndenumerate(classes):
        dark = shades[number].sum() < 330
        axes[0][0].text(
            column, row, str(number), ha="center", va="center", fontsize=6, color="white" if dark else "black"
        )
    axes[0][1].imshow(colours)
    for ax, title in zip(axes[0], ("symbolic", "rgb"), strict=True):
        ax.set_title(title, fontsize=9)
        ax.set_axis_off()
    return Chart(figure, (classes, colours))


def draw_one_hot() -> Chart:
    """What harvester_0 sees: one plane per cell class."""
    figure, axes = figure_of(8.4, 3.6, 5, 2)
    planes = what_is_seen("one_hot")[0]
    for ax, plane, name in zip(axes.flat, planes, CLASS_NAMES, strict=True):
        ax.imshow(1 - plane, cmap="gray", vmin=0, vmax=1)
        ax.set_title(f"{CLASS_NAMES.index(name)} {name}", fontsize=8)
        ax.set_xticks([])
        ax.set_yticks([])
    return Chart(figure, (planes,))


def draw_features() -> Chart:
    """What harvester_0 sees: named numbers."""
    figure, axes = figure_of(8.4, 5.2, 2)
    values = what_is_seen("features")[0]
    half = (len(values) + 1) // 2
    for ax, part in zip(axes[0], (slice(0, half), slice(half, None)), strict=True):
        names = FEATURE_NAMES[part]
        ax.barh(np.arange(len(names)), values[part], color="#639cc2")
        ax.set_yticks(np.arange(len(names)), names, fontsize=7)
        ax.set_ylim(half - 0.5, -0.5)
        ax.set_xlim(-1, 1)
        ax.axvline(0, color="black", linewidth=0.6)
        ax.spines[["top", "right"]].set_visible(False)
    return Chart(figure, (values,))


CHAIN_PLAYERS = {
    "nobody pays": "ucb",
    "only the leaf is paid": {"middle": "oracle", "root": "ucb", "leaf": "ucb"},
    "everybody learns what to pay": "tree",
}
"""Who plays the chain of three in the picture of the page on trees."""


def chain_results(horizon: int = 100_000, n_games: int = 10) -> dict[str, Result]:
    """The chain of three as these players play it."""
    return {
        name: simulate(named_tree("chain"), who, horizon=horizon, n_games=n_games)
        for name, who in CHAIN_PLAYERS.items()
    }


def draw_chain() -> Chart:
    """Welfare per round of the chain over time; what the principals learn to pay against what is needed."""
    figure, axes = figure_of(8.4, 3.2, 2)
    left, right = axes[0]
    results = chain_results()
    curves = []
    for (name, result), look in zip(results.items(), _CHAIN, strict=True):
        late = result.rounds >= 100
        welfare = np.diff(result.rewards.sum(axis=2).mean(axis=0)[late]) / np.diff(result.rounds[late])
        curves.append(welfare)
        left.stairs(welfare, result.rounds[late], baseline=None, lw=1.8, label=name, **look)
    solution = results["nobody pays"].solution
    left.axhline(solution.welfare, color="#009E73", ls="--", lw=1)
    left.text(110, solution.welfare + 0.005, "best", color="#009E73", fontsize=8, va="bottom")
    tidy(left, "round", "welfare per round")
    left.set(xscale="log", ylim=(1.6, 2.1))
    left.legend(fontsize=8, frameon=False, loc="lower right")
    learned = results["everybody learns what to pay"].payments[:, 2:]
    needed = np.concatenate(solution.payment[1:])
    for y, found in enumerate(learned.T):
        right.plot(found, np.full(len(found), y), "o", color="#0072B2", ms=5, alpha=0.4, mew=0)
    right.plot(needed, range(len(needed)), "D", mfc="none", mec="#D55E00", ms=7, ls="none", label="needed")
    right.plot([], [], "o", color="#0072B2", alpha=0.6, mew=0, label="learned, ten games")
    tidy(right, "payment per round", "")
    right.set_yticks(range(len(needed)), ["middle plays 0", "middle plays 1", "leaf plays 0", "leaf plays 1"])
    right.set_ylim(len(needed) - 0.5, -0.5)
    right.legend(fontsize=8, frameon=False, loc="center right")
    return Chart(figure, (*curves, learned, needed))


# ---- files

PICTURES: dict[str, Callable[[], Picture | Chart]] = {
    "beam_reach": draw_reach,
    "beam_waste": lambda: step_of(ENDS_AT_WASTE, 24),
    "beam_agent": lambda: step_of(ENDS_AT_AGENT, 24),
    "beam_wall": lambda: step_of(ENDS_AT_WALL, 24),
    "moves": draw_moves,
    "presets": draw_presets,
    "windows": draw_windows,
    "growth": draw_growth,
    "field_curves": draw_field_curves,
    "symbolic": draw_symbolic,
    "one_hot": draw_one_hot,
    "features": draw_features,
    "chain": draw_chain,
    **landscape_pictures.PICTURES,
}
"""File name without suffix -> how it is drawn."""


def write(name: str, folder: Path = IMAGES) -> Path:
    """Draw one picture into a folder."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    path, drawn = folder / f"{name}.png", PICTURES[name]()
    if not isinstance(drawn, Chart):
        Image.fromarray(drawn).save(path, optimize=True)
        return path
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(drawn.figure)
    drawn.figure.set_dpi(100)
    canvas.draw()
    about = PngInfo()
    about.add_text("data", drawn.digest())
    pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    pixels.quantize(COLOURS).save(path, optimize=True, pnginfo=about)
    return path


def main(names: Sequence[str]) -> None:
    """Draw the pictures that are named, or all of them, and print the size of each."""
    for name in names or PICTURES:
        path = write(name)
        print(f"{path.name:20} {path.stat().st_size / 1000:6.1f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])

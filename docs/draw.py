"""Draw the pictures of these pages from the code of the game: `python docs/draw.py [NAME ...]`.

What they show is staged in `situations.py`. `tests/test_docs.py` checks that the files under `images/`
are what the code draws today: tile pictures pixel by pixel, charts by a digest of their data, which is
kept in the file.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
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
    Scene,
    apple_chances,
    field_curves,
    field_of_view,
    preset_games,
    waste_curve,
    what_is_seen,
)

from cleanup_env import CLASS_NAMES, FEATURE_NAMES, PRESETS
from cleanup_env.colours import agent_colours, palette
from cleanup_env.render import rgb
from contract_tree import Result, named_tree, simulate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IMAGES = Path(__file__).parent / "images"
Picture = NDArray[np.uint8]

# ---- tile pictures


def _beside(pictures: Sequence[Picture], gap: int = 16) -> Picture:
    """Join pictures from left to right on white."""
    tall = max(picture.shape[0] for picture in pictures)
    parts: list[Picture] = []
    for k, picture in enumerate(pictures):
        if k:
            parts.append(np.full((tall, gap, 3), 255, np.uint8))
        padded = np.full((tall, picture.shape[1], 3), 255, np.uint8)
        padded[: picture.shape[0]] = picture
        parts.append(padded)
    return np.hstack(parts)


def _above(pictures: Sequence[Picture], gap: int = 16) -> Picture:
    """Join pictures from top to bottom on white."""
    return _beside([picture.transpose(1, 0, 2) for picture in pictures], gap).transpose(1, 0, 2)


def _arrow(height: int, size: int = 14) -> Picture:
    """A grey triangle that points right, in the middle of a white strip."""
    strip = np.full((height, 3 * size, 3), 255, np.uint8)
    for x in range(size):
        reach = (size - x) // 2
        strip[height // 2 - reach : height // 2 + reach + 1, size + x] = 120
    return strip


def _step_of(scene: Scene, scale: int) -> Picture:
    """A scene before its step, an arrow, and after it."""
    before, after = rgb(scene.before(), scale=scale), rgb(scene.after(), scale=scale)
    return _beside([before, _arrow(len(before)), after], gap=0)


def _framed(picture: Picture, row: int, column: int, side: int, colour: tuple[int, int, int]) -> None:
    """Draw a square frame of three pixels into a picture."""
    lines = picture[row : row + side, column : column + side]
    for part in (lines[:3], lines[-3:], lines[:, :3], lines[:, -3:]):
        part[:] = colour


def draw_reach() -> Picture:
    """Beams that nothing stops."""
    return _beside([rgb(scene.after(), scale=24) for scene in REACH], gap=36)


def draw_moves() -> Picture:
    """Three ways in which moves meet."""
    return _beside([_step_of(scene, 22) for scene in (CONTEST, SWAP, RING)], gap=40)


def draw_presets() -> Picture:
    """Every preset at its start, and below after some steps without cleaning."""
    rows = [[rgb(preset_games(name, steps), scale=10) for name in PRESETS] for steps in (0, UNCLEANED_STEPS)]
    return _above([_beside(row, gap=24) for row in rows], gap=24)


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
        _framed(whole, row * scale, column * scale, side * scale, colours[i])
        window = seen[i].repeat(scale, axis=0).repeat(scale, axis=1)
        _framed(window, 0, 0, side * scale, colours[i])
        windows.append(window)
    return _beside([whole, _above(windows, gap=24)], gap=24)


# ---- charts


@dataclass(frozen=True)
class Chart:
    """A figure and the arrays that it shows."""

    figure: Figure
    data: tuple[NDArray[Any], ...]

    def digest(self) -> str:
        """A hash of the data, rounded so that it is the same on every machine."""
        rounded = [np.round(np.asarray(array, np.float64), 4) + 0.0 for array in self.data]
        return hashlib.sha256(b"".join(array.tobytes() for array in rounded)).hexdigest()[:16]


def _figure(width: float, height: float, columns: int, rows: int = 1) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def _tidy(ax: Any, x: str, y: str) -> None:
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.set_ylim(bottom=0)
    ax.spines[["top", "right"]].set_visible(False)


def draw_growth() -> Chart:
    """Chance of an apple over the waste density; waste over time while nobody cleans."""
    figure, axes = _figure(8.4, 3.2, 2)
    left, right = axes[0]
    density, chance = apple_chances()
    left.plot(density, chance, color="#34a02c")
    _tidy(left, "waste density (waste cells / river cells)", "chance of an apple per cell and step")
    curves = {name: waste_curve(settings) for name, settings in WASTE_MODES.items()}
    for (name, curve), colour in zip(curves.items(), ("#714b18", "#639cc2", "#8a4fa0"), strict=True):
        right.plot(np.arange(1, len(curve) + 1), curve, color=colour, label=name)
    _tidy(right, "step", "waste cells")
    right.set_ylim(top=155)  # room for the legend
    right.legend(fontsize=7, frameon=False, loc="upper left")
    return Chart(figure, (density, chance, *curves.values()))


def draw_field_curves() -> Chart:
    """Waste and apples over an episode under scripted crews."""
    figure, axes = _figure(8.4, 3.2, 2)
    curves = [field_curves(n_cleaners) for n_cleaners in CREWS]
    for k, (ax, what) in enumerate(zip(axes[0], ("waste cells", "apples in the orchard"), strict=True)):
        for n_cleaners, curve, colour in zip(CREWS, curves, ("#999999", "#c77bd1", "#9440a8", "#4a1259"), strict=True):
            label = f"{n_cleaners} cleaner{'s' * (n_cleaners != 1)}"
            ax.plot(np.arange(1, curve.shape[1] + 1), curve[k], color=colour, label=label)
        _tidy(ax, "step", what)
    axes[0][0].legend(fontsize=8, frameon=False)
    return Chart(figure, tuple(curves))


def draw_symbolic() -> Chart:
    """What harvester_0 sees: cell classes as numbers, and colours."""
    figure, axes = _figure(8.4, 4.1, 2)
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
    figure, axes = _figure(8.4, 3.6, 5, 2)
    planes = what_is_seen("one_hot")[0]
    for ax, plane, name in zip(axes.flat, planes, CLASS_NAMES, strict=True):
        ax.imshow(1 - plane, cmap="gray", vmin=0, vmax=1)
        ax.set_title(f"{CLASS_NAMES.index(name)} {name}", fontsize=8)
        ax.set_xticks([])
        ax.set_yticks([])
    return Chart(figure, (planes,))


def draw_features() -> Chart:
    """What harvester_0 sees: named numbers."""
    figure, axes = _figure(8.4, 5.2, 2)
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
    figure, axes = _figure(8.4, 3.2, 2)
    left, right = axes[0]
    results = chain_results()
    curves = []
    for (name, result), colour in zip(results.items(), ("#777777", "#E69F00", "#0072B2"), strict=True):
        late = result.rounds >= 100
        welfare = np.diff(result.rewards.sum(axis=2).mean(axis=0)[late]) / np.diff(result.rounds[late])
        curves.append(welfare)
        left.stairs(welfare, result.rounds[late], baseline=None, color=colour, lw=1.8, label=name)
    solution = results["nobody pays"].solution
    left.axhline(solution.welfare, color="#009E73", ls="--", lw=1)
    left.text(110, solution.welfare + 0.005, "best", color="#009E73", fontsize=8, va="bottom")
    _tidy(left, "round", "welfare per round")
    left.set(xscale="log", ylim=(1.6, 2.1))
    left.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(0.0, 0.88))
    learned = results["everybody learns what to pay"].payments[:, 2:]
    needed = np.concatenate(solution.payment[1:])
    for y, found in enumerate(learned.T):
        right.plot(found, np.full(len(found), y), "o", color="#0072B2", ms=5, alpha=0.4, mew=0)
    right.plot(needed, range(len(needed)), "D", mfc="none", mec="#D55E00", ms=7, ls="none", label="needed")
    right.plot([], [], "o", color="#0072B2", alpha=0.6, mew=0, label="learned, ten games")
    _tidy(right, "payment per round", "")
    right.set_yticks(range(len(needed)), ["middle plays 0", "middle plays 1", "leaf plays 0", "leaf plays 1"])
    right.set_ylim(len(needed) - 0.5, -0.5)
    right.legend(fontsize=7, frameon=False, loc="center right")
    return Chart(figure, (*curves, learned, needed))


def draw_landscape(draw: Callable[[Any], Any]) -> Chart:
    """A picture of the shipped landscape of the default costs, as a report of it has it."""
    from contract_wrapper import load_landscape
    from contract_wrapper.reports.landscape_findings import Findings

    landscape = load_landscape("effort")
    data = (landscape.welfare, landscape.gains, landscape.tried)
    return Chart(draw(Findings(landscape=landscape)), tuple(np.nan_to_num(array) for array in data))


def _report_figure(module: str, name: str) -> Chart:
    return draw_landscape(getattr(importlib.import_module(f"contract_wrapper.reports.{module}"), name))


# ---- files

PICTURES: dict[str, Callable[[], Picture | Chart]] = {
    "beam_reach": draw_reach,
    "beam_waste": lambda: _step_of(ENDS_AT_WASTE, 24),
    "beam_agent": lambda: _step_of(ENDS_AT_AGENT, 24),
    "beam_wall": lambda: _step_of(ENDS_AT_WALL, 24),
    "moves": draw_moves,
    "presets": draw_presets,
    "windows": draw_windows,
    "growth": draw_growth,
    "field_curves": draw_field_curves,
    "symbolic": draw_symbolic,
    "one_hot": draw_one_hot,
    "features": draw_features,
    "chain": draw_chain,
    "landscape_welfare": lambda: _report_figure("landscape_figures", "draw_welfare"),
    "landscape_gains": lambda: _report_figure("landscape_gain_figures", "draw_gains"),
    "landscape_free_riding": lambda: _report_figure("landscape_threshold_figure", "draw_free_riding"),
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
    pixels.quantize(96).save(path, optimize=True, pnginfo=about)
    return path


def main(names: Sequence[str]) -> None:
    """Draw the pictures that are named, or all of them, and print the size of each."""
    for name in names or PICTURES:
        path = write(name)
        print(f"{path.name:20} {path.stat().st_size / 1000:6.1f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])

"""The colours that all figures share: those of Okabe and Ito, readable for colour-blind people."""

from __future__ import annotations

from typing import Any

from contract_wrapper.reports.figure_style import FigureStyle, lettered

INK, GREY, FAINT = "#222222", "#777777", "#BBBBBB"
HARVESTER, CLEANER, GREEN = "#D55E00", "#0072B2", "#009E73"

CREWS = (("#E69F00", "o"), ("#56B4E9", "s"), ("#009E73", "^"), ("#0072B2", "D"), ("#D55E00", "v"), ("#CC79A7", "P"))
"""Colour and marker of a crew of 1, 2, ... cleaners, from the start again after the last."""

TAX = "tax (share of harvest income)"
WELFARE = "welfare (apples per episode)"


def crew_style(n_cleaners: int) -> tuple[str, str]:
    """Colour and marker of a crew size."""
    return CREWS[(n_cleaners - 1) % len(CREWS)]


def crew_name(n_cleaners: int) -> str:
    """A crew size in words."""
    return f"{n_cleaners} cleaner{'s' if n_cleaners != 1 else ''}"


def colour_bar(part: Any, shown: Any, ax: Any, label: str, style: FigureStyle, **more: Any) -> Any:
    """Put a bar beside axes, one or a list of them, that says what the colours mean; in vector files it is made of shapes, too."""
    bar = part.colorbar(shown, ax=ax, label=label, **more)
    bar.solids.set(rasterized=False, edgecolor="face")
    lettered(bar.ax, style)
    return bar

"""What all figures share: colours of Okabe and Ito (readable for colour-blind people), and names in letters."""

from __future__ import annotations

INK, GREY, FAINT = "#222222", "#777777", "#DDDDDD"
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
LEVELS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
"""Colours of the levels of a tree, from the root on, from the start again after the last."""

MOST_LETTERS = 24
"""Longest name in a figure."""


def letters(text: str) -> str:
    """Return a name so that matplotlib shows it as it is and takes no part of it for a formula; long ones lose their middle."""
    short = text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS // 2 - 1]}…{text[-MOST_LETTERS // 2 :]}"
    return short.replace("$", r"\$")

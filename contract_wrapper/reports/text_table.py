"""Tables of plain text that never get wider than a terminal: columns that do not fit go below the others."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH = 80
"""Characters that no line of a table passes."""


def in_columns(
    head: Sequence[Sequence[str]], rows: Sequence[Sequence[str]], *, notes: Sequence[str] = (), width: int = WIDTH,
    right: bool = False,
) -> list[str]:  # fmt: skip
    """Lay out a table; where it is too wide, in several blocks below each other, each with the first column.

    Args:
        head: lines above the columns, each with a text for every column.
        rows: the same for every row.
        notes: a text below each row of the last block, empty for none; default: none.
        width: of the widest line, as far as two columns fit into it.
        right: whether the first column is flush right, as numbers are, and not left.

    Returns:
        The lines, with a rule below the head and one at the end.
    """
    cells = [tuple(line) for line in (*head, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    blocks = _blocks(widths, width)
    lines: list[str] = []
    for number, columns in enumerate(blocks):
        chosen = [0, *columns]
        gap = "  " if sum(widths[c] for c in chosen) + 2 * len(columns) <= width else " "
        length = sum(widths[c] for c in chosen) + len(gap) * len(columns)

        def line(row: Sequence[str], chosen: Sequence[int] = chosen, gap: str = gap) -> str:
            first = row[0].rjust(widths[0]) if right else row[0].ljust(widths[0])
            return gap.join((first, *(row[c].rjust(widths[c]) for c in chosen[1:]))).rstrip()

        lines += ["", *map(line, head)] if number else list(map(line, head))
        lines.append("-" * length)
        for k, row in enumerate(rows):
            lines.append(line(row))
            if notes and notes[k] and number == len(blocks) - 1:
                lines.append(f"    {notes[k]}")
        lines.append("-" * length)
    return lines


def _blocks(widths: Sequence[int], width: int) -> list[list[int]]:
    """Columns after the first, in as few blocks as it takes, each with the first within the width."""
    blocks: list[list[int]] = [[]]
    for c in range(1, len(widths)):
        used = widths[0] + sum(widths[k] + 1 for k in blocks[-1])
        if blocks[-1] and used + 1 + widths[c] > width:
            blocks.append([])
        blocks[-1].append(c)
    return blocks

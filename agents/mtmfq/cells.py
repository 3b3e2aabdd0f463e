"""The first layer on a symbolic observation: sums of table rows, one for the class of each cell, taken run by run.

Neighbouring cells are often of one class. With the sums of a class's rows over the cells before each cell, the sum over
a run of cells of that class is one difference, so that a window costs about two rows for each change of class in place
of one for each cell. Cells are gone through as an ox ploughs, every other line backwards, which has the fewest changes.
The gradient goes the same way back. Sums in another order round differently, and nothing else.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtmfq.interface import LearnerError
from mtmfq.numba_tools import kernel

BLOCK = 45
"""Cells whose rows are added up for all windows before the next: about as many as a core's second cache holds."""


class CellLayout:
    """In which order the cells of a window are gone through, and how many classes they have."""

    def __init__(self, n_cells: int, n_columns: int, n_classes: int) -> None:
        """n_columns: cells of one line of a window."""
        lines = np.arange(n_cells, dtype=np.int32).reshape(-1, n_columns)
        lines[1::2] = lines[1::2, ::-1].copy()
        self.order, self.n_classes = lines.ravel().copy(), n_classes
        self.n_blocks = -(-n_cells // BLOCK)
        n_rows = (2 * n_cells + 1) * n_classes
        small = n_rows <= np.iinfo(np.int16).max  # then places take half the memory, and half the time to be written
        self.places = np.int16 if small else np.int32
        self._zeros: NDArray[np.float32] | None = None

    def lookup(self, table: NDArray[np.float32], out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Table (I, H) -> sums of the rows of a class over the cells before each cell, then the table itself.

        `out`: an earlier one, which is written over.
        """
        out = self._memory(table) if out is None else out
        _build(table, self.order, self.n_classes, out)
        return out

    def zeros(self, table: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the gradient of a lookup before anything is added, each time in the same memory: fresh one costs faults."""
        if self._zeros is None or self._zeros.shape[1] != table.shape[1]:
            self._zeros = self._memory(table)
        self._zeros.fill(0.0)
        return self._zeros

    def _memory(self, table: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return room for the lookup of a table; unlike numpy's arrays, its rows begin with cache lines."""
        return torch.empty((2 * len(table) + self.n_classes, table.shape[1]), dtype=torch.float32).numpy()


class Runs:
    """Where windows (R, K) of cells change their class, as rows of a lookup that are added and subtracted."""

    def __init__(self, numbers: NDArray[np.int32], layout: CellLayout) -> None:
        """Numbers (R, K): cell * n_classes + class.

        Raises:
            LearnerError: a number is not one of its cell.
        """
        self.layout = layout
        self.plus, self.minus = (np.empty((len(numbers), numbers.shape[1] + 1), layout.places) for _ in range(2))
        self.ends = np.empty((len(numbers), layout.n_blocks + 1), np.int32)  # where the changes of each block end
        if not _find(numbers, layout.order, layout.n_classes, self.plus, self.minus, self.ends):
            raise LearnerError(
                "the game shows classes of cells that are not below its n_classes, "
                f"{layout.n_classes}: check its observations"
            )

    def sums(self, lookup: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        """Write the sum of the table's rows for each window, (R, H)."""
        _add_up(self.plus, self.minus, self.ends, lookup, out)

    def gradient(self, of_sums: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        """Write the gradient of the table (I, H), given that of the sums (R, H)."""
        to_lookup = self.layout.zeros(out)
        _hand_back(self.plus, self.minus, self.ends, of_sums, to_lookup)
        _collect(to_lookup, self.layout.order, self.layout.n_classes, out)


class CellSums(torch.autograd.Function):
    """Tables (M, I, H), their lookups and runs -> sums (M, R, H), with the gradient of the tables."""

    @staticmethod
    def forward(ctx: Any, tables: Tensor, lookups: list[NDArray[np.float32]], runs: list[Runs]) -> Tensor:
        """Add up the rows of each type."""
        ctx.runs, ctx.shape = runs, tables.shape
        out = torch.empty((len(runs), len(runs[0].ends), tables.shape[2]), dtype=torch.float32)
        for one, lookup, sums in zip(runs, lookups, out.numpy(), strict=True):
            one.sums(lookup, sums)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """Hand the gradient of the sums on to the rows that made them."""
        out = torch.empty(ctx.shape, dtype=torch.float32)
        for one, of_sums, of_table in zip(ctx.runs, gradients[0].contiguous().numpy(), out.numpy(), strict=True):
            one.gradient(of_sums, of_table)
        return out, None, None


@kernel
def _find(
    numbers: NDArray[np.int32],
    order: NDArray[np.int32],
    n_classes: int,
    plus: NDArray[np.signedinteger[Any]],
    minus: NDArray[np.signedinteger[Any]],
    ends: NDArray[np.int32],
) -> bool:
    """Whether all classes are possible; a single cell between two of one class is taken from the table itself.

    First the runs of a window are listed without a branch, which a processor would guess wrongly: each cell writes its
    place, and only a change moves on.
    """
    n_windows, n_cells = numbers.shape
    table = (n_cells + 1) * n_classes
    classes = np.zeros(n_cells, np.int32)
    begins = np.zeros(n_cells + 1, np.int32)
    for r in range(n_windows):
        wrong, n_runs, last = False, 0, np.int32(-1)
        for k in range(n_cells):
            here = numbers[r, order[k]] - order[k] * n_classes
            wrong |= (here < 0) | (here >= n_classes)
            classes[k] = here
            begins[n_runs] = k
            n_runs += here != last
            last = here
        if wrong:
            return False
        n, block, before = 0, 1, classes[0]
        ends[r, 0] = 0
        for i in range(1, n_runs):
            k = begins[i]
            here = classes[k]
            while k >= block * BLOCK:
                ends[r, block] = n
                block += 1
            if here != before:
                if k + 1 < n_cells and classes[k + 1] == before:
                    plus[r, n] = table + order[k] * n_classes + here
                    minus[r, n] = table + order[k] * n_classes + before
                else:
                    plus[r, n], minus[r, n] = k * n_classes + before, k * n_classes + here
                    before = here
                n += 1
        ends[r, block:] = n
        plus[r, n] = n_cells * n_classes + before
    return True


@kernel
def _build(table: NDArray[np.float32], order: NDArray[np.int32], n_classes: int, out: NDArray[np.float32]) -> None:
    n_rows, width = table.shape
    out[:n_classes] = 0.0
    for k in range(order.size):
        for c in range(n_classes):
            i, before = order[k] * n_classes + c, k * n_classes + c
            for h in range(width):
                out[before + n_classes, h] = out[before, h] + table[i, h]
    out[n_rows + n_classes :] = table


@kernel
def _add_up(
    plus: NDArray[np.signedinteger[Any]],
    minus: NDArray[np.signedinteger[Any]],
    ends: NDArray[np.int32],
    lookup: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    n_windows, width = out.shape
    last = ends.shape[1] - 1
    for r in range(n_windows):
        out[r] = lookup[np.uint64(plus[r, ends[r, last]])]
    for block in range(last):
        for r in range(n_windows):
            total = out[r]
            e, end = ends[r, block], ends[r, block + 1]
            while e + 1 < end:  # two at a time: the sum is read and written half as often
                p, m = lookup[np.uint64(plus[r, e])], lookup[np.uint64(minus[r, e])]
                q, o = lookup[np.uint64(plus[r, e + 1])], lookup[np.uint64(minus[r, e + 1])]
                for h in range(width):
                    total[h] += (p[h] - m[h]) + (q[h] - o[h])
                e += 2
            if e < end:
                p, m = lookup[np.uint64(plus[r, e])], lookup[np.uint64(minus[r, e])]
                for h in range(width):
                    total[h] += p[h] - m[h]


@kernel
def _hand_back(
    plus: NDArray[np.signedinteger[Any]],
    minus: NDArray[np.signedinteger[Any]],
    ends: NDArray[np.int32],
    gradient: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    n_windows, width = gradient.shape
    last = ends.shape[1] - 1
    for r in range(n_windows):
        whole = out[np.uint64(plus[r, ends[r, last]])]
        for h in range(width):
            whole[h] += gradient[r, h]
    for block in range(last):
        for r in range(n_windows):
            mine = gradient[r]
            for e in range(ends[r, block], ends[r, block + 1]):
                p, m = out[np.uint64(plus[r, e])], out[np.uint64(minus[r, e])]
                for h in range(width):
                    p[h] += mine[h]
                for h in range(width):
                    m[h] -= mine[h]


@kernel
def _collect(
    to_lookup: NDArray[np.float32], order: NDArray[np.int32], n_classes: int, out: NDArray[np.float32]
) -> None:
    """Gradient of a lookup -> gradient of its table; the first part of `to_lookup` is used up."""
    n_rows, width = out.shape
    for k in range(order.size - 1, -1, -1):
        for c in range(n_classes):
            i, behind = order[k] * n_classes + c, (k + 1) * n_classes + c
            if k + 1 < order.size:
                for h in range(width):
                    to_lookup[behind, h] += to_lookup[behind + n_classes, h]
            for h in range(width):
                out[i, h] = to_lookup[behind, h] + to_lookup[n_rows + n_classes + i, h]

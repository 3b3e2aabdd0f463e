"""The Q-networks of all types, stacked so that one batched product serves every type."""

import hashlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtmfq.cells import CellLayout, CellSums, Runs
from mtmfq.config import MTMFQConfig
from mtmfq.interface import Signature
from mtmfq.update import PADDED


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkShape:
    """Sizes of the stacked networks."""

    n_actions: tuple[int, ...]
    """Number of actions of each type; the heads are padded to the largest."""

    n_features: int
    """Float features of an observation."""

    n_cells: int
    """Cells of a symbolic observation."""

    n_classes: int
    """Classes of a cell."""

    n_columns: int
    """Cells in a line of a symbolic observation."""

    hidden: tuple[int, ...]
    """Widths of the hidden layers."""

    join_after_first: bool
    """Whether the mean actions enter after the first hidden layer instead of at the input."""

    @classmethod
    def of(cls, signature: Signature, config: MTMFQConfig) -> "NetworkShape":
        """Shape for a game and a configuration."""
        return cls(
            n_actions=signature.n_actions,
            n_features=signature.n_features,
            n_cells=signature.n_cells,
            n_classes=signature.n_classes,
            n_columns=signature.observation_shape[-1] if signature.n_classes else 0,
            hidden=config.hidden,
            join_after_first=config.mean_actions_join == "after_first",
        )

    def layers(self) -> list[tuple[int, int]]:
        """Inputs and outputs of every dense layer; the first one counts no symbolic cells."""
        means, heads = sum(self.n_actions), max(self.n_actions)
        inputs = [self.n_features + (0 if self.join_after_first else means), *self.hidden]
        if self.join_after_first:
            inputs[1] += means
        return list(zip(inputs, [*self.hidden, heads], strict=True))

    def tensors(self) -> list[tuple[int, int]]:
        """Shapes of all parameters of one type: (weights, bias) per dense layer, then the cells' table."""
        shapes = [shape for i, o in self.layers() for shape in ((i, o), (1, o))]
        if self.n_cells:
            shapes.append((self.n_cells * self.n_classes, self.hidden[0]))
        return shapes


class QNetworks:
    """Q_m(o, a, abar) for every type m: ReLU layers, weights with a leading type axis.

    All parameters lie in one array `flat` (M, P), of which `parameters` are views: the optimiser and
    the target average then take one operation each. The heads' padding is a bias of PADDED on zero
    weights, which no gradient reaches.
    """

    def __init__(self, shape: NetworkShape, flat: Tensor) -> None:
        self.shape = shape
        self.flat = flat
        sizes = [rows * columns for rows, columns in shape.tensors()]
        ends = [0, *np.cumsum(sizes).tolist()]
        self.parameters = [
            flat[:, a:b].view(len(flat), *size).detach().requires_grad_()
            for (a, b), size in zip(pairwise(ends), shape.tensors(), strict=True)
        ]
        self._layout = CellLayout(shape.n_cells, max(shape.n_columns, 1), shape.n_classes)
        self._made: list[NDArray[np.float32]] = []
        self._outdated = True

    @staticmethod
    def count(shape: NetworkShape) -> int:
        """Parameters of one type, P."""
        return sum(rows * columns for rows, columns in shape.tensors())

    @classmethod
    def initialised(cls, shape: NetworkShape, seed: int) -> "QNetworks":
        """Uniform weights within 1/sqrt(inputs), as torch's linear layers have; biases at zero."""
        generator = torch.Generator().manual_seed(seed)
        networks = cls(shape, torch.zeros(len(shape.n_actions), cls.count(shape)))
        with torch.no_grad():
            fan_ins = [inputs for inputs, _ in shape.layers() for _ in range(2)]
            fan_ins[0] += shape.n_cells  # one class of every cell is on
            fan_ins.append(fan_ins[0])
            for place, parameter in enumerate(networks.parameters):
                is_bias = place % 2 == 1 and place < 2 * len(shape.layers())
                if not is_bias and parameter.numel():
                    bound = fan_ins[place] ** -0.5
                    parameter.uniform_(-bound, bound, generator=generator)
            weights, bias = networks.parameters[2 * len(shape.layers()) - 2 :][:2]
            for m, size in enumerate(shape.n_actions):
                weights[m, :, size:] = 0.0
                bias[m, :, size:] = PADDED
        return networks

    def copy(self) -> "QNetworks":
        """Networks with the same weights in memory of their own."""
        return QNetworks(self.shape, self.flat.detach().clone())

    def changed(self) -> None:
        """Take note that weights were changed in place; whoever changes them says so."""
        self._outdated = True

    def _lookups(self) -> list[NDArray[np.float32]]:
        """What sums over cells are read from, one for each type."""
        if self._outdated:
            tables = self.parameters[-1].detach().numpy()
            earlier: list[NDArray[np.float32] | None] = [*self._made] or [None] * len(tables)
            self._made = [
                self._layout.lookup(np.ascontiguousarray(table), made)
                for table, made in zip(tables, earlier, strict=True)
            ]
            self._outdated = False
        return self._made

    def __call__(self, rows: Tensor, cells: Tensor | None = None, types: slice = slice(None)) -> Tensor:
        """Rows (M, R, features + means), cells (M, R, n_cells) of all types, or of some -> Q (M, R, A).

        A row is an observation's features followed by its mean actions. A cell's number is
        cell * n_classes + class, its place in the first layer's one-hot input.
        """
        shape, parameters = self.shape, self.parameters
        if types.indices(len(self.flat)) != (0, len(self.flat), 1):
            parameters = [parameter[types] for parameter in parameters]
        n_layers = len(shape.layers())
        inputs = rows[..., : shape.n_features] if shape.join_after_first else rows
        hidden = torch.baddbmm(parameters[1], inputs, parameters[0])
        if cells is not None:
            runs = [Runs(numbers, self._layout) for numbers in cells.numpy()]
            sums: Tensor = CellSums.apply(parameters[-1], self._lookups()[types], runs)  # type: ignore[no-untyped-call]
            hidden += sums  # in place: fresh memory costs more than the sum
        hidden = hidden.relu_()
        if shape.join_after_first:
            hidden = torch.cat([hidden, rows[..., shape.n_features :]], dim=2)
        for layer in range(1, n_layers - 1):
            hidden = torch.baddbmm(parameters[2 * layer + 1], hidden, parameters[2 * layer]).relu_()
        return torch.baddbmm(parameters[2 * n_layers - 1], hidden, parameters[2 * n_layers - 2])


def weights_hash(networks: QNetworks) -> str:
    """Hash of all weights, by which a file says what networks something was made from or for."""
    return hashlib.sha256(networks.flat.detach().numpy().tobytes()).hexdigest()[:24]

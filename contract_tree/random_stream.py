"""Random streams for the compiled rules: xoshiro256++ seeded by splitmix64.

Source: Blackman and Vigna 2021, "Scrambled linear pseudorandom number generators". A stream is a
row of four 64-bit words; every game has one for its rewards and one for each of its players, so
that no draw of one can be seen by another.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from contract_tree.numba_tools import inlined, kernel

_S11, _S17, _S23, _S19, _S32, _S41, _S45 = (np.uint64(k) for k in (11, 17, 23, 19, 32, 41, 45))
_LAYER = np.uint64(127)
_TO_UNIT = 2.0**-53


def _ziggurat(tail: float = 3.442619855899, area: float = 9.91256303526217e-3) -> NDArray[np.float64]:
    """Right edges of the 128 layers of equal area under exp(-x^2 / 2), and 0 (Doornik 2005)."""
    density = math.exp(-0.5 * tail**2)
    edges = [area / density, tail]
    while len(edges) < 128:
        edges.append(math.sqrt(-2.0 * math.log(area / edges[-1] + density)))
        density = math.exp(-0.5 * edges[-1] ** 2)
    return np.array([*edges, 0.0])


_EDGE = _ziggurat()
_RATIO = _EDGE[1:] / _EDGE[:-1]


def streams_of_games(seed: int, n_games: int, n_streams: int) -> NDArray[np.uint64]:
    """Seed the streams of some games: (n_games, n_streams, 4) words; game g depends on (seed, g) alone."""
    words = [
        np.random.SeedSequence([seed, game, stream]).generate_state(4, np.uint64)
        for game in range(n_games)
        for stream in range(n_streams)
    ]
    return np.array(words, np.uint64).reshape(n_games, n_streams, 4)


@inlined
def draw(words, row):
    """64 random bits."""
    s0, s1, s2, s3 = words[row, 0], words[row, 1], words[row, 2], words[row, 3]
    total = s0 + s3
    result = ((total << _S23) | (total >> _S41)) + s0
    t = s1 << _S17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= t
    s3 = (s3 << _S45) | (s3 >> _S19)
    words[row, 0], words[row, 1], words[row, 2], words[row, 3] = s0, s1, s2, s3
    return result


@inlined
def draw_unit(words, row):
    """A uniform float in [0, 1) with 53 random bits."""
    return np.float64(draw(words, row) >> _S11) * _TO_UNIT


@inlined
def draw_below(words, row, n):
    """A uniform integer in 0..n-1 (bias below n / 2**32)."""
    return np.int64(((draw(words, row) >> _S32) * np.uint64(n)) >> _S32)


@inlined
def draw_normal(words, row):
    """A standard normal number: the ziggurat of Doornik 2005, "An improved ziggurat method"."""
    bits = draw(words, row)
    layer = np.int64(bits & _LAYER)
    unit = 2.0 * (np.float64(bits >> _S11) * _TO_UNIT) - 1.0
    if abs(unit) < _RATIO[layer]:
        return unit * _EDGE[layer]
    return _outside(words, row, layer, unit)


@kernel
def _outside(words, row, layer, unit):
    """The rare rest: a corner of a layer, the tail, or another try."""
    while True:
        if layer == 0:
            while True:
                x = math.log(1.0 - draw_unit(words, row)) / _EDGE[1]
                y = math.log(1.0 - draw_unit(words, row))
                if -2.0 * y >= x * x:
                    return x - _EDGE[1] if unit < 0.0 else _EDGE[1] - x
        x = unit * _EDGE[layer]
        low = math.exp(-0.5 * (_EDGE[layer] ** 2 - x * x))
        high = math.exp(-0.5 * (_EDGE[layer + 1] ** 2 - x * x))
        if high + draw_unit(words, row) * (low - high) < 1.0:
            return x
        bits = draw(words, row)
        layer = np.int64(bits & _LAYER)
        unit = 2.0 * (np.float64(bits >> _S11) * _TO_UNIT) - 1.0
        if abs(unit) < _RATIO[layer]:
            return unit * _EDGE[layer]

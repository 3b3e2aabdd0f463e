"""Random streams for the compiled rules: xoshiro256++ seeded by splitmix64.

Source: Blackman and Vigna 2021, "Scrambled linear pseudorandom number generators". A stream is a
row of four 64-bit words; every game has one for its rewards and one for each of its players, so
that no draw of one can be seen by another.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from contract_tree.compiled import inlined, kernel

_S11, _S17, _S23, _S19, _S32, _S41, _S45 = (np.uint64(k) for k in (11, 17, 23, 19, 32, 41, 45))
_TO_UNIT = 2.0**-53


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


@kernel
def draw_normal(words, row):
    """A standard normal number (Box and Muller 1958)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - draw_unit(words, row)))
    return radius * math.cos(2.0 * math.pi * draw_unit(words, row))

"""One random stream per game, for the compiled rules: xoshiro256++ seeded by splitmix64.

Source: Blackman and Vigna 2021, "Scrambled linear pseudorandom number generators". Each game
owns four 64-bit words; no draw of one game can be seen by another.
"""

from __future__ import annotations

import numpy as np

from cleanup_env.numba_tools import inlined, kernel

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S11, _S17, _S23, _S27, _S30, _S31, _S32, _S41, _S45, _S19 = (
    np.uint64(k) for k in (11, 17, 23, 27, 30, 31, 32, 41, 45, 19)
)
_TO_UNIT = 2.0**-53


@inlined
def _mix(z):
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    return z ^ (z >> _S31)


@kernel
def seed_stream(words, seed):
    """Fill the four `words` (uint64) of a stream from one uint64 `seed`."""
    z = seed
    for k in range(4):
        z = z + _GOLDEN
        words[k] = _mix(z)


@inlined
def draw(words):
    """64 random bits."""
    s0, s1, s2, s3 = words[0], words[1], words[2], words[3]
    total = s0 + s3
    result = ((total << _S23) | (total >> _S41)) + s0
    t = s1 << _S17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= t
    s3 = (s3 << _S45) | (s3 >> _S19)
    words[0], words[1], words[2], words[3] = s0, s1, s2, s3
    return result


@inlined
def draw_unit(words):
    """A uniform float in [0, 1) with 53 random bits."""
    return np.float64(draw(words) >> _S11) * _TO_UNIT


@inlined
def draw_below(words, n):
    """A uniform integer in 0..n-1 (bias below n / 2**32)."""
    return np.int64(((draw(words) >> _S32) * np.uint64(n)) >> _S32)

"""Odd values, odd texts and damaged files."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from fuzz_values import ODD_VALUES


def pick(rng: np.random.Generator, values: Any) -> Any:
    """One of several values, as it is."""
    return values[int(rng.integers(len(values)))]


def odd(rng: np.random.Generator) -> Any:
    """A value of any kind and size."""
    return pick(rng, ODD_VALUES)


def mostly(rng: np.random.Generator, sensible: Any, chance: float = 0.3) -> Any:
    """A sensible value, or with some chance an odd one."""
    return odd(rng) if rng.random() < chance else sensible


def text(rng: np.random.Generator, alphabet: str, longest: int = 30) -> str:
    """A text over an alphabet."""
    return "".join(pick(rng, alphabet) for _ in range(int(rng.integers(longest + 1))))


def damaged(rng: np.random.Generator, data: bytes) -> bytes:
    """A file with flipped bits, or cut short, or longer, or with a part repeated, zeroed or swapped."""
    found, kind = bytearray(data), int(rng.integers(7))
    if not found:
        return b"\x00"
    a, b = sorted(int(k) for k in rng.integers(0, len(found) + 1, 2))
    if kind <= 2:
        for _ in range(int(rng.choice([1, 1, 2, 20]))):
            found[int(rng.integers(len(found)))] ^= 1 << int(rng.integers(8))
    elif kind == 3:
        del found[a:]
    elif kind == 4:
        found[a:a] = found[a : min(b, a + 4096)]
    elif kind == 5:
        found[a : min(b, a + 64)] = bytes(min(b, a + 64) - a)
    else:
        found += rng.bytes(int(rng.integers(1, 200)))
    return bytes(found)


def mutated(rng: np.random.Generator, value: Any) -> Any:
    """Plain JSON data with one entry somewhere replaced, removed or added."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = pick(rng, sorted(value, key=str))
        changed = {k: (mutated(rng, v) if k == key else v) for k, v in value.items()}
        if rng.random() < 0.2:
            del changed[key]
        if rng.random() < 0.1:
            changed[text(rng, "ab_/.", 5)] = plain(rng)
        return changed
    if isinstance(value, list) and value and rng.random() < 0.8:
        k = int(rng.integers(len(value)))
        rest = [mutated(rng, v) if i == k else v for i, v in enumerate(value)]
        return rest[:k] if rng.random() < 0.1 else rest
    return plain(rng)


def plain(rng: np.random.Generator) -> Any:
    """An odd value that JSON can hold."""
    return pick(
        rng, (0, 1, -1, 5, 10**30, 0.5, 1e308, math.nan, math.inf, True, None, "", "x", "../x", [], {}, [[[[]]]], "nan")
    )

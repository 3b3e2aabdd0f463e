"""Further problems, as min f subject to g <= 0: three to fifteen variables, one to nine constraints.

Written once the search was as it is, so that nothing was tuned on them. Sources: Hock & Schittkowski 1981 (HS, with open
bounds closed; HS117 is the dual of HS86); Koziel & Michalewicz 1999 (G1); Ray & Liew 2002
(disc brake, four-bar truss, water resources: the first objective, the second of the truss as a constraint). The best values are the published
ones where there are such, and those of local searches from many starts.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from optimiser_bench.minimised import MinimisedProblem
from optimiser_bench.textbook import HS86_A, HS86_B, HS86_C, HS86_D, HS86_E

Floats = npt.NDArray[np.float64]


def _hs30(x: Floats) -> tuple[float, list[float]]:
    return float(x @ x), [1 - x[0] ** 2 - x[1] ** 2]


def _hs31(x: Floats) -> tuple[float, list[float]]:
    a, b, c = x
    return 9 * a**2 + b**2 + 9 * c**2, [1 - a * b]


def _hs35(x: Floats) -> tuple[float, list[float]]:
    a, b, c = x
    f = 9 - 8 * a - 6 * b - 4 * c + 2 * a**2 + 2 * b**2 + c**2 + 2 * a * b + 2 * a * c
    return f, [a + b + 2 * c - 3]


def _hs37(x: Floats) -> tuple[float, list[float]]:
    a, b, c = x
    return -a * b * c, [a + 2 * b + 2 * c - 72, -a - 2 * b - 2 * c]


def _hs44(x: Floats) -> tuple[float, list[float]]:
    a, b, c, d = x
    return a - b - c - a * c + a * d + b * c - b * d, [
        a + 2 * b - 8, 4 * a + b - 12, 3 * a + 4 * b - 12, 2 * c + d - 8, c + 2 * d - 8, c + d - 5,
    ]  # fmt: skip


def _hs72(x: Floats) -> tuple[float, list[float]]:
    a, b, c, d = x
    return 1 + a + b + c + d, [
        4 / a + 2.25 / b + 1 / c + 0.25 / d - 0.0401, 0.16 / a + 0.36 / b + 0.64 / c + 0.64 / d - 0.010085,
    ]  # fmt: skip


def _hs117(x: Floats) -> tuple[float, list[float]]:
    z, y = x[:10], x[10:]
    f = -HS86_B @ z + y @ HS86_C @ y + 2 * HS86_D @ y**3
    return float(f), (-(2 * HS86_C @ y + 3 * HS86_D * y**2 + HS86_E - HS86_A.T @ z)).tolist()


def _g1(x: Floats) -> tuple[float, list[float]]:
    f = 5 * x[:4].sum() - 5 * (x[:4] ** 2).sum() - x[4:].sum()
    return float(f), [
        2 * x[0] + 2 * x[1] + x[9] + x[10] - 10, 2 * x[0] + 2 * x[2] + x[9] + x[11] - 10,
        2 * x[1] + 2 * x[2] + x[10] + x[11] - 10, x[9] - 8 * x[0], x[10] - 8 * x[1], x[11] - 8 * x[2],
        x[9] - 2 * x[3] - x[4], x[10] - 2 * x[5] - x[6], x[11] - 2 * x[7] - x[8],
    ]  # fmt: skip


def _disc_brake(x: Floats) -> tuple[float, list[float]]:
    inner, outer, force, discs = x
    squares, cubes = outer**2 - inner**2, outer**3 - inner**3
    squares = squares if abs(squares) > 1e-9 else 1e-9
    return 4.9e-5 * squares * (discs - 1), [
        20 - (outer - inner), 2.5 * (discs + 1) - 30, force / (math.pi * squares) - 0.4,
        2.22e-3 * force * cubes / squares**2 - 1, 900 - 2.66e-2 * force * discs * cubes / squares,
    ]  # fmt: skip


def _four_bars(x: Floats) -> tuple[float, list[float]]:
    a, b, c, d = x
    root = math.sqrt(2)
    sag = 10 * 200 / 2e5 * (2 / a + 2 * root / b - 2 * root / c + 2 / d)
    return 200 * (2 * a + root * b + math.sqrt(c) + d), [sag - 0.01]


def _water(x: Floats) -> tuple[float, list[float]]:
    a, b, c = x
    return 106780.37 * (b + c) + 61704.67, [
        0.00139 / (a * b) + 4.94 * c - 1.08, 0.000306 / (a * b) + 1.082 * c - 1.0986,
        12.307 / (a * b) + 49408.24 * c - 45948.98, 2.098 / (a * b) + 8046.33 * c - 16696.71,
        2.138 / (a * b) + 7883.39 * c - 10705.04, 0.417 * a * b + 1721.26 * c - 2136.54,
        0.164 / (a * b) + 631.13 * c - 604.48,
    ]  # fmt: skip


UNSEEN = {
    "HS30": MinimisedProblem(_hs30, (1, -10, -10), (10,) * 3, 1),
    "HS31": MinimisedProblem(_hs31, (-10, 1, -10), (10, 10, 1), 6),
    "HS35": MinimisedProblem(_hs35, (0,) * 3, (10,) * 3, 0.11111111),
    "HS37": MinimisedProblem(_hs37, (0,) * 3, (42,) * 3, -3456),
    "HS44": MinimisedProblem(_hs44, (0,) * 4, (10,) * 4, -15),
    "HS72": MinimisedProblem(_hs72, (0.001,) * 4, (4e5, 3e5, 2e5, 1e5), 727.67937),
    "HS117": MinimisedProblem(_hs117, (0,) * 15, (*(20,) * 10, *(2,) * 5), 32.348679),
    "G1": MinimisedProblem(_g1, (0,) * 13, (*(1,) * 9, 100, 100, 100, 1), -15),
    "disc brake": MinimisedProblem(_disc_brake, (55, 75, 1000, 2), (80, 110, 3000, 20), 0.1274),
    "four-bar truss": MinimisedProblem(_four_bars, (1, math.sqrt(2), math.sqrt(2), 1), (3,) * 4, 2192.0887),
    "water resources": MinimisedProblem(_water, (0.01,) * 3, (0.45, 0.1, 0.1), 63840.277),
}
"""Name -> problem."""

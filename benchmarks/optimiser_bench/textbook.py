"""Test problems of a textbook, as min f subject to g <= 0: three to nine variables, one to thirteen constraints.

Written after the search was changed by what `engineering` shows, to report that change on problems that nothing was
tuned on. Source: Hock & Schittkowski 1981, Test Examples for Nonlinear Programming Codes, by its numbers; bounds that
are open there are closed here, far from the optimum. Those with equations are left out, and those that are among the
others already. The best values are the published ones; local searches from many starts find the same.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from optimiser_bench.minimised import MinimisedProblem

Floats = npt.NDArray[np.float64]


def _hs29(x: Floats) -> tuple[float, list[float]]:
    a, b, c = x
    return -a * b * c, [a**2 + 2 * b**2 + 4 * c**2 - 48]


def _hs33(x: Floats) -> tuple[float, list[float]]:
    a, b, c = x
    return (a - 1) * (a - 2) * (a - 3) + c, [a**2 + b**2 - c**2, 4 - a**2 - b**2 - c**2]


def _hs34(x: Floats) -> tuple[float, list[float]]:
    a, b, c = x
    return -a, [math.exp(a) - b, math.exp(b) - c]


def _hs36(x: Floats) -> tuple[float, list[float]]:
    a, b, c = x
    return -a * b * c, [a + 2 * b + 2 * c - 72]


def _hs43(x: Floats) -> tuple[float, list[float]]:
    a, b, c, d = x
    return a**2 + b**2 + 2 * c**2 + d**2 - 5 * a - 5 * b - 21 * c + 7 * d, [
        a**2 + b**2 + c**2 + d**2 + a - b + c - d - 8, a**2 + 2 * b**2 + c**2 + 2 * d**2 - a - d - 10,
        2 * a**2 + b**2 + c**2 + 2 * a - b - d - 5,
    ]  # fmt: skip


def _hs64(x: Floats) -> tuple[float, list[float]]:
    a, b, c = x
    return 5 * a + 5e4 / a + 20 * b + 7.2e4 / b + 10 * c + 1.44e5 / c, [4 / a + 32 / b + 120 / c - 1]


def _hs65(x: Floats) -> tuple[float, list[float]]:
    a, b, c = x
    return (a - b) ** 2 + (a + b - 10) ** 2 / 9 + (c - 5) ** 2, [a**2 + b**2 + c**2 - 48]


def _hs66(x: Floats) -> tuple[float, list[float]]:
    a, b, c = x
    return 0.2 * c - 0.8 * a, [math.exp(a) - b, math.exp(b) - c]


def _hs76(x: Floats) -> tuple[float, list[float]]:
    a, b, c, d = x
    f = a**2 + 0.5 * b**2 + c**2 + 0.5 * d**2 - a * c + c * d - a - 3 * b + c - d
    return f, [a + 2 * b + c + d - 5, 3 * a + b + 2 * c - d - 4, 1.5 - b - 4 * c]


_HS84 = np.array(
    [
        [-24345.0, -8720288.849, 150512.5253, -156.6950325, 476470.3222, 729482.8271],
        [0.0, -145421.402, 2931.1506, -40.427932, 5106.192, 15711.36],
        [0.0, -155011.1084, 4360.53352, 12.9492344, 10236.884, 13176.786],
        [0.0, -326669.5104, 7390.68412, -27.8986976, 16643.076, 30988.146],
    ]
)


def _hs84(x: Floats) -> tuple[float, list[float]]:
    f, *sums = (_HS84 @ np.array([1.0, x[0], *x[0] * x[1:]])).tolist()
    return -f, [*(-s for s in sums), *(s - most for s, most in zip(sums, (294000, 294000, 277200), strict=True))]


HS86_E = np.array([-15.0, -27, -36, -18, -12])
HS86_C = np.array(
    [[30.0, -20, -10, 32, -10], [-20, 39, -6, -31, 32], [-10, -6, 10, -6, -10], [32, -31, -6, 39, -20], [-10, 32, -10, -20, 30]]
)  # fmt: skip
HS86_D = np.array([4.0, 8, 10, 6, 2])
HS86_A = np.array(
    [
        [-16.0, 2, 0, 1, 0], [0, -2, 0, 4, 2], [-3.5, 0, 2, 0, 0], [0, -2, 0, -4, -1], [0, -9, -2, 1, -2.8],
        [2, 0, -4, 0, 0], [-1, -1, -1, -1, -1], [-1, -2, -3, -2, -1], [1, 2, 3, 4, 5], [1, 1, 1, 1, 1],
    ]
)  # fmt: skip
HS86_B = np.array([-40.0, -2, -0.25, -4, -4, -1, -40, -60, 5, 1])


def _hs86(x: Floats) -> tuple[float, list[float]]:
    f = HS86_E @ x + x @ HS86_C @ x + HS86_D @ x**3
    return float(f), (HS86_B - HS86_A @ x).tolist()


def _hs93(x: Floats) -> tuple[float, list[float]]:
    a, b, c, d, e, f = x
    first, second = a * d * (a + b + c), b * c * (a + 1.57 * b + d)
    cost = 0.0204 * first + 0.0187 * second + 0.0607 * first * e**2 + 0.0437 * second * f**2
    return cost, [2.07 - 0.001 * a * b * c * d * e * f, 0.00062 * first * e**2 + 0.00058 * second * f**2 - 1]


def _hs95(
    x: Floats, least: tuple[float, float, float, float] = (4.97, -1.88, -29.08, -78.02)
) -> tuple[float, list[float]]:
    a, b, c, d, e, f = x
    sums = (
        17.1 * a + 38.2 * b + 204.2 * c + 212.3 * d + 623.4 * e + 1495.5 * f
        - 169 * a * c - 3580 * c * e - 3810 * d * e - 18500 * d * f - 24300 * e * f,
        17.9 * a + 36.8 * b + 113.9 * c + 169.7 * d + 337.8 * e + 1385.2 * f
        - 139 * a * c - 2450 * d * e - 16600 * d * f - 17200 * e * f,
        -273 * b - 70 * d - 819 * e + 26000 * d * e,
        159.9 * a - 311 * b + 587 * d + 391 * e + 2198 * f - 14000 * a * f,
    )  # fmt: skip
    cost = 4.3 * a + 31.8 * b + 63.3 * c + 15.8 * d + 68.5 * e + 4.7 * f
    return cost, [bound - s for bound, s in zip(least, sums, strict=True)]


def _hs97(x: Floats) -> tuple[float, list[float]]:
    return _hs95(x, (32.97, 25.12, -29.08, -78.02))


def _hs104(x: Floats) -> tuple[float, list[float]]:
    a, b, c, d, e, f, g, h = x
    cost = 0.4 * (a / g) ** 0.67 + 0.4 * (b / h) ** 0.67 + 10 - a - b
    return cost, [
        0.0588 * e * g + 0.1 * a - 1, 0.0588 * f * h + 0.1 * (a + b) - 1,
        4 * c / e + 2 * c**-0.71 / e + 0.0588 * c**-1.3 * g - 1,
        4 * d / f + 2 * d**-0.71 / f + 0.0588 * d**-1.3 * h - 1, 1 - cost, cost - 4.2,
    ]  # fmt: skip


def _hs108(x: Floats) -> tuple[float, list[float]]:
    a, b, c, d, e, f, g, h, i = x
    twice = a * d - b * c + c * i - e * i + e * h - f * g
    return -0.5 * twice, [
        c**2 + d**2 - 1, i**2 - 1, e**2 + f**2 - 1, a**2 + (b - i) ** 2 - 1, (a - e) ** 2 + (b - f) ** 2 - 1,
        (a - g) ** 2 + (b - h) ** 2 - 1, (c - e) ** 2 + (d - f) ** 2 - 1, (c - g) ** 2 + (d - h) ** 2 - 1,
        g**2 + (h - i) ** 2 - 1, b * c - a * d, -c * i, e * i, f * g - e * h,
    ]  # fmt: skip


_HS95_HIGH = (0.31, 0.046, 0.068, 0.042, 0.028, 0.0134)

TEXTBOOK = {
    "HS29": MinimisedProblem(_hs29, (-10,) * 3, (10,) * 3, -22.627417),
    "HS33": MinimisedProblem(_hs33, (0,) * 3, (10, 10, 5), -4.5857864),
    "HS34": MinimisedProblem(_hs34, (0,) * 3, (100, 100, 10), -0.83403245),
    "HS36": MinimisedProblem(_hs36, (0,) * 3, (20, 11, 42), -3300),
    "HS43": MinimisedProblem(_hs43, (-10,) * 4, (10,) * 4, -44),
    "HS64": MinimisedProblem(_hs64, (1,) * 3, (500,) * 3, 6299.8424),
    "HS65": MinimisedProblem(_hs65, (-4.5, -4.5, -5), (4.5, 4.5, 5), 0.95352886),
    "HS66": MinimisedProblem(_hs66, (0,) * 3, (100, 100, 10), 0.51816327),
    "HS76": MinimisedProblem(_hs76, (0,) * 4, (10,) * 4, -4.6818182),
    "HS84": MinimisedProblem(_hs84, (0, 1.2, 20, 9, 6.5), (1000, 2.4, 60, 9.3, 7), -5280335.1),
    "HS86": MinimisedProblem(_hs86, (0,) * 5, (2,) * 5, -32.348679),
    "HS93": MinimisedProblem(_hs93, (0.1,) * 6, (20,) * 6, 135.07596),
    "HS95": MinimisedProblem(_hs95, (0,) * 6, _HS95_HIGH, 0.015619514),
    "HS97": MinimisedProblem(_hs97, (0,) * 6, _HS95_HIGH, 3.1358091),
    "HS104": MinimisedProblem(_hs104, (0.1,) * 8, (10,) * 8, 3.9511634),
    "HS108": MinimisedProblem(_hs108, (-1,) * 8 + (0,), (1,) * 9, -0.86602540),
}
"""Name -> problem."""

"""Design problems of engineering, as min f subject to g <= 0: two to ten variables, one to eleven constraints.

Units and sizes differ, within one problem by orders of magnitude, and feasible shares go from 90 % to less than 0.01 %.
Written from the published formulas; the best values are those of local searches from many starts, which give what is
published but for the thrust bearing, the column, the piston lever and the I-beam, of which several forms are in use.

Sources: Golinski 1970 (speed reducer); Arora 1989 (spring); Ragsdell & Phillips 1976 (welded beam); Sandgren 1990
(pressure vessel, continuous here); Gu et al. 2001 (side impact of a car); Siddall 1982 (thrust bearing); Rao 1996
(column); Vanderplaats 1984 (piston lever); Ravindran et al. 2006 (bulkhead); Hock & Schittkowski 1980 and Koziel &
Michalewicz 1999 (G4, G6 to G10); Beightler & Phillips 1976 (gas transmission); Nowacki 1974 (truss); Fleury & Braibant
1986 (cantilever); Gold & Krishnamurty 1997 (I-beam); Osyczka 2002 (clutch).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from optimiser_bench.minimised import MinimisedProblem

Floats = npt.NDArray[np.float64]


def _speed_reducer(x: Floats) -> tuple[float, list[float]]:
    face, module, teeth, l1, l2, d1, d2 = x
    f = 0.7854 * face * module**2 * (3.3333 * teeth**2 + 14.9334 * teeth - 43.0934)
    f += -1.508 * face * (d1**2 + d2**2) + 7.4777 * (d1**3 + d2**3) + 0.7854 * (l1 * d1**2 + l2 * d2**2)
    return f, [
        27 / (face * module**2 * teeth) - 1, 397.5 / (face * module**2 * teeth**2) - 1,
        1.93 * l1**3 / (module * teeth * d1**4) - 1, 1.93 * l2**3 / (module * teeth * d2**4) - 1,
        math.sqrt((745 * l1 / (module * teeth)) ** 2 + 16.9e6) / (110 * d1**3) - 1,
        math.sqrt((745 * l2 / (module * teeth)) ** 2 + 157.5e6) / (85 * d2**3) - 1,
        module * teeth / 40 - 1, 5 * module / face - 1, face / (12 * module) - 1,
        (1.5 * d1 + 1.9) / l1 - 1, (1.1 * d2 + 1.9) / l2 - 1,
    ]  # fmt: skip


def _spring(x: Floats) -> tuple[float, list[float]]:
    wire, coil, n = x
    shear = (4 * coil**2 - wire * coil) / (12566 * (coil * wire**3 - wire**4) + 1e-12)
    return (n + 2) * coil * wire**2, [
        1 - coil**3 * n / (71785 * wire**4), shear + 1 / (5108 * wire**2) - 1,
        1 - 140.45 * wire / (coil**2 * n), (wire + coil) / 1.5 - 1,
    ]  # fmt: skip


def _welded_beam(x: Floats) -> tuple[float, list[float]]:
    h, length, t, b = x
    load, span, young, shear = 6000.0, 14.0, 30e6, 12e6
    arm = math.sqrt(length**2 / 4 + ((h + t) / 2) ** 2)
    inertia = 2 * math.sqrt(2) * h * length * (length**2 / 12 + ((h + t) / 2) ** 2)
    direct, turned = load / (math.sqrt(2) * h * length), load * (span + length / 2) * arm / inertia
    stress = math.sqrt(direct**2 + direct * turned * length / arm + turned**2)
    buckling = 4.013 * young * t * b**3 / 6 / span**2 * (1 - t / (2 * span) * math.sqrt(young / (4 * shear)))
    weight = 0.04811 * t * b * (14 + length)
    return 1.10471 * h**2 * length + weight, [
        stress - 13600, 6 * load * span / (b * t**2) - 30000, h - b, 0.10471 * h**2 + weight - 5, 0.125 - h,
        4 * load * span**3 / (young * b * t**3) - 0.25, load - buckling,
    ]  # fmt: skip


def _pressure_vessel(x: Floats) -> tuple[float, list[float]]:
    shell, head, radius, length = x
    f = 0.6224 * shell * radius * length + 1.7781 * head * radius**2 + (3.1661 * length + 19.84 * radius) * shell**2
    volume = math.pi * radius**2 * (length + 4 / 3 * radius)
    return f, [0.0193 * radius - shell, 0.00954 * radius - head, 1296000 - volume]


def _side_impact(x: Floats) -> tuple[float, list[float]]:
    a, b, c, d, e, f, g = x
    return 1.98 + 4.9 * a + 6.67 * b + 6.98 * c + 4.01 * d + 1.78 * e + 1e-5 * f + 2.73 * g, [
        0.16 - 0.3717 * b * d - 0.0092928 * c,
        0.261 - 0.0159 * a * b - 0.06486 * a - 0.019 * b * g + 0.0144 * c * e + 0.0154464 * f - 0.32,
        0.214 + 0.00817 * e - 0.0587118 * a + 0.03099 * b * f - 0.018 * b * g + 0.030408 * c - 0.00364 * e * f
        - 0.018 * b**2 - 0.32,
        0.74 - 0.61 * b - 0.031296 * c - 0.031872 * g + 0.227 * b**2 - 0.32,
        28.98 + 3.818 * c - 4.2 * a * b + 1.27296 * f - 2.68065 * g - 32,
        33.86 + 2.95 * c - 5.057 * a * b - 3.795 * b - 3.4431 * g + 1.45728 - 32,
        46.36 - 9.9 * b - 4.4505 * a - 32, 4.72 - 0.5 * d - 0.19 * b * c - 4,
        10.58 - 0.674 * a * b - 0.67275 * b - 9.9, 16.45 - 0.489 * c * g - 0.843 * e * f - 15.7,
    ]  # fmt: skip


def _thrust_bearing(x: Floats) -> tuple[float, list[float]]:
    outer, recess, viscosity, flow = x
    gap, ratio = outer**2 - recess**2, math.log(outer / recess)
    if abs(ratio) < 1e-9:
        gap, ratio = 1e-9, 1e-9
    warming = 10 ** ((math.log10(math.log10(8.122e6 * viscosity + 0.8)) - 10.04) / -3.55) - 560
    friction = 9336 * flow * 0.0307 * 0.5 * abs(warming)
    film = (2 * math.pi * 750 / 60) ** 2 * 2 * math.pi * viscosity / max(friction, 1e-9) * (outer**4 - recess**4) / 4
    film = film if abs(film) > 1e-9 else 1e-9
    pressure = 6 * viscosity * flow / (math.pi * film**3) * ratio
    load = math.pi * pressure / 2 * gap / ratio
    outflow = 0.0307 / (386.4 * max(abs(pressure), 1e-9)) * flow / (2 * math.pi * outer * film)
    return (flow * pressure / 0.7 + friction) / 12, [
        101000 - load, pressure - 1000, warming - 50, 0.001 - film, recess - outer, outflow - 0.001,
        load / (math.pi * gap) - 5000,
    ]  # fmt: skip


def _column(x: Floats) -> tuple[float, list[float]]:
    d, t = x
    euler = 8 * 2500 * 250**2 / (math.pi**3 * 0.85e6 * d * t * (d**2 + t**2))
    return 9.8 * d * t + 2 * d, [2500 / (math.pi * d * t * 500) - 1, euler - 1]


def _piston_lever(x: Floats) -> tuple[float, list[float]]:
    h, b, d, reach = x
    sine = math.sin(math.pi / 4)
    long = math.hypot(reach * sine + h, b - reach * sine)
    short = math.hypot(reach - b, h)
    lever = abs(-reach * (reach * sine + h) + h * (b - reach * sine)) / max(short, 1e-9)
    force = math.pi * 1500 * d**2 / 4
    return math.pi * d**2 * (long - short) / 4, [
        10000 * 240 * sine - lever * force, 10000 * (240 - reach) - 1.8e6, 1.2 * (long - short) - short, d / 2 - b,
    ]  # fmt: skip


def _bulkhead(x: Floats) -> tuple[float, list[float]]:
    width, depth, length, t = x
    pitch = max(width + math.sqrt(abs(length**2 - depth**2)), 1e-9)
    return 5.885 * t * (width + length) / pitch, [
        8.94 * pitch - t * depth * (0.4 * width + length / 6),
        2.2 * (8.94 * pitch) ** (4 / 3) - t * depth**2 * (0.2 * width + length / 12),
        0.0156 * width + 0.15 - t, 0.0156 * length + 0.15 - t, 1.05 - t, depth - length,
    ]  # fmt: skip


def _g4(x: Floats) -> tuple[float, list[float]]:
    a, b, c, d, e = x
    u = 85.334407 + 0.0056858 * b * e + 0.0006262 * a * d - 0.0022053 * c * e
    v = 80.51249 + 0.0071317 * b * e + 0.0029955 * a * b + 0.0021813 * c**2
    w = 9.300961 + 0.0047026 * c * e + 0.0012547 * a * c + 0.0019085 * c * d
    f = 5.3578547 * c**2 + 0.8356891 * a * e + 37.293239 * a - 40792.141
    return f, [u - 92, -u, v - 110, 90 - v, w - 25, 20 - w]


def _g6(x: Floats) -> tuple[float, list[float]]:
    a, b = x
    return (a - 10) ** 3 + (b - 20) ** 3, [100 - (a - 5) ** 2 - (b - 5) ** 2, (a - 6) ** 2 + (b - 5) ** 2 - 82.81]


def _g7(x: Floats) -> tuple[float, list[float]]:
    a, b, c, d, e, f, g, h, i, j = x
    total = a**2 + b**2 + a * b - 14 * a - 16 * b + (c - 10) ** 2 + 4 * (d - 5) ** 2 + (e - 3) ** 2
    total += 2 * (f - 1) ** 2 + 5 * g**2 + 7 * (h - 11) ** 2 + 2 * (i - 10) ** 2 + (j - 7) ** 2 + 45
    return total, [
        4 * a + 5 * b - 3 * g + 9 * h - 105, 10 * a - 8 * b - 17 * g + 2 * h, -8 * a + 2 * b + 5 * i - 2 * j - 12,
        3 * (a - 2) ** 2 + 4 * (b - 3) ** 2 + 2 * c**2 - 7 * d - 120, 5 * a**2 + 8 * b + (c - 6) ** 2 - 2 * d - 40,
        a**2 + 2 * (b - 2) ** 2 - 2 * a * b + 14 * e - 6 * f, 0.5 * (a - 8) ** 2 + 2 * (b - 4) ** 2 + 3 * e**2 - f - 30,
        -3 * a + 6 * b + 12 * (i - 8) ** 2 - 7 * j,
    ]  # fmt: skip


def _g8(x: Floats) -> tuple[float, list[float]]:
    a, b = x
    f = -(math.sin(2 * math.pi * a) ** 3) * math.sin(2 * math.pi * b) / (a**3 * (a + b))
    return f, [a**2 - b + 1, 1 - a + (b - 4) ** 2]


def _g9(x: Floats) -> tuple[float, list[float]]:
    a, b, c, d, e, f, g = x
    total = (a - 10) ** 2 + 5 * (b - 12) ** 2 + c**4 + 3 * (d - 11) ** 2 + 10 * e**6 + 7 * f**2 + g**4
    return total - 4 * f * g - 10 * f - 8 * g, [
        2 * a**2 + 3 * b**4 + c + 4 * d**2 + 5 * e - 127, 7 * a + 3 * b + 10 * c**2 + d - e - 282,
        23 * a + b**2 + 6 * f**2 - 8 * g - 196, 4 * a**2 + b**2 - 3 * a * b + 2 * c**2 + 5 * f - 11 * g,
    ]  # fmt: skip


def _g10(x: Floats) -> tuple[float, list[float]]:
    a, b, c, d, e, f, g, h = x
    return a + b + c, [
        0.0025 * (d + f) - 1, 0.0025 * (e + g - d) - 1, 0.01 * (h - e) - 1,
        -a * f + 833.33252 * d + 100 * a - 83333.333, -b * g + 1250 * e + b * d - 1250 * d,
        -c * h + 1250000 + c * e - 2500 * e,
    ]  # fmt: skip


def _gas(x: Floats) -> tuple[float, list[float]]:
    a, b, c, d = x
    f = 8.61e5 * a**0.5 * b * c ** (-2 / 3) * d**-0.5 + 3.69e4 * c + 7.72e8 / a * b**0.219 - 765.43e6 / a
    return f, [d / b**2 + 1 / b**2 - 1]


def _truss(x: Floats) -> tuple[float, list[float]]:
    a, b = x
    root = math.sqrt(2)
    common = 2 / (root * a**2 + 2 * a * b)
    return 100 * (2 * root * a + b), [(root * a + b) * common - 2, b * common - 2, 2 / (a + root * b) - 2]


def _cantilever(x: Floats) -> tuple[float, list[float]]:
    return 0.0624 * float(x.sum()), [float((np.array([61.0, 37.0, 19.0, 7.0, 1.0]) / x**3).sum()) - 1]


def _i_beam(x: Floats) -> tuple[float, list[float]]:
    h, b, web, flange = x
    clear = h - 2 * flange
    inertia = web * clear**3 / 12 + b * flange**3 / 6 + 2 * b * flange * ((h - flange) / 2) ** 2
    bending = 18e4 * h / (web * clear**3 + 2 * b * web * (4 * flange**2 + 3 * h * clear))
    return 5000 / inertia, [
        2 * b * web + web * clear - 300, bending + 15e3 * b / (clear * web**3 + 2 * web * b**3) - 56,
    ]  # fmt: skip


def _clutch(x: Floats) -> tuple[float, list[float]]:
    inner, outer, t, force, discs = x
    area, cubes = math.pi * (outer**2 - inner**2), (outer**3 - inner**3) / (outer**2 - inner**2)
    torque = 2 / 3 * 0.6 * force * discs * cubes / 1000
    speed, pressure = math.pi * 2 / 3 * cubes * 250 / 30 / 1000, force / area
    stopping = 55 * math.pi * 250 / 30 / (torque + 3)
    return area * t * (discs + 1) * 7.8e-6, [
        inner + 20 - outer, (discs + 1) * (t + 0.5) - 30, pressure - 1, pressure * speed - 10, speed - 10, 60 - torque,
        stopping - 15,
    ]  # fmt: skip


ENGINEERING = {
    "speed reducer": MinimisedProblem(
        _speed_reducer, (2.6, 0.7, 17, 7.3, 7.3, 2.9, 5), (3.6, 0.8, 28, 8.3, 8.3, 3.9, 5.5), 2994.4
    ),
    "spring": MinimisedProblem(_spring, (0.05, 0.25, 2), (2, 1.3, 15), 0.012665),
    "welded beam": MinimisedProblem(_welded_beam, (0.125, 0.1, 0.1, 0.1), (10, 10, 10, 10), 1.72485),
    "pressure vessel": MinimisedProblem(
        _pressure_vessel, (0.0625, 0.0625, 10, 10), (6.1875, 6.1875, 200, 240), 5804.37
    ),
    "side impact": MinimisedProblem(
        _side_impact, (0.5, 0.45, 0.5, 0.5, 0.875, 0.4, 0.4), (1.5, 1.35, 1.5, 1.5, 2.625, 1.2, 1.2), 23.5857
    ),
    "thrust bearing": MinimisedProblem(_thrust_bearing, (1, 1, 1e-6, 1), (16, 16, 16e-6, 16), 1243.23),
    "column": MinimisedProblem(_column, (2, 0.2), (14, 0.8), 26.4995),
    "piston lever": MinimisedProblem(_piston_lever, (0.05, 0.05, 0.05, 0.05), (500, 500, 120, 500), 1.05739),
    "bulkhead": MinimisedProblem(_bulkhead, (0, 0, 0, 0), (100, 100, 100, 5), 6.84295),
    "G4": MinimisedProblem(_g4, (78, 33, 27, 27, 27), (102, 45, 45, 45, 45), -30665.54),
    "G6": MinimisedProblem(_g6, (13, 0), (100, 100), -6961.82),
    "G9": MinimisedProblem(_g9, (-10,) * 7, (10,) * 7, 680.63),
    "G7": MinimisedProblem(_g7, (-10,) * 10, (10,) * 10, 24.306),
    "G8": MinimisedProblem(_g8, (0.1, 0.1), (10, 10), -0.0958250),
    "G10": MinimisedProblem(_g10, (100, 1000, 1000, *(10,) * 5), (10000, 10000, 10000, *(1000,) * 5), 7049.25),
    "gas": MinimisedProblem(_gas, (20, 1, 20, 0.1), (50, 10, 50, 60), 2964895.4),
    "truss": MinimisedProblem(_truss, (0.001, 0.001), (1, 1), 263.8958),
    "cantilever": MinimisedProblem(_cantilever, (1,) * 5, (100,) * 5, 1.33996),
    "I-beam": MinimisedProblem(_i_beam, (10, 10, 0.9, 0.9), (80, 50, 5, 5), 0.0066260),
    "clutch": MinimisedProblem(_clutch, (60, 90, 1, 0, 2), (80, 110, 3, 1000, 9), 0.2352425),
}
"""Name -> problem."""

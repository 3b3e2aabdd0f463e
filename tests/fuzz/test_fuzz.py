"""A small part of the fuzz run; `python tests/fuzz/run.py` is the large one."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [
    str(ROOT / "tests"),
    str(ROOT / "tests" / "contract_wrapper"),
    str(ROOT / "tests" / "contract_wrapper" / "studies"),
    str(ROOT / "benchmarks"),
]

import crafted  # noqa: E402
from fuzzing import generator, run_target, try_one  # noqa: E402
from targets import TARGETS, made_once  # noqa: E402

INPUTS = 25


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory and forks as Linux has them")
@pytest.mark.parametrize("name", TARGETS)
def test_odd_inputs_are_taken_or_refused_and_nothing_else(name: str) -> None:
    made_once()
    crafted.sources()
    report = run_target(TARGETS[name], name, 1, range(INPUTS))
    assert report.faults == []
    assert sum(report.answers.values()) == INPUTS


def test_the_runner_sees_each_kind_of_fault() -> None:
    def bad(rng, folder):  # type: ignore[no-untyped-def]
        kind = int(rng.integers(4))
        if kind == 0:
            raise KeyError("foreign")
        if kind == 1:
            import os

            os._exit(3)
        if kind == 2:
            bytearray(3 * 2**30)
        return "accepted"

    kinds = [int(generator(0, "bad", k).integers(4)) for k in range(12)]
    assert set(kinds) == {0, 1, 2, 3}
    report = run_target(bad, "bad", 0, range(12))
    assert report.answers["fault"] == len(report.faults) == sum(kind != 3 for kind in kinds)
    assert report.answers["accepted"] == kinds.count(3)
    assert try_one(bad, "bad", 0, kinds.index(0))[0] == "fault"

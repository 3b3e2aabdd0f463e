"""The large fuzz run: many odd inputs, an hour; prints a table, and writes what went wrong.

    python tests/fuzz/run.py                       # 20,000 inputs over all targets, on two processes
    python tests/fuzz/run.py --inputs 400 --only policies,outcomes
    python tests/fuzz/run.py --only policies --seed 3 --number 117      # one input again, with its traceback

Exit code 1 if anything went wrong.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
for place in (
    ROOT,
    ROOT / "agents",
    ROOT / "tests",
    ROOT / "tests" / "fuzz",
    ROOT / "tests" / "contract_wrapper",
    ROOT / "tests" / "contract_wrapper" / "studies",
    ROOT / "benchmarks",
):
    sys.path.insert(0, str(place))

import crafted  # noqa: E402
from fuzzing import run_target, try_one  # noqa: E402
from targets import TARGETS, made_once  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--inputs", type=int, default=20_000, help="over all targets together (default: 20000)")
    parser.add_argument("--only", default=",".join(TARGETS), help="names of targets with commas between")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--number", type=int, help="try this one input of one target, in this process")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--faults", type=Path, default=Path("fuzz-faults.txt"), help="where faults are written")
    options = parser.parse_args()
    names = options.only.split(",")
    if options.number is not None:
        print(*try_one(TARGETS[names[0]], names[0], options.seed, options.number), sep="\n")
        return 0
    made_once()  # before processes are made, so that they share it
    crafted.sources()
    each = -(-options.inputs // len(names))
    faults: list[str] = []
    print(f"{'target':20}{'inputs':>8}{'accepted':>10}{'refused':>9}{'faults':>8}{'slowest':>10}", flush=True)
    with ThreadPoolExecutor(options.processes) as pool:
        reports = pool.map(lambda name: run_target(TARGETS[name], name, options.seed, range(each)), names)
        for name, report in zip(names, reports, strict=True):
            answers = report.answers
            row = (sum(answers.values()), answers["accepted"], answers["refused"], answers["fault"])
            print("{:20}{:8}{:10}{:9}{:8}{:8.1f} s".format(name, *row, report.slowest), flush=True)
            faults += report.faults
    print(f"{len(faults)} faults" + (f", written to {options.faults}" if faults else ""))
    if faults:
        options.faults.write_text("\n\n".join(faults), encoding="utf-8")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())

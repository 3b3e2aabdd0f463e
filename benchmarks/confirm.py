"""Is what `optimize` found true? Train its contract again from scratch, beside the paper and the ceiling.

    python benchmarks/confirm.py STUDY --seeds 5

The seeds are ones that the study never used. Prints margins with their standard errors between
trainings, welfare against twice the paper's 255.53, and the scripted ceiling.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from contract_wrapper.evaluation.outcome import mean_outcome, paired_margins
from contract_wrapper.evaluation.participation import accepts_beyond_error
from contract_wrapper.evaluation.published_results import PAPER, SCRIPTED_HARVEST
from contract_wrapper.evaluation.seeds import evaluate_seeds, verdict
from contract_wrapper.studies.study import read_study


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("study", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    record = read_study(options.study)
    best = record.best()
    if best is None:
        sys.exit("no contract of this study is accepted by everybody")
    contract = best.contract
    seeds = range(10_000, 10_000 + options.seeds)
    folder = options.study / "confirm"
    baselines, outcomes = evaluate_seeds(
        contract, record.settings, seeds, folder=folder, processes=options.processes, stream=sys.stderr
    )
    mean = mean_outcome(outcomes)
    print(verdict(contract, baselines, outcomes))
    beyond = all(map(accepts_beyond_error, paired_margins(outcomes, baselines).values()))
    print(f"every margin above zero by more than its standard error: {'yes' if beyond else 'no'}")
    print(f"welfare {mean.welfare}; twice the paper's {PAPER.welfare} is {2 * PAPER.welfare}")
    print(f"harvest {mean.harvest}; scripted error-free crew of five: {SCRIPTED_HARVEST}")


if __name__ == "__main__":
    main()

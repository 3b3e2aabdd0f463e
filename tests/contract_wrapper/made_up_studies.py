import dataclasses

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.studies.record import Phase, StudyRecord, TrialRecord
from contract_wrapper.studies.settings import SearchSettings


def fake_outcome(contract, harvesters, cleaner=0.0, shots=0.0, se=0.5, policy=""):
    """An outcome whose five harvesters have these utilities and whose cleaners have all the same."""
    cleaners = contract.n_cleaners
    welfare = sum(harvesters) + cleaners * cleaner
    utilities = {f"harvester_{i}": Estimate(mean=u, se=se) for i, u in enumerate(harvesters)}
    utilities |= {f"cleaner_{k}": Estimate(mean=cleaner, se=se / 5) for k in range(cleaners)}
    level = 10.0 if shots > 10 else 48.0
    return Outcome(
        contract=contract,
        welfare=Estimate(mean=welfare, se=2 * se),
        utilities=utilities,
        harvest=Estimate(mean=welfare + 0.02 * shots, se=2 * se),
        cleaned=Estimate(mean=2 * shots, se=se),
        shots=Estimate(mean=shots, se=se),
        waste_curve=tuple(min(float(t), level) for t in range(1, 201)),
        training_curve={
            "episode": tuple(range(64, 64 * 21, 64)),
            "cleaner": tuple(cleaners * cleaner * k / 20 for k in range(20)),
            "harvester": tuple(sum(harvesters) * (k + 3) / 22 for k in range(20)),
        },
        episodes=100,
        policy=policy,
    )


BASELINE = fake_outcome(Contract.none(), [28.0, 32.0, 24.0, 28.0, 33.0])

# (tax, cleaners): utilities of the worst harvester and of the cleaners, shots of the crew
DESIGNS = (
    (0.01, 1, 23.0, 0.9, 0), (1.0, 1, -0.1, 120.0, 80), (0.01, 5, 25.0, -0.1, 4), (1.0, 5, 0.0, 102.0, 95),
    (0.27, 3, 68.0, 38.0, 88), (0.62, 2, 31.0, 120.0, 70), (0.14, 4, 26.0, 5.0, 2), (0.33, 5, 70.0, 33.0, 93),
    (0.21, 5, 84.0, 19.0, 92), (0.19, 5, 86.0, 17.5, 92), (0.17, 5, 27.0, 4.0, 1), (0.2, 4, 77.0, 21.0, 90),
)  # fmt: skip


def make_study(folder, designs=DESIGNS, *, baseline=BASELINE, confirm=3, changes=None):
    """A study of these designs: the first six initial, the rest from the search, one failure at the end."""
    trials = [TrialRecord(number=0, contract=Contract.none(), phase=Phase.BASELINE, seed=1, outcome=baseline)]
    for i, (tax, cleaners, harvester, cleaner, shots) in enumerate(designs):
        contract = Contract(tax=tax, n_cleaners=cleaners)
        harvesters = [harvester + extra for extra in (3.0, 6.0, 0.0, 4.0, 8.0)]
        trials.append(
            TrialRecord(
                number=i + 1,
                contract=contract,
                phase=Phase.INITIAL if i < 6 else Phase.SEARCH,
                seed=i,
                outcome=fake_outcome(contract, harvesters, cleaner, shots),
            )
        )
    n = len(trials)
    failed = Contract(tax=0.5, n_cleaners=1)
    trials.append(TrialRecord(number=n, contract=failed, phase=Phase.SEARCH, seed=n, failure="the learner diverged"))
    record = StudyRecord(folder=folder, settings=EvaluationSettings(), search=SearchSettings(), trials=tuple(trials))
    best = record.best() if baseline is not None else None
    if best is not None:
        again = [
            dataclasses.replace(
                best,
                number=n + 1 + k,
                phase=Phase.CONFIRMATION,
                outcome=dataclasses.replace(best.outcome, welfare=Estimate(mean=best.outcome.welfare.mean + k)),
            )
            for k in range(confirm)
        ]
        record = dataclasses.replace(record, trials=(*record.trials, *again))
    return record if changes is None else dataclasses.replace(record, **changes)

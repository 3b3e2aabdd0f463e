"""What the certificate of a recommended contract says, in sentences; and whether it is reachable from scratch."""

from __future__ import annotations

from contract_wrapper.contracts.roles import a_role
from contract_wrapper.landscapes.certificate import Certificate, GainBound, Verdict
from contract_wrapper.landscapes.reachable import TOLERANCE
from contract_wrapper.studies.record import StudyRecord, TrialRecord


def about_certificate(certificate: Certificate | None) -> list[str]:
    """Say in sentences whether a recommended contract is certified, and what deviating alone may bring."""
    if certificate is None:
        return ["It has no certificate yet: what deviating alone brings is not known."]
    largest, epsilon = largest_gain(certificate), f"{certificate.epsilon:.2f} {certificate.counted_in}"
    text = {
        Verdict.CERTIFIED: f"It is certified: everybody accepts it, and nobody gains more than {epsilon} by deviating alone.",
        Verdict.REFUTED: f"It is not certified: somebody refuses it, or gains more than {epsilon} by deviating alone.",
        Verdict.UNDECIDED: f"Whether somebody gains more than {epsilon} by deviating alone is undecided: the errors are too large.",
    }[certificate.verdict]
    if largest is not None:
        text += (
            f" The deviation that may bring most is that of {a_role(largest.role)}, {largest.deviation}: {largest.mean:+.2f} ± "
            f"{largest.se:.2f}, at most {largest.upper:+.2f}; deviations that were not tried may bring more."
        )
    return [text]


def about_reach(record: StudyRecord, best: TrialRecord) -> list[str]:
    """Say in sentences whether trainings from scratch find such a crew; nothing if none was tried."""
    reach = record.reach(best.contract)
    if reach is None:
        return []
    n, share = reach.n_scratch, reach.scratch.mean / reach.crew.mean if reach.crew.mean > 0 else 0.0
    found = (
        f"{n} training{'s' if n > 1 else ''} from scratch bring{'' if n > 1 else 's'} {share:.0%} of the crews' welfare"
    )
    if reach.as_measured:
        sure = "" if reach.verdict == "reachable" else " as measured (the spread between trainings does not decide it)"
        return [f"{found}: the contract is reachable from scratch{sure}."]
    sure = "" if reach.verdict == "not reachable" else ", as measured"
    return [
        f"{found}: less than {1 - TOLERANCE:.0%}, so it is not reachable from scratch{sure}. This does not refute the "
        "contract: it says that a training from scratch does not find such a crew."
    ]


def largest_gain(certificate: Certificate) -> GainBound | None:
    """What the role gains whose gain may be largest."""
    return max(certificate.gains, key=lambda bound: bound.upper, default=None)

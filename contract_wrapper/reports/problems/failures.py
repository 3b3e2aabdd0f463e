"""Why contracts could not be evaluated, in a sentence of the closing table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from contract_wrapper.studies.record import TrialRecord

MOST = 160
"""Letters of a cause that are quoted."""


def about_failures(tried: Sequence[TrialRecord]) -> list[str]:
    """Say which contract failed and why; of several causes the most frequent; nothing if none failed."""
    causes = Counter(t.failure for t in tried if t.failure)
    if not causes:
        return []
    cause, n = causes.most_common(1)[0]
    first = next(t for t in tried if t.failure == cause)
    text = " ".join(cause.split())
    quoted = text if len(text) <= MOST else f"{text[:MOST]}..."
    more = f" (and {n - 1} other{'s' * (n > 2)} likewise)" if n > 1 else ""
    others = len(causes) - 1
    other = (
        f" There {'is' if others == 1 else 'are'} {others} other cause{'s' * (others > 1)} (trials.csv)."
        if others
        else ""
    )
    return [f"{first.contract} failed{more}: {quoted}{'' if quoted.endswith('.') else '.'}{other}"]

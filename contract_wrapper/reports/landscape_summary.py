"""What a landscape says, in words and in a table of plain text: for the end of a command and the head of a page."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import numpy as np

from contract_wrapper.contracts.roles import a_role
from contract_wrapper.evaluation.participation import SURE, Acceptance
from contract_wrapper.landscapes.bounds import BoolArray
from contract_wrapper.landscapes.compare import TieBreak
from contract_wrapper.landscapes.landscape import Landscape
from contract_wrapper.landscapes.thresholds import Threshold
from contract_wrapper.reports.landscape_findings import Band, Findings, Rows
from contract_wrapper.reports.landscape_style import count
from contract_wrapper.reports.text_table import WIDTH, in_columns

_HEAD = (
    ("cleaners", ""),
    ("best", "certified tax"),
    ("welfare", "± 95 %"),
    ("gain", "at most"),
    ("smallest", "margin"),
    ("no free riding", "from tax"),
)

_RULES: Mapping[TieBreak, str] = {
    "lowest tax": "lowest tax", "smallest crew": "smallest crew", "fairest": "fairest (whose worst-off agent has most)",
}  # fmt: skip


def summary(landscape: Landscape) -> str:
    """Return what a landscape says as plain text, at most 80 columns wide: a table by crew size, then the answer."""
    found = Findings(landscape=landscape)
    head = (
        f"{count(int((landscape.n_cleaners > 0).sum()), 'contract')}; apples per episode; ±: 95 % interval over {found.over}; "
        f"epsilon {found.epsilon:.2f}"
    )
    rows = [_row(found, crew) for crew in found.crews]
    lines = in_columns(list(zip(*_HEAD, strict=True)), rows, right=True)
    below = (
        ["*: none is certified; the best that is feasible as measured"] if any("*" in row[1] for row in rows) else []
    )
    parts = [*_wrapped(head), "", *lines, *below]
    return "\n".join([*parts, *(part for sentence in answer(found) for part in _wrapped(sentence))])


def answer(found: Findings) -> list[str]:
    """Say in sentences which contract is best, how well it is told from others, and what nobody gains beyond."""
    table, best = found.landscape, found.best
    k = int((table.n_cleaners > 0).sum())
    if best is None:
        return [
            f"None of {count(k, 'contract')} is feasible as measured, and none certified.", *_nearest(found),
            _acceptance(found),
        ]  # fmt: skip
    contract, word = found.named(best), found.competing_word
    sentences = []
    if word != "certified":
        sentences.append(
            f"None of {count(k, 'contract')} is certified: {int(found.refuted.sum())} are refuted, "
            f"{k - int(found.refuted.sum())} undecided (the errors are too large, or a gain was not measured). The best of "
            "those that are feasible as measured is told instead."
        )
    more = found.band(
        table.welfare[:, [best]] - table.welfare[:, :1], np.hypot(table.welfare_se[:, [best]], table.welfare_se[:, :1])
    )
    sentences += [
        f"Best {word} contract: {contract}; welfare {plus_minus(found.welfare, best)} (95 % interval over {found.over}), "
        f"{plus_minus(more, 0)} more than no contract ({found.welfare.mean[0]:.1f}), paired.",
        _alike(found, word),
    ]
    if found.preferred and found.alike.sum() > 1:
        chosen = (
            f"{_RULES[rule]}: {found.named(k)} (welfare {found.welfare.mean[k]:.1f})"
            for rule, k in found.preferred.items()
        )
        sentences.append(f"Among these, if within 5 % of its welfare, {'; '.join(chosen)}.")
    return [*sentences, *_gains(found, best), _acceptance(found)]


def plus_minus(band: Band, k: int) -> str:
    """A mean with the half-width of its interval."""
    return f"{band.mean[k]:.1f} ± {band.high[k] - band.mean[k]:.1f}"


def taxes_in_words(crew: Rows, mask: BoolArray) -> str:
    """How many contracts of a crew size a mask holds, and between which taxes they lie.

    >>> import numpy as np
    >>> taxes_in_words(Rows(2, np.array([1, 2, 3]), np.array([0.1, 0.2, 0.3])), np.array([False, True, False, True]))
    '2, between tax 0.1 and 0.3'
    """
    some = crew.tax[mask[crew.numbers]]
    if not len(some):
        return "none"
    return f"1, tax {some[0]:g}" if len(some) == 1 else f"{len(some)}, between tax {some[0]:g} and {some[-1]:g}"


def threshold_in_words(found: Findings, n_cleaners: int, *, predicted: bool = False) -> str:
    """The tax from which nobody free-rides, with its interval if there is one, or '-' where it was not measured."""
    it = (found.predictions if predicted else found.thresholds)[n_cleaners]
    if not isinstance(it, Threshold):
        return "-"
    finite = it.per_training[np.isfinite(it.per_training)]
    if it.interval is not None:
        low, high = max(it.interval.low, 0.0), min(it.interval.high, 1.0)
        text = f"{it.interval.mean:.2f} ({low:.2f} to {high:.2f})"
        return f"<= {text}" if it.at_smallest.all() else text
    if not len(finite):
        return "at none"
    if len(it.per_training) == 1:
        return f"{'<= ' if it.at_smallest[0] else ''}{finite[0]:g}"
    n = len(it.per_training)
    return f"{finite.min():g} to {finite.max():g} in {len(finite)} of {n}, else at none"


def _row(found: Findings, crew: Rows) -> tuple[str, ...]:
    for mask, mark in ((found.certified, ""), (found.feasible, "*")):
        some = crew.numbers[mask[crew.numbers]]
        if len(some):
            k = int(some[found.welfare.mean[some].argmax()])
            most = found.gains_at_most[k]
            gain = f"{np.nanmax(most):.2f}" if np.isfinite(most).any() else "-"
            cells = (
                f"{found.landscape.tax[k]:g}{mark}",
                plus_minus(found.welfare, k),
                gain,
                f"{found.worst_margin[k]:+.1f}",
            )
            break
    else:
        cells = ("none feasible", "-", "-", "-")
    return (str(crew.n_cleaners), *cells, threshold_in_words(found, crew.n_cleaners))


def _alike(found: Findings, word: str) -> str:
    n, competing = int(found.alike.sum()), int(found.competing.sum())
    if competing == 1:
        return f"It is the only {word} contract."
    if n == 1:
        return f"Every other of the {competing} {word} contracts is worse beyond the error of paired differences."
    where = "; ".join(
        f"{crew.n_cleaners} cleaner{'s' if crew.n_cleaners > 1 else ''}: {taxes_in_words(crew, found.alike)}"
        for crew in found.crews
        if found.alike[crew.numbers].any()
    )
    return f"{n} of {competing} {word} contracts cannot be told from the best, itself among them ({where})."


def _gains(found: Findings, best: int) -> list[str]:
    certificate = found.landscape.certificate(found.landscape.contracts()[best])
    parts = []
    for g in certificate.gains:
        percent = g.percent(g.upper)
        of = f" ({abs(percent):.1f} % of its utility)" if np.isfinite(percent) else ""
        how = f"gains at most {g.upper:.2f}" if g.upper >= 0.0 else f"loses at least {-g.upper:.2f}"
        parts.append(f"{a_role(g.role)} {how}{of}, by {g.deviation}")
    parts += [f"of {a_role(role)} no deviation was measured" for role in certificate.missing]
    return [f"What an agent gains by leaving its play alone, with bounds that hold together: {'; '.join(parts)}."]


def _acceptance(found: Findings) -> str:
    said = found.acceptance
    return (
        f"By the margins alone, each to {SURE:g} standard errors over {found.over}: {said[Acceptance.ACCEPTED]} accepted by "
        f"everybody, {said[Acceptance.REFUSED]} refused by somebody, {said[Acceptance.UNDECIDED]} undecided; "
        f"{int(found.feasible.sum())} are feasible (no margin below 0 as measured)."
    )


def _nearest(found: Findings) -> list[str]:
    short = np.where(found.landscape.n_cleaners > 0, found.worst_margin, -np.inf)
    k = int(short.argmax())
    if not np.isfinite(short[k]):
        return []
    return [f"Nearest is {found.named(k)}: its worst-off agent is {-short[k]:.2f} apples short."]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent="    ", break_on_hyphens=False)

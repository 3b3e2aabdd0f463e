"""The closing table of a study: what was found beside no contract and beside published figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contract_wrapper.evaluation.outcome import PARTICIPATION, Estimate, Outcome
from contract_wrapper.evaluation.published_results import PAPER, SCRIPTED_CREW, SCRIPTED_HARVEST, same_game
from contract_wrapper.studies.record import (
    COMPETING,
    Phase,
    StudyRecord,
    TrialRecord,
    tightest_margin,
    worst_harvester_margin,
)

WIDTH = 100
"""Characters that no line of the table passes."""

_HEAD = (
    ("contract", ""),
    ("welfare", "± se"),
    ("worst-off", "harvester (gain)"),
    ("worst-off", "cleaner"),
    ("smallest margin", "harvesters ± se"),
    ("margin of", "cleaners ± se"),
    ("accepted", "by all"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table, with a line below it that may be as wide as the table."""

    cells: tuple[str, ...]
    """Texts of the columns."""

    note: str = ""
    """What stands below, for example the contract."""


def closing_table(record: StudyRecord, next_suggestions: Sequence[str] = ()) -> str:
    """Return the closing table as plain text, at most 100 columns wide.

    Rows: no contract, best contract, the same confirmed by fresh trainings, the paper's best, a
    scripted crew. Everything is in apples per episode. `next_suggestions` are contracts that the
    search would try next, as text. Works for a study at any stage, an empty one included.
    """
    rows = _own_rows(record)
    if same_game(record.settings.game):
        rows += _foreign_rows()
    lines = [f"Apples per episode; costs of work: {record.settings.costs}.", "", *_lay_out(rows), ""]
    lines += verdict(record)
    if not same_game(record.settings.game):
        lines.append("Published and scripted figures belong to another game and are left out.")
    if next_suggestions:
        one_line = "Next the search would try: " + "; ".join(next_suggestions)
        several = ["Next the search would try:", *(f"  {text}" for text in next_suggestions)]
        lines += [one_line] if len(one_line) <= WIDTH else several
    return "\n".join(part for line in lines for part in _wrap(line))


def verdict(record: StudyRecord) -> list[str]:
    """Say in sentences how many contracts are accepted, and what the best one is worth."""
    tried = [t for t in record.trials if t.phase in COMPETING]
    good, bad, base = record.ranked(), record.refused(), record.baseline
    failed = sum(bool(t.failure) for t in tried)
    waiting = sum(t.outcome is None and not t.failure for t in tried)
    counted = f"{len(tried)} contract{'s' if len(tried) != 1 else ''} tried: "
    rest = [f"{n} {what}" for n, what in ((failed, "failed"), (waiting, "not finished")) if n]
    if base is None:
        parts = ", ".join([f"{len(tried) - failed - waiting} evaluated", *rest])
        return [f"{counted}{parts}. Without a baseline (no contract) nobody's margin is known."]
    parts = ", ".join([f"{len(good)} accepted by everybody", f"{len(bad)} refused by somebody", *rest])
    sentences = [f"{counted}{parts}."]
    if good:
        sentences += _about_best(record, good[0], base)
    elif bad:
        margins = record.margins(bad[0])
        who = min(margins, key=lambda name: margins[name].mean)
        whose = "the worst-off cleaner" if who == PARTICIPATION else who
        sentences.append(
            f"Nothing that everybody accepts was found. Nearest is {bad[0].contract} (trial {bad[0].number}): "
            f"{whose} falls {-margins[who].mean:.2f} apples short."
        )
    return sentences


def _about_best(record: StudyRecord, best: TrialRecord, base: Outcome) -> list[str]:
    assert best.outcome is not None  # only finished trials are accepted
    gain = best.outcome.welfare.minus(base.welfare)
    more = f"{abs(gain.mean):.2f} ± {gain.se:.2f} {'more' if gain.mean >= 0 else 'less'}"
    sentences = [f"The best of them, {best.contract}, brings {more} welfare than no contract."]
    tight = tightest_margin(record.margins(best))
    if tight.mean < 2 * tight.se:
        sentences.append(
            f"Its smallest margin, {tight}, is within two standard errors of 0: its acceptance is not certain."
        )
    refuted = [str(t.contract) for t in record.accepted() if record.confirmed(t.contract) is False]
    if record.confirmed(best.contract):
        sentences.append("Fresh trainings confirm it: every margin stays above 0 beyond its standard error.")
    if refuted:
        sentences.append(f"Fresh trainings do not confirm that everybody accepts {'; '.join(refuted)}.")
    return sentences


def _own_rows(record: StudyRecord) -> list[Row]:
    base, good, bad = record.baseline, record.ranked(), record.refused()
    missing = Row(cells=("no contract", *("-",) * 6), note="not evaluated yet")
    rows = [missing if base is None else _row("no contract", base, base)]
    chosen = good[:1] or bad[:1]
    if base is None or not chosen:
        return rows
    best = chosen[0]
    assert best.outcome is not None  # only finished trials are judged
    label = "best found" if good else "nearest found"
    rows.append(_row(label, best.outcome, base, f"{best.contract} (trial {best.number})"))
    again = record.confirmation(best.contract)
    if again is not None:
        n = sum(t.contract == best.contract for t in record.finished(Phase.CONFIRMATION))
        rows.append(_row("retrained", again, base, f"mean of {n} fresh training{'s' if n > 1 else ''} of the same"))
    return rows


def _row(label: str, outcome: Outcome, base: Outcome, note: str = "") -> Row:
    margins = outcome.margins(base)
    harvester, cleaner = outcome.worst_harvester, outcome.worst_cleaner
    if outcome.contract.is_none:
        cells = (label, _pair(outcome.welfare), _text(harvester.mean), "-", "-", "-", "-")
        return Row(cells=cells, note=note)
    gain = harvester.mean - base.worst_harvester.mean
    cells = (
        label,
        _pair(outcome.welfare),
        f"{_text(harvester.mean)} ({_text(gain, '+')})",
        "-" if cleaner is None else _text(cleaner.mean),
        _pair(worst_harvester_margin(margins), "+"),
        _pair(margins[PARTICIPATION], "+"),
        "yes" if outcome.feasible(base) else "no",
    )
    return Row(cells=cells, note=note)


def _foreign_rows() -> list[Row]:
    paper = PAPER
    gain = paper.worst_harvester - paper.baseline_harvester
    cells = (
        "paper's best", _text(paper.welfare), f"{_text(paper.worst_harvester)} ({_text(gain, '+')})",
        _text(paper.worst_cleaner), ">= " + _text(gain, "+"), _text(paper.worst_cleaner, "+"), "yes",
    )  # fmt: skip
    note = f"{paper.contract}, with its own learner and costs; its baseline harvesters: at most "
    crew = ("scripted crew", _text(SCRIPTED_HARVEST), *("-",) * 5)
    return [
        Row(cells=cells, note=f"{note}{paper.baseline_harvester}"),
        Row(cells=crew, note=f"{SCRIPTED_CREW} error-free scripted cleaners: harvest, before costs; a yardstick"),
    ]


def _lay_out(rows: list[Row]) -> list[str]:
    lines = [tuple(part[i] for part in _HEAD) for i in (0, 1)]
    widths = [max(len(cells[c]) for cells in (*lines, *(r.cells for r in rows))) for c in range(len(_HEAD))]
    gap = "  " if sum(widths) + 2 * (len(widths) - 1) <= WIDTH else " "

    def line(cells: tuple[str, ...]) -> str:
        right = (text.rjust(w) for text, w in zip(cells[1:], widths[1:], strict=True))
        return gap.join((cells[0].ljust(widths[0]), *right)).rstrip()

    rule = "-" * len(line(tuple("x" * w for w in widths)))
    text = [line(lines[0]), line(lines[1]), rule]
    for row in rows:
        text.append(line(row.cells))
        if row.note:
            text.append(f"    {row.note}")
    return [*text, rule]


def _text(value: float, sign: str = "") -> str:
    """Two decimals; one from a thousand on, so that columns stay narrow."""
    digits = 2 if abs(value) < 1000 else 1
    return f"{value:{sign}.{digits}f}"


def _pair(value: Estimate, sign: str = "") -> str:
    return f"{_text(value.mean, sign)} ± {_text(value.se)}"


def _wrap(line: str) -> list[str]:
    if len(line) <= WIDTH:
        return [line]
    from textwrap import wrap

    return wrap(line, WIDTH, subsequent_indent="    ")

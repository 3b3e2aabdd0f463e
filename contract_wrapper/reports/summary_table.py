"""The closing table of a study: what was found beside no contract and beside published figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.participation import (
    PARTICIPATION,
    Acceptance,
    acceptance,
    tightest_margin,
    worst_harvester_margin,
)
from contract_wrapper.evaluation.published_results import PAPER, SCRIPTED_CREW, SCRIPTED_HARVEST, same_game
from contract_wrapper.landscapes.certificate import Certificate
from contract_wrapper.reports.problems.belief import about_belief, how_many
from contract_wrapper.reports.problems.certificate_text import about_certificate, about_reach, largest_gain
from contract_wrapper.reports.problems.failures import about_failures
from contract_wrapper.reports.problems.problem_table import problem_table
from contract_wrapper.reports.text_table import WIDTH, in_columns
from contract_wrapper.studies.record import COMPETING, Phase, StudyRecord, TrialRecord

_HEAD = (
    ("contract", ""),
    ("welfare", "± se"),
    ("worst-off", "harvester"),
    ("smallest margin", "harvesters ± se"),
    ("margin of", "cleaners ± se"),
    ("accepted", "by all"),
)

_CREWS_HEAD = (
    ("contract", ""),
    ("welfare", "± se"),
    ("worst-off", "harvester"),
    ("margin of", "harvesters"),
    ("margin of", "cleaners"),
    ("accepted", "by all"),
    ("gain", "at most"),
    ("certified", ""),
)
"""Where crews judge: the worst-off agents' margins, and the upper bound on what deviating alone brings."""

_SAID = {
    Acceptance.ACCEPTED: "accepted by everybody",
    Acceptance.REFUSED: "refused by somebody",
    Acceptance.UNDECIDED: "undecided (a margin within two standard errors of 0)",
}

MOST_CREWS = 4
"""Trainings of crews whose welfare is told one by one; of more the least and the largest."""

_MAY_GO = 2
"""Column that is left out of the table of crews where it would be too wide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table, with a line below it that may be as wide as the table."""

    cells: tuple[str, ...]
    """Texts of the columns."""

    note: str = ""
    """What stands below, for example the contract."""


def closing_table(record: StudyRecord, next_suggestions: Sequence[str] = ()) -> str:
    """Return the closing table as plain text, at most 80 columns wide.

    Rows: no contract, best contract, the same by fresh trainings, the paper's best, scripted players. Where crews
    that know every contract judge, columns tell the certificate of the best, and fresh trainings stand beside it.
    Everything is in apples per episode. `next_suggestions` are contracts that the search would try next, as text.
    Works for a study at any stage, an empty one included.
    """
    if record.settings.problem is not None:
        return problem_table(record, next_suggestions)
    rows = _own_rows(record)
    if same_game(record.settings.game):
        rows += _foreign_rows(record.by_crews)
    table = _lay_out(rows, _CREWS_HEAD if record.by_crews else _HEAD)
    lines = [
        f"Apples per episode, ± one standard error over episodes; costs of work: {record.settings.costs}.",
        "", *table, "",
    ]  # fmt: skip
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
    good, bad, base = record.ranked(), record.infeasible_trials(), record.baseline
    failed = sum(bool(t.failure) for t in tried)
    waiting = sum(t.outcome is None and not t.failure for t in tried)
    counted = how_many(tried)
    rest = [f"{n} {what}" for n, what in ((failed, "failed"), (waiting, "not finished")) if n]
    if base is None:
        parts = ", ".join([f"{len(tried) - failed - waiting} evaluated", *rest])
        return [f"{counted}{parts}. Without a baseline (no contract) nobody's margin is known."]
    said = Counter(map(record.acceptance, record.contracts()))
    judged = [f"{said[word]} {text}" for word, text in _SAID.items() if said[word] or word is not Acceptance.UNDECIDED]
    sentences = [f"{counted}{', '.join([*judged, *rest])}.", *about_failures(tried)]
    if good:
        sentences += _about_best(record, good[0], base)
    elif bad:
        margins = record.margins(bad[0])
        who = min(margins, key=lambda name: margins[name].mean)
        whose = "the worst-off cleaner" if who == PARTICIPATION else who
        sentences.append(
            f"Nothing was found under which no margin is below 0. Nearest is {bad[0].contract} (trial {bad[0].number}, "
            f"{record.acceptance(bad[0])}): {whose} falls {-margins[who].mean:.2f} ± {margins[who].se:.2f} apples short."
        )
    return sentences


def _about_best(record: StudyRecord, best: TrialRecord, base: Outcome) -> list[str]:
    assert best.outcome is not None  # only finished trials are accepted
    gain = best.outcome.welfare.minus(base.welfare)
    more = f"{abs(gain.mean):.2f} ± {gain.se:.2f} {'more' if gain.mean >= 0 else 'less'}"
    sentences = [f"The best with no margin below 0, {best.contract}, brings {more} welfare than no contract."]
    if record.acceptance(best) is Acceptance.UNDECIDED:
        sentences.append(
            f"Whether everybody accepts it is undecided: a margin ({_tightest(record, best)}) is within two standard "
            "errors of 0."
        )
    if record.by_crews:
        return [*sentences, *about_certificate(record.certified(best.contract)), *about_reach(record, best)]
    sentences += about_belief(record)
    refuted = [str(t.contract) for t in record.feasible_trials() if record.confirmed(t.contract) is False]
    if record.confirmed(best.contract):
        sentences.append("Fresh trainings confirm it: every margin stays above 0 beyond one standard error.")
    if refuted:
        sentences.append(f"Fresh trainings do not confirm that everybody accepts {'; '.join(refuted)}.")
    return sentences


def _tightest(record: StudyRecord, trial: TrialRecord) -> Estimate:
    """The smallest of the margins of which it is undecided whether they are at least 0."""
    margins = record.margins(trial)
    return tightest_margin({n: m for n, m in margins.items() if acceptance([m]) is Acceptance.UNDECIDED})


def _own_rows(record: StudyRecord) -> list[Row]:
    base, good, bad = record.baseline, record.ranked(), record.infeasible_trials()
    columns = len(_CREWS_HEAD if record.by_crews else _HEAD)
    missing = Row(cells=("no contract", *("-",) * (columns - 1)), note="not evaluated yet")
    rows = [missing if base is None else _row(record, "no contract", base, base)]
    chosen = good[:1] or bad[:1]
    if base is None or not chosen:
        return rows
    best = chosen[0]
    assert best.outcome is not None  # only finished trials are judged
    label = "best found" if good else "nearest"
    note = f"{best.contract} (trial {best.number})"
    if best.outcome.by_crew:
        one = [f"{welfare:.1f}" for welfare in best.outcome.by_crew]
        one = one if len(one) <= MOST_CREWS else [f"{min(best.outcome.by_crew):.1f} to {max(best.outcome.by_crew):.1f}"]
        note += f"; by training of crews {', '.join(one)}; ± over episodes alone"
    rows.append(_row(record, label, best.outcome, base, note, record.certified(best.contract)))
    again = record.confirmation(best.contract)
    if again is not None:
        n = sum(t.contract == best.contract for t in record.finished(Phase.CONFIRMATION))
        many = f"mean of {n} fresh training{'s' if n > 1 else ''} of the same" + (
            " from scratch" if record.by_crews else ""
        )
        if n > 1:
            many += f"; ± over the {n}, and over episodes of the one without contract"
        rows.append(_row(record, "retrained", again, base, many))
    return rows


def _row(
    record: StudyRecord, label: str, outcome: Outcome, base: Outcome, note: str = "",
    certificate: Certificate | None = None,
) -> Row:  # fmt: skip
    margins = outcome.margins(base)
    harvester = outcome.worst_harvester
    crews, none = record.by_crews, outcome.contract.is_none
    if none:
        cells = (
            label,
            _pair(outcome.welfare, crews),
            _text(harvester.mean),
            *("-",) * (len(_CREWS_HEAD if crews else _HEAD) - 3),
        )
        return Row(cells=cells, note=note)
    accepted = str(outcome.acceptance(base))
    of_harvesters, of_cleaners = worst_harvester_margin(margins), margins[PARTICIPATION]
    if crews:
        largest = None if certificate is None else largest_gain(certificate)
        cells = (
            label, _pair(outcome.welfare, crews), _text(harvester.mean), _pair(of_harvesters, crews, "+"),
            _pair(of_cleaners, crews, "+"), accepted,
            "-" if largest is None else _text(largest.upper, "+"),
            "-" if certificate is None else str(certificate.verdict),
        )  # fmt: skip
        return Row(cells=cells, note=note)
    cells = (
        label,
        _pair(outcome.welfare),
        _text(harvester.mean),
        _pair(of_harvesters, sign="+"),
        _pair(of_cleaners, sign="+"),
        accepted,
    )
    return Row(cells=cells, note=note)


def _foreign_rows(crews: bool) -> list[Row]:
    paper = PAPER
    gain = paper.worst_harvester - paper.baseline_harvester
    own = (">= " + _text(gain, "+"), _text(paper.worst_cleaner, "+"), str(Acceptance.ACCEPTED))
    worst = _text(paper.worst_harvester)
    cells = ("paper's best", _text(paper.welfare), worst, *own, *(("-", "-") if crews else ()))
    note = f"{paper.contract}, with its own learner and costs; its baseline harvesters: at most "
    scripted = ("scripted", _text(SCRIPTED_HARVEST), *("-",) * (len(cells) - 2))
    return [
        Row(cells=cells, note=f"{note}{paper.baseline_harvester}"),
        Row(cells=scripted, note=f"{SCRIPTED_CREW} error-free scripted cleaners: harvest, before costs; a yardstick"),
    ]


def _lay_out(rows: list[Row], head: tuple[tuple[str, str], ...]) -> list[str]:
    cells = [row.cells for row in rows]
    widths = [max(map(len, column)) for column in zip(*zip(*head, strict=True), *cells, strict=True)]
    if head is _CREWS_HEAD and sum(widths) + len(widths) - 1 > WIDTH:
        cells = [row[:_MAY_GO] + row[_MAY_GO + 1 :] for row in cells]
        head = head[:_MAY_GO] + head[_MAY_GO + 1 :]
    return in_columns(list(zip(*head, strict=True)), cells, notes=[row.note for row in rows])


def _text(value: float, sign: str = "") -> str:
    """Two decimals; one from a thousand on, so that columns stay narrow."""
    digits = 2 if abs(value) < 1000 else 1
    return f"{value:{sign}.{digits}f}"


def _pair(value: Estimate, narrow: bool = False, sign: str = "") -> str:
    """Mean ± standard error; narrow: both with one decimal from a hundred on, and none from a thousand on."""
    if narrow:
        digits = 2 if abs(value.mean) < 100 else 1 if abs(value.mean) < 1000 else 0
        return f"{value.mean:{sign}.{digits}f} ± {value.se:.{digits}f}"
    return f"{_text(value.mean, sign)} ± {_text(value.se)}"


def _wrap(line: str) -> list[str]:
    if len(line) <= WIDTH:
        return [line]
    from textwrap import wrap

    return wrap(line, WIDTH, subsequent_indent="    ")

"""The closing table of a study of a design problem: what was found beside no contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from textwrap import wrap

from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.judging.margins import margins_of, objective_of
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.participation import Acceptance, acceptance, tightest_margin
from contract_wrapper.landscapes.certificate import Certificate
from contract_wrapper.problems.problem import DesignProblem
from contract_wrapper.reports.problems.belief import about_belief, how_many
from contract_wrapper.reports.problems.certificate_text import about_certificate, about_reach, largest_gain
from contract_wrapper.reports.problems.failures import about_failures
from contract_wrapper.reports.text_table import WIDTH, in_columns
from contract_wrapper.studies.record import COMPETING, Phase, StudyRecord


def problem_of(record: StudyRecord) -> DesignProblem:
    """Return the design problem of a study.

    Raises:
        ContractsError: the study is Clean-up's own.
    """
    if record.settings.problem is None:
        raise ContractsError("the study is of Clean-up's tax and crew, which has a table of its own")
    return record.settings.problem


def problem_table(record: StudyRecord, next_suggestions: Sequence[str] = ()) -> str:
    """Return the closing table as plain text, at most 80 columns wide; works for a study at any stage."""
    problem = problem_of(record)
    others = [] if problem.objective == "welfare" else ["welfare"]
    head = [
        ["contract", problem.objective, *others, "worst-off", "smallest", "accepted"],
        ["", "± se", *["± se" for _ in others], "agent", "margin ± se", "by all"],
    ]
    if record.by_crews:
        head = [[*head[0], "gain", "certified"], [*head[1], "at most", ""]]
    rows, notes = [], []
    for label, note, outcome, certificate in _rows(record):
        told = _certificate_cells(certificate) if record.by_crews else []
        rows.append([label, *_cells(outcome, record.baseline, problem), *told])
        notes.append(note)
    head, rows = _fitting(head, rows)
    lines = [f"{problem.name}: {problem.unit} per episode, ± one standard error over episodes.", ""]
    lines += in_columns(head, rows, notes=notes) if rows else ["nothing is evaluated yet"]
    lines += ["", *verdict(record)]
    if next_suggestions:
        lines += ["Next the search would try:", *(f"  {text}" for text in next_suggestions)]
    return "\n".join(
        part
        for line in lines
        for part in (wrap(line, WIDTH, subsequent_indent="    ") if len(line) > WIDTH else [line])
    )


_MAY_GO = ("worst-off", "welfare")
"""Columns that are left out where the table would be too wide, the first of them first."""


def _fitting(head: list[list[str]], rows: list[list[str]]) -> tuple[list[list[str]], list[list[str]]]:
    """Leave out columns until the table fits."""
    for name in _MAY_GO:
        widths = [max(map(len, column)) for column in zip(*head, *rows, strict=True)]
        if sum(widths) + len(widths) - 1 > WIDTH and name in head[0][2:]:
            k = head[0].index(name, 2)
            head, rows = ([[*line[:k], *line[k + 1 :]] for line in lines] for lines in (head, rows))
    return head, rows


def _certificate_cells(certificate: Certificate | None) -> list[str]:
    """The upper bound on what deviating alone brings, and the verdict."""
    if certificate is None:
        return ["", ""]
    largest = largest_gain(certificate)
    return ["-" if largest is None else f"{largest.upper:+.2f}", str(certificate.verdict)]


def _rows(record: StudyRecord) -> list[tuple[str, str, Outcome, Certificate | None]]:
    found: list[tuple[str, str, Outcome, Certificate | None]] = []
    if record.baseline is not None:
        found.append(("no contract", "", record.baseline, None))
    good, bad = record.ranked(), record.infeasible_trials()
    for best in (good[:1] or bad[:1]) if record.baseline is not None else []:
        assert best.outcome is not None  # only finished trials are judged
        label, note = "best found" if good else "nearest", f"{best.contract} (trial {best.number})"
        found.append((label, note, best.outcome, record.certified(best.contract)))
        again = record.confirmation(best.contract)
        if again is not None:
            n = sum(t.contract == best.contract for t in record.finished(Phase.CONFIRMATION))
            found.append(("retrained", f"the same, {n} fresh training{'s' * (n > 1)}; ± over them", again, None))
    return found


def _cells(outcome: Outcome, baseline: Outcome | None, problem: DesignProblem) -> list[str]:
    base = outcome if baseline is None else baseline
    cells = [_pair(objective_of(outcome, base, problem))]
    if problem.objective != "welfare":
        cells.append(_pair(outcome.welfare))
    worst = min(outcome.utilities, key=lambda agent: outcome.utilities[agent].mean)
    cells.append(f"{outcome.utilities[worst].mean:.2f}")
    if outcome.contract.is_none:
        return [*cells, "", ""]
    margins = margins_of(outcome, base, problem)
    return [*cells, _pair(tightest_margin(margins), "+"), str(acceptance(margins.values()))]


def verdict(record: StudyRecord) -> list[str]:
    """Say in sentences how many contracts are accepted, and what the best one brings."""
    tried = [t for t in record.trials if t.phase in COMPETING]
    failed = sum(bool(t.failure) for t in tried)
    if record.baseline is None:
        return [f"{len(tried)} contracts queued; without a baseline (no contract) nobody's margin is known."]
    said = Counter(map(record.acceptance, record.contracts()))
    words = ", ".join(f"{said[word]} {word.value}" for word in Acceptance)
    waiting = sum(not t.is_finished for t in tried)
    rest = "".join(f", {n} {what}" for n, what in ((failed, "failed"), (waiting, "not finished")) if n)
    sentences = [f"{how_many(tried)}{words}{rest}.", *about_failures(tried)]
    good = record.ranked()
    if good:
        gain = record.objective(good[0]).minus(objective_of(record.baseline, record.baseline, problem_of(record)))
        sentences.append(
            f"The best with no margin below 0, {good[0].contract}, brings {gain.mean:+.2f} ± {gain.se:.2f} in "
            f"{problem_of(record).objective} against no contract."
        )
        confirmed = record.confirmed(good[0].contract)
        if record.by_crews:
            sentences += [*about_certificate(record.certified(good[0].contract)), *about_reach(record, good[0])]
        elif confirmed is not None:
            sentences.append(
                f"Fresh trainings {'confirm' if confirmed else 'do not confirm'} that everybody accepts it."
            )
        if not record.by_crews:
            sentences += about_belief(record)
    elif record.infeasible_trials():
        sentences.append("Nothing was found under which no margin is below 0.")
    return sentences


def _pair(value: Estimate, sign: str = "") -> str:
    digits = 2 if abs(value.mean) < 1000 else 1
    return f"{value.mean:{sign}.{digits}f} ± {value.se:.{digits}f}"

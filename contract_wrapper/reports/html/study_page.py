"""The page of a study: its answer, its figures, all its trials, an episode that plays, and how it was made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from contract_wrapper.errors import ContractsError, raised
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.files import make_folder
from contract_wrapper.playback.compact import compact
from contract_wrapper.playback.play import kept_policy
from contract_wrapper.playback.recording import record_episode
from contract_wrapper.reports.html import study_charts as charts
from contract_wrapper.reports.html import training_charts
from contract_wrapper.reports.html.charts import MOST_ROWS, sortable
from contract_wrapper.reports.html.document import HtmlPage, Making, block, data, facts, paragraph
from contract_wrapper.reports.html.tried import Tried
from contract_wrapper.reports.report import FOLDER, SEED
from contract_wrapper.reports.summary_table import closing_table
from contract_wrapper.studies.record import COMPETING, StudyRecord

MOST_NAMED = 8
"""Contracts that cannot be told from the best and are named."""


def write_study_page(record: StudyRecord, making: Making | None = None) -> Path:
    """Write the page of a study into `figures/` of its folder, and return its path.

    Args:
        record: the study.
        making: its command, settings and versions, as far as they are known.

    Raises:
        ContractsError: the folder cannot be written.
    """
    folder = make_folder(record.folder / FOLDER)
    return study_page(record, making or Making()).write(folder)


def study_page(record: StudyRecord, making: Making) -> HtmlPage:
    """The page of a study; a section that cannot be made is named on it with its cause."""
    tried = Tried(record)
    problem = record.settings.problem
    page = HtmlPage("Report of the study" + ("" if problem is None else f": {problem.name}"))
    certificate = record.certificate
    page.section(
        "The answer", facts(_facts(tried)), *_alike(tried), block(closing_table(record)),
        *([] if certificate is None else ["<h3>Certificate of the best contract</h3>", block(str(certificate))]),
    )  # fmt: skip
    _contracts(page, tried)
    for heading, draw, text in (
        ("How the search went", lambda: charts.chart_progress(tried),
         "The line is the best contract so far without a margin below 0; the dashed line is the game without a contract. "
         "In the grey part contracts were drawn to fill the space of designs."),
        ("What each agent gains: margins", lambda: charts.chart_margins(tried),
         "A contract is accepted if no margin is below 0. A click on a contract in the legend shows or hides it; at first "
         "the best and the nearest one with a margin below 0 are shown."),
        ("What each agent gains by leaving alone", lambda: charts.chart_gains(tried),
         "One agent plays otherwise and all others play on. Bars are bounds that hold together; the dashed line, epsilon, is "
         "what counts as nothing. Deviations that were not tried may bring more."),
        ("Around the best contract", lambda: charts.chart_sensitivity(tried),
         "What the search believes if one term of the best contract (green line) is changed and the others stay: the mean of "
         "its Gaussian process, with a band of two standard deviations. Discs are contracts that were tried on that line. A "
         "belief is no measurement: away from the discs it is a guess."),
    ):  # fmt: skip
        page.figure(heading, draw, text)
    _training(page, tried)
    best = None if tried.best is None else tried.best.outcome
    if problem is None:
        some = [o for o in (record.baseline, best) if o is not None]
        page.figure(
            "Waste in the river",
            lambda: training_charts.chart_waste(some),
            "Mean over the greedy episodes, step by step.",
        )
    nearest = record.infeasible_trials()[0].outcome if best is None and record.infeasible_trials() else None
    _episode(page, record, best or nearest)
    page.making(making)
    return page


def _facts(tried: Tried) -> list[tuple[str, str]]:
    record, best = tried.record, tried.best
    competing = [t for t in record.trials if t.phase in COMPETING]
    found = [("contracts tried", str(len(competing)))]
    if best is None:
        return [("best contract", "none is feasible"), *found]
    value = record.objective(best)
    pairs = [
        ("best contract", str(best.contract)),
        (f"{tried.axis}, ± se", f"{value.mean:.2f} ± {value.se:.2f}"),
    ]
    if tried.baseline is not None:
        pairs.append(("without a contract", f"{tried.baseline:.2f}"))
        pairs.append(("who accepts it", str(record.acceptance(best))))
    certificate = record.certified(best.contract)
    pairs.append(("certificate", "none yet" if certificate is None else str(certificate.verdict)))
    return [*pairs, *found, ("cannot be told from it", f"{len(tried.alike) - 1} others")]


def _alike(tried: Tried) -> list[str]:
    others = [t for t in tried.record.feasible_trials() if t.number in tried.alike and t is not tried.best]
    if tried.best is None:
        return []
    by = f"by the errors of {tried.objective} over episodes alone, 95 %, all comparisons together"
    if not others:
        return [paragraph(f"No other feasible contract that was tried is as good, {by}.")]
    named = "; ".join(f"{t.contract} (trial {t.number})" for t in others[:MOST_NAMED])
    more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
    return [paragraph(f"Cannot be told from the best, {by}: {named}{more}.")]


def _contracts(page: HtmlPage, tried: Tried) -> None:
    """The figures of all contracts and the table, which share what is chosen."""
    from bokeh.layouts import column

    heading, columns = "All contracts that were tried", tried.columns()
    source = charts.shared_source(tried, columns)
    parts: list[Any] = []
    if tried.competing:
        if len(tried.terms) == 2:
            parts.append(charts.chart_map(tried, source, columns))
        parts.append(charts.chart_terms(tried, source, columns))
    parts.append(sortable(source, columns, height=min(420, 60 + 25 * len(tried.trials))))
    text = (
        "Each mark is a contract; the pointer tells its numbers. A disc is accepted by everybody, a cross refused by "
        "somebody, each by two standard errors; a square is undecided. Bars are two standard errors. A click on a mark or a "
        "row chooses a contract in all of these; a click on a heading of the table sorts it."
    )
    left = len(tried.record.trials) - len(tried.trials)
    if left:
        text += f" The first {left} trials are not shown (at most {MOST_ROWS} are); trials.csv has all."
    page.section(heading, paragraph(text), page.chart(column(*parts, sizing_mode="stretch_width"), heading))


def _training(page: HtmlPage, tried: Tried) -> None:
    record = tried.record
    unit = tried.unit
    if record.by_crews:
        page.figure(
            "Training: crews for every contract",
            lambda: training_charts.chart_crews_training(tried),
            "Welfare of the episodes played while learning, a running mean over a twentieth of the training.",
        )
    for outcome in (None if tried.best is None else tried.best.outcome, record.baseline):
        if outcome is not None and not outcome.by_crew:
            name = "no contract" if outcome.contract.is_none else str(outcome.contract)
            page.figure(
                f"Training: {name}",
                lambda o=outcome: training_charts.chart_training(o, unit),  # type: ignore[misc]
                "Episodes as played while exploring, a running mean over a twentieth of the training. The dashed line is the "
                "welfare of greedy episodes after training.",
            )


def _episode(page: HtmlPage, record: StudyRecord, shown: Outcome | None) -> None:
    """One episode without and one with the best contract, or else the nearest to being feasible, side by side."""
    heading = "An episode without and with the contract"
    episodes, missing = [], []
    for outcome in (record.baseline, shown):
        if outcome is None:
            continue
        try:
            played = record_episode(outcome.contract, record.settings, kept_policy(record, outcome), SEED)
            episodes.append(compact(played))
        except ContractsError as error:
            missing.append(str(error))
        except Exception as error:  # a game of a user's, or a damaged policy: the rest of the page is still right
            missing.append(f"{outcome.contract} cannot be played: {raised(error)}")
    for why in missing:
        page.leave_out(heading, ContractsError(why))
    if not episodes:
        return
    text = f"The learned policies play greedily, from the same seed ({SEED}). All agents of a role share one policy."
    page.section(heading, paragraph(text), '<div id="episodes"></div>', data("episodes", episodes, target="episodes"))

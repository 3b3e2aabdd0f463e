"""The report of a study of a design problem: its figures, and a page beside them that explains them."""

from __future__ import annotations

from pathlib import Path

from contract_wrapper.command_runs import told
from contract_wrapper.files import make_folder
from contract_wrapper.reports.figure_style import SCREEN, FigureStyle
from contract_wrapper.reports.page import Page, code_block
from contract_wrapper.reports.problems import problem_figures as figures
from contract_wrapper.reports.problems.problem_table import problem_of, problem_table
from contract_wrapper.studies.record import StudyRecord

FOLDER = "figures"
"""Where the report lies in a study's folder."""


def write_problem_report(record: StudyRecord, *, style: FigureStyle = SCREEN) -> list[Path]:
    """Draw every figure that the study has data for, and write the page; the page first, then the figures.

    Raises:
        ContractsError: the folder cannot be written.
    """
    problem = problem_of(record)
    folder = record.folder / FOLDER
    make_folder(folder)
    page = Page(folder, style)
    page.add(
        "terms", lambda: figures.draw_terms(record, style=style),
        lambda: (
            f"Each marker is one contract; bars are two standard errors of {problem.objective}, over episodes. A disc is "
            "accepted by everybody, a cross refused by somebody, each by two standard errors; a square is undecided."
        ), heading="All contracts that were tried",
    )  # fmt: skip
    page.add(
        "progress", lambda: figures.draw_progress(record, style=style),
        lambda: "The line is the best contract so far that is feasible as measured: no margin below 0.",
        heading="How the search went",
    )  # fmt: skip
    page.add(
        "fairness", lambda: figures.draw_fairness(record, style=style),
        lambda: "To the right contracts are more efficient, to the top fairer: more for whoever has least.",
        heading="Fair and efficient contracts",
    )  # fmt: skip
    page.add(
        "margins", lambda: figures.draw_margins(record, style=style),
        lambda: (
            "What each agent has more than without a contract, or than its outside option; of recruited agents the one "
            "with the least. Below the dotted line stand the nearest contracts with a margin below 0."
        ), heading="Who gains how much",
    )  # fmt: skip
    head = [f"# Report of the study: {problem.name}", f"```text\n{problem_table(record)}\n```", _intro(record)]
    certificate = record.certificate
    made_by = ["## Commands that made it", code_block("\n".join(told(record.commands)))]
    return page.write(head if certificate is None else [*head, f"```text\n{certificate}\n```"], made_by)


def _intro(record: StudyRecord) -> str:
    """How contracts were judged, and what the numbers are."""
    unit, settings = problem_of(record).unit, record.settings
    if settings.crews is None:
        return (
            f"Every contract was evaluated by training its agents for {settings.learner.episodes} episodes and playing "
            f"{settings.episodes} greedy episodes after that. Numbers are {unit} per episode, ± one standard "
            "error; that of one training does not contain what another training would change."
        )
    return (
        f"Every contract was judged by crews that know all of them, of {settings.crews.trainings} training(s) of "
        f"{settings.crews.learner.episodes} episodes: the crews of each played {settings.episodes} greedy episodes under "
        f"it. Numbers are {unit} per episode, ± one standard error over episodes alone: what another training would change "
        "is not in it. The game without a contract, and fresh trainings of the best, were trained from scratch for "
        f"{settings.learner.episodes} episodes."
    )

"""The report of a study: all its figures, and a page beside them that explains them with the numbers."""

from __future__ import annotations

from pathlib import Path

from contract_wrapper.command_runs import told
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.designed_contract import of_cleanup
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.by_crews.crew_folder import read_crews, settings_of_crews
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.published_results import PAPER, SCRIPTED_CREW, SCRIPTED_HARVEST, same_game
from contract_wrapper.files import make_folder, write_text
from contract_wrapper.playback.play import kept_policy
from contract_wrapper.playback.recording import Episode, record_episode
from contract_wrapper.reports import behaviour_figures as episode_figures
from contract_wrapper.reports import margins_figure
from contract_wrapper.reports import search_figures as figures
from contract_wrapper.reports.figure_style import SCREEN, FigureStyle
from contract_wrapper.reports.page import NAME, Page, code_block
from contract_wrapper.reports.problems.problem_report import write_problem_report
from contract_wrapper.reports.summary_table import closing_table
from contract_wrapper.studies.record import StudyRecord
from contract_wrapper.studies.running.run_file import OUTCOMES

FOLDER = "figures"
"""Where the report lies in a study's folder."""

SEED = 0
"""Seed of the episode that the pictures of the field show."""


def write_report(record: StudyRecord, *, style: FigureStyle = SCREEN) -> list[Path]:
    """Draw every figure that a study has data for, and write the page; both into `figures/` of its folder.

    Args:
        record: the study.
        style: format, pixels, titles and width of the figures.

    Returns:
        The page first, then the figures in its order. A figure that cannot be drawn (no accepted
        contract yet, a policy file that is gone) is named on the page with its cause.

    Raises:
        ContractsError: the folder cannot be written.
    """
    if record.settings.problem is not None:
        return write_problem_report(record, style=style)
    folder = record.folder / FOLDER
    make_folder(folder)
    page = Page(folder, style)
    good = record.ranked()
    best = good[0].outcome if good else None
    _search_figures(record, page)
    _contract_figures(record, best, page)
    write_text(folder / NAME, _text(record, page))
    return [folder / NAME, *page.files]


def training_name(contract: Contract) -> str:
    """Name of a contract's training figure, without its suffix."""
    if contract.is_none:
        return "training_none"
    return f"training_tax{contract.tax:g}_cleaners{contract.n_cleaners}"


def _search_figures(record: StudyRecord, page: Page) -> None:
    page.add(
        "welfare_over_designs",
        lambda: figures.draw_designs(record, style=page.style),
        lambda: (
            "Each marker is one contract: how much of the harvest is taxed, how many cleaners share the tax. Colour is "
            "welfare, the sum of what everybody gets after costs. The shape tells who accepts: a disc is accepted by "
            "everybody, a cross refused by somebody, each by two standard errors; a square is undecided. The numbers are "
            "those of the trials in `trials.csv`."
        ),
        heading="All contracts that were tried",
    )
    page.add(
        "best_feasible", lambda: figures.draw_best_feasible(record, style=page.style), lambda: _progress(record),
        heading="How the search went",
    )  # fmt: skip
    page.add(
        "work_over_tax", lambda: figures.draw_work_over_tax(record, style=page.style), lambda: _work(record),
        heading="When crews begin to work",
    )  # fmt: skip
    page.add(
        "margins",
        lambda: margins_figure.draw_margins(record, style=page.style),
        lambda: (
            "A contract is accepted if every margin is at least 0 by two standard errors: no harvester has less than "
            "without a contract, and no cleaner less than its minimum. It is refused if a margin is below 0 by two "
            "standard errors, else undecided. Bars are two standard errors to each side; a marker is hollow where "
            "its bar reaches below 0. Below the dotted line stand the nearest contracts with a margin below 0 as measured."
        ),
        heading="Who gains how much",
    )


def _contract_figures(record: StudyRecord, best: Outcome | None, page: Page) -> None:
    if record.by_crews:
        page.add(
            "training_crews",
            lambda: episode_figures.draw_crews_training(
                read_crews(record.folder / OUTCOMES, record.settings), style=page.style
            ),
            lambda: _crews_training(record),
            heading="Training: crews for every contract",
        )
    for outcome in (best, record.baseline):
        if outcome is not None and not outcome.by_crew:
            page.add(
                training_name(of_cleanup(outcome.contract)),
                lambda o=outcome: episode_figures.draw_training(o, style=page.style),  # type: ignore[misc]
                lambda o=outcome: _training(o),  # type: ignore[misc]
                heading=f"Training: {outcome.contract}",
            )
    page.add(
        "field",
        lambda: episode_figures.draw_field(_episodes(record, best), style=page.style),
        lambda: (
            f"One episode (seed {SEED}) of the learned policies, playing greedily. Without cleaners the river fills "
            "with waste and the orchard is not renewed; the second row is the same game under the best contract."
        ),
        heading="The field",
    )
    page.add(
        "waste",
        lambda: episode_figures.draw_waste(record, best, style=page.style),
        lambda: _waste(record, best),
        heading="Waste in the river",
    )


def _episodes(record: StudyRecord, best: Outcome | None) -> list[Episode]:
    if record.baseline is None:
        raise ContractsError("the baseline without a contract is missing")
    if best is None:
        raise ContractsError("no contract is feasible: each has a margin below 0")
    played = (
        record_episode(of_cleanup(o.contract), record.settings, kept_policy(record, o), SEED)
        for o in (record.baseline, best)
    )
    return [episode for episode in played if isinstance(episode, Episode)]


def _progress(record: StudyRecord) -> str:
    text = "The line is the welfare of the best contract so far that is feasible as measured: no margin below 0."
    if same_game(record.settings.game):
        text += (
            f" The paper's best contract ({PAPER.contract}) reached {PAPER.welfare} with its own learner and with "
            f"costs that were never published; scripted harvesters with {SCRIPTED_CREW} scripted cleaners, none of "
            f"whom errs, harvest {SCRIPTED_HARVEST:g} before costs. These are yardsticks, not bounds."
        )
    return text


def _work(record: StudyRecord) -> str:
    text = (
        f"Work costs: {record.settings.costs} (apples). The tax is shared whatever each cleaner does, so that a cleaner "
        "works only where its own part of the additional harvest is worth what its work costs."
    )
    turn = figures.turn_to_work([t for t in record.finished() if not t.contract.is_none])
    if turn is None:
        return f"{text} Among the contracts tried no crew size has an idle crew next to a working one."
    crew, low, high = turn
    return (
        f"{text} With {crew} cleaner{'s' if crew > 1 else ''}, the crew was idle at tax {low:g} and worked at tax "
        f"{high:g}: a crew counts as working from {figures.WORKING:g} shots per episode on."
    )


def _training(outcome: Outcome) -> str:
    return (
        "Thin lines are episodes as played while exploring, averaged over the games played at once; thick lines their "
        "running mean over a twentieth of the training, the neighbours on both sides; the finding tells where it begins "
        f"and ends. The star is the mean of {outcome.episodes} greedy episodes after training: welfare "
        f"{outcome.welfare}, harvest {outcome.harvest}, shots {outcome.shots}."
    )


def _crews_training(record: StudyRecord) -> str:
    return (
        "Each game plays under a contract of its own, drawn anew for every episode, which its agents see; crew sizes "
        "take turns. Thin lines are episodes as played while exploring, averaged over the games played at once and "
        f"the {settings_of_crews(record.settings).trainings} training(s), thick lines their running mean. All "
        "contracts of the study are judged by these crews."
    )


def _waste(record: StudyRecord, best: Outcome | None) -> str:
    game = record.settings.game
    parts = [
        f"{outcome.waste_curve[-1]:.1f} cells {'under ' if not outcome.contract.is_none else 'with '}{outcome.contract}"
        for outcome in (record.baseline, best)
        if outcome is not None and outcome.waste_curve
    ]
    return (
        f"Mean over the greedy episodes; at the end of an episode {' and '.join(parts)}. The more waste, the slower "
        f"apples grow; from {game.depletion:.0%} of the river on none grows."
    )


def _text(record: StudyRecord, page: Page) -> str:
    settings = record.settings
    if settings.crews is None:
        intro = (
            f"Every contract was evaluated by training its agents for {settings.learner.episodes} episodes and playing "
            f"{settings.episodes} greedy episodes after that. Numbers are apples per episode, ± one standard error; the "
            "standard error of one training does not contain what another training would change, that of retraining does."
        )
    else:
        intro = (
            f"Every contract was judged by crews that know all of them, of {settings.crews.trainings} training(s) of "
            f"{settings.crews.learner.episodes} episodes: the crews of each played {settings.episodes} greedy episodes "
            "under it. Numbers are apples per episode, ± one standard error over episodes alone: all contracts share "
            "these trainings, so that what a training does to all of them alike is no noise of a comparison; what "
            "another training would change is not in it. The game without a contract, and the fresh trainings of the "
            f"best, were trained from scratch for {settings.learner.episodes} episodes; ± of fresh trainings is between them."
        )
    certificate = record.certificate
    if certificate is not None:
        intro += f"\n\n```text\n{certificate}\n```"
    page.sections.append("## Commands that made it\n\n" + code_block("\n".join(told(record.commands))))
    parts = ["# Report of the study", f"```text\n{closing_table(record)}\n```", intro, *page.sections]
    if page.left_out:
        parts.append("## Left out\n\n" + "\n".join(page.left_out))
    return "\n\n".join(parts) + "\n"

"""The commands `play` and `report`: what was found, shown."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract_wrapper.commands.documents import episode_document, study_document
from contract_wrapper.commands.options import (
    STORAGE,
    StudyAddress,
    add_configuration,
    add_contract,
    add_json,
    add_payment,
    add_shared,
    add_study,
    study_address,
)
from contract_wrapper.commands.output import Output, folded
from contract_wrapper.commands.own_problem import add_problem, own_problem
from contract_wrapper.errors import ContractsError

if TYPE_CHECKING:
    from contract_wrapper.contracts.designed_contract import AnyContract
    from contract_wrapper.evaluation.settings import EvaluationSettings
    from contract_wrapper.landscapes.table.contract_table import ContractTable

FORMATS = ("png", "pdf", "svg")
"""In which figures can be written."""


def add_play(sub: argparse.ArgumentParser) -> None:
    """Add the options of `play`."""
    add_contract(sub)
    add_problem(sub)
    add_configuration(sub)
    add_shared(sub)
    add_payment(sub)
    sub.add_argument(
        "--players", choices=("scripted", "trained"), default="scripted", help="who plays (default: scripted)"
    )
    sub.add_argument("--policy", type=Path, help="policy file of trained players (an outcome's .policy.npz)")
    sub.add_argument(
        "--study",
        type=Path,
        help="take the best contract and the players trained under it from the study of this folder; with --storage, of "
        "this name",
    )
    sub.add_argument("--storage", metavar="URL", help=STORAGE)
    sub.add_argument(
        "--folder", type=Path, help="with --storage: folder of the study's players (default: studies/ and its name)"
    )
    sub.add_argument(
        "--gif", type=Path, metavar="FILE", help="write an animated GIF instead of playing in the terminal"
    )
    sub.add_argument("--mp4", type=Path, metavar="FILE", help="write a video (needs the extra render)")
    sub.add_argument("--flows", action="store_true", help="show in the file who paid whom, as golden arrows")
    sub.add_argument("--steps", type=int, help="steps to show (default: the whole episode)")
    sub.add_argument("--fps", type=float, default=12.0, help="frames per second (default: 12)")
    sub.add_argument("--scale", type=int, default=24, metavar="N", help="pixels per cell of files (default: 24)")
    add_json(sub)


def play(options: argparse.Namespace, output: Output) -> int:
    """Show an episode."""
    from contract_wrapper.commands.configured import configure
    from contract_wrapper.playback.play import play_command

    run, at = configure(options, "play"), _study_to_play(options)
    if at is not None and (run.file or run.sets):
        raise ContractsError(
            f"the study {at} has settings of its own: leave out --config and --set, or leave out --study"
        )
    if at is not None and options.contract is not None:
        raise ContractsError(f"the study {at} says which contracts it designs: leave out --contract")
    record = None if at is None else at.read()
    settings = run.evaluation() if record is None else record.settings
    output.configuration = run.tree(settings)
    episode = play_command(
        settings=settings, contract=_contract_to_play(options, settings, record is not None), players=options.players,
        policy=options.policy, study=record, gif=options.gif, mp4=options.mp4, flows=options.flows, steps=options.steps, fps=options.fps, seed=options.seed,
        scale=options.scale, stream=None if output.json else sys.stdout,
    )  # fmt: skip
    if output.json:
        files = [path for path in (options.gif, options.mp4) if path is not None]
        output.result("", lambda: episode_document(episode, options.seed, files))
    return 0


def _study_to_play(options: argparse.Namespace) -> StudyAddress | None:
    """Where the study is that the options name; None if they name none."""
    if options.storage is None and options.study is None:
        if options.folder is not None:
            raise ContractsError(
                f"--folder {options.folder} belongs to --storage: name a study by --study {options.folder}"
            )
        return None
    return study_address(options, options.study, options.folder)


def _contract_to_play(options: argparse.Namespace, settings: EvaluationSettings, of_study: bool) -> AnyContract | None:
    """The contract that the options name, of the study's problem if there is a study; None if they name none."""
    from contract_wrapper.commands.contract_terms import contract_of, is_named
    from contract_wrapper.contracts.contract import Contract

    if not is_named(options):
        return None
    usual = settings.problem is None and options.terms is None
    if usual and options.cleaners is None:
        raise ContractsError(
            f"a contract is a tax and a number of cleaners, got --tax {options.tax:g} alone: add --cleaners, for example "
            "--cleaners 5"
        )
    if usual and options.tax is None and (options.policy or of_study):
        raise ContractsError(
            f"trained players play under a tax and a number of cleaners, got --cleaners {options.cleaners} alone: add "
            "--tax (scripted players look at no tax, and play at 0)"
        )
    if usual and not of_study:
        return Contract(tax=options.tax or 0.0, n_cleaners=options.cleaners)
    return contract_of(options, settings)


def add_report(sub: argparse.ArgumentParser) -> None:
    """Add the options of `report`."""
    add_study(sub, "folder of the study, or of a landscape")
    add_problem(sub)
    sub.add_argument("--format", choices=FORMATS, default="png", help="of the figures (default: png)")
    sub.add_argument("--no-titles", action="store_true", help="leave the findings out of the figures")
    sub.add_argument("--width", metavar="W", help="of the figures in a paper: column, text, or inches")
    sub.add_argument("--dpi", type=int, default=120, help="pixels per inch of png (default: 120)")
    sub.add_argument(
        "--html", action="store_true",
        help="also write one interactive page, report.html, which needs no network (needs the extra html)",
    )  # fmt: skip
    add_json(sub)


def report(options: argparse.Namespace, output: Output) -> int:
    """Draw the figures of a study or landscape, and write the page beside them."""
    from contract_wrapper.command_runs import told as told_runs
    from contract_wrapper.commands.told_landscape import landscape_told
    from contract_wrapper.configuration.tree import tree_of
    from contract_wrapper.landscapes.building.commands_file import told_commands
    from contract_wrapper.landscapes.designs.read import read_landscape
    from contract_wrapper.reports.figure_style import WIDTHS, FigureStyle
    from contract_wrapper.reports.landscape_report import find_landscape, report_folder
    from contract_wrapper.reports.report import write_report
    from contract_wrapper.reports.summary_table import closing_table
    from contract_wrapper.studies.suggest import next_suggestions

    at = study_address(options, options.study)
    if options.html:
        from contract_wrapper.commands.html_page import check_there

        check_there()  # before anything is drawn
    width = options.width if options.width in (None, *WIDTHS) else _number(options.width)
    style = FigureStyle(format=options.format, titles=not options.no_titles, width=width, dpi=options.dpi)
    if options.problem is not None:
        own_problem(options.problem)
    file = find_landscape(at.folder) if at.storage is None else None
    if file is not None:
        landscape = read_landscape(file)
        output.configuration = _known_configuration(landscape, file)
        told = landscape_told(landscape, report_folder(file), style)
        if options.html:
            from contract_wrapper.commands.html_page import page_of_landscape

            told.files.append(page_of_landscape(landscape, file, output.configuration))
        made_by = told_commands(landscape.about)
        output.result(_lines(told.summary, made_by, told.files), told.document, fold=False)
        return 0
    record = at.read()
    output.configuration = tree_of(record.settings, record.search)
    suggestions, files = next_suggestions(record), write_report(record, style=style)
    if options.html:
        from contract_wrapper.commands.html_page import page_of_study

        files.append(page_of_study(record, output.configuration, options.problem))
    text = _lines(closing_table(record, suggestions), told_runs(record.commands), files)
    output.result(text, lambda: study_document(record, suggestions, files), fold=False)
    return 0


def _known_configuration(landscape: ContractTable, file: Path) -> dict[str, Any] | None:
    """The configuration of a landscape; None where it does not say all of it, as one that was made by hand."""
    from contract_wrapper.configuration.resolve import ERRORS
    from contract_wrapper.configuration.stored import landscape_tree

    try:
        return landscape_tree(landscape.about, file)
    except ERRORS:
        return None


def _number(text: str) -> float | str:
    """Inches; what is no number is left to be refused where widths are known."""
    try:
        return float(text)
    except ValueError:
        return text


def _lines(text: str, made_by: list[str], files: list[Path]) -> str:
    """What a report says: its text folded, commands and paths as they are, so that they can be copied."""
    return "\n".join([folded(text), *made_by, *map(str, files)])

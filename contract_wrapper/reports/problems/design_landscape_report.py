"""What a landscape of designs says: in words at the end of a command, and on a page with its figures."""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap

import numpy as np

from contract_wrapper.contracts.roles import a_role
from contract_wrapper.files import make_folder
from contract_wrapper.landscapes.building.commands_file import told_commands
from contract_wrapper.landscapes.designs.design_landscape import DesignLandscape
from contract_wrapper.reports.figure_style import SCREEN, FigureStyle
from contract_wrapper.reports.page import Page, code_block, escaped
from contract_wrapper.reports.problems.design_landscape_figures import DesignFindings, draw_gains, draw_values
from contract_wrapper.reports.text_table import WIDTH, in_columns

MOST_TOLD = 5
"""Contracts that cannot be told from the best and are named."""


def design_summary(landscape: DesignLandscape) -> str:
    """Return what a landscape of designs says as plain text, at most 80 columns wide."""
    found = DesignFindings(landscape)
    mean, beyond = found.interval(*landscape.objective())
    n, over = len(landscape.seeds), "trainings" if len(landscape.seeds) > 1 else "the episodes of one training"
    head = (
        f"{landscape.problem}: {len(mean) - 1} contracts; {landscape.maximised} per episode; ±: half the 95 % interval over "
        f"{f'{n} ' if n > 1 else ''}{over}; epsilon {landscape.default_epsilon():.2f}"
    )
    rows = [["no contract", f"{mean[0]:.1f} ± {beyond[0]:.1f}", "", "", "", ""]]
    bounds = landscape.bounds()
    for name, _, numbers in found.crews:
        certified, feasible = (int(mask[numbers].sum()) for mask in (found.certified, found.feasible))
        mask = found.certified if certified else found.feasible
        some = numbers[mask[numbers]]
        row = [name or "all contracts", "none is feasible", "", "", f"{feasible}", f"{certified}"]
        if len(some):
            k = int(some[mean[some].argmax()])
            gain = float(-np.nanmin(bounds.lower[k, len(landscape.agents) :]))
            margin = float(np.nanmin(bounds.mean[k, : len(landscape.agents)]))
            row[1:4] = [f"{mean[k]:.1f} ± {beyond[k]:.1f}", f"{gain:+.2f}", f"{margin:+.2f}"]
        rows.append(row)
    titles = [
        ["", landscape.maximised, "gain at", "smallest", "", ""],
        ["", "of the best", "most", "margin", "feasible", "certified"],
    ]
    return "\n".join([*wrap(head, WIDTH, subsequent_indent="    "), "", *in_columns(titles, rows), *_answer(found)])


def _answer(found: DesignFindings) -> list[str]:
    landscape, best = found.landscape, found.best
    if best is None:
        return ["No contract is feasible as measured."]
    contracts = landscape.contracts()
    alike = landscape.indistinguishable(found.competing)
    alike[best] = False
    sentences = [f"Best {found.word} contract: {contracts[best]}."]
    paired = landscape.paired(contracts[best], contracts[0])
    sentences.append(f"It brings {paired} more than no contract.")
    others = np.flatnonzero(alike)
    if len(others):
        named = "; ".join(str(contracts[k]) for k in others[:MOST_TOLD])
        more = "; ..." if len(others) > MOST_TOLD else ""
        sentences.append(f"{len(others)} other {found.word} contracts cannot be told from it: {named}{more}.")
    return [line for text in sentences for line in wrap(text, WIDTH, subsequent_indent="    ")]


def write_design_report(landscape: DesignLandscape, folder: Path, *, style: FigureStyle = SCREEN) -> list[Path]:
    """Draw every figure that a landscape of designs has data for, and write the page; the page first, then the figures.

    Raises:
        ContractsError: the folder cannot be written.
    """
    page, found = Page(make_folder(folder), style), DesignFindings(landscape)
    page.add(
        "landscape_values", lambda: draw_values(found, style=style),
        lambda: (
            f"Means over {len(landscape.seeds)} training{'s' * (len(landscape.seeds) > 1)} of agents that know all contracts. "
            "The star is the best contract. A contract is feasible if no agent has less than without it, or than it could "
            "have elsewhere; certified if that holds beyond the errors, and nobody gains by leaving alone."
        ), heading="What every contract is worth",
    )  # fmt: skip
    page.add(
        "landscape_gains", lambda: draw_gains(found, style=style),
        lambda: (
            f"By the strongest deviation of {escaped(', '.join(landscape.deviations))}, all others as they are, of "
            f"{', '.join(map(a_role, landscape.roles))}, whoever gains most; the first agent of a role stands for all that "
            f"contract and costs treat alike. All were tried at {len(landscape.tried_at)} contracts; elsewhere the strongest "
            "nearby was taken."
        ), heading="What somebody gains by leaving alone",
    )  # fmt: skip
    head = [f"# Report of the landscape: {escaped(landscape.problem)}", code_block(design_summary(landscape))]
    if found.best is not None:
        certificate = landscape.certificate(landscape.contracts()[found.best])
        head += ["Its certificate:", code_block(str(certificate))]
    command = landscape.about.get("command")
    if isinstance(command, str) and command:
        head += ["Made by the command:", code_block(command)]
    if "commands" in landscape.about:
        head += ["As it was typed:", code_block("\n".join(told_commands(landscape.about)))]
    return page.write(head)

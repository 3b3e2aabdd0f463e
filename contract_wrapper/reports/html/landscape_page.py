"""The page of a landscape, of the tax or of the contracts of a design problem."""

from __future__ import annotations

from pathlib import Path

from contract_wrapper.errors import ContractsError
from contract_wrapper.files import make_folder
from contract_wrapper.landscapes.designs.design_landscape import DesignLandscape
from contract_wrapper.landscapes.landscape import Landscape
from contract_wrapper.landscapes.table.contract_table import ContractTable
from contract_wrapper.reports.html import landscape_charts as charts
from contract_wrapper.reports.html.charts import MOST_ROWS, sortable, source_of
from contract_wrapper.reports.html.document import HtmlPage, Making, block, facts, paragraph, table
from contract_wrapper.reports.html.shown_landscape import Shown
from contract_wrapper.reports.landscape_findings import Findings
from contract_wrapper.reports.landscape_summary import summary, threshold_in_words
from contract_wrapper.reports.problems.design_landscape_report import design_summary


def write_landscape_page(landscape: ContractTable, folder: Path, making: Making | None = None) -> Path:
    """Write the page of a landscape into a folder, which is made, and return its path.

    Args:
        landscape: the table.
        folder: of the page.
        making: its command, settings and versions, as far as they are known.

    Raises:
        ContractsError: the folder cannot be written.
    """
    return landscape_page(landscape, making or Making()).write(make_folder(folder))


def landscape_page(landscape: ContractTable, making: Making) -> HtmlPage:
    """The page of a landscape; a section that cannot be made is named on it with its cause."""
    shown = Shown(landscape)
    designed = isinstance(landscape, DesignLandscape)
    page = HtmlPage(
        "Report of the landscape" + (f": {landscape.problem}" if isinstance(landscape, DesignLandscape) else "")
    )
    told = design_summary(landscape) if isinstance(landscape, DesignLandscape) else ""
    if isinstance(landscape, Landscape):
        told = summary(landscape)
    page.section("The answer", facts(_facts(shown)), block(told), *_certificate(shown))
    _contracts(page, shown)
    if len(shown.free) == 1 and len(shown.crews) > 1:
        page.figure(
            "The same as lines",
            lambda: charts.chart_lines(shown),
            f"Bands are 95 % intervals over {shown.over}; discs are certified; the dashed line is the game without a contract. "
            "A click on the legend hides a line.",
        )
    columns = shown.columns(shown.rows)
    page.figure(
        "What somebody gains by leaving alone",
        lambda: charts.chart_gains(shown, source_of(columns), columns),
        "Gain of the role that gains most, by its strongest deviation, while all others play on. "
        f"{'Red is above 0; epsilon' if len(shown.free) == 2 and charts.is_map(shown) else 'The dashed line, epsilon,'} is "
        f"what counts as nothing ({landscape.default_epsilon():.2f}); above it a contract is no equilibrium.",
    )
    page.figure(
        "What each role gains: margins",
        lambda: charts.chart_margins(shown, source_of(columns), columns),
        f"What the worst-off agent has more ({shown.unit}) than without a contract, or than it could have elsewhere. Below 0 it refuses.",
    )
    if not designed and isinstance(landscape, Landscape):
        _thresholds(page, Findings(landscape=landscape))
    page.section("Trainings", table(["", "value"], _trainings(shown)))
    page.making(making)
    return page


def _facts(shown: Shown) -> list[tuple[str, str]]:
    table_, best = shown.table, shown.best
    counts = [
        ("contracts", str(int(shown.some.sum()))), ("feasible as measured", str(int(shown.feasible.sum()))),
        ("certified", str(int(shown.certified.sum()))), ("refuted", str(int(shown.refuted.sum()))),
    ]  # fmt: skip
    if best is None:
        return [("best contract", "none is feasible"), *counts]
    mean, beyond = shown.value
    return [
        (f"best {shown.word} contract", str(table_.contracts()[best])),
        (f"{shown.axis}, ± 95 %", f"{mean[best]:.2f} ± {beyond[best]:.2f}"), ("without a contract", f"{mean[0]:.2f}"),
        ("cannot be told from it", f"{int(shown.alike.sum()) - 1} others"), *counts,
    ]  # fmt: skip


def _certificate(shown: Shown) -> list[str]:
    if shown.best is None:
        return []
    certificate = shown.table.certificate(shown.table.contracts()[shown.best])
    return ["<h3>Certificate of the best contract</h3>", block(str(certificate))]


def _contracts(page: HtmlPage, shown: Shown) -> None:
    """The map of all contracts and the table, which share what is chosen."""
    from bokeh.layouts import column

    heading, columns = "All contracts", shown.columns(shown.rows)
    source = source_of(columns)
    left = len(shown.numbers) - len(shown.rows)
    few = shown.few_columns()
    drawn = charts.chart_values(shown, source_of(few), few) if left else charts.chart_values(shown, source, columns)
    parts = [drawn, sortable(source, columns, height=min(420, 60 + 25 * len(shown.rows)))]
    looks = "Discs of a colour are certified; the dashed line is the game without a contract."
    if charts.is_map(shown):
        looks = (
            "The dashed outline holds those that are feasible as measured (no margin below 0), the thick one the certified. "
            "Dots cannot be told from the best, the star."
        )
    text = (
        f"The pointer tells the numbers of a contract. {looks} ± is half the 95 % interval over {shown.over}. A click on a heading "
        "of the table sorts it."
    )
    if left:
        text += f" The table has the {MOST_ROWS} contracts that are worth most; {left} others are left out."
    page.section(heading, paragraph(text), page.chart(column(*parts, sizing_mode="stretch_width"), heading))


def _thresholds(page: HtmlPage, found: Findings) -> None:
    heading = "The tax from which nobody free-rides"
    rows = [
        [str(c.n_cleaners), threshold_in_words(found, c.n_cleaners), threshold_in_words(found, c.n_cleaners, predicted=True)]
        for c in found.crews
    ]  # fmt: skip
    parts = [
        paragraph(
            "Measured: the smallest tax that was tried from which on the free rider gains nothing beyond its error. Predicted: "
            "the smallest tax from which on a cleaner's share of the marginal harvest pays for its shots. <= marks the smallest "
            "tax that was compared; in brackets 95 % intervals over trainings."
        ),
        table(["cleaners", "measured", "predicted"], rows),
    ]
    try:
        parts.append(page.chart(charts.chart_thresholds(found), heading))
    except ContractsError as error:
        page.leave_out(f"{heading}, as a figure", error)
    page.section(heading, *parts)


def _trainings(shown: Shown) -> list[list[str]]:
    it = shown.table
    seeds = ", ".join(map(str, it.seeds[:20])) + (", ..." if len(it.seeds) > 20 else "")
    return [
        ["trainings", f"{len(it.seeds)} (seeds {seeds})"], ["CPU time in all", f"{float(it.cpu_seconds.sum()) / 60:.1f} min"],
        ["deviations", "; ".join(it.deviations) or "none"], ["epsilon", f"{it.default_epsilon():.2f} {shown.unit}"],
    ]  # fmt: skip

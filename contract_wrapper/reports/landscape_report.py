"""The report of a landscape: its figures, and a page beside them that explains each with the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from contract_wrapper.errors import ContractsError
from contract_wrapper.files import make_folder
from contract_wrapper.landscapes.bounds import BoolArray
from contract_wrapper.landscapes.building.commands_file import told_commands
from contract_wrapper.landscapes.landscape import Landscape
from contract_wrapper.landscapes.table.fields import ROLES
from contract_wrapper.landscapes.thresholds import FREE_RIDER
from contract_wrapper.reports.figure_style import SCREEN, FigureStyle
from contract_wrapper.reports.landscape_figures import draw_alike, draw_welfare
from contract_wrapper.reports.landscape_findings import NEAR, Findings, Rows
from contract_wrapper.reports.landscape_gain_figures import draw_gains, draw_margins, span
from contract_wrapper.reports.landscape_summary import answer, plus_minus, taxes_in_words, threshold_in_words
from contract_wrapper.reports.landscape_threshold_figure import draw_free_riding
from contract_wrapper.reports.page import Page, code_block, escaped, table
from contract_wrapper.studies.sharing.place import DATABASE

FILE = "landscape.npz"
"""Name of the landscape in a folder of its own."""

FOLDER = "figures"
"""Where its report lies in that folder."""

_TOLD = ("game", "costs", "learner", "payment", "episodes", "code", "versions", "version")
"""What a page tells first of a landscape's making, where it is known; then the rest."""

_LONGEST = 400

_NOT_SAID = """## What the certificate does not say

- **Deviations that were not tried.** A gain is the largest of the deviations named above. Another one may gain more: a
  refuted contract is refuted, a certified one is certified as far as the deviations reach. They move one agent alone;
  two that leave together were not tried.
- **Several equilibria.** A contract is judged by the play that these trainings found. The same contract may have other
  equilibria, with more welfare or less, idle crews among them; whether a training from scratch finds this one is
  another question, which `cleanup-contracts optimize` asks for the contract that it recommends.
- **Bounds are per contract.** All bounds of one contract hold together with 95 %. Of several hundred certified contracts
  a few may be certified by luck. The set that cannot be told from the best takes its own comparisons together.
- **Certified allows epsilon.** A contract is certified if no margin and no minus gain can lie below -epsilon. So a
  certified contract may have a margin a little below 0, and is then outside of the dashed outline, "feasible"."""


def find_landscape(path: Path) -> Path | None:
    """The file of the landscape that a path means: itself, or that in a folder; None: the path means a study."""
    if path.suffix == ".npz":
        return path
    return path / FILE if (path / FILE).is_file() and not (path / DATABASE).is_file() else None


def report_folder(file: Path) -> Path:
    """Where the report of a landscape's file goes: beside it, under a name that no other file's report has."""
    return file.parent / (FOLDER if file.name == FILE else f"{file.stem}-{FOLDER}")


def write_landscape_report(landscape: Landscape, folder: Path, *, style: FigureStyle = SCREEN) -> list[Path]:
    """Draw every figure that a landscape has data for, and write the page; both into `folder`, which is made.

    Args:
        landscape: the table.
        folder: of the page and the figures.
        style: format, pixels, titles and width of the figures.

    Returns:
        The page first, then the figures in its order. A figure that cannot be drawn (nothing is feasible, no gain was
        measured) is named on the page with its cause.

    Raises:
        ContractsError: the folder cannot be written.
    """
    page, found = Page(make_folder(folder), style), Findings(landscape=landscape)
    page.add(
        "landscape_welfare", lambda: draw_welfare(found, style=style), lambda: _welfare(found),
        heading="Welfare of all contracts",
    )  # fmt: skip
    page.add(
        "landscape_gains", lambda: draw_gains(found, style=style), lambda: _gains(found),
        heading="What somebody gains by leaving alone",
    )  # fmt: skip
    page.add(
        "landscape_margins", lambda: draw_margins(found, style=style), lambda: _margins(found), heading="Who gains how much"
    )  # fmt: skip
    page.add(
        "landscape_alike", lambda: draw_alike(found, style=style), lambda: _alike(found),
        heading="Contracts that cannot be told from the best",
    )  # fmt: skip
    page.add(
        "landscape_free_riding", lambda: draw_free_riding(found, style=style), lambda: _free_riding(found),
        heading="The tax from which nobody free-rides",
    )  # fmt: skip
    return page.write(_head(found), [_NOT_SAID])


def _head(found: Findings) -> list[str]:
    sentences = answer(found)
    parts = ["# Report of the landscape", "## The answer", f"**{escaped(sentences[0])}**"]
    parts += [escaped(sentence) for sentence in sentences[1:]]
    if found.best is not None:
        certificate = found.landscape.certificate(found.landscape.contracts()[found.best])
        parts += ["Its certificate:", code_block(str(certificate))]
    return [*parts, "## What was made", _making(found), *_command(found.landscape.about)]


def _making(found: Findings) -> str:
    landscape = found.landscape
    crews, deviators, playing = landscape.cpu_seconds.mean(axis=0)
    seeds = ", ".join(map(str, landscape.seeds[:20])) + (", ..." if len(landscape.seeds) > 20 else "")
    rows = [
        ("contracts", f"{int((landscape.n_cleaners > 0).sum())}, and no contract"),
        ("trainings", f"{len(landscape.seeds)} (seeds {seeds})"),
        ("CPU time of one training", f"{_minutes(crews)} for its crews, {_minutes(deviators)} for the deviators, "
         f"{_minutes(playing)} for playing"),
        ("CPU time in all", _minutes(float(landscape.cpu_seconds.sum()))),
        ("deviations", "; ".join(landscape.deviations) or "none"),
        ("epsilon", f"{found.epsilon:.2f} apples per episode (2 % of the utility of a harvester without a contract)"),
    ]  # fmt: skip
    about = landscape.about
    names = [n for n in _TOLD if n in about] + [n for n in about if n not in (*_TOLD, "command", "commands")]
    rows += [(name, _plain(about[name])) for name in names]
    return table(["", "value"], [[escaped(name), escaped(value)] for name, value in rows]).replace("---:", "---")


def _command(about: Mapping[str, Any]) -> list[str]:
    command = about.get("command")
    if not isinstance(command, str) or not command.strip():
        return ["The landscape does not say the command that made it."]
    typed = [line for line in told_commands(about) if "commands" in about]
    return [
        "Made by the command:", code_block(" ".join(command.split())),
        *(["As it was typed:", code_block("\n".join(typed))] if typed else []),
    ]  # fmt: skip


def _welfare(found: Findings) -> str:
    base = found.welfare
    text = (
        "The map has a row per crew size and a cell per tax; colour is welfare, the sum of what everybody gets after "
        "costs. Each cell reaches halfway to the next tax that was played; nothing is interpolated. The dashed outline "
        "holds the contracts that are feasible as measured: no harvester has less than without a contract, no cleaner "
        f"less than 0. The thick outline holds the certified ones: all margins, and what anybody loses by leaving alone, "
        f"are at least -{found.epsilon:.2f} with bounds that hold together for the contract with 95 % (over {found.over}). "
        f"Dots cannot be told from the best, the star. Below, the same as lines; without a contract welfare is "
        f"{plus_minus(base, 0)}. "
    )
    if found.unit == "episodes":
        text += (
            "**One training only:** bounds and bands are over its episodes, and say nothing of what another training would "
            "bring; only several seeds do. "
        )
    rows = []
    for crew in found.crews:
        best = {mask: _best_of(found, crew, getattr(found, mask)) for mask in ("certified", "feasible")}
        rows.append([
            str(crew.n_cleaners), str(len(crew.tax)), taxes_in_words(crew, found.feasible),
            taxes_in_words(crew, found.certified), taxes_in_words(crew, found.refuted), best["feasible"], best["certified"],
        ])  # fmt: skip
    head = ["cleaners", "contracts", "feasible", "certified", "refuted", "best feasible", "best certified"]
    return f"{text}Welfare ± half of the 95 % interval over {found.over}:\n\n{table(head, rows)}"


def _best_of(found: Findings, crew: Rows, mask: BoolArray) -> str:
    some = crew.numbers[mask[crew.numbers]]
    if not len(some):
        return "-"
    k = int(some[found.welfare.mean[some].argmax()])
    return f"{plus_minus(found.welfare, k)} (tax {found.landscape.tax[k]:g})"


def _gains(found: Findings) -> str:
    landscape, gains = found.landscape, found.gains.mean
    text = (
        "What the first agent of a role gains if it alone plays otherwise and all others play on. The black line is the "
        "strongest deviation, chosen on one set of episodes and measured on another; the others are gains on the episodes "
        f"of the choice. The free rider ({FREE_RIDER}) takes its share of the pot and never shoots. Learned deviators were "
        "trained against the frozen crew. Above the dashed line, epsilon, the contract is no equilibrium. All deviations "
        f"were tried at {len(landscape.tried_at)} contracts; elsewhere the strongest is that of the nearest tax. Largest "
        f"gains over all taxes, means over {len(landscape.seeds)} training{'s' if len(landscape.seeds) > 1 else ''}:"
    )
    rows = []
    for crew in found.crews:
        cells = [str(crew.n_cleaners)]
        for r, _ in enumerate(ROLES):
            some = gains[crew.numbers, r]
            if np.isfinite(some).any():
                k = int(np.nanargmax(some))
                cells.append(f"{some[k]:+.2f} (tax {crew.tax[k]:g}, by {_by(found, int(crew.numbers[k]), r)})")
            else:
                cells.append("not measured")
        over = np.nan_to_num(gains[crew.numbers], nan=-np.inf).max(axis=1) > found.epsilon
        rows.append([*cells, f"{int(over.sum())} of {len(over)}"])
    return f"{text}\n\n{table(['cleaners', *(f'a {role}' for role in ROLES), 'above epsilon'], rows)}"


def _by(found: Findings, k: int, role: int) -> str:
    numbers = {int(d) for d in found.landscape.strongest[:, k, role] if d >= 0}
    return escaped(" or ".join(found.landscape.deviations[d] for d in sorted(numbers)))


def _margins(found: Findings) -> str:
    text = (
        "A margin is what the contract brings: for a harvester its utility less that without a contract, for a cleaner its "
        "utility. Where a line enters the shaded part, somebody refuses. The tax moves income from harvesters to cleaners; "
        "welfare sets how much there is to share. Thick lines are the agents that are worst off, thin ones those that are "
        "best off, chosen in each training."
    )
    rows = []
    for crew in found.crews:
        some = crew.numbers[found.competing[crew.numbers]]
        cells = ["-", "-", "-"]
        if len(some):
            k = int(some[found.welfare.mean[some].argmax()])
            cells = [f"{found.landscape.tax[k]:g}"]
            for role in ("harvester", "cleaner"):
                low, high = (float(found.margins_of(role, which).mean[k]) for which in ("worst", "best"))
                cells.append(span(low, high))
        rows.append([str(crew.n_cleaners), taxes_in_words(crew, found.feasible), *cells])
    which = f"best {found.competing_word or 'feasible'} tax"
    return f"{text}\n\n{table(['cleaners', 'feasible', which, 'harvesters there', 'cleaners there'], rows)}"


def _alike(found: Findings) -> str:
    rows = [
        [str(c.n_cleaners), taxes_in_words(c, found.competing), taxes_in_words(c, found.alike)]
        for c in found.crews
    ]  # fmt: skip
    chosen = "\n".join(
        f"- {rule}: {found.named(k)}, welfare {plus_minus(found.welfare, k)}" for rule, k in found.preferred.items()
    )
    return (
        "Two contracts are compared by the differences of their seeds, in which what a training brings to all contracts "
        "cancels. A contract is left out of the set if another one is better beyond the error of their paired difference, "
        "with bounds that hold for all comparisons with the truly best one together (95 %): the set holds the truly best "
        "contract with that confidence. So it is the honest answer to which contract is best. Who must choose one may "
        f"break the tie, among those with at least {NEAR:.0%} of its welfare:\n\n{chosen}\n\n{table(['cleaners', found.competing_word, 'cannot be told from the best'], rows)}"
    )


def _free_riding(found: Findings) -> str:
    rows = [
        [str(c.n_cleaners), escaped(threshold_in_words(found, c.n_cleaners)),
         escaped(threshold_in_words(found, c.n_cleaners, predicted=True))]
        for c in found.crews
    ]  # fmt: skip
    missing = [
        f"{what} with {n} cleaner{'s' if n > 1 else ''} is missing: {it}"
        for what, by_crew in (("The measurement", found.thresholds), ("The prediction", found.predictions))
        for n, it in by_crew.items()
        if isinstance(it, ContractsError)
    ]
    text = (
        "A cleaner that stops working saves the cost of its shots and loses its share, tax / cleaners, of what its work "
        "adds to the harvest: moral hazard in a team. Measured: the smallest tax that was tried from which on, at every "
        "larger one too, the free rider gains nothing beyond the error of its episodes. Predicted: the smallest tax from "
        "which on that share of the marginal harvest (with this crew less with one cleaner fewer, at the same tax) pays for "
        "one cleaner's shots. The prediction takes the others for those of the smaller crew, which has learned to do with "
        "one fewer; so where one cleaner more brings the crew little, it is too high. Both are as fine as the taxes that were compared; <= marks the "
        f"smallest of them. In brackets: 95 % interval over {len(found.landscape.seeds)} trainings, where there are several."
    )
    return "\n\n".join([
        escaped(text), table(["cleaners", "measured", "predicted"], rows), *(escaped(why) + "." for why in missing)
    ])  # fmt: skip


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _plain(value: Any) -> str:
    """A plain value in one line; of a long one the beginning."""
    if isinstance(value, Mapping):
        value = ", ".join(f"{name}={_plain(item)}" for name, item in value.items() if name != "map")
    elif isinstance(value, (list, tuple)):
        value = ", ".join(_plain(item) for item in value)
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."

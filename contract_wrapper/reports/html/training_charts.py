"""The interactive figures of trainings and episodes of a study, as lines over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.plotting import figure

from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.by_crews.crew_folder import read_crews
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.reports.behaviour_figures import smooth
from contract_wrapper.reports.html.charts import Column, empty, hover, legend_below, level, plain, source_of
from contract_wrapper.reports.html.tried import Tried
from contract_wrapper.reports.style import CREWS, GREEN, INK, crew_name
from contract_wrapper.studies.running.run_file import OUTCOMES

MOST_POINTS = 400
"""Points of one curve; of longer ones every so many are shown."""


def chart_training(outcome: Outcome, unit: str) -> figure:
    """Utility per type of agents, and of all together, while training."""
    curve = outcome.training_curve
    episodes = list(curve.get("episode", ()))
    if len(episodes) < 2:
        raise ContractsError(f"the outcome of {outcome.contract} holds no training curve of two or more points")
    lines = {
        f"all of type {name}": np.array(values)
        for name, values in curve.items()
        if name != "episode" and (any(values) or not outcome.contract.is_none)  # who is not there has nothing
    }
    if len(lines) > 1:
        lines["everybody (welfare)"] = np.sum(list(lines.values()), axis=0)
    made = empty("training episodes", f"utility ({unit} per episode)", height=320)
    _curves(made, [(name, episodes, values) for name, values in lines.items()])
    level(made, outcome.welfare.mean, line_color=GREEN)
    return legend_below(made)


def chart_crews_training(tried: Tried) -> figure:
    """Welfare while crews that know every contract were trained, by crew size, mean over trainings."""
    crews = read_crews(tried.record.folder / OUTCOMES, tried.record.settings)
    if not crews or min(len(known.curve.episode) for known in crews) < 2 * len(crews[0].sizes):
        raise ContractsError("the crews hold no training curve of two or more points for each crew size")
    totals = np.mean([known.curve.returns.sum(axis=1) for known in crews], axis=0)
    episodes, sizes = np.asarray(crews[0].curve.episode), crews[0].sizes
    made = empty("training episodes, all crew sizes together", f"welfare ({tried.unit} per episode)", height=320)
    n = len(sizes)
    _curves(made, [(crew_name(size), episodes[k::n].tolist(), totals[k::n]) for k, size in enumerate(sizes)])
    return legend_below(made)


def _curves(made: figure, lines: Sequence[tuple[str, list[float], Any]]) -> None:
    for k, (name, episodes, values) in enumerate(lines):
        every = -(-len(episodes) // MOST_POINTS)
        colour = INK if name.startswith("everybody") else CREWS[k % len(CREWS)][0]
        told = [
            Column(key="x", title="episode", values=episodes[::every], digits=0),
            Column(key="y", title=name, values=smooth(values)[::every].tolist(), digits=2),
        ]
        line = made.line("x", "y", source=source_of(told), line_color=colour, line_width=2, legend_label=plain(name))
        made.add_tools(hover(told, [line]))


def chart_waste(outcomes: Sequence[Outcome]) -> figure:
    """Waste in the river by step, mean over the greedy episodes."""
    some = [o for o in outcomes if o.waste_curve]
    if not some:
        raise ContractsError("the outcomes hold no curve of waste")
    made = empty("step", "waste cells", height=300)
    _curves(
        made,
        [
            (
                "no contract" if o.contract.is_none else str(o.contract),
                list(range(1, 1 + len(o.waste_curve))),
                o.waste_curve,
            )
            for o in some
        ],
    )
    return legend_below(made)

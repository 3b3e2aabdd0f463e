"""Every figure, of searches, behaviour, landscapes and trees, in every style: format, width, titles."""

import dataclasses
import itertools
import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from made_up_landscapes import made_up_landscape
from made_up_studies import fake_outcome, make_study
from matplotlib.text import Text
from PIL import Image

import contract_tree.figure_style
import contract_wrapper.reports.figure_style
from contract_tree import Result, named_tree, simulate
from contract_tree import figures as tree_figures
from contract_tree.report import write_report as write_tree_report
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.playback.recording import record_episode
from contract_wrapper.reports import (
    behaviour_figures,
    landscape_figures,
    landscape_gain_figures,
    landscape_threshold_figure,
    margins_figure,
    search_figures,
)
from contract_wrapper.reports.figure_style import FigureStyle, canvas, file_content
from contract_wrapper.reports.landscape_findings import Findings
from contract_wrapper.reports.page import Page
from contract_wrapper.reports.report import write_report

STUDY = make_study(Path("unused"))
WIDTHS = {"column": 3.4, "text": 7.0, 5.0: 5.0}


@cache
def found() -> Findings:
    return Findings(landscape=made_up_landscape(4, n_taxes=21))


@cache
def episodes():
    return [record_episode(c, steps=20) for c in (Contract.none(), Contract(tax=0.2, n_cleaners=2))]


@cache
def played(tree: str) -> Result:
    return simulate(named_tree(tree), "tree", horizon=5_000, n_games=3)


def trained():
    outcome = fake_outcome(Contract(tax=0.19, n_cleaners=5), [80.0] * 5, cleaner=20.0, shots=90)
    noise = np.random.default_rng(0).normal(0, 20, 200)
    curve = {"episode": range(64, 64 * 201, 64), "cleaner": np.arange(200.0), "harvester": 2 * np.arange(200.0) + noise}
    return dataclasses.replace(outcome, training_curve={k: tuple(map(float, v)) for k, v in curve.items()})


def crews():
    """Two trainings of crews of one to three cleaners: the larger the crew, the more they bring."""
    episode = 64 * np.arange(1, 181)
    returns = np.stack([np.arange(180.0) * (1 + np.arange(180) % 3), np.zeros(180)], axis=1)
    return [SimpleNamespace(sizes=(1, 2, 3), curve=SimpleNamespace(episode=episode, returns=returns))] * 2


FIGURES = {
    "crews": lambda style: behaviour_figures.draw_crews_training(crews(), style=style),
    "designs": lambda style: search_figures.draw_designs(STUDY, style=style),
    "search": lambda style: search_figures.draw_best_feasible(STUDY, style=style),
    "work": lambda style: search_figures.draw_work_over_tax(STUDY, style=style),
    "margins": lambda style: margins_figure.draw_margins(STUDY, style=style),
    "training": lambda style: behaviour_figures.draw_training(trained(), style=style),
    "field": lambda style: behaviour_figures.draw_field(episodes(), style=style),
    "waste": lambda style: behaviour_figures.draw_waste(STUDY, STUDY.best().outcome, style=style),
    "landscape": lambda style: landscape_figures.draw_welfare(found(), style=style),
    "alike": lambda style: landscape_figures.draw_alike(found(), style=style),
    "gains": lambda style: landscape_gain_figures.draw_gains(found(), style=style),
    "landscape margins": lambda style: landscape_gain_figures.draw_margins(found(), style=style),
    "free riding": lambda style: landscape_threshold_figure.draw_free_riding(found(), style=style),
    "tree welfare": lambda style: tree_figures.draw_welfare(played("chain"), style=tree(style)),
    "tree regret": lambda style: tree_figures.draw_regret(played("chain"), style=tree(style)),
    "tree payments": lambda style: tree_figures.draw_payments(played("chain"), style=tree(style)),
    "tree": lambda style: tree_figures.draw_tree(played("random-3-2"), style=tree(style)),
}


def tree(style):
    """The same style in the package of trees."""
    return contract_tree.figure_style.FigureStyle(**dataclasses.asdict(style))


def texts_of(figure, monkeypatch):
    """Everything written in a figure: text, its box in pixels, its size in points."""
    written, draw = [], Text.draw

    def noted(self, renderer, *more, **how):
        if self.get_visible() and self.get_text().strip():
            written.append((self.get_text(), Text.get_window_extent(self, renderer), self.get_fontsize()))
        return draw(self, renderer, *more, **how)

    figure.canvas.draw()  # fixes the layout
    with monkeypatch.context() as patch:
        patch.setattr(Text, "draw", noted)
        figure.canvas.draw()
    assert written
    return written


@pytest.mark.parametrize("width", [None, *WIDTHS])
@pytest.mark.parametrize("name", FIGURES)
def test_what_is_written_lies_in_the_figure_and_covers_nothing_else_that_is_written(name, width, monkeypatch):
    figure = FIGURES[name](FigureStyle(width=width))
    written = texts_of(figure, monkeypatch)
    right, top = figure.bbox.width, figure.bbox.height
    outside = [t for t, b, _ in written if b.x0 < -1 or b.y0 < -1 or b.x1 > right + 1 or b.y1 > top + 1]
    assert outside == []
    covered = [
        (a, b)
        for (a, p, _), (b, q, _) in itertools.combinations(written, 2)
        if min(p.x1, q.x1) - max(p.x0, q.x0) > 1.5 and min(p.y1, q.y1) - max(p.y0, q.y0) > 1.5
    ]
    assert covered == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_for_a_paper_has_the_width_asked_for_and_letters_of_a_paper(name, width, monkeypatch):
    figure = FIGURES[name](FigureStyle(width=width, titles=False))
    sizes = [size for _, _, size in texts_of(figure, monkeypatch)]
    assert figure.get_figwidth() == pytest.approx(WIDTHS[width])
    assert min(sizes) >= 4.5
    assert max(sizes) <= 9.5
    if "tree" not in name:
        assert min(sizes) >= 6.0  # names of a wide tree may be smaller


@pytest.mark.parametrize("name", FIGURES)
def test_a_title_is_left_out_on_request_and_its_finding_kept(name):
    with_title, without = (FIGURES[name](FigureStyle(titles=titles)) for titles in (True, False))
    assert " ".join(with_title.get_suptitle().split()) == with_title.get_label() != ""
    assert without.get_suptitle() == ""
    assert without.get_label() == with_title.get_label()


@pytest.mark.parametrize("name", FIGURES)
def test_vector_files_hold_no_raster_and_letters_as_truetype(name):
    svg = file_content(FIGURES[name](FigureStyle(format="svg")), FigureStyle(format="svg")).decode()
    assert "<image" not in svg
    assert "<path" in svg
    pdf = file_content(FIGURES[name](FigureStyle(format="pdf")), FigureStyle(format="pdf"))
    assert re.search(rb"/Subtype /Type0", pdf)  # how TrueType letters are embedded
    assert b"/FontFile2" in pdf
    assert b"/Subtype /Type3" not in pdf
    assert b"/Subtype /Image" not in pdf


def test_the_title_of_crews_tells_where_their_curves_begin_and_end():
    figure = FIGURES["crews"](FigureStyle())
    lines = [line.get_ydata() for line in figure.axes[0].lines if line.get_label().endswith(("cleaner", "cleaners"))]
    first, last = (np.mean([values[k] for values in lines]) for k in (0, -1))
    assert f"welfare {first:.0f} at first, {last:.0f} at the end" in figure.get_label()


def test_a_raster_in_a_figure_would_be_seen():
    figure, ax = canvas(4.0, 3.0, "", FigureStyle())
    ax.imshow([[0, 1]])
    assert b"<image" in file_content(figure, FigureStyle(format="svg"))
    assert b"/Subtype /Image" in file_content(figure, FigureStyle(format="pdf"))


@pytest.mark.parametrize("format", ["png", "pdf", "svg"])
def test_the_same_figure_gives_the_same_bytes(format):
    style = FigureStyle(format=format)
    assert len({file_content(FIGURES["waste"](style), style) for _ in range(2)}) == 1


def test_a_png_has_as_many_pixels_as_its_inches_times_dpi(tmp_path):
    style = FigureStyle(width="column", dpi=300)
    (tmp_path / "waste.png").write_bytes(file_content(FIGURES["waste"](style), style))
    with Image.open(tmp_path / "waste.png") as picture:
        assert picture.size[0] == 1020


def test_the_pdf_tells_its_finding_as_title():
    style = FigureStyle(format="pdf", titles=False)
    pdf = file_content(FIGURES["search"](style), style)
    assert b"/Title (The search reached welfare 538.5 in trial 10" in pdf


@pytest.mark.parametrize("format", ["png", "pdf", "svg"])
def test_a_report_is_drawn_in_the_format_asked_for_and_its_page_shows_it(format, tmp_path):
    study = make_study(tmp_path)
    page, *files = write_report(study, style=FigureStyle(format=format, titles=False))
    assert len(files) >= 4
    assert {path.suffix for path in files} == {f".{format}"}
    text = page.read_text()
    shown = "[All contracts that were tried](welfare_over_designs." + format
    assert f"{'' if format == 'pdf' else '!'}{shown}" in text
    assert "**Best contract: tax 0.19, 5 cleaners" in text  # the title, which the figure lacks


def test_the_report_of_a_tree_takes_the_style_too(tmp_path):
    style = contract_tree.figure_style.FigureStyle(format="svg", width="column")
    names = [path.name for path in write_tree_report(played("chain"), tmp_path, style=style)]
    assert names == ["nodes.csv", "welfare.csv", "welfare.svg", "regret.svg", "payments.svg", "tree.svg"]


def test_a_figure_that_cannot_be_drawn_leaves_none_in_any_format(tmp_path):
    for ending in ("png", "pdf", "svg"):
        (tmp_path / f"x.{ending}").write_bytes(b"of an older study")

    def fail():
        raise ContractsError("nothing is known")

    Page(tmp_path, FigureStyle(format="pdf")).add("x", fail, lambda: "", heading="X")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "jpg"}, "must be one of png, pdf, svg, got 'jpg'"),
        ({"format": None}, "must be one of"),
        ({"dpi": 0}, "30 to 600 pixels per inch, got 0"),
        ({"dpi": 100.5}, "whole number"),
        ({"dpi": True}, "whole number"),
        ({"titles": "off"}, "titles must be True or False"),
        ({"width": "page"}, "width must be 'column', 'text', 3 to 40 inches, or None, got 'page'"),
        ({"width": 2.0}, "3 to 40 inches"),
        ({"width": float("nan")}, "3 to 40 inches"),
        ({"width": True}, "3 to 40 inches"),
        ({"width": [3.4]}, "3 to 40 inches"),
        ({"width": "x" * 10_000}, "got 'xxxx"),
    ],
)
def test_a_style_that_cannot_be_drawn_is_refused(change, message):
    with pytest.raises(ContractsError, match=message) as caught:
        FigureStyle(**change)
    assert len(str(caught.value)) < 300


def test_both_packages_have_the_same_styles():
    """Neither package may import the other, so that each has the module; they differ in the error alone."""
    ours, trees = (
        re.sub(r"from contract_\w+\.errors import \w+|`contract_\w+`", "", Path(module.__file__).read_text())
        for module in (contract_wrapper.reports.figure_style, contract_tree.figure_style)
    )
    assert ours == trees

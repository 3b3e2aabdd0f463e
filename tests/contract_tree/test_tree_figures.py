"""Figures say what is in the data: titles with the numbers, a mark where it belongs."""

import itertools
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from contract_tree import Result, Tree, named_tree, simulate

pytest.importorskip("matplotlib")
from contract_tree import figures
from contract_tree.report import write_report


@cache
def played(player: str) -> Result:
    return simulate(named_tree("chain"), player, horizon=10_000, n_games=3)


def title(figure: object) -> str:
    return figure.get_suptitle().replace("\n", " ")  # type: ignore[attr-defined, no-any-return]


def test_welfare_is_drawn_beneath_the_best_and_the_title_says_what_is_missed() -> None:
    """Without contracts 0.25 of 2.05 are missed: 12.2 %."""
    figure = figures.draw_welfare(played("ucb"))
    assert title(figure).startswith("In the last tenth 12.3")
    levels = sorted({round(float(line.get_ydata()[0]), 6) for line in figure.axes[0].lines})
    assert levels == [1.80, 2.05]


def test_regret_is_drawn_on_logarithmic_axes_with_its_slope() -> None:
    result = played("ucb")
    figure = figures.draw_regret(result)
    assert title(figure).startswith("From round 1,000 on, lost welfare grows like T to the power 0.9")
    ax = figure.axes[0]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    mean = ax.lines[0].get_ydata()
    assert mean[-1] == pytest.approx(result.welfare_regret()[:, -1].mean())
    fitted = ax.lines[1]
    x, y = np.log(fitted.get_xdata()), np.log(fitted.get_ydata())
    assert np.polyfit(x, y, 1)[0] == pytest.approx(result.slopes().mean())


def test_payments_stand_beside_what_is_needed() -> None:
    result = played("tree")
    ax = figures.draw_payments(result).axes[0]
    needed = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "D"]
    assert needed == pytest.approx([0, 0.15, 0, 0.2])
    found = [line.get_xdata() for line in ax.lines if line.get_marker() == "o"]
    assert found[3] == pytest.approx(result.payments[:, 5])
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert labels == ["middle: 0", "middle: 1  (best)", "leaf: 0", "leaf: 1  (best)"]


def test_without_contracts_there_are_no_payments_to_draw() -> None:
    assert title(figures.draw_payments(played("ucb"))) == "No principal has come to a payment"


def arrows(figure: object) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
    """Ends of the arrows of a tree: from whom, to whom."""
    patches = figure.axes[0].patches  # type: ignore[attr-defined]
    return [tuple(tuple(map(float, p)) for p in arrow._posA_posB) for arrow in patches if arrow.get_gid() == "pays"]


def test_the_tree_shows_who_plays_what_and_who_pays_whom() -> None:
    """In a chain, which is drawn from the top down, the root pays the middle and the middle the leaf."""
    paid, unpaid = figures.draw_tree(played("tree")), figures.draw_tree(played("ucb"))
    assert title(paid) == "3 of 3 nodes mostly play what is best for all"
    assert title(unpaid) == "0 of 3 nodes mostly play what is best for all"
    assert arrows(paid) == [((0.0, 0.0), (0.0, -1.0)), ((0.0, -1.0), (0.0, -2.0))]
    assert arrows(unpaid) == []
    texts = [text.get_text() for text in unpaid.axes[0].texts]
    assert texts.count("0") == 3  # actions
    assert sum(text.startswith("0.") and float(text) > 0.1 for text in (t.get_text() for t in paid.axes[0].texts)) == 2


def test_the_legend_of_a_tree_names_what_it_shows_and_no_more() -> None:
    def names(player: str) -> list[str]:
        return [text.get_text() for text in figures.draw_tree(played(player)).legends[0].get_texts()]

    assert names("tree") == ["plays what is best for all", "principal pays agent, per round"]
    assert names("ucb") == ["plays something else", "pays nothing"]


def test_a_large_tree_is_drawn_without_its_names_on_top_of_each_other() -> None:
    result = simulate(named_tree("random-4-3"), "ucb", horizon=1000, n_games=1)
    figure = figures.draw_tree(result)
    figure.draw_without_rendering()
    names = [text for text in figure.axes[0].texts if text.get_text().count(".") == 3]
    assert len(names) == 27
    boxes = sorted((text.get_window_extent() for text in names), key=lambda box: box.x0)
    assert all(a.x1 <= b.x0 + 1 for a, b in itertools.pairwise(boxes))


@pytest.mark.parametrize("name", ["$x^$", "$\\frac$", "a$b", "\\$a$", "{}_^", "漢字", "x" * 100])
def test_names_are_shown_as_they_are_and_never_taken_for_formulas(tmp_path: Path, name: str) -> None:
    leaf = {"name": name, "theta": [0.6, 0.4]}
    tree = Tree.from_nested({"name": "root", "theta": [[0.2, 0.8]], "children": [leaf]})
    result = simulate(tree, "oracle", horizon=100, n_games=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_report(result, tmp_path)
    assert name in (tmp_path / "nodes.csv").read_text(encoding="utf-8")
    figure = figures.draw_payments(result)
    shown = figure.axes[0].get_yticklabels()[1]
    assert shown._preprocess_math(shown.get_text()) == (
        f"{name if len(name) < 25 else f'{name[:11]}…{name[-12:]}'}: 1  (best)",
        False,
    )

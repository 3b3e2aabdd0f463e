import dataclasses

import numpy as np
import pytest
from made_up_studies import BASELINE, DESIGNS, fake_outcome, make_study
from matplotlib.colors import to_rgb

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.playback.board import swatches
from contract_wrapper.playback.recording import record_episode
from contract_wrapper.reports.behaviour_figures import draw_field, draw_training, draw_waste, smooth
from contract_wrapper.reports.margins_figure import draw_margins
from contract_wrapper.reports.search_figures import (
    draw_best_feasible,
    draw_designs,
    draw_work_over_tax,
    turn_to_work,
)


def title(figure):
    return figure.get_suptitle().replace("\n", " ")


def test_designs_show_each_contract_once_under_the_answer_to_who_accepts(fake_study):
    """Of the twelve, tax 0.14 with 4 cleaners and 0.17 and 0.01 with 5 have a margin within two standard errors of 0."""
    figure = draw_designs(fake_study)
    found = {part.get_gid(): part.get_offsets().tolist() for part in figure.axes[0].collections if part.get_gid()}
    assert {gid.partition(":")[0]: len(places) for gid, places in found.items()} == {
        "accepted by everybody": 6,
        "undecided": 3,
        "refused by somebody": 3,
    }
    assert [0.19, 5.0] in found["accepted by everybody"]
    assert [0.14, 4.0] in found["undecided: a margin within 2 se of 0"]
    assert title(figure) == (
        "Best contract: tax 0.19, 5 cleaners (trial 10), welfare 538.5; 6 of 12 are accepted, 3 undecided"
    )


def test_the_legend_of_designs_has_each_shape_and_no_colour_of_the_map(fake_study):
    figure = draw_designs(fake_study)
    entries = dict(
        zip([text.get_text() for text in figure.legends[0].get_texts()], figure.legends[0].legend_handles, strict=True)
    )
    shapes = [entries[part.get_gid()] for part in figure.axes[0].collections if part.get_gid()]
    assert len({handle.get_marker() for handle in shapes}) == 3
    assert {handle.get_markerfacecolor() for handle in shapes} == {"white"}


def test_designs_carry_their_trial_numbers(fake_study):
    numbers = {text.get_text() for text in draw_designs(fake_study).axes[0].texts}
    assert numbers == {*map(str, [*range(1, 10), 11, 12]), "10: best"}


def test_designs_name_baseline_and_paper_in_the_legend(fake_study):
    names = [text.get_text() for text in draw_designs(fake_study).legends[0].get_texts()]
    assert "no contract: 145.0" in names
    assert "paper's best (tax 0.04, 5 cleaners): 255.53" in names


def test_without_a_baseline_nothing_is_called_accepted(tmp_path):
    figure = draw_designs(make_study(tmp_path, baseline=None))
    assert "acceptance unknown (no baseline)" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_published_figures_stay_out_of_another_game(fake_study):
    game = dataclasses.replace(fake_study.settings.game, horizon=300)
    other = dataclasses.replace(fake_study, settings=EvaluationSettings(game=game))
    names = [text.get_text() for text in draw_designs(other).legends[0].get_texts()]
    assert not any("paper" in name for name in names)


def test_best_so_far_never_falls_and_ends_at_the_best(fake_study):
    figure = draw_best_feasible(fake_study)
    line = next(part for part in figure.axes[0].lines if part.get_label() == "best so far, no margin below 0")
    heights = np.array(line.get_ydata(), float)
    assert np.isfinite(heights).all()
    assert line.get_xdata()[0] == 5  # the first four designs have a margin below 0
    assert (np.diff(heights) >= 0).all()
    assert heights[-1] == pytest.approx(538.5)


def test_levels_for_comparison_stand_at_their_numbers(fake_study):
    levels = [
        line.get_ydata()[0] for line in draw_best_feasible(fake_study).axes[0].lines if line.get_linestyle() in "--.:"
    ]
    assert {145.0, 255.53, 594.0} <= {round(float(level), 2) for level in levels}


def test_turn_to_work_is_the_narrowest_pair_of_idle_and_working_tax(fake_study):
    assert turn_to_work(fake_study.finished()) == (5, 0.17, 0.19)


def test_no_turn_is_claimed_when_all_crews_work(tmp_path):
    study = make_study(tmp_path, DESIGNS[4:6])
    assert title(draw_work_over_tax(study)) == "Every crew works under every contract that was tried"


def test_work_has_one_series_per_crew_size(fake_study):
    figure = draw_work_over_tax(fake_study)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert [name for name in names if "cleaner" in name][:5] == [
        "1 cleaner",
        *(f"{n} cleaners" for n in range(2, 6)),
    ]
    assert len(figure.axes) == 4


def test_work_is_drawn_where_it_was_played_and_nowhere_between(fake_study):
    taxes = {t.contract.tax for t in fake_study.finished()}
    for ax in draw_work_over_tax(fake_study).axes:
        joined = [line for line in ax.lines if line.get_linestyle() not in ("None", "--")]
        assert joined == []
        markers = [line for line in ax.lines if line.get_linestyle() == "None" and line.get_marker() != "_"]
        assert {float(x) for line in markers for x in line.get_xdata()} == taxes


def test_margins_show_the_best_eight_and_the_nearest_two_refused(fake_study):
    labels = [label.get_text() for label in draw_margins(fake_study).axes[0].get_yticklabels()]
    assert len(labels) == 10
    assert labels[0] == "tax 0.19, 5 cleaners\ntrial 10, welfare 538"
    assert [label.rpartition(", ")[2] for label in labels[-4:]] == ["undecided", "undecided", "undecided", "refused"]


def test_a_marker_of_a_margin_is_hollow_where_its_bar_reaches_below_zero(fake_study):
    for ax in draw_margins(fake_study).axes:
        for bar in ax.containers:
            line, _, (segments,) = bar
            low = segments.get_segments()[0][:, 0].min()
            assert (line.get_markerfacecolor() == "white") == (low < 0)


def test_training_curve_ends_at_the_welfare_of_the_types():
    outcome = fake_outcome(Contract(tax=0.2, n_cleaners=2), [10.0] * 5, cleaner=5.0, shots=50)
    figure = draw_training(outcome)
    total = next(part for part in figure.axes[0].lines if part.get_label() == "everybody (welfare)")
    assert len(total.get_xdata()) == 20
    assert total.get_ydata()[-1] == pytest.approx(50.0 * 22 / 22 + 10.0 * 19 / 20)


def noisy_outcome(n=200):
    """An outcome whose training rises from 100 to 300 with noise."""
    outcome = fake_outcome(Contract(tax=0.2, n_cleaners=2), [10.0] * 5, cleaner=5.0, shots=50)
    steps, noise = np.arange(n), np.random.default_rng(0).normal(0, 30, n)
    curve = {"episode": 64 * (steps + 1), "cleaner": 0 * steps, "harvester": 100 + 200 * steps / n + noise}
    return dataclasses.replace(outcome, training_curve={k: tuple(map(float, v)) for k, v in curve.items()})


def test_the_title_of_a_training_tells_where_the_curve_begins_and_ends():
    figure = draw_training(noisy_outcome())
    curve = next(part for part in figure.axes[0].lines if part.get_label() == "everybody (welfare)").get_ydata()
    assert title(figure).endswith(f"welfare {curve[0]:.0f} at first, {curve[-1]:.0f} at the end")


def test_a_running_mean_lies_beside_the_line_that_it_smooths():
    """Of a straight line it is the line itself; a lagging mean would lie half a window below."""
    line = np.arange(200.0)
    assert smooth(line)[5:-5] == pytest.approx(line[5:-5])
    assert smooth([1.0, 5.0, 3.0]).tolist() == [1.0, 5.0, 3.0]
    assert smooth(np.r_[np.zeros(20), np.ones(20)])[18:22] == pytest.approx([0, 1 / 3, 2 / 3, 1])


def test_the_error_bar_of_the_trained_crew_lies_in_front_of_its_star():
    ax = draw_training(noisy_outcome()).axes[0]
    star = next(line for line in ax.lines if line.get_marker() == "*")
    ((_, caps, bars),) = ax.containers
    assert star.get_markerfacecolor() == "white"
    assert min(part.get_zorder() for part in (*caps, *bars)) > star.get_zorder()
    assert bars[0].get_segments()[0][:, 1] == pytest.approx([60 - 2, 60 + 2])


def test_training_without_a_curve_is_refused():
    with pytest.raises(ContractsError, match="no training curve"):
        draw_training(dataclasses.replace(BASELINE, training_curve={}))


@pytest.fixture(scope="module")
def episodes():
    return [record_episode(c, steps=60) for c in (Contract.none(), Contract(tax=0.2, n_cleaners=2))]


def test_field_has_a_row_per_episode_and_a_picture_per_moment(episodes):
    figure = draw_field(episodes, shares=(0, 0.5, 1))
    assert [ax.get_xlabel().splitlines()[0].split(",")[0] for ax in figure.axes] == ["step 0", "step 30", "step 60"] * 2
    assert all(any(part.get_gid() == "ground" for part in ax.collections) for ax in figure.axes)


def drawn_colours(figure):
    """Colours of all cells and discs, by the kind of artist."""
    found = {"ground": set(), "beam": set(), "apples": set(), "agents": set()}
    for ax in figure.axes:
        for part in ax.collections:
            if part.get_gid() == "ground":
                shown = part.cmap(part.norm(part.get_array()))
                found["ground"] |= {tuple(c) for c in shown.reshape(-1, 4)[:, :3].round(4)}
            elif part.get_gid() in found:
                found[part.get_gid()] |= {tuple(np.round(c[:3], 4)) for c in part.get_facecolor()}
        found["beam"] |= {tuple(np.round(p.get_facecolor()[:3], 4)) for p in ax.patches if p.get_gid() == "beam"}
    return found


def test_every_colour_of_the_field_has_a_swatch(episodes):
    figure = draw_field(episodes)
    drawn = set().union(*drawn_colours(figure).values())
    assert len(drawn) == 6 + 1 + 1 + 7  # kinds of ground, beam, apple, five harvesters and two cleaners
    handles = [
        part for entry in figure.legends[0].legend_handles for part in (entry if isinstance(entry, tuple) else [entry])
    ]
    shown = set()
    for handle in figure.legends[0].findobj(lambda artist: hasattr(artist, "get_markerfacecolor")):
        shown.add(tuple(np.round(to_rgb(handle.get_markerfacecolor()), 4)))
    for handle in handles:
        if hasattr(handle, "get_facecolor"):
            shown.add(tuple(np.round(handle.get_facecolor()[:3], 4)))
    assert drawn <= shown


def test_the_field_shows_what_the_game_shows(episodes):
    """Cell by cell, the middle of the picture in pixels has the colour of the disc or cell that is drawn there."""
    episode, k = episodes[1], 20
    board, pixels = episode.board(k), episode.picture(k, scale=16)
    for (row, column), colour, ahead in zip(board.agents, board.colours, board.ahead, strict=True):
        behind = np.array([row, column]) * 16 + 8 - 4 * ahead
        assert pixels[tuple(behind)] / 255 == pytest.approx(colour)
    for row, column in board.apples:
        if not any((board.agents == (row, column)).all(axis=1)) and not any((board.beams == (row, column)).all(axis=1)):
            assert pixels[row * 16 + 8, column * 16 + 8] / 255 == pytest.approx(swatch("apple", board))


def swatch(name, board):
    return next(s.colours[0] for s in swatches([board]) if s.name == name)


def test_waste_names_the_level_at_which_growth_stops(fake_study):
    figure = draw_waste(fake_study, fake_study.best().outcome)
    assert title(figure) == (
        "Waste cells at the end of an episode: 48 without a contract and 10 with tax 0.19, 5 cleaners"
    )
    assert figure.axes[0].texts[0].get_text().startswith("above 47.6 cells (40% of the river)")


@pytest.mark.parametrize("draw", [draw_designs, draw_best_feasible, draw_work_over_tax, draw_margins])
def test_a_study_without_results_cannot_be_drawn(draw, tmp_path):
    with pytest.raises(ContractsError):
        draw(make_study(tmp_path, ()))

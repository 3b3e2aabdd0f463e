import dataclasses

import numpy as np
import pytest
from made_up_studies import BASELINE, DESIGNS, fake_outcome, make_study

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.playback.recording import record_episode
from contract_wrapper.reports.behaviour_figures import draw_field, draw_training, draw_waste
from contract_wrapper.reports.search_figures import (
    draw_best_feasible,
    draw_designs,
    draw_margins,
    draw_work_over_tax,
    turn_to_work,
)


def title(figure):
    return figure.get_suptitle().replace("\n", " ")


def test_designs_show_each_contract_once_discs_accepted_crosses_refused(fake_study):
    figure = draw_designs(fake_study)
    accepted, refused = figure.axes[0].collections[:2]
    assert (len(accepted.get_offsets()), len(refused.get_offsets())) == (8, 4)
    assert [0.19, 5.0] in accepted.get_offsets().tolist()
    assert title(figure) == (
        "Best accepted contract: tax 0.19, 5 cleaners (trial 10), welfare 538.5; 8 of 12 are accepted"
    )


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
    line = next(part for part in figure.axes[0].lines if part.get_label() == "best accepted so far")
    heights = np.array(line.get_ydata(), float)
    assert np.isnan(heights[:3]).all()  # the first four designs are refused
    assert (np.diff(heights[4:]) >= 0).all()
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


def test_margins_show_the_best_eight_and_the_nearest_two_refused(fake_study):
    labels = [label.get_text() for label in draw_margins(fake_study).axes[0].get_yticklabels()]
    assert len(labels) == 10
    assert labels[0] == "tax 0.19, 5 cleaners\ntrial 10, welfare 538"
    assert labels[-2].endswith("refused")


def test_training_curve_ends_at_the_welfare_of_the_types():
    outcome = fake_outcome(Contract(tax=0.2, n_cleaners=2), [10.0] * 5, cleaner=5.0, shots=50)
    figure = draw_training(outcome)
    total = next(part for part in figure.axes[0].lines if part.get_label() == "everybody (welfare)")
    assert len(total.get_xdata()) == 20
    assert total.get_ydata()[-1] == pytest.approx(50.0 * 22 / 22 + 10.0 * 19 / 20)


def test_training_without_a_curve_is_refused():
    with pytest.raises(ContractsError, match="no training curve"):
        draw_training(dataclasses.replace(BASELINE, training_curve={}))


def test_field_has_a_row_per_episode_and_a_picture_per_moment():
    episodes = [record_episode(c, steps=8) for c in (Contract.none(), Contract(tax=0.2, n_cleaners=2))]
    figure = draw_field(episodes, shares=(0, 0.5, 1))
    assert [ax.get_xlabel().splitlines()[0].split(",")[0] for ax in figure.axes] == ["step 0", "step 4", "step 8"] * 2
    assert all(len(ax.images) == 1 for ax in figure.axes)


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

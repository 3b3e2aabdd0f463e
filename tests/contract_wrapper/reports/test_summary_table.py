import dataclasses

from made_up_studies import DESIGNS, fake_outcome, make_study

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.participation import PARTICIPATION, tightest_margin, worst_harvester_margin
from contract_wrapper.evaluation.published_results import PAPER, same_game
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.reports.problems.failures import about_failures
from contract_wrapper.reports.summary_table import WIDTH, closing_table


def row(table, label):
    """Cells of the row that begins with a label."""
    return next(line for line in table.splitlines() if line.startswith(label)).removeprefix(label).split()


def test_best_row_holds_the_numbers_of_the_best_contract(fake_study):
    # harvesters 89, 92, 86, 90, 94 against 28, 32, 24, 28, 33; cleaners 17.5 each
    assert row(closing_table(fake_study), "best found") == [
        *("538.50", "±", "1.00"), "86.00",
        *("+60.00", "±", "0.71"), *("+17.50", "±", "0.10"), "accepted",
    ]  # fmt: skip


def test_baseline_row_has_no_margins(fake_study):
    assert row(closing_table(fake_study), "no contract") == ["145.00", "±", "1.00", "24.00", "-", "-", "-"]


def test_retrained_row_takes_its_error_from_the_spread_between_trainings(fake_study):
    # welfare 538.5, 539.5, 540.5: standard deviation 1, standard error 1 / sqrt(3)
    assert row(closing_table(fake_study), "retrained")[:3] == ["539.50", "±", "0.58"]
    assert "mean of 3 fresh trainings of the same" in closing_table(fake_study)


def test_without_confirmation_there_is_no_retrained_row(tmp_path):
    assert "retrained" not in closing_table(make_study(tmp_path, confirm=0))


def test_paper_row_holds_the_published_numbers(fake_study):
    assert row(closing_table(fake_study), "paper's best") == [
        "255.53", "49.96", ">=", "+19.69", "+0.28", "accepted",
    ]  # fmt: skip
    assert "30.27" in closing_table(fake_study)
    assert PAPER.contract == Contract(tax=0.04, n_cleaners=5)


def test_scripted_row_is_a_harvest_before_costs(fake_study):
    assert row(closing_table(fake_study), "scripted")[0] == "594.00"
    assert "harvest, before costs" in closing_table(fake_study)


def test_another_game_is_not_compared_with_published_figures(fake_study):
    game = dataclasses.replace(fake_study.settings.game, n_harvesters=3)
    other = dataclasses.replace(fake_study, settings=EvaluationSettings(game=game))
    assert not same_game(game)
    assert "255.53" not in closing_table(other)
    assert "left out" in closing_table(other)


def test_no_line_is_wider_than_the_terminal(fake_study, tmp_path):
    large = [fake_outcome(t.contract, [9876.5] * 5, 1234.5, 99) for t in fake_study.trials[1:3]]
    trials = [dataclasses.replace(t, outcome=o) for t, o in zip(fake_study.trials[1:3], large, strict=True)]
    wide = dataclasses.replace(fake_study, trials=(fake_study.trials[0], *trials))
    why = ["tax 0.2, 5 cleaners (" + "believed best, " * 5 + ")"] * 2
    for study in (fake_study, wide, make_study(tmp_path, DESIGNS[:4]), make_study(tmp_path, baseline=None)):
        assert max(map(len, closing_table(study, why).splitlines())) <= WIDTH == 80


def test_accepted_and_refused_are_counted_with_failures(fake_study):
    # trial 3: a cleaner's -0.1 ± 0.1 and harvester_1's -1 ± 0.71; 7 and 11: harvesters at -0.1 and below with 0.71
    counts = "6 accepted by everybody, 3 refused by somebody, 3 undecided (a margin within two standard errors of 0), 1 failed."
    assert f"13 contracts tried: {counts}" in " ".join(closing_table(fake_study).split())
    failed = next(t for t in fake_study.trials if t.failure)
    assert f"{failed.contract} failed: {failed.failure}." in " ".join(closing_table(fake_study).split())
    assert [t.number for t in fake_study.ranked()][:2] == [10, 8]
    assert fake_study.infeasible_trials()[0].number == 3


def test_of_several_causes_of_failures_the_most_frequent_is_told(fake_study):
    def failing(k: int, why: str):
        return dataclasses.replace(fake_study.trials[k], outcome=None, failure=why)

    often = [failing(1, "the game raised: odd"), failing(2, "no memory"), failing(3, "no\nmemory " + 300 * "x")]
    assert about_failures(often[:2])[0].endswith("There is 1 other cause (trials.csv).")
    twice = about_failures([often[1], often[0], failing(4, "no memory")])
    assert twice == [
        f"{fake_study.trials[2].contract} failed (and 1 other likewise): no memory. There is 1 other cause (trials.csv)."
    ]
    assert about_failures(often[2:])[0].count("x") < 200
    assert "\n" not in about_failures(often[2:])[0]
    assert about_failures(fake_study.trials[:1]) == []


def test_nothing_accepted_shows_the_nearest_and_who_refuses(tmp_path):
    table = closing_table(make_study(tmp_path, DESIGNS[:4]))
    # tax 0.01 and 5 cleaners: harvester_1 has 31 instead of 32
    assert row(table, "nearest")[-1] == "undecided"
    assert "Nearest is tax 0.01, 5 cleaners (trial 3, undecided): harvester_1" in " ".join(table.split())
    assert "1.00 ± 0.71 apples short" in " ".join(table.split())


def test_a_missing_baseline_is_said_and_nothing_is_judged(tmp_path):
    table = closing_table(make_study(tmp_path, baseline=None))
    assert "not evaluated yet" in table
    assert "best found" not in table
    assert "nobody's margin is known" in " ".join(table.split())


def test_an_empty_study_has_a_table(fake_study):
    table = closing_table(dataclasses.replace(fake_study, trials=()))
    assert "0 contracts tried" in table
    assert "255.53" in table


def test_what_comes_next_is_told(fake_study):
    table = closing_table(fake_study, ["tax 0.18, 5 cleaners", "tax 0.2, 4 cleaners"])
    assert "Next the search would try: tax 0.18, 5 cleaners; tax 0.2, 4 cleaners" in table
    assert "Next" not in closing_table(fake_study)


def test_a_margin_within_its_error_is_called_uncertain(tmp_path):
    study = make_study(tmp_path, [(0.17, 5, 27.0, 4.0, 1)])  # harvester_1: 33 against 32, error 0.71
    assert "Whether everybody accepts it is undecided" in " ".join(closing_table(study).split())
    assert "a margin (1.00 ± 0.71) is within two standard errors of 0" in " ".join(closing_table(study).split())


def test_margins_that_count_are_the_smallest():
    margins = {"harvester_0": Estimate(mean=2.0), "harvester_1": Estimate(mean=3.0), PARTICIPATION: Estimate(mean=1.0)}
    assert worst_harvester_margin(margins).mean == 2.0
    assert tightest_margin(margins).mean == 1.0

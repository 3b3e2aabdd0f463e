"""The closing table of a study in which crews that know every contract judge them."""

import dataclasses

import pytest
from made_up_crews import certificate_of, certified, make_crew_study
from made_up_studies import fake_outcome

from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.reports.summary_table import WIDTH, closing_table
from contract_wrapper.studies.record import MAX_CANDIDATES, Phase


def row(table, label):
    """Cells of the row that begins with a label."""
    return next(line for line in table.splitlines() if line.startswith(label)).removeprefix(label).split()


def words(table):
    return " ".join(table.split())


@pytest.fixture
def study(tmp_path):
    return certified(make_crew_study(tmp_path))


def test_the_best_row_has_its_certificate(study):
    # as in test_summary_table: welfare 538.5, harvesters 86 against 24 at worst, cleaners 17.5
    assert row(closing_table(study), "best found") == [
        *("538.5", "±", "1.0"), *("+60.00", "±", "0.71"), *("+17.50", "±", "0.10"), "accepted", "+0.31", "certified",
    ]  # fmt: skip
    assert "; by training of crews 534.5, 542.5; ± over episodes alone" in " ".join(closing_table(study).split())


def test_the_best_is_best_whatever_fresh_trainings_bring(study):
    bad = [
        t
        if t.phase is not Phase.CONFIRMATION
        else dataclasses.replace(t, outcome=fake_outcome(t.contract, [20.0] * 5, 1.0))
        for t in study.trials
    ]
    table = closing_table(dataclasses.replace(study, trials=tuple(bad)))
    assert row(table, "best found")[0] == "538.5"
    assert row(table, "retrained")[-3:] == ["refused", "-", "-"]
    # 105 of 538.5
    assert "3 trainings from scratch bring 19% of the crews' welfare: less than 95%, so it is not reachable" in words(
        table
    )
    assert "does not refute the contract" in words(table)


def test_fresh_trainings_that_come_near_make_a_contract_reachable(study):
    # 538.5, 539.5 and 540.5 of 538.5
    assert "3 trainings from scratch bring 100% of the crews' welfare: the contract is reachable" in words(
        closing_table(study)
    )


@pytest.mark.parametrize(
    ("gains", "cell", "sentence"),
    [
        ({}, "certified", "It is certified"),
        ({"cleaner": (2.0, 2.2)}, "refuted", "It is not certified"),
        ({"cleaner": (0.3, 0.7)}, "undecided", "is undecided"),
        ({"missing": ("harvester",)}, "undecided", "is undecided"),
    ],
)
def test_a_certificate_is_told_in_a_cell_and_in_words(tmp_path, gains, cell, sentence):
    table = closing_table(certified(make_crew_study(tmp_path), **gains))
    assert row(table, "best found")[-1] == cell
    assert sentence in words(table)
    assert "that of a cleaner, never work" in words(table)


def test_a_certificate_of_a_contract_far_behind_is_not_shown(tmp_path):
    study = make_crew_study(tmp_path)
    other = study.feasible_trials()[MAX_CANDIDATES]
    table = closing_table(dataclasses.replace(study, certificates=(certificate_of(other.contract),)))
    assert row(table, "best found")[-2:] == ["-", "-"]
    assert "no certificate yet" in words(table)


@pytest.mark.parametrize(
    ("uppers", "chosen"),
    [
        ((), 0),
        ((0.3,), 0),
        ((5.0, 0.3), 1),  # refuted, then certified
        ((0.9, 0.3), 1),  # undecided, then certified
        ((0.9, 5.0), 0),
        ((5.0, 0.9), 1),
        ((5.0, 5.0), 2),
        ((5.0, 5.0, 5.0), 0),
        ((5.0, 5.0, 5.0, 0.3), 0),
    ],
)
def test_the_certified_one_of_the_three_best_is_recommended(tmp_path, uppers, chosen):
    study = make_crew_study(tmp_path)
    good = study.feasible_trials()
    cleaners = [(upper - 0.5, upper) for upper in uppers]  # epsilon is 0.56, lower bounds are upper - 1
    certificates = tuple(
        certificate_of(trial.contract, cleaner=cleaner) for trial, cleaner in zip(good, cleaners, strict=False)
    )
    record = dataclasses.replace(study, certificates=certificates)
    assert record.best() is good[chosen]
    assert record.certificate == (certificates[chosen] if chosen < len(certificates) else None)


def test_no_line_is_wider_than_the_terminal(study, tmp_path):
    def larger(trial):
        if trial.outcome is None:
            return trial
        large = fake_outcome(trial.contract, [9876.5] * 5, 1234.5, 99)
        return dataclasses.replace(trial, outcome=dataclasses.replace(large, by_crew=trial.outcome.by_crew))

    wide = dataclasses.replace(study, trials=(study.trials[0], *map(larger, study.trials[1:])))
    wide = certified(wide, cleaner=(123.45, 234.56))
    for some in (study, wide, make_crew_study(tmp_path, confirm=0), dataclasses.replace(study, trials=())):
        assert max(map(len, closing_table(some).splitlines())) <= WIDTH
    assert "+234.56" in closing_table(wide)


def test_errors_have_as_many_decimals_as_their_means(study):
    trial = dataclasses.replace(
        study.best(), outcome=dataclasses.replace(study.best().outcome, welfare=Estimate(mean=99.5, se=0.123))
    )
    only = dataclasses.replace(study, trials=(study.trials[0], trial))
    assert row(closing_table(only), "best found")[:3] == ["99.50", "±", "0.12"]


def test_of_many_trainings_the_least_and_the_largest_are_told(study):
    best = study.best()
    many = dataclasses.replace(best, outcome=dataclasses.replace(best.outcome, by_crew=(5.0, 3.0, 4.0, 9.0, 7.0)))
    only = dataclasses.replace(study, trials=(study.trials[0], many))
    assert "by training of crews 3.0 to 9.0;" in closing_table(only)

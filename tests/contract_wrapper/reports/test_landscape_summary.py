import dataclasses
import re

import numpy as np
import pytest
from made_up_landscapes import made_up_landscape
from test_landscape_figures import refused, without_gains

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.landscapes.bounds import interval
from contract_wrapper.reports.landscape_findings import Findings
from contract_wrapper.reports.landscape_summary import WIDTH, answer, summary, threshold_in_words


def rows(text):
    """Cells of the table, by crew size."""
    lines = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines() if re.match(r"\s*\d+\s{2,}", line)]
    return {int(cells[0]): cells[1:] for cells in lines}


@pytest.mark.parametrize(
    "landscape",
    [
        made_up_landscape(4, n_taxes=21), made_up_landscape(1, n_taxes=3), refused(made_up_landscape(2)),
        without_gains(made_up_landscape(2)),
    ],
    ids=["four trainings", "one training", "nothing accepted", "no gains"],
)  # fmt: skip
def test_no_line_is_wider_than_the_terminal_and_every_crew_has_a_row(landscape):
    text = summary(landscape)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert list(rows(text)) == [1, 2, 3, 4, 5]
    assert "nan" not in text
    assert "inf" not in text


def test_a_row_tells_the_best_certified_contract_of_its_crew():
    landscape = made_up_landscape(4, n_taxes=21)
    found = Findings(landscape=landscape)
    among = found.certified & (landscape.n_cleaners == 3)
    k = landscape.best(among)
    it = interval(landscape.welfare[:, k])
    tax, welfare, gain, margin, free = rows(summary(landscape))[3]
    assert float(tax) == pytest.approx(landscape.tax[k], abs=1e-4)
    assert welfare == f"{it.mean:.1f} ± {it.high - it.mean:.1f}"
    certificate = landscape.certificate(landscape.contracts()[k])
    assert float(gain) == pytest.approx(max(g.upper for g in certificate.gains), abs=0.006)
    assert float(margin) == pytest.approx(min(m.mean for m in certificate.margins), abs=0.06)
    assert free == threshold_in_words(found, 3)


def test_the_answer_names_the_best_its_gain_over_no_contract_and_who_cannot_be_told_from_it():
    landscape = made_up_landscape(4, n_taxes=21)
    found = Findings(landscape=landscape)
    first, second, third, gains, words = answer(found)
    more = interval(landscape.welfare[:, found.best] - landscape.welfare[:, 0])
    assert first.startswith(f"Best certified contract: {found.named(found.best)}; welfare ")
    assert f"{more.mean:.1f} ± {more.high - more.mean:.1f} more than no contract" in first
    assert second.startswith(f"{found.alike.sum()} of {found.certified.sum()} certified contracts cannot be told")
    assert f"lowest tax: {found.named(found.preferred['lowest tax'])}" in third
    assert "a harvester loses at least " in gains
    counted = [int(n) for n in re.findall(r" (\d+) (?:accepted|refused|undecided|are feasible)", words)]
    margins = np.nan_to_num(landscape.margins()[:, 1:], nan=9.0)
    mean, se = margins.mean(axis=0), margins.std(axis=0, ddof=1) / 2
    accepted, refused = (mean - 2 * se >= 0).all(axis=1), (mean + 2 * se < 0).any(axis=1)
    assert counted == [accepted.sum(), refused.sum(), (~accepted & ~refused).sum(), (mean >= 0).all(axis=1).sum()]
    assert 0 < counted[0] <= counted[3] < sum(counted[:3])


def test_ties_are_broken_within_the_set_alone():
    found = Findings(landscape=made_up_landscape(4, n_taxes=21))
    assert all(found.alike[k] for k in found.preferred.values())
    taxes = found.landscape.tax[found.alike & (found.welfare.mean >= 0.95 * found.welfare.mean[found.best])]
    assert found.landscape.tax[found.preferred["lowest tax"]] == taxes.min()


def test_a_contract_that_is_good_in_one_training_and_bad_in_others_is_not_preferred():
    landscape = made_up_landscape(4, n_taxes=21)
    best = Findings(landscape=landscape).best
    low = landscape.number(Contract(tax=float(landscape.tax[1:22][2]), n_cleaners=1))
    welfare = landscape.welfare.copy()
    welfare[:, low] = landscape.welfare[:, best] - [0.0, 300.0, 0.0, 300.0]
    found = Findings(landscape=dataclasses.replace(landscape, welfare=welfare))
    assert landscape.tax[found.preferred["lowest tax"]] > landscape.tax[low] or not found.alike[low]
    assert low not in found.preferred.values()


def test_without_a_feasible_contract_the_nearest_is_told():
    landscape = refused(made_up_landscape(2))
    worst = np.nanmin(landscape.margins().mean(axis=0), axis=1)[1:]
    first, second, third = answer(Findings(landscape=landscape))
    assert first == "None of 55 contracts is feasible as measured, and none certified."
    assert " 0 accepted by everybody, " in third
    assert third.endswith("undecided; 0 are feasible (no margin below 0 as measured).")
    assert second.startswith(f"Nearest is {Findings(landscape=landscape).named(1 + int(worst.argmax()))}: ")
    assert f"{-worst.max():.2f} apples short" in second


def test_without_a_certified_contract_the_best_feasible_is_marked():
    text = summary(without_gains(made_up_landscape(2)))
    assert all(cells[0].endswith("*") for cells in rows(text).values())
    assert "*: none is certified; the best that is feasible as measured" in text
    assert "None of 55 contracts is certified: " in text
    assert "of a cleaner no deviation was measured" in " ".join(text.split())


def test_one_training_says_that_its_intervals_are_over_episodes():
    assert "95 % interval over the episodes of one training" in " ".join(
        summary(made_up_landscape(1, n_taxes=3)).split()
    )


def test_a_threshold_that_some_trainings_lack_is_told_by_their_number():
    table = made_up_landscape(4)
    tried = table.tried.copy()
    last = np.flatnonzero(table.n_cleaners[table.tried_at] == 2)[-1]
    tried[0, last, 0, 0] = 9.0  # the free rider gains at the largest tax in one of four trainings
    found = Findings(landscape=dataclasses.replace(table, tried=tried))
    assert threshold_in_words(found, 2).endswith("in 3 of 4, else at none")

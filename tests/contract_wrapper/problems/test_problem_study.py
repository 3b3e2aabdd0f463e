"""A whole search of a design problem: studied, continued, read again, reported."""

import csv
import re
from dataclasses import replace

import pytest
from small_problem import SEARCH, small_problem, small_settings

from contract_wrapper import ContractsError, optimize, read_study
from contract_wrapper.problems import registry
from contract_wrapper.reports.problems.problem_table import problem_table
from contract_wrapper.reports.report import write_report
from contract_wrapper.studies.record import Phase


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("problem") / "study"


@pytest.fixture(scope="module")
def record(folder):
    return optimize(small_settings(small_problem(objective="worst")), SEARCH, folder=folder)


def test_a_study_searches_the_problems_contracts(record):
    phases = [t.phase for t in record.trials]
    assert phases[:6] == [Phase.BASELINE, *[Phase.INITIAL] * 3, *[Phase.SEARCH] * 2]
    assert record.trials[0].contract.is_none
    tried = [t.contract for t in record.trials[1:6]]
    assert len(set(tried)) == 4  # trial 5 measures one again
    assert {c.problem for c in tried} == {"small"}
    for trial in record.finished():
        worst = min(u.mean for u in trial.outcome.utilities.values())
        assert record.objective(trial).mean == worst
        assert set(record.margins(trial)) == {"harvester_0", "harvester_1", "participation"}


def test_it_is_continued_and_read_again(record, folder):
    more = optimize(record.settings, replace(SEARCH, n_search=3), folder=folder)
    whole = optimize(record.settings, replace(SEARCH, n_search=3), folder=folder.parent / "whole")
    numbers = [t.contract for t in more.trials if t.phase is Phase.SEARCH]
    assert numbers == [t.contract for t in whole.trials if t.phase is Phase.SEARCH]
    again = read_study(folder)
    assert [t.contract for t in again.trials] == [t.contract for t in more.trials]
    rows = list(csv.DictReader((folder / "trials.csv").open()))
    assert {"tax", "crew", "welfare", "worst", "utility_cleaner_0", "margin_harvester_1"} <= set(rows[0])
    assert [row["tax"] for row in rows][:1] == [""]


def test_another_problem_of_the_same_name_does_not_go_on(record, folder, monkeypatch):
    monkeypatch.setattr(registry, "_known", {})
    with pytest.raises(ContractsError, match="there is no design problem 'small'"):
        read_study(folder)
    with pytest.raises(ContractsError, match="has other objective than that of the file"):
        optimize(small_settings(small_problem()), SEARCH, folder=folder)


def test_its_table_fits_and_its_report_has_every_figure(record, unrendered):
    table = problem_table(record, ["tax 0.1, crew 1 (predicted worst 3 ± 1)"])
    assert max(map(len, table.splitlines())) <= 80
    assert re.search(r"^no contract +-?\d", table, re.MULTILINE)
    assert "4 contracts tried in 5 trainings: " in table
    files = write_report(record)
    assert [f.name for f in files] == ["report.md", "terms.png", "progress.png", "fairness.png", "margins.png"]
    assert "# Report of the study: small" in files[0].read_text()

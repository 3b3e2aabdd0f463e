"""The trials of crews' training: their table, and that results in the folder are not computed again."""

import numpy as np
import pytest

import crew_trials
from contract_wrapper.evaluation.crews import CREWS


def test_a_size_without_a_result_leaves_its_place_empty():
    lines: list[str] = []
    crew_trials.table(
        {"own-long": [[350.0, *[np.nan] * 4, 61.0]], "adapted": [[1.5, np.nan, -2.0, np.nan, 0.0, 9.0]]}, lines.append
    )
    assert lines[0].split() == ["trial", "seed", "1", "2", "3", "4", "5", "CPU-s"]
    assert lines[1].split() == ["own-long", "0", "350.0", "61"]
    assert lines[2].split() == ["adapted", "0", "+1.5", "-2.0", "+0.0", "9"]
    assert {len(line) for line in lines} == {len(lines[0])}


def test_what_is_in_the_folder_is_not_trained_again(tmp_path, monkeypatch):
    calls = []

    def measured(*given):
        calls.append(given)
        return {1: 300.0, 3: 600.0}, 12.5

    monkeypatch.setattr(crew_trials, "measured", measured)
    job = ("shared", 4, "effort", CREWS, tmp_path)
    rows = [crew_trials.kept(job) for _ in range(2)]
    assert len(calls) == 1
    np.testing.assert_array_equal(rows[0], [300.0, np.nan, 600.0, np.nan, np.nan, 12.5])
    np.testing.assert_array_equal(rows[0], rows[1])


def test_an_unknown_trial_is_refused(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["crew_trials.py", "--trials", "shared,longer"])
    with pytest.raises(SystemExit):
        crew_trials.main()
    assert "--trials are some of shared,played,own" in capsys.readouterr().err

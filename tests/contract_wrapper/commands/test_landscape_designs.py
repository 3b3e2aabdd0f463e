"""`landscape` and `report` with the contracts of a design problem, in a small size, on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands_here import put_workers_here, render_nothing
from made_up_designs import made_up_designs

from contract_wrapper.cli import main
from contract_wrapper.configuration.stored import read_stored
from contract_wrapper.landscapes.designs.design_landscape import DesignLandscape

pytest.importorskip("torch")

SMALL = [
    f"--set={key}={value}"
    for key, value in {
        "landscape.crews.episodes": 24, "landscape.crews.n_games": 4, "landscape.crews.hidden": "[8]",
        "landscape.deviators.episodes": 8, "landscape.deviators.n_games": 4, "landscape.baseline.episodes": 8,
        "landscape.baseline.n_games": 4, "landscape.baseline.hidden": "[8]", "landscape.episodes": 2,
        "landscape.tried_episodes": 2, "landscape.tried": 1, "game.horizon": 10,
    }.items()
]  # fmt: skip
FREE = ["--preset", "original", "--contract", "free-tax", "--objective", "worst", "--steps", "2"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("designs") / "free"
    with pytest.MonkeyPatch.context() as patch:
        put_workers_here(patch)
        render_nothing(patch)
        assert main(["landscape", *FREE, *SMALL, "--seeds", "1", "-q", "--folder", str(place)]) == 0
    return place


def test_every_contract_of_the_grid_is_played_and_kept(folder: Path) -> None:
    table = DesignLandscape.load(folder / "landscape.npz")
    assert [str(c) for c in table.contracts()] == [
        "no contract", "tax 0, piece_rate 0", "tax 0, piece_rate 1", "tax 1, piece_rate 0", "tax 1, piece_rate 1",
    ]  # fmt: skip
    assert (table.roles, table.maximised) == (("free",), "worst")
    assert (folder / "landscape.csv").read_text().startswith("tax,piece_rate,worst,feasible")
    assert "--contract free-tax --objective worst --steps 2" in table.about["command"]


def test_the_worst_off_agent_is_told_as_the_value(folder: Path) -> None:
    table = DesignLandscape.load(folder / "landscape.npz")
    assert table.value[0, 1:].tolist() == pytest.approx(table.utilities[0, 1:].min(axis=1).tolist())


def test_the_same_command_goes_on_and_another_one_is_refused(
    folder: Path, workers_here: None, unrendered: None, capsys: pytest.CaptureFixture[str]
) -> None:
    again = ["landscape", *FREE, *SMALL, "--seeds", "1", "-q", "--json", "--folder", str(folder)]
    assert main(again) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["result"]["kind"] == "landscape of designs"
    assert len(document["result"]["contracts"]) == 5
    assert main([*again[:-2], "--set", "landscape.steps=3", "--folder", str(folder)]) == 2
    assert "was begun with another steps" in capsys.readouterr().err


def test_its_configuration_makes_it_again(folder: Path) -> None:
    tree = read_stored(folder).tree
    assert (tree["contract"], tree["objective"], tree["landscape"]["steps"]) == ("free-tax", "worst", 2)
    assert (tree["game"]["n_free"], tree["game"]["horizon"]) == (5, 10)


def test_a_report_is_written_anew(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(folder), "--format", "svg"]) == 0
    assert "landscape_values.svg" in capsys.readouterr().out
    assert "Made by the command" in (folder / "figures" / "report.md").read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--contract", "taxes"], "taxes"),
        (["--contract", "free-tax"], "free"),
        (["--preset", "original"], "free agents"),
        (["--contract", "tax-and-piece-rate", "--steps", "1"], "steps must be an integer of 2 to"),
        (["--contract", "tax-and-piece-rate", "--steps", "1000"], "at most 10,000 contracts"),
        (["--objective", "fame"], "objective must be one of"),
    ],
)
def test_what_cannot_be_made_is_refused_in_one_line(
    options: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["landscape", *options, "--folder", str(tmp_path / "none")]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert len(error.strip().splitlines()) == 1
    assert not (tmp_path / "none").exists()


def test_pictures_and_words_of_one_of_two_and_of_more_numbers(unrendered: None, tmp_path: Path) -> None:
    from contract_wrapper.reports.problems.design_landscape_report import design_summary, write_design_report

    for terms, steps in ((("tax",), 4), (("tax", "piece_rate"), 4), (("a", "b", "c"), 2)):
        table = made_up_designs(terms=terms, steps=steps)
        files = write_design_report(table, tmp_path / str(len(terms)))
        assert [path.name for path in files] == ["report.md", "landscape_values.png", "landscape_gains.png"]
        assert max(map(len, design_summary(table).splitlines())) <= 80
    assert "Best certified contract: tax 1, piece_rate 0, n_cleaners 2" in design_summary(made_up_designs())

"""`report --html`: the page is written beside the other report, and tells how the result was made."""

import dataclasses
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from made_up_landscapes import made_up_landscape

from contract_wrapper.cli import main
from contract_wrapper.command_runs import CommandRun
from contract_wrapper.landscapes.building.landscape_settings import LandscapeSettings

COMMAND = "cleanup-contracts landscape --seeds 2"


class Blocks(HTMLParser):
    """The texts of a page that have lines of their own."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found, self._inside = list[str](), False
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._inside = tag == "pre"
        self.found += [""] * self._inside

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1] += data


@pytest.fixture(autouse=True)
def no_other_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are tested elsewhere."""
    monkeypatch.setattr("contract_wrapper.reports.landscape_report.write_landscape_report", lambda *_, **__: [])
    monkeypatch.setattr("contract_wrapper.reports.report.write_report", lambda *_, **__: [])


def test_the_page_of_a_landscape_has_its_command_and_its_settings_as_show_prints_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    about = {**LandscapeSettings(episodes=9).about(), "command": COMMAND, "versions": {"numpy": "2.0"}}
    made_up_landscape(2, n_taxes=3, about=about).save(tmp_path / "landscape.npz")
    assert main(["report", str(tmp_path), "--html", "--json"]) == 0
    page = tmp_path / "figures" / "report.html"
    assert json.loads(capsys.readouterr().out)["result"]["files"] == [str(page)]
    assert main(["show", str(tmp_path / "landscape.npz")]) == 0
    blocks = Blocks(page).found
    assert blocks[-1] == capsys.readouterr().out.rstrip("\n")
    assert "episodes = 9" in blocks[-1]
    assert COMMAND in blocks


def test_a_landscape_that_says_nothing_of_its_making_has_a_page(tmp_path: Path) -> None:
    made_up_landscape(2, n_taxes=3).save(tmp_path / "mine.npz")
    assert main(["-q", "report", str(tmp_path / "mine.npz"), "--html"]) == 0
    assert "The command is not known." in (tmp_path / "mine-figures" / "report.html").read_text()


def test_the_page_of_a_study_says_the_command_that_makes_it_again(
    fake_study: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = CommandRun(command="cleanup-contracts optimize -q", version="1", code="", began="2026-01-02T03:04+00:00")
    known = dataclasses.replace(fake_study, commands=(run,))
    monkeypatch.setattr("contract_wrapper.studies.study.read_study", lambda *_, **__: known)
    assert main(["report", str(fake_study.folder), "--html"]) == 0
    page = fake_study.folder / "figures" / "report.html"
    assert str(page) in (lines := capsys.readouterr().out.splitlines())
    blocks = Blocks(page).found
    typed = "begun by:     cleanup-contracts optimize -q  (version 1, 2026-01-02 03:04 UTC)"
    assert typed in blocks
    assert typed in lines
    assert "cleanup-contracts optimize --config settings.toml --folder NEW_FOLDER" in blocks
    assert "[search]" in blocks[-1]


def test_without_its_package_the_page_is_refused_before_anything_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("contract_wrapper.errors.find_spec", lambda name: None if name == "bokeh" else name)
    assert main(["report", str(tmp_path), "--html"]) == 2
    assert 'pip install "cleanup-contracts[html]"' in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []

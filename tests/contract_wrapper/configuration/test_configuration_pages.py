"""The pages about the configuration: the reference is what the dataclasses say, and the example file runs."""

import json
import re
from pathlib import Path
from typing import Any

import configuration_page
import pytest

from contract_wrapper.cli import build_parser, main
from contract_wrapper.commands.configured import configure
from contract_wrapper.commands.documents import document
from contract_wrapper.configuration.keys import all_keys, roots
from contract_wrapper.configuration.sources import read_file
from contract_wrapper.landscape_job import settings_of
from contract_wrapper.learners.ppo.config import PPOConfig
from contract_wrapper.main_job import crew_options, search_options
from mtmfq.config import MTMFQConfig

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "how_to" / "configure_a_run.md").read_text()
(EXAMPLE,) = re.findall(r"^```toml\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
SMALL = (
    'learner.profile="smoke"', "learner.episodes=16", "learner.n_games=8", "learner.batch_size=64", "learner.hidden=[8]",
    "learner.replay_capacity=100", "episodes=4", "game.horizon=20",
)  # fmt: skip


def test_the_reference_of_the_configuration_is_what_the_dataclasses_say() -> None:
    again = "write it anew: python docs/configuration_page.py"
    assert configuration_page.PAGE.read_text() == configuration_page.text(), again


def test_the_reference_has_every_key_and_no_other() -> None:
    page = configuration_page.text()
    rows = set(re.findall(r"^\| `([\w.]+)` \| (?!`)", page, flags=re.MULTILINE))
    below = ("crews.learner.", "landscape.crews.", "landscape.deviators.", "landscape.baseline.")  # as learner's own
    wanted = {
        key
        for key in (*all_keys({"learner": MTMFQConfig}), *all_keys({"learner": PPOConfig}))
        if not key.startswith(below)
    }
    assert rows == wanted - {"search", "landscape", "engine"}  # which have tables of their own


def test_a_field_without_a_docstring_is_found() -> None:
    assert configuration_page.fields_told(PPOConfig)["learning_rate"] == "Adam's step size."
    assert set(configuration_page.fields_told(Planted)) == {"told"}


class Planted:
    untold: int = 0
    told: int = 0
    """What it is."""


def test_the_example_file_has_a_key_of_every_table_and_every_command_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.toml").write_text(EXAMPLE)
    assert {a.key[0] for a in read_file(Path("run.toml"))} == set(roots())
    assert all("#" in line for line in EXAMPLE.splitlines() if line.startswith("["))

    def configured(command: str, *words: str) -> Any:
        return configure(build_parser().parse_args([command, *words, "--config", "run.toml"]), command)

    run = configured("optimize")
    settings, search = (
        run.evaluation(crew_options(run.options, str(run.asked_inner()))),
        run.search(search_options(run.options)),
    )
    assert (settings.game.n_harvesters, settings.learner.episodes, search.seed) == (4, 1_280, 1)
    assert settings.crews is not None
    assert settings_of(configured("landscape")).tried_taxes == (0.05, 0.2)
    assert configured("certify", "--tax", "0", "--cleaners", "1").evaluation().crews is None


def test_the_example_file_runs_in_a_small_size_and_what_it_made_says_its_configuration(
    tmp_path: Path, workers_here: None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.toml").write_text(EXAMPLE)
    small = [word for text in SMALL for word in ("--set", text)]
    words = ["--config", "run.toml", "--inner", "scratch", *small]
    command = ["evaluate", "--tax", "0.1", "--cleaners", "1", *words]
    assert main([*command, "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["configuration"]["learner"]["n_step"] == 20  # of the file
    assert told["configuration"]["learner"]["episodes"] == 16  # of --set
    assert len(told["result"]["mean"]["utilities"]) == 5
    assert main(["show", "studies/evaluations", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["configuration"] == told["configuration"]
    assert main(["show", "studies/evaluations"]) == 0
    Path("again.toml").write_text(capfd.readouterr().out)
    before = sorted(path.name for path in Path("studies/evaluations").iterdir())
    again = ["evaluate", "--tax", "0.1", "--cleaners", "1", "--config", "again.toml", "--json"]
    assert main(again) == 0  # found, not trained
    assert json.loads(capfd.readouterr().out)["result"] == told["result"]
    assert sorted(path.name for path in Path("studies/evaluations").iterdir()) == before


def test_the_page_of_the_command_line_names_the_keys_of_a_document() -> None:
    page = (DOCS / "reference" / "command_line.md").read_text()
    head = page[: page.index("\n## ")]
    assert re.findall(r"^\| `(\w+)` \|", head, flags=re.MULTILINE) == list(document("x", {}, {}))

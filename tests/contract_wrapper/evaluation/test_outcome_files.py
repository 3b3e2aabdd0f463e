"""A kept outcome is read as that of the evaluation that asks for it, unchanged, or not at all."""

import dataclasses
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cleanup_env import make_config
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation import settings as settings_module
from contract_wrapper.evaluation.evaluate import evaluate
from contract_wrapper.evaluation.outcome import Estimate, Outcome
from contract_wrapper.evaluation.outcome_files import KIND, read_outcome, write_outcome
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.files import read_sealed, write_sealed
from mtmfq.config import get_profile

SETTINGS = EvaluationSettings()
CREW = Contract(tax=0.25, n_cleaners=1)


def outcome(contract: Contract = CREW, seed: int = 3) -> Outcome:
    one = Estimate(mean=1.0, se=0.1)
    utilities = {"harvester_0": one, **{f"cleaner_{k}": one for k in range(contract.n_cleaners)}}
    return Outcome(
        contract=contract, welfare=one, utilities=utilities, harvest=one, cleaned=one, shots=one, seed=seed,
        waste_curve=(0.1, 0.2), training_curve={"episode": (1, 2), "cleaner": (0.1, 1 / 3)}, policy="a.policy.npz",
    )  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_outcome(tmp_path / "a.json", outcome(), SETTINGS)
    return tmp_path / "a.json"


def test_what_was_written_is_read(path: Path) -> None:
    assert read_outcome(path, CREW, SETTINGS, 3) == outcome()
    assert read_outcome(path.with_name("b.json"), CREW, SETTINGS, 3) is None


@pytest.mark.parametrize(
    ("contract", "settings", "seed", "why"),
    [
        (Contract(tax=0.26, n_cleaners=1), SETTINGS, 3, "another contract"),
        (CREW, SETTINGS, 4, "another seed"),
        (CREW, EvaluationSettings(costs="paper"), 3, "another settings"),
    ],
)
def test_the_outcome_of_another_evaluation_copied_over_is_set_aside(
    path: Path, caplog: pytest.LogCaptureFixture, contract: Contract, settings: EvaluationSettings, seed: int, why: str
) -> None:
    assert read_outcome(path, contract, settings, seed) is None
    assert why in caplog.text
    assert "a.json.broken" in caplog.text
    assert not path.exists()
    assert path.with_suffix(".json.broken").exists()


def test_the_outcome_of_another_version_of_the_code_is_set_aside(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_module, "code_version", lambda learner: "another")
    assert read_outcome(path, CREW, SETTINGS, 3) is None
    assert "another code" in caplog.text


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace('"mean": 1.0', '"mean": 2.0', 1),
        lambda text: text.replace('"mean": 1.0', '"mean": NaN', 1),
        lambda text: text.replace('"seed": 3', '"seed": 4'),
        lambda text: text.replace("cleaner_0", "cleaner_1"),
        lambda text: text[:100],
        lambda text: "",
        lambda text: "[1]",
        lambda text: nested(100_000),
        lambda text: text.replace('"mean": 1.0', f'"mean": {"9" * 5000}', 1),
        lambda text: text.replace('"sha256"', '"label"'),
        lambda text: json.dumps(outcome().to_dict()),  # as earlier versions wrote it
        lambda text: text + "\x00",
    ],
)
def test_a_damaged_or_edited_outcome_is_set_aside(path: Path, damage: Callable[[str], str]) -> None:
    path.write_text(damage(path.read_text()))
    assert read_outcome(path, CREW, SETTINGS, 3) is None
    assert path.with_suffix(".json.broken").exists()


def test_every_flipped_bit_is_seen(path: Path) -> None:
    whole = path.read_bytes()
    logging.disable()
    try:
        for k in range(0, 8 * len(whole), 61):
            flipped = bytearray(whole)
            flipped[k // 8] ^= 1 << k % 8
            path.write_bytes(flipped)
            read = read_outcome(path, CREW, SETTINGS, 3)
            # A flip in white space, or of one digit beyond a float's precision, changes nothing that is read.
            assert read is None or read == outcome(), k
    finally:
        logging.disable(logging.NOTSET)


def test_an_edit_with_a_new_seal_is_still_checked(path: Path) -> None:
    content = read_sealed(path, KIND)
    content["outcome"]["welfare"]["se"] = -1.0
    write_sealed(path, KIND, content)
    assert read_outcome(path, CREW, SETTINGS, 3) is None


def test_a_folder_in_the_place_of_a_file_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    assert read_outcome(tmp_path / "a.json", CREW, SETTINGS, 3) is None
    assert (tmp_path / "a.json.broken").is_dir()


def test_an_evaluation_trains_again_where_it_finds_anothers_outcome(tmp_path: Path) -> None:
    tiny = EvaluationSettings(
        game=make_config("contract", horizon=5),
        learner=get_profile("smoke", episodes=4, n_games=2, batch_size=8, replay_capacity=100),
        episodes=2,
    )
    first = evaluate(CREW, tiny, 0, folder=tmp_path)
    other = Contract(tax=0.5, n_cleaners=1)
    (tmp_path / f"{tiny.key(CREW, 0)}.json").rename(tmp_path / f"{tiny.key(other, 0)}.json")
    assert evaluate(other, tiny, 0, folder=str(tmp_path)).contract == other
    drop = {"cpu_seconds": 0.0, "wall_seconds": 0.0}
    assert dataclasses.replace(evaluate(CREW, tiny, 0, folder=tmp_path), **drop) == dataclasses.replace(first, **drop)


@pytest.mark.parametrize("folder", [5, b"x", "\0"])
def test_a_folder_that_is_none_is_refused(folder: Any) -> None:
    with pytest.raises(ContractsError, match="folder"):
        evaluate(CREW, SETTINGS, 0, folder=folder)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ContractsError, match=r"cannot make the folder .*file/outcomes"):
        evaluate(CREW, SETTINGS, 0, folder=tmp_path / "file" / "outcomes")

"""The command for the paper's figures: what it keeps of a training, and what it says and draws of what is kept."""

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import paper_figures
from cleanup_env import make_config
from contract_wrapper import Contract, EvaluationSettings, get_mtmfq_profile
from contract_wrapper.evaluation.evaluate import evaluate
from paper_bench import pictures
from paper_bench.tables import missing_lines, orchard_lines, play_lines, training_lines
from paper_bench.trainings import ALL, TRAINED, Training, TrainingJob, parts

FIGURE_3 = TRAINED["Figure 3"]


def made(
    contract: Contract = FIGURE_3, seed: int = 0, curve: tuple[float, ...] = (0.0,) * 10, **more: object
) -> Training:
    values: dict[str, object] = {
        "tax": contract.tax, "n_cleaners": contract.n_cleaners, "seed": seed, "episodes": 1_000, "welfare": 100.0 + seed,
        "harvest": 102.0, "least_harvester": 20.0, "most_harvester": 30.0,
        "least_cleaner": -0.5 if contract.n_cleaners else None, "shots": 5.0, "cleaned": 3.0, "curve": curve,
        "waste": (1.0,) * 200, "apples": (2.0,) * 200, "eaten": (3.0,) * 200, "cpu_seconds": 120.0, "made_by": "code",
    }  # fmt: skip
    return Training(**{**values, **more})  # type: ignore[arg-type]


def everything(seeds: int = 2) -> list[Training]:
    rng = np.random.default_rng(0)
    return [
        made(contract, seed, tuple(rng.normal(100, 40, 350).round(2)))
        for contract in ALL.values()
        for seed in range(seeds)
    ]


def test_a_curve_is_kept_as_means_over_equal_parts() -> None:
    assert parts([1.0, 3.0, 5.0, 7.0], 2) == (2.0, 6.0)
    assert parts([1.0, 3.0], 350) == (1.0, 3.0)


def test_the_level_between_two_fractions_is_the_mean_of_the_points_there() -> None:
    training = made(curve=tuple(map(float, range(10))))
    assert (training.level(0.0, 0.1), training.level(0.9, 1.0), training.level(0.0, 1.0)) == (0.0, 9.0, 4.5)
    assert made(curve=(7.0,)).level(0.9, 1.0) == 7.0


def test_a_line_gives_the_training_again() -> None:
    for training in (made(), made(Contract.none())):
        assert Training.from_line(training.to_line()) == training


def test_a_training_is_watched_over_the_episodes_by_which_it_is_judged(tmp_path: Path) -> None:
    learner = get_mtmfq_profile("faithful", episodes=8, n_games=4, batch_size=4, replay_capacity=300)
    settings = EvaluationSettings(game=make_config("contract", horizon=100), costs="paper", learner=learner, episodes=3)
    contract = Contract(tax=0.04, n_cleaners=2)
    job = TrainingJob(number=0, contract=contract, seed=1)
    told = job.do(settings, tmp_path, None, None)
    outcome = evaluate(contract, settings, 1, folder=tmp_path)
    assert told.eaten[-1] == pytest.approx(outcome.harvest.mean, abs=0.01)
    assert (told.welfare, told.waste) == (outcome.welfare.mean, tuple(round(w, 2) for w in outcome.waste_curve))
    assert told.apples[0] <= 103
    assert len(told.curve) == 2  # two vector episodes
    assert told.curve[0] == pytest.approx(
        outcome.training_curve["cleaner"][0] + outcome.training_curve["harvester"][0], abs=0.01
    )


def test_a_part_of_the_trainings_has_tables_and_says_what_is_missing() -> None:
    some = [made(seed=0, curve=(10.0,) * 9 + (30.0,)), made(seed=1, curve=(20.0,) * 9 + (50.0,))]
    (row,) = [line for line in training_lines(some) if line.startswith("Figure")]
    assert row.split("  ")[0] == "Figure 3"
    for cell in ("15.0 ± 7.1", "40.0 ± 14.1", "about 150"):
        assert cell in row
    (row,) = [line for line in play_lines(some) if line.startswith("Na =")]
    assert "100.5 ± 0.7" in row
    assert "20.0-30.0" in row
    assert not [line for line in orchard_lines(some) if line.startswith("Na =")]
    lines = list(missing_lines(some, 3, {(FIGURE_3, 2): True}))
    assert "Figure 3 (Na = 1, tax 0.01): 2 of 3 done; begun: seed 2" in lines
    assert "Figure 8, baseline (no contract): 0 of 3 done; missing: seed 0, 1, 2" in lines
    assert lines[-1].startswith("16 trainings are left, 32 CPU-minutes")


def test_what_is_stored_is_printed_drawn_and_not_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(paper_figures, "train_missing", lambda *_: pytest.fail("trained"))
    older = made(made_by="older code", welfare=-1.0)
    path = tmp_path / "paper_figures-faithful.jsonl"
    path.write_text("".join(t.to_line() for t in (older, *everything())))
    assert (
        paper_figures.main(["--stored", "--folder", str(tmp_path), "--trainings", str(tmp_path), "--seeds", "2"]) == 0
    )
    printed = capsys.readouterr().out
    assert printed.count("2 of 2 done") == 6
    assert "-1.0" not in printed
    with (tmp_path / "paper_figures-faithful.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 12
    for name in ("faithful-training", "faithful-play", "landscape"):
        with Image.open(tmp_path / f"paper_figures-{name}.png") as picture:
            assert picture.width > 600


def test_status_writes_nothing_and_counts_no_training_of_other_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "paper_figures-faithful.jsonl"
    path.write_text(made().to_line())
    assert paper_figures.main(["--status", "--folder", str(tmp_path), "--trainings", str(tmp_path)]) == 0
    assert "0 of 5 done; missing: seed 0, 1, 2, 3, 4" in capsys.readouterr().out
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_what_is_done_is_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = paper_figures.read_options(["--quick"])
    settings, done = paper_figures.settings_of(options), everything(seeds=1)
    monkeypatch.setattr(paper_figures, "working", lambda _: pytest.fail("trained"))
    pairs = [(contract, 0) for contract in ALL.values()]
    paper_figures.train_missing(pairs, done, settings, options, tmp_path / "trainings.jsonl")
    assert len(done) == 6


def test_the_paper_s_best_contract_is_marked_in_the_landscape() -> None:
    (mark,) = [line for line in pictures.draw_landscape().axes[0].lines if line.get_gid() == "paper"]
    assert mark.get_xydata().tolist() == [[0.04, 4.0]]  # the fifth row is that of five cleaners


def test_a_picture_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST_BYTES", 100)
    with pytest.raises(ValueError, match="at most 100 are wanted"):
        pictures.save(pictures.draw_play(everything()), tmp_path / "play.png")
    assert not list(tmp_path.iterdir())


def test_curves_of_different_lengths_are_drawn_without_a_mean() -> None:
    longer = dataclasses.replace(made(seed=1), curve=(1.0,) * 20)
    figure = pictures.draw_training([made(), longer])
    assert "running mean over trainings" not in [line.get_label() for line in figure.axes[0].lines]


@pytest.mark.slow
def test_a_quick_run_trains_every_contract_and_goes_on_from_what_it_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--quick", "--folder", str(tmp_path), "--trainings", str(tmp_path / "work"), "--processes", "1"]
    assert paper_figures.main(command) == 0
    assert capsys.readouterr().out.count("1 of 1 done") == 6
    written = (tmp_path / "small-paper_figures-faithful.jsonl").read_text()
    assert paper_figures.main(command) == 0
    assert (tmp_path / "small-paper_figures-faithful.jsonl").read_text() == written

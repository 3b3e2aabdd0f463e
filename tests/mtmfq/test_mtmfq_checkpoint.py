import json
import os
import pickle
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mtmfq_small_games import Relay, flat, quick

from mtmfq import LearnerError, MTMFQConfig, Policy, TrainResult, play, train
from mtmfq.checkpoint import save_arrays

CONFIG = quick(episodes=320)


def run(path: Path | None = None, stop_after: int = 10_000, config: MTMFQConfig = CONFIG) -> TrainResult:
    """Train from seed 0 and stop after so many rounds of this call."""
    rounds = iter(range(stop_after))
    return train(
        Relay(),
        config,
        np.random.default_rng(0),
        checkpoint=path,
        should_stop=lambda: next(rounds, None) is None,
    )


@pytest.mark.parametrize("capacity", [35, 200])
def test_a_stopped_training_resumes_bit_for_bit(tmp_path: Path, capacity: int) -> None:
    config = quick(episodes=320, replay_capacity=capacity, average_from=0.1)  # the second stop averages already
    whole, path = run(config=config), tmp_path / "training.npz"
    first = run(path, stop_after=3, config=config)
    assert not first.finished
    assert len(first.curve.episode) == 3
    run(path, stop_after=8, config=config)
    resumed = run(path, config=config)
    assert resumed.finished
    assert np.array_equal(flat(whole.policy), flat(resumed.policy))
    assert np.array_equal(whole.curve.returns, resumed.curve.returns)
    assert np.array_equal(whole.curve.loss, resumed.curve.loss, equal_nan=True)
    assert whole.updates == resumed.updates


def test_a_crash_resumes_from_the_last_periodic_checkpoint(tmp_path: Path) -> None:
    path, rounds = tmp_path / "training.npz", iter(range(5))

    def crash() -> bool:
        if next(rounds, None) is None:
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        train(
            Relay(),
            CONFIG,
            np.random.default_rng(0),
            checkpoint=path,
            checkpoint_seconds=0.0,
            should_stop=crash,
        )
    assert path.exists()
    assert np.array_equal(flat(run(path).policy), flat(run().policy))


def test_a_finished_training_is_returned_at_once_with_its_generator_at_the_end(tmp_path: Path) -> None:
    path, rng, again = tmp_path / "training.npz", np.random.default_rng(0), np.random.default_rng(0)
    first = train(Relay(), CONFIG, rng, checkpoint=path)
    second = train(Relay(), CONFIG, again, checkpoint=path, on_progress=lambda _: pytest.fail("played"))
    assert np.array_equal(flat(first.policy), flat(second.policy))
    assert rng.random() == again.random()


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "training.npz"
    run(path, stop_after=2)
    seed = np.random.default_rng(0)
    with pytest.raises(LearnerError, match=r"with tau=0\.05, but this one has tau=0\.1"):
        run(path, config=quick(episodes=320, tau=0.1))
    with pytest.raises(LearnerError, match="another seed"):
        train(Relay(), CONFIG, np.random.default_rng(1), checkpoint=path)
    with pytest.raises(LearnerError, match="reward_shift"):
        train(Relay(), CONFIG, seed, checkpoint=path, reward_shift=[1.0, 0.0])
    with pytest.raises(LearnerError, match="horizon=6"):
        train(Relay(horizon=7), CONFIG, np.random.default_rng(0), checkpoint=path)
    with pytest.raises(LearnerError, match="kind 'training'"):
        Policy.load(path)


def test_a_policy_comes_back_the_same(tmp_path: Path) -> None:
    policy = run(stop_after=5).policy
    policy.save(tmp_path / "policy.npz")
    loaded = Policy.load(tmp_path / "policy.npz")
    assert loaded.config == policy.config
    assert loaded.signature == policy.signature
    assert np.array_equal(play(Relay(), policy, seed=4), play(Relay(), loaded, seed=4))


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_checkpoint_is_named_with_the_way_out(tmp_path: Path, share: float) -> None:
    path = tmp_path / "training.npz"
    run(path, stop_after=2)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(LearnerError, match=r"training\.npz is no whole checkpoint.*delete it") as caught:
        run(path)
    assert "\n" not in str(caught.value)


def test_flipped_bytes_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "training.npz"
    run(path, stop_after=2)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(LearnerError, match="no whole checkpoint"):
        run(path)


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("exploded",)


def test_no_code_of_a_file_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plain.npz").write_bytes(pickle.dumps(Bomb()))
    np.savez("inside.npz", mtmfq=np.array(Bomb(), dtype=object))
    Path("text.npz").write_text("not a checkpoint")
    np.savez("foreign.npz", x=np.zeros(3))
    with Path("single.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    for name in ("plain.npz", "inside.npz", "text.npz", "foreign.npz", "single.npz"):
        with pytest.raises(LearnerError, match=name):
            Policy.load(name)
    assert not Path("exploded").exists()


def contents(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What a training's file holds, read by numpy alone."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files if name not in ("mtmfq", "sha256")}
        return json.loads(file["mtmfq"].tobytes())["meta"], arrays


def test_a_file_is_plain_arrays_for_numpy(tmp_path: Path) -> None:
    policy = run(stop_after=1).policy
    policy.save(tmp_path / "policy.npz")
    meta, arrays = contents(tmp_path / "policy.npz")
    assert meta["config"]["tau"] == CONFIG.tau
    assert np.array_equal(arrays["weights"], flat(policy))


def spoilt(arrays: dict[str, np.ndarray], name: str, value: float) -> dict[str, np.ndarray]:
    array = arrays[name].copy()
    array.flat[0] = value
    return {**arrays, name: array}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("weights", np.nan, "its array weights holds numbers that are not finite"),
        ("target", np.inf, "its array target holds numbers that are not finite"),
        ("average", np.nan, "its array average holds numbers that are not finite"),
        ("adam_square", -1.0, "state of the optimiser"),
        ("averaged", -1, "state of the optimiser"),
        ("log", np.nan, "its array log holds numbers that are not finite"),
        ("replay_0_rows", np.nan, "its array replay_0_rows holds numbers that are not finite"),
        ("replay_0_returns", np.inf, "its array replay_0_returns holds numbers that are not finite"),
        ("replay_0_actions", 2, "actions or cells that this game does not have"),  # a guest has 2 actions
        ("replay_0_actions", -1, "actions or cells that this game does not have"),
    ],
)
def test_a_checkpoint_sealed_with_impossible_numbers_is_refused(
    tmp_path: Path, name: str, value: float, message: str
) -> None:
    path = tmp_path / "training.npz"
    run(path, stop_after=2)
    meta, arrays = contents(path)
    save_arrays(path, "training", meta, spoilt(arrays, name, value))
    with pytest.raises(LearnerError, match=rf"training\.npz cannot be used: .*{message}"):
        run(path)
    save_arrays(path, "training", meta, arrays)
    assert run(path).finished


@pytest.mark.parametrize("name", ["weights", "log", "replay_0_rows"])
def test_arrays_of_another_size_and_missing_ones_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "training.npz"
    run(path, stop_after=2)
    meta, arrays = contents(path)
    for wrong in (arrays[name][:, :-1], np.zeros_like(arrays[name], np.float16)):
        save_arrays(path, "training", meta, {**arrays, name: wrong})
        with pytest.raises(LearnerError, match=f"its array {name} should be"):
            run(path)
    del arrays[name]
    save_arrays(path, "training", meta, arrays)
    with pytest.raises(LearnerError, match=r"training\.npz"):
        run(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"updates": -1}, "its counts are not those"), ({"updates": 1.5}, "its counts are not those"),
        ({"cpu_seconds": float("nan")}, "its counts are not those"), ({"cpu_seconds": "x"}, "no whole checkpoint"),
        ({"rng": "{}"}, "no whole checkpoint"), ({"rng": "[" * 100_000}, "no whole checkpoint"),
        ({"rng": json.dumps({"bit_generator": "MT19937"})}, "random generator MT19937, but got PCG64"),
    ],
)  # fmt: skip
def test_a_position_that_no_training_reaches_is_refused(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    path = tmp_path / "training.npz"
    run(path, stop_after=2)
    meta, arrays = contents(path)
    save_arrays(path, "training", {**meta, "position": {**meta["position"], **change}}, arrays)
    with pytest.raises(LearnerError, match=message) as caught:
        run(path)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_that_claims_too_many_episodes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "training.npz"
    run(path, stop_after=2)
    meta, arrays = contents(path)
    save_arrays(path, "training", meta, {**arrays, "log": np.zeros((21, arrays["log"].shape[1]))})  # of 20
    with pytest.raises(LearnerError, match="its counts are not those"):
        run(path)


CONTRACT = {"contract": {"tax": 0.1, "cleaners": 3}, "seed": 4}


def test_a_training_goes_on_only_as_what_it_was_begun_for(tmp_path: Path) -> None:
    """Contracts may share settings, signature and random generator: their identity tells them apart."""
    path = tmp_path / "training.npz"
    begun = partial(train, Relay(), CONFIG, checkpoint=path)
    rounds = iter(range(2))
    begun(np.random.default_rng(0), identity=CONTRACT, should_stop=lambda: next(rounds, None) is None)
    other = {**CONTRACT, "contract": {"tax": 0.2, "cleaners": 3}}
    with pytest.raises(LearnerError, match=r"its contract is \{'tax': 0\.1.*, but \{'tax': 0\.2.*is needed here"):
        begun(np.random.default_rng(0), identity=other)
    for fewer in (None, {"seed": 4}):
        with pytest.raises(LearnerError, match=r"its (contract|seed) is .*, but nothing is needed here"):
            begun(np.random.default_rng(0), identity=fewer)
    with pytest.raises(LearnerError, match="its costs is nothing, but 'paper' is needed here"):
        begun(np.random.default_rng(0), identity={**CONTRACT, "costs": "paper"})
    assert begun(np.random.default_rng(0), identity=CONTRACT).policy.identity == CONTRACT


def test_a_policy_of_another_training_is_refused_by_whoever_asks(tmp_path: Path) -> None:
    path = tmp_path / "policy.npz"
    policy = run(stop_after=1).policy
    policy.identity = {"crew": (1, 2)}  # JSON has lists
    policy.save(path)
    assert Policy.load(path).identity == {"crew": [1, 2]}
    assert Policy.load(path, identity={"crew": (1, 2)}).identity == {"crew": [1, 2]}
    with pytest.raises(LearnerError, match=r"policy\.npz cannot be used.*its crew is \[1, 2\], but \[1, 3\] is needed"):
        Policy.load(path, identity={"crew": (1, 3)})


def test_an_identity_too_long_to_be_read_is_refused_when_it_is_written(tmp_path: Path) -> None:
    policy = run(stop_after=1).policy
    policy.identity = {"map": "x" * 2_000_000}
    with pytest.raises(LearnerError, match="more than 1,048,576"):
        policy.save(tmp_path / "policy.npz")
    policy.identity = {"map": "x" * 1_000_000}
    policy.save(tmp_path / "policy.npz")
    assert Policy.load(tmp_path / "policy.npz").identity == policy.identity


def test_a_full_disk_leaves_the_older_checkpoint_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "policy.npz"
    policy = run(stop_after=1).policy
    policy.save(path)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(LearnerError, match=r"No space left on device.*unharmed") as caught:
        policy.save(path)
    assert isinstance(caught.value.__cause__, OSError)
    assert [p.name for p in tmp_path.iterdir()] == ["policy.npz"]
    Policy.load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LearnerError, match=r"no checkpoint .*nowhere\.npz"):
        Policy.load(tmp_path / "nowhere.npz")

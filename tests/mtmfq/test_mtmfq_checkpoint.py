import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from mtmfq_small_games import Relay, flat, quick

from mtmfq import LearnerError, MTMFQConfig, Policy, TrainResult, play, train
from mtmfq.checkpoint import load_arrays, save_arrays

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


def test_weights_of_another_size_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "training.npz"
    run(path, stop_after=2)
    meta, arrays = load_arrays(path, "training")
    save_arrays(path, "training", meta, {**arrays, "weights": arrays["weights"][:, :-1]})
    with pytest.raises(LearnerError, match="does not hold a whole training"):
        run(path)
    del arrays["log"]
    save_arrays(path, "training", meta, arrays)
    with pytest.raises(LearnerError, match="does not hold a whole training"):
        run(path)


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

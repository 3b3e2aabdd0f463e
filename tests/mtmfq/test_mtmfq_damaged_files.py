"""Whatever happens to a policy or checkpoint: it is refused in one line, or nothing that counts has changed."""

import hashlib
import io
import json
import os
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from damaged_files import cheap, damaged
from mtmfq_small_games import Relay, flat, quick

from mtmfq import LearnerError, Policy, TrainResult, train
from mtmfq.checkpoint import FORMAT, kind_of, save_arrays

CONFIG = quick(episodes=320, replay_capacity=50)


def stopped(path: Path | None) -> TrainResult:
    """The training as it stands: with a checkpoint there, as it was put aside."""
    return train(Relay(), CONFIG, np.random.default_rng(0), checkpoint=path, should_stop=lambda: True)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path, rounds = tmp_path / "training.npz", iter(range(2))
    train(
        Relay(), CONFIG, np.random.default_rng(0), checkpoint=path, should_stop=lambda: next(rounds, None) is None
    )  # fmt: skip
    return path


@pytest.fixture
def policy(tmp_path: Path, checkpoint: Path) -> Path:
    stopped(checkpoint).policy.save(tmp_path / "policy.npz")
    return tmp_path / "policy.npz"


def refused(path: Path, read: Callable[[], object]) -> bool:
    """Whether a file is refused, in one line that names it."""
    message = ""
    try:
        read()
    except LearnerError as error:
        message = str(error)
    assert "\n" not in message
    assert not message or path.name in message
    return bool(message)


def test_a_damaged_policy_is_refused_or_the_same(policy: Path) -> None:
    original, found = Policy.load(policy), []
    with cheap(seconds=60):
        for content in damaged(policy.read_bytes(), most=500):
            policy.write_bytes(content)
            loaded: list[Policy] = []
            found.append(refused(policy, lambda loaded=loaded: loaded.append(Policy.load(policy))))
            for same in loaded:
                assert np.array_equal(flat(same), flat(original))
                assert (same.config, same.signature) == (original.config, original.signature)
            assert kind_of(policy) in ("policy", None)
    assert sum(found) > 0.9 * len(found)  # the rest: times and attributes of the archive's members


def test_a_damaged_checkpoint_is_refused_or_the_same(checkpoint: Path) -> None:
    content, original, found = checkpoint.read_bytes(), stopped(checkpoint), []
    for wrong in damaged(content, most=100):
        checkpoint.write_bytes(wrong)
        loaded: list[TrainResult] = []
        found.append(refused(checkpoint, lambda loaded=loaded: loaded.append(stopped(checkpoint))))
        for same in loaded:
            assert np.array_equal(flat(same.policy), flat(original.policy))
            assert np.array_equal(same.curve.returns, original.curve.returns)
            assert same.updates == original.updates
    assert sum(found) > 0.9 * len(found)


def rewritten(path: Path, change: Callable[[dict[str, bytes]], object], compression: int = zipfile.ZIP_STORED) -> None:
    """Change the members of a file (names without .npy) and seal it again, as somebody could who means harm."""
    with zipfile.ZipFile(path) as archive:
        members = {name.removesuffix(".npy"): archive.read(name) for name in archive.namelist()}
    change(members)
    members["sha256"] = npy(
        np.frombuffer(hashlib.sha256(members["mtmfq"][-len_of(members["mtmfq"]) :]).digest(), np.uint8)
    )
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)


def npy(array: np.ndarray, shape: tuple[int, ...] | None = None) -> bytes:
    """An array as in a file, with a header that may lie about its shape."""
    file = io.BytesIO()
    header = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape if shape is None else shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + array.tobytes()


def len_of(content: bytes) -> int:
    return int(np.load(io.BytesIO(content)).size)


def described(members: dict[str, bytes], **changes: object) -> None:
    """Say something else of the weights."""
    header = json.loads(np.load(io.BytesIO(members["mtmfq"])).tobytes())
    header["arrays"]["weights"] |= changes
    members["mtmfq"] = npy(np.frombuffer(json.dumps(header).encode(), np.uint8))


def bomb(members: dict[str, bytes]) -> None:
    members["weights"] = npy(np.zeros(300_000_000, np.uint8))


def lie(members: dict[str, bytes]) -> None:
    members["weights"] = npy(np.zeros(100, np.float32), (10**12,))


def lie_twice(members: dict[str, bytes]) -> None:
    lie(members)
    described(members, shape=[10**12])


def objects(members: dict[str, bytes]) -> None:
    members["weights"] = npy(np.zeros(100, np.int64)).replace(b"<i8", b"|O ")
    described(members, dtype="|O", shape=[100])


def long_header(members: dict[str, bytes]) -> None:
    members["mtmfq"] = npy(np.zeros(2_000_000, np.uint8))


def no_json(members: dict[str, bytes]) -> None:
    members["mtmfq"] = npy(np.frombuffer(b"[" * 500_000, np.uint8))


def other_place(members: dict[str, bytes]) -> None:
    members["../../weights"] = members.pop("weights")


def one_more(members: dict[str, bytes]) -> None:
    members["more"] = npy(np.zeros(3))


@pytest.mark.parametrize("change", [lie, lie_twice, objects, long_header, no_json, other_place, one_more])
def test_a_file_that_lies_about_its_arrays_is_refused(policy: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    rewritten(policy, lambda members: None)
    Policy.load(policy)
    rewritten(policy, change)
    with cheap():
        assert refused(policy, lambda: Policy.load(policy))
    assert sorted(p.name for p in policy.parent.iterdir()) == ["policy.npz", "training.npz"]


def test_an_archive_that_unpacks_to_much_is_refused_before_it_is_unpacked(policy: Path, checkpoint: Path) -> None:
    for path, read in ((policy, lambda: Policy.load(policy)), (checkpoint, lambda: stopped(checkpoint))):
        rewritten(path, bomb, zipfile.ZIP_DEFLATED)
        assert path.stat().st_size < 1_000_000
        with cheap():
            assert refused(path, read)


def test_sizes_in_the_table_of_contents_are_not_believed(policy: Path) -> None:
    content = policy.read_bytes()
    with zipfile.ZipFile(policy) as archive:
        size = archive.getinfo("weights.npy").file_size
    place = content.index(b"PK\x01\x02")
    for lied in (2**31, 2**32 - 2, size + 1, size - 1):
        policy.write_bytes(content[:place] + content[place:].replace(struct.pack("<L", size), struct.pack("<L", lied)))
        with cheap():
            assert refused(policy, lambda: Policy.load(policy))


def test_a_table_of_contents_with_very_many_members_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "many.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(30_000):
            archive.writestr(f"{number}.npy", b"")
    with cheap():
        assert refused(path, lambda: Policy.load(path))


def replaced(path: Path, compression: int = zipfile.ZIP_STORED, **changed: bytes) -> None:
    """Change members of a file, as an archiver would, and leave its hashes as they are."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, changed.get(name.removesuffix(".npy"), content))


def test_weights_and_settings_that_were_edited_are_refused(policy: Path) -> None:
    content = policy.read_bytes()
    replaced(policy)
    Policy.load(policy)
    replaced(policy, weights=npy(flat(Policy.load(policy)) * np.float32(0.5)))
    with pytest.raises(LearnerError, match="its array weights was changed after it was written"):
        Policy.load(policy)
    policy.write_bytes(content)
    text = np.load(policy)["mtmfq"].tobytes().replace(b'"tau": 0.05', b'"tau": 0.06')
    replaced(policy, mtmfq=npy(np.frombuffer(text, np.uint8)))
    assert refused(policy, lambda: Policy.load(policy))


def test_a_file_that_was_compressed_is_refused(policy: Path) -> None:
    replaced(policy, zipfile.ZIP_DEFLATED)
    assert refused(policy, lambda: Policy.load(policy))


def test_two_members_of_one_name_are_refused(policy: Path) -> None:
    with zipfile.ZipFile(policy) as archive:
        weights = archive.read("weights.npy")
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(policy, "a") as archive:
        archive.writestr("weights.npy", weights)
    assert refused(policy, lambda: Policy.load(policy))


def test_arrays_that_nobody_asks_for_are_not_read(policy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = flat(Policy.load(policy))
    meta = json.loads(np.load(policy)["mtmfq"].tobytes())["meta"]
    save_arrays(policy, "policy", meta, {"weights": original, "huge": np.zeros(10_000_000)})
    opened, really = [], zipfile.ZipFile.open
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda self, m, *a, **k: opened.append(m.filename) or really(self, m))
    assert np.array_equal(flat(Policy.load(policy)), original)
    assert opened == ["mtmfq.npy", "sha256.npy", "weights.npy"]


@pytest.mark.parametrize(
    "meta",
    [
        {"config": {"hidden": [10**400, 2]}}, {"config": {"hidden": [float("inf")]}}, {"config": {"hidden": "64"}},
        {"config": {"tau": 10**400}}, {"config": {"gamma": [1]}}, {"config": {"temperature": 3}}, {"config": 3},
        {"config": {"n_games": "9"}}, {"config": {"taus": 1}}, {"signature": None}, {"signature": {"n_actions": [2.0, 3.0]}},
        {"signature": {"horizon": True}}, {"signature": {"agent_types": [0] * 3 + ["1"]}},
        {"signature": {"type_names": ["guest", 1]}}, {"signature": {"observation_shape": [10**400]}},
        {"signature": {"n_actions": []}}, {"signature": {"n_actions": [127, 127]}}, {"signature": {"n_classes": -1}},
    ],
)  # fmt: skip
def test_settings_of_a_file_are_checked_like_a_users(policy: Path, meta: Mapping[str, object]) -> None:
    stored = json.loads(np.load(policy)["mtmfq"].tobytes())["meta"]
    weights = flat(Policy.load(policy))
    mixed = {
        part: {**stored[part], **meta[part]} if isinstance(meta.get(part), dict) else meta.get(part, stored[part])  # type: ignore[dict-item]
        for part in stored
    }
    save_arrays(policy, "policy", mixed, {"weights": weights})
    with cheap():
        assert refused(policy, lambda: Policy.load(policy))


def test_weights_that_are_not_finite_are_refused(policy: Path) -> None:
    loaded = Policy.load(policy)
    loaded.networks.flat[0, 0] = float("nan")
    loaded.save(policy)
    with pytest.raises(LearnerError, match="its array weights holds numbers that are not finite"):
        Policy.load(policy)


def test_a_file_of_another_version_of_the_format_is_named(policy: Path) -> None:
    def older(members: dict[str, bytes]) -> None:
        members["mtmfq"] = npy(np.frombuffer(json.dumps({"format": 1, "kind": "policy"}).encode(), np.uint8))

    rewritten(policy, older)
    with pytest.raises(LearnerError, match=f"kind 'policy', format 1, but one of kind 'policy', format {FORMAT}"):
        Policy.load(policy)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_what_is_no_file_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.npz")
    for path in (tmp_path / "pipe.npz", tmp_path):
        assert refused(path, lambda path=path: Policy.load(path))
        assert kind_of(path) is None

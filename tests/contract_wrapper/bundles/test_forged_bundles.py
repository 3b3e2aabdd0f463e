"""A bundle of a stranger: whatever is wrong with it, one line says so, and nothing is written or left behind."""

import contextlib
import json
import os
import stat
import struct
import zipfile

import pytest
from forged import archive_of, forged, manifest_of, members_of, with_sealed, with_trials
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_landscapes import made_up_landscape

from contract_wrapper.bundles import archive, members
from contract_wrapper.bundles.archive import unpack
from contract_wrapper.bundles.bring_in import import_bundle
from contract_wrapper.bundles.study_text import read_study_text, read_trial_lines
from contract_wrapper.cli import main
from contract_wrapper.errors import ContractsError
from contract_wrapper.studies.settings import SearchSettings


@pytest.fixture(scope="module")
def good(bundle):
    return members_of(bundle)


@pytest.fixture
def refused(tmp_path, monkeypatch):
    """Import a bundle from inside an empty folder, and return the one line by which it is refused."""
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()

    def refuse(path, folder=None):
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(ContractsError) as error:
            import_bundle(path, folder)
        assert sorted(tmp_path.rglob("*")) == before
        assert len(str(error.value).splitlines()) == 1
        assert "\x1b" not in str(error.value)
        return str(error.value)

    return refuse


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd", "../../evil", "figures/../../evil.md", "..\\evil", "figures\\evil.md", "C:evil", "C:/evil", "./study",
        "figures//a.md", "figures/", "", ".", "..", "con", "figures/NUL.md", "com1.txt", ".bashrc", "figures/.hidden.md",
        "-rf", "a b.md", "caf\u00e9.md", "figures/a.md.", "a\nb", "figures/" + "a" * 300 + ".md", "a/b/c/d",
        "figures/a.md\x00.png", "\x1b[2J", "outcomes/x.py", "seed-0/x.npz", "study.sqlite3", "outcomes/x.pkl",
    ],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(name, good, refused, tmp_path):
    told = refused(forged(tmp_path / "b.zip", {**good, name: b"x"}))
    assert "do not unpack it" in told or "no whole archive" in told or "cut short" in told


def test_names_that_are_one_on_some_system_are_refused(good, refused, tmp_path):
    assert "twice" in refused(forged(tmp_path / "b.zip", {**good, "Study.JSON": b"x"}))
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = forged(tmp_path / "c.zip", good, edit=_named({"README.txt": "trials.csv"}))
    assert "twice" in refused(path)
    told = refused(forged(tmp_path / "d.zip", {**good, "figures": b"x"}))
    assert "is also a folder" in told


def _named(names):
    def edit(entry):
        entry.filename = entry.orig_filename = names.get(entry.filename, entry.filename)

    return edit


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFDIR, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_folders_and_devices_are_refused(mode, good, refused, tmp_path):
    def edit(entry):
        if entry.filename == "trials.csv":
            entry.external_attr = (mode | 0o777) << 16

    assert "is a link, a folder or a device" in refused(forged(tmp_path / "b.zip", good, edit=edit))


@pytest.mark.parametrize("packed", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_to_pack_are_refused(packed, good, refused, tmp_path):
    assert "packed as `export` packs none" in refused(forged(tmp_path / "b.zip", good, packed=packed))


def test_hidden_words_of_an_entry_are_refused(good, refused, tmp_path):
    def extra(entry):
        entry.extra = struct.pack("<HH4s", 0x5455, 4, b"more")

    def comment(entry):
        entry.comment = b"more"

    for k, edit in enumerate((extra, comment)):
        assert "has more to say" in refused(forged(tmp_path / f"{k}.zip", good, edit=edit))


# ---- sizes


def test_a_zip_bomb_is_refused_before_it_is_unpacked(good, refused, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "_copy", lambda *_: pytest.fail("unpacked"))
    bomb = {**good, "figures/bomb.png": bytes(4 << 20)}
    assert "more than 200 times its size: a zip bomb?" in refused(forged(tmp_path / "a.zip", bomb))
    many = {**good, **{f"figures/{k}.png": b"" for k in range(members.MOST_MEMBERS)}}
    path = forged(tmp_path / "b.zip", many)
    with monkeypatch.context() as unread:
        unread.setattr(archive.zipfile, "ZipFile", lambda *_: pytest.fail("its table of contents was read"))
        assert "files, more than 5,000: a zip bomb?" in refused(path)
    for name, limit in (("MOST_UNPACKED_BYTES", 10_000), ("MOST_MEMBER_BYTES", 1_000)):
        with monkeypatch.context() as small:
            small.setattr(members, name, limit)
            assert "a zip bomb?" in refused(forged(tmp_path / f"{name}.zip", good))
    with monkeypatch.context() as small:
        small.setattr(members, "MOST_BUNDLE_BYTES", 1_000)
        assert "more than 1,000" in refused(forged(tmp_path / "c.zip", good))


def test_a_size_that_is_a_lie_is_found_where_it_is_unpacked(good, refused, tmp_path):
    path = forged(tmp_path / "b.zip", {**good, "figures/a.png": b"abc" * 1000}, packed=zipfile.ZIP_DEFLATED)
    data = path.read_bytes()
    for lie in (10, 5_000):
        size = struct.pack("<L", 3000)
        at = data.rindex(b"figures/a.png") - 46 + 24  # the size in the table of contents
        assert data[at : at + 4] == size
        path.write_bytes(data[:at] + struct.pack("<L", lie) + data[at + 4 :])
        assert "no bundle that can be used" in refused(path)


def test_entries_that_share_their_bytes_are_refused(good, refused, tmp_path):
    path = forged(tmp_path / "b.zip", {**good, "figures/a.png": b"a" * 100, "figures/b.png": b"b" * 100}, packed=0)
    data = path.read_bytes()
    first, second = (data.rindex(name) - 46 + 42 for name in (b"figures/a.png", b"figures/b.png"))
    path.write_bytes(data[:second] + data[first : first + 4] + data[second + 4 :])
    assert "lies elsewhere" in refused(path)


def test_anything_before_between_or_behind_is_refused(bundle, refused, tmp_path):
    data = bundle.read_bytes()
    for k, content in enumerate(
        (b"#!/bin/sh\n" + data, data + b"more", data[:-1], data[: len(data) // 2], b"", b"PK\x05\x06")
    ):
        path = tmp_path / f"{k}.zip"
        path.write_bytes(content)
        assert "no bundle that can be used" in refused(path)


def test_bytes_that_no_entry_has_are_refused(bundle, refused, tmp_path):
    data = bundle.read_bytes()
    end = bytearray(data[-22:])
    (start,) = struct.unpack_from("<L", end, 16)
    struct.pack_into("<L", end, 16, start + 6)
    path = tmp_path / "b.zip"
    path.write_bytes(data[:start] + b"hidden" + data[start:-22] + end)
    assert "holds more than its files" in refused(path)


def test_larger_forms_of_archives_are_refused(bundle, refused, tmp_path):
    data = bundle.read_bytes()
    path = tmp_path / "b.zip"
    path.write_bytes(data[:-22] + struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1) + data[-22:])
    assert "has something behind its end" in refused(path)


def test_what_is_no_file_is_refused(refused, tmp_path):
    os.mkfifo(tmp_path / "pipe.zip")
    assert "no regular file" in refused(tmp_path / "pipe.zip")
    assert "No such file" in refused(tmp_path / "gone.zip")
    assert "no regular file" in refused(tmp_path)


@settings(max_examples=60)
@given(data=st.data())
def test_changed_bytes_are_refused_or_change_nothing(data, bundle, tmp_path_factory):
    whole = bundle.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    how = data.draw(st.sampled_from(["flip", "cut", "insert", "remove"]))
    piece = data.draw(st.binary(min_size=1, max_size=4))
    changed = {
        "flip": whole[:at] + bytes([whole[at] ^ piece[0]]) + whole[at + 1 :],
        "cut": whole[:at],
        "insert": whole[:at] + piece + whole[at:],
        "remove": whole[:at] + whole[at + len(piece) :],
    }[how]
    folder = tmp_path_factory.mktemp("changed")
    (folder / "b.zip").write_bytes(changed)
    (folder / "out").mkdir()
    try:
        unpack(folder / "b.zip", folder / "out", lambda _name: True)
    except ContractsError:
        return
    found = {
        path.relative_to(folder / "out").as_posix(): path.read_bytes()
        for path in (folder / "out").rglob("*")
        if path.is_file()
    }
    assert found == members_of(bundle)


# ---- the manifest


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"format": "another"}, "none of a bundle of this program"),
        ({"version": 2}, "its version is 2, and this program reads 1"),
        ({"kind": "virus"}, "of the kind 'virus'"),
        ({"kind": []}, "of the kind []"),
        ({"name": "\x1b[2J"}, "says no name"),
        ({"program": 1}, "says no name"),
        ({"members": []}, "of the kind"),
        ({"members": {}}, "other files than its manifest names"),
        ({"kind": "landscape"}, "which no bundle of a landscape has"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(changes, told, good, refused, tmp_path):
    assert told in refused(forged(tmp_path / "b.zip", good, manifest_of(good, **changes)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"format": 1, "format": 2}',
        "[" * 100_000,
        "\ud800".encode(errors="surrogatepass").decode("latin1"),
    ],
)
def test_a_manifest_that_is_none_is_refused(text, good, refused, tmp_path):
    assert "no bundle that can be used" in refused(forged(tmp_path / "b.zip", good, text))


def test_a_manifest_that_says_something_twice_is_refused(good, refused, tmp_path):
    text = json.dumps(manifest_of(good))
    assert "a name twice in its manifest" in refused(forged(tmp_path / "b.zip", good, text[:-1] + ', "kind": "study"}'))


def test_a_file_that_was_edited_added_or_removed_is_refused(good, refused, tmp_path):
    about = manifest_of(good)
    edited = {**good, "trials.csv": good["trials.csv"].replace(b"1", b"2")}
    assert "is another than its manifest says" in refused(forged(tmp_path / "a.zip", edited, about))
    assert "other files than its manifest" in refused(forged(tmp_path / "b.zip", {**good, "figures/x.md": b""}, about))
    fewer = {name: data for name, data in good.items() if name != "trials.jsonl"}
    assert "other files than its manifest" in refused(forged(tmp_path / "c.zip", fewer, about))
    assert "its file trials.jsonl is missing" in refused(forged(tmp_path / "d.zip", fewer))
    for size in (-1, 1.5, True, None, "1"):
        wrong = manifest_of(good)
        wrong["members"]["trials.csv"]["bytes"] = size
        assert "no size and hash of 'trials.csv'" in refused(forged(tmp_path / f"{size}.zip", good, wrong))


def test_an_archive_of_something_else_is_refused(refused, tmp_path):
    path = tmp_path / "b.zip"
    path.write_bytes(archive_of({"README.md": b"hello"}))
    assert "its manifest.json is missing" in refused(path)


# ---- what the files say, sealed as it may be


def _set(number, /, **values):
    return lambda trials: trials[number].update(values)


def _outcome(number, /, **values):
    return lambda trials: trials[number]["outcome"].update(values)


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (_set(2, seed=7), "trial 2 of trials.jsonl cannot be used: its seed is 7"),
        (_set(2, number=3), "another number"),
        (_set(2, phase="party"), "trial 2 of trials.jsonl is damaged"),
        (_set(2, phase="baseline"), "trial 0, and no other"),
        (_set(0, phase="initial"), "trial 0, and no other"),
        (_set(2, why="\x1b]0;owned\x07"), "a why in it is no printable text"),
        (_set(2, why="a\rb"), "a why in it is no printable text"),
        (_set(2, why="a\x0cb"), "a why in it is no printable text"),
        (_set(2, why=None), "a why in it is no printable text"),
        (_set(2, failure="it failed"), "has an outcome, and a cause of failure"),
        (_set(2, batch=[1]), "its batch is no first number and size"),
        (_set(2, batch=[True, 2]), "its batch is no first number and size"),
        (_set(2, contract={"tax": 5, "n_cleaners": 1}), "trial 2"),
        (_set(2, contract={"tax": 0.5, "n_cleaners": 1}), "its outcome is of"),
        (_set(2, contract=None), "trial 2"),
        (_set(2, outcome=[]), "trial 2"),
        (_set(2, more=1), "other names"),
        (_outcome(2, seed=5), "its outcome is of"),
        (_outcome(2, welfare={"mean": float("nan"), "se": 1.0}), "trial 2"),
        (_outcome(2, policy="../../evil.npz"), "trial 2|trials.csv"),
        (_outcome(2, versions={"code": "\x1b[2J"}), "no printable text"),
        (lambda trials: trials[:1] + trials[2:], "another number|seed"),
        (lambda trials: trials[:-1], "trials.csv says something else"),
    ],
)
def test_a_trial_that_makes_no_sense_is_refused_however_well_it_is_sealed(edit, told, good, refused, tmp_path):
    said = refused(forged(tmp_path / "b.zip", with_trials(good, edit)))
    assert any(part in said for part in told.split("|")), said


def test_a_line_without_its_seal_is_refused(good, refused, tmp_path):
    text = good["trials.jsonl"]
    for k, changed in enumerate(
        (
            text.replace(b'"mean": 145.0', b'"mean": 999.0', 1),
            b"[" * 9_999 + b"\n" + text,
            b"\xff\n" + text,
            b"3\n",
            b"null\n",
        )
    ):
        assert "trial 0 of trials.jsonl" in refused(forged(tmp_path / f"{k}.zip", {**good, "trials.jsonl": changed}))


def test_numbers_that_are_told_otherwise_in_the_table_are_refused(good, refused, tmp_path):
    members_ = {**good, "trials.csv": good["trials.csv"].replace(b"145.0", b"945.0", 1)}
    assert members_ != good
    assert "its table trials.csv says something else" in refused(forged(tmp_path / "b.zip", members_))


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda c: c.pop("commands"), "holds no configuration of a study"),
        (lambda c: c.update(configuration={}), "another version of this program"),
        (lambda c: c["configuration"].update(evaluation=3), "study.json|settings"),
        (lambda c: c["configuration"]["search"].update(seed=-1), "seed must be"),
        (
            lambda c: c["configuration"]["evaluation"].update(problem={"kind": "mine", "name": "os:system"}),
            "settings of|problem",
        ),
        (lambda c: c["commands"][0].update(command="\x1b[2J"), "printable text"),
        (lambda c: c.update(commands="ls"), "are a list"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(edit, told, good, refused, tmp_path):
    said = refused(forged(tmp_path / "b.zip", with_sealed(good, "study.json", edit)))
    assert any(part in said for part in told.split("|")), said


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"configuration": {}}, "another configuration or other commands"),
        ({"commands": []}, "another configuration or other commands"),
        ({"commands": [{"command": "\x1b[2J", "version": "1", "code": "", "began": ""}]}, "printable text"),
        ({"versions": {"numpy": "\x1b[2J"}}, "no printable text"),
        ({"versions": {"\x1b[2J": "1"}}, "no printable text"),
    ],
)
def test_a_run_of_another_study_is_refused(changes, told, good, refused, tmp_path):
    run = {**json.loads(good["run.json"]), **changes}
    assert told in refused(forged(tmp_path / "b.zip", {**good, "run.json": json.dumps(run).encode()}))


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000])
def test_a_run_that_is_none_is_refused(content, good, refused, tmp_path):
    assert "its run.json is damaged" in refused(forged(tmp_path / "b.zip", {**good, "run.json": content}))


@pytest.mark.parametrize(
    "edit", [lambda c: c.update(certificates=3), lambda c: c["certificates"][0].update(unit="\x1b[2J"), lambda c: c["certificates"][0]["margins"][0].update(name="\x1b[2J")],
)  # fmt: skip
def test_certificates_that_make_no_sense_are_refused(edit, good, refused, tmp_path):
    refused(forged(tmp_path / "b.zip", with_sealed(good, "certificates.json", edit)))
    broken = {**good, "certificates.json": good["certificates.json"].replace(b"0.12", b"0.11")}
    assert "certificates.json was cut short, damaged or edited" in refused(forged(tmp_path / "c.zip", broken))


@pytest.mark.parametrize(
    "about",
    [{"code": "\x1b[2J"}, {"\x1b[2J": 1}, {"commands": 3}, {"commands": [{"command": "\x1b[2J"}]}, {"game": [["\r"]]}],
)
def test_a_landscape_that_says_what_no_terminal_should_show_is_refused(about, refused, tmp_path):
    made_up_landscape(2, n_taxes=3, about=about).save(tmp_path / "mine.npz")
    made = made_up_landscape(2, n_taxes=3).to_csv().encode()
    files = {"landscape.npz": (tmp_path / "mine.npz").read_bytes(), "landscape.csv": made}
    manifest = manifest_of(files, kind="landscape")
    assert "cannot be used: " in refused(forged(tmp_path / "b.zip", files, manifest))
    files["landscape.npz"] = files["landscape.npz"][:-9]
    assert "no landscape" in refused(forged(tmp_path / "c.zip", files, manifest_of(files, kind="landscape")))


def test_what_nobody_thought_of_is_one_line_too(good, refused, tmp_path, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("1 / 0")

    monkeypatch.setattr("contract_wrapper.bundles.bring_in.store", fail)
    told = refused(forged(tmp_path / "b.zip", good), tmp_path / "deep" / "mine")
    assert told.endswith("its content is damaged ('ZeroDivisionError: 1 / 0')")


def test_a_refused_bundle_is_one_line_and_exit_code_2_for_the_command_line(bundle, tmp_path, capsys):
    (tmp_path / "b.zip").write_bytes(bundle.read_bytes()[:-100])
    assert main(["import", str(tmp_path / "b.zip"), str(tmp_path / "there")]) == 2
    told = capsys.readouterr().err
    assert told.startswith("cleanup-contracts: error: ")
    assert len(told.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["b.zip"]


def test_folders_made_for_an_import_go_with_it(good, refused, tmp_path):
    path = forged(tmp_path / "b.zip", with_trials(good, _set(2, seed=7)))
    refused(path, tmp_path / "deep" / "deeper" / "mine")
    (tmp_path / "file").write_text("")
    assert "cannot make the folder" in refused(path, tmp_path / "file" / "mine")


def test_json_of_a_bundle_is_plain(good):
    for line in good["trials.jsonl"].splitlines():
        assert set(json.loads(line)) == {"sha256", "trial"}


# ---- any value anywhere

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.sampled_from(["\x1b[2J", "../x", 2**70])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)  # fmt: skip


def places(value, at=()):
    """All places in plain values."""
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from places(item, (*at, name))


def put(value, at, new):
    """Plain values with another one at a place."""
    if not at:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[at[0]] = put(copy[at[0]], at[1:], new)
    return copy


@settings(max_examples=150)
@given(data=st.data())
def test_any_value_anywhere_in_a_trial_is_read_or_refused(data, good, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    trials = [json.loads(line)["trial"] for line in good["trials.jsonl"].splitlines()[:2]]
    trials[1]["outcome"]["waste_curve"] = trials[1]["outcome"]["waste_curve"][:2]
    trials[1] = put(trials[1], data.draw(st.sampled_from(list(places(trials[1])))), data.draw(VALUES))
    path.write_bytes(with_trials(good, lambda _: trials)["trials.jsonl"])
    with contextlib.suppress(ContractsError):
        read_trial_lines(path, SearchSettings(seed=3))


@settings(max_examples=150)
@given(data=st.data())
def test_any_value_anywhere_in_a_configuration_is_read_or_refused(data, good, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.json"
    content = json.loads(good["study.json"])["content"]
    content["configuration"]["evaluation"]["game"]["map"] = content["configuration"]["evaluation"]["game"]["map"][:2]
    changed = put(content, data.draw(st.sampled_from(list(places(content))[1:])), data.draw(VALUES))
    path.write_bytes(with_sealed(good, "study.json", lambda c: c.update(changed))["study.json"])
    with contextlib.suppress(ContractsError):
        read_study_text(path)


@settings(max_examples=150)
@given(data=st.data())
def test_any_value_anywhere_in_a_manifest_is_refused_or_harmless(data, good, tmp_path_factory):
    folder = tmp_path_factory.mktemp("any")
    about = manifest_of(good)
    changed = put(about, data.draw(st.sampled_from(list(places(about)))), data.draw(VALUES))
    with contextlib.suppress(ContractsError):
        found = unpack(forged(folder / "b.zip", good, json.dumps(changed)), folder, lambda _name: False)
        assert found.name.isprintable()
        assert {*found.members} == {*good}

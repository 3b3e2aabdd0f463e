"""What is exported and imported again says the same."""

import dataclasses
import hashlib
import json
import zipfile

import pytest
from forged import forged, members_of
from made_up_designs import made_up_designs
from made_up_landscapes import made_up_landscape
from stored_studies import COMMAND

from contract_wrapper.bundles import export as export_module
from contract_wrapper.bundles import parquet
from contract_wrapper.bundles.bring_in import import_bundle
from contract_wrapper.bundles.export import export_bundle
from contract_wrapper.cli import main
from contract_wrapper.errors import ContractsError, MissingPackage
from contract_wrapper.landscapes.building.landscape_settings import LandscapeSettings
from contract_wrapper.studies.study import read_study
from mtmfq.checkpoint import save_arrays


@pytest.fixture(scope="module")
def imported(bundle, tmp_path_factory):
    return import_bundle(bundle, tmp_path_factory.mktemp("elsewhere") / "deep" / "mine")


def said(capsys, *words):
    assert main(list(words)) == 0
    return capsys.readouterr().out


def test_an_imported_study_is_the_study(study, imported):
    found = read_study(imported.folder)
    assert dataclasses.replace(found, folder=study.folder) == study
    assert found.certificates
    assert [path.name for path in sorted(imported.folder.parent.iterdir())] == ["mine"]
    for name in ("trials.csv", "run.json", "certificates.json"):
        assert (imported.folder / name).read_bytes() == (study.folder / name).read_bytes()
    assert not (imported.folder / "figures").exists()


def test_report_and_show_print_the_same_of_both(study, imported, monkeypatch, capsys):
    monkeypatch.setattr("contract_wrapper.reports.report.write_report", lambda *_, **__: [])
    for command in ("report", "show"):
        mine, theirs = (said(capsys, command, str(folder)) for folder in (study.folder, imported.folder))
        assert theirs.replace(str(imported.folder), str(study.folder)) == mine
        assert COMMAND in mine


def test_the_same_study_gives_the_same_bundle(study, bundle, imported, tmp_path):
    again = export_bundle(study.folder, tmp_path / "again.zip")
    assert again.path.read_bytes() == bundle.read_bytes()
    assert again.left_out == ("figures/a b.png",)
    assert imported.sha256 == hashlib.sha256(bundle.read_bytes()).hexdigest()
    third = export_bundle(imported.folder, tmp_path / "third.zip")
    mine, theirs = members_of(bundle), members_of(third.path)
    figures = {"figures/report.md", "figures/waste.png"}
    assert {name for name in mine if mine.get(name) != theirs.get(name)} == figures


def test_a_bundle_names_every_file_with_its_hash(bundle):
    with zipfile.ZipFile(bundle) as archive:
        listed = json.loads(archive.read("manifest.json"))["members"]
        assert sorted([*listed, "manifest.json"]) == sorted(archive.namelist())
        for name, about in listed.items():
            assert about == {
                "bytes": len(archive.read(name)), "sha256": hashlib.sha256(archive.read(name)).hexdigest()
            }  # fmt: skip
    assert {"trials.csv", "trials.jsonl", "run.json", "configuration.toml", "certificates.json", "README.txt"} <= {
        *listed
    }


def test_the_commands_say_what_they_did(bundle, study, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = said(capsys, "export", str(study.folder))
    sha256 = hashlib.sha256(bundle.read_bytes()).hexdigest()
    assert told.splitlines()[-1] == f"SHA-256: {sha256}"
    assert (tmp_path / "mine.zip").is_file()
    told = said(capsys, "import", "mine.zip", "--check")
    assert f"SHA-256: {sha256}" in told
    assert f"begun by:     {COMMAND}" in told
    assert [path.name for path in tmp_path.iterdir()] == ["mine.zip"]
    assert main(["export", str(study.folder)]) == 2
    assert "mine.zip is there already" in capsys.readouterr().err
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    assert main(["import", "mine.zip"]) == 2
    assert "mine is there already, and not empty" in capsys.readouterr().err


def test_policies_go_along_if_they_are_asked_for(study, tmp_path):
    kept = tmp_path / "outcomes" / "abc.policy.npz"
    kept.parent.mkdir()
    save_arrays(kept, "some players", {}, {})
    trials = [
        t if t.outcome is None else dataclasses.replace(t, outcome=dataclasses.replace(t.outcome, policy=name))
        for t, name in zip(study.trials, ["abc.policy.npz", "gone.policy.npz"] * 9, strict=False)
    ]
    changed = dataclasses.replace(study, folder=tmp_path, trials=tuple(trials))
    with_players, without = (set(export_module._of_study(changed, policies)[0]) for policies in (True, False))
    assert with_players - without == {"outcomes/abc.policy.npz"}


def test_players_come_in_if_their_file_is_whole(bundle, tmp_path):
    save_arrays(tmp_path / "players.npz", "some players", {}, {})
    content = (tmp_path / "players.npz").read_bytes()
    members = {**members_of(bundle), "outcomes/crews/abc.crews.npz": content}
    found = import_bundle(forged(tmp_path / "b.zip", members), tmp_path / "there")
    assert (found.folder / "outcomes" / "crews" / "abc.crews.npz").read_bytes() == content
    members["outcomes/crews/abc.crews.npz"] = content[:-9]
    with pytest.raises(ContractsError, match="holds no trained players"):
        import_bundle(forged(tmp_path / "c.zip", members), tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("designed", [False, True])
def test_a_landscape_comes_back(designed, tmp_path, monkeypatch, capsys):
    made = made_up_designs() if designed else made_up_landscape(
        2, n_taxes=3, about={**LandscapeSettings(episodes=9).about(), "command": "cleanup-contracts landscape"}
    )  # fmt: skip
    folder = tmp_path / "mine"
    folder.mkdir()
    made.save(folder / "landscape.npz")
    path = export_bundle(folder, tmp_path / "b.zip").path
    found = import_bundle(path, tmp_path / "there")
    assert found.contracts == len(made.contracts())
    assert (tmp_path / "there" / "landscape.npz").read_bytes() == (folder / "landscape.npz").read_bytes()
    monkeypatch.setattr("contract_wrapper.reports.landscape_report.write_landscape_report", lambda *_, **__: [])
    monkeypatch.setattr(
        "contract_wrapper.reports.problems.design_landscape_report.write_design_report", lambda *_, **__: []
    )
    mine, theirs = (said(capsys, "report", str(each)) for each in (folder, tmp_path / "there"))
    assert mine == theirs


def test_parquet_is_refused_where_no_package_writes_it(study, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(parquet, "_package", lambda: None)
    assert main(["export", str(study.folder), str(tmp_path / "b.zip"), "--parquet"]) == 2
    assert 'pip install "cleanup-contracts[parquet]"' in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(MissingPackage, match="pyarrow or polars"):
        parquet.to_parquet("a\n1\n")


def test_the_columns_of_a_table_have_types(study):
    found = parquet.columns(study.to_csv())
    kinds = {name: kind for name, (kind, _) in found.items()}
    assert (kinds["number"], kinds["welfare"], kinds["feasible"], kinds["why"], kinds["phase"]) == (
        int,
        float,
        bool,
        str,
        str,
    )
    assert found["welfare"][1] == [None if t.outcome is None else t.outcome.welfare.mean for t in study.trials]


@pytest.mark.parametrize("package", ["pyarrow", "polars"])
def test_a_table_comes_back_from_parquet(package, study, monkeypatch, tmp_path):
    module = pytest.importorskip(f"{package}.parquet" if package == "pyarrow" else package, reason=f"no {package} here")
    monkeypatch.setattr(parquet, "_package", lambda: package)
    path = tmp_path / "trials.parquet"
    path.write_bytes(parquet.to_parquet(study.to_csv()))
    table = (
        module.read_table(path).to_pydict()
        if package == "pyarrow"
        else module.read_parquet(path).to_dict(as_series=False)
    )
    assert table == {name: values for name, (_, values) in parquet.columns(study.to_csv()).items()}


def test_a_folder_without_a_study_is_no_source(tmp_path):
    with pytest.raises(ContractsError, match="there is no study"):
        export_bundle(tmp_path)
    with pytest.raises(ContractsError, match=r"end it in \.zip"):
        export_bundle(tmp_path, tmp_path / "b.tar")

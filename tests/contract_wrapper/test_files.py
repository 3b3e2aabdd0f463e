"""Files of plain values are as they were written, or refused; names from files lead nowhere else."""

import json
from pathlib import Path

import pytest
from damaged_files import cheap, damaged

from contract_wrapper.errors import ContractsError
from contract_wrapper.files import MOST_JSON_BYTES, inside, make_folder, read_sealed, write_sealed, write_text

CONTENT = {
    "welfare": {"mean": 251.5, "se": 0.1 + 0.2},
    "waste": [1, 2.5, None],
    "text": "± $x^$ \\",
    "none": float("inf"),
}


def test_values_come_back_as_they_were_written(tmp_path: Path) -> None:
    write_sealed(tmp_path / "outcome.json", "outcome", CONTENT)
    assert read_sealed(tmp_path / "outcome.json", "outcome") == CONTENT
    assert json.loads((tmp_path / "outcome.json").read_text())["content"] == CONTENT


def test_a_damaged_file_is_refused_or_the_same(tmp_path: Path) -> None:
    path, found = tmp_path / "outcome.json", []
    write_sealed(path, "outcome", CONTENT)
    with cheap(seconds=60):
        for content in damaged(path.read_bytes(), every=1):
            path.write_bytes(content)
            try:
                assert read_sealed(path, "outcome") == CONTENT
                found.append("")
            except ContractsError as error:
                found.append(str(error))
    assert all(path.name in message and "\n" not in message for message in found if message)
    assert sum(map(bool, found)) > 0.75 * len(found)  # the rest: indentation


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{}", b"null", b"[" * 1_000_000, b"9" * 5000, b'{"kind": 1, "sha256": 2, "content": 3}', b"\xff"],
)
def test_what_no_program_of_ours_wrote_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "outcome.json").write_bytes(text)
    with cheap(), pytest.raises(ContractsError, match=r"outcome\.json was cut short, damaged or edited"):
        read_sealed(tmp_path / "outcome.json", "outcome")


def test_a_file_of_another_kind_or_none_or_a_huge_one_is_refused(tmp_path: Path) -> None:
    write_sealed(tmp_path / "a.json", "study", CONTENT)
    with pytest.raises(ContractsError, match="of kind 'study', but one of kind 'outcome' is needed"):
        read_sealed(tmp_path / "a.json", "outcome")
    with pytest.raises(ContractsError, match=r"cannot read .*b\.json: No such file"):
        read_sealed(tmp_path / "b.json", "outcome")
    with (tmp_path / "c.json").open("wb") as file:
        file.truncate(100 * MOST_JSON_BYTES)
    with cheap(), pytest.raises(ContractsError, match=r"c\.json was cut short, damaged or edited"):
        read_sealed(tmp_path / "c.json", "outcome")


def test_a_name_from_a_file_stays_in_its_folder(tmp_path: Path) -> None:
    assert inside(tmp_path, "abc.policy.npz") == tmp_path / "abc.policy.npz"


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "/etc/passwd", "a/b", "a\\b", "C:x", "a\0b", "a\nb", 3, None])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ContractsError, match="is no name of a file in"):
        inside(tmp_path, name)


def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    for act in (lambda: write_text(tmp_path / "a\0b", ""), lambda: make_folder(tmp_path / "a\0b")):
        with pytest.raises(ContractsError, match=r"null|zero byte"):
            act()

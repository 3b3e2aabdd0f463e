import dataclasses
import re
import shutil

import pytest
from made_up_landscapes import made_up_landscape
from PIL import Image
from test_landscape_figures import refused, without_gains

from contract_wrapper.cli import main
from contract_wrapper.errors import ContractsError
from contract_wrapper.reports.landscape_findings import Findings
from contract_wrapper.reports.landscape_report import find_landscape, report_folder, write_landscape_report
from contract_wrapper.reports.landscape_summary import summary
from contract_wrapper.reports.page import code_block, escaped

PICTURES = [
    "landscape_welfare.png", "landscape_gains.png", "landscape_margins.png", "landscape_alike.png",
    "landscape_free_riding.png",
]  # fmt: skip
ABOUT = {
    "costs": "cleaner:per_shot=0.02", "game": {"horizon": 200, "map": ["#"] * 900}, "episodes": 100,
    "command": "cleanup-contracts landscape --seeds 3",
}  # fmt: skip


@pytest.fixture(scope="module")
def landscape():
    return made_up_landscape(3, n_taxes=7, about=ABOUT)


@pytest.fixture(scope="module")
def report(landscape, tmp_path_factory):
    return write_landscape_report(landscape, tmp_path_factory.mktemp("landscape") / "figures")


def test_a_landscape_gives_a_page_and_every_figure(report):
    assert [path.name for path in report] == ["report.md", *PICTURES]
    page = report[0].read_text()
    for path in report[1:]:
        with Image.open(path) as picture:
            assert picture.format == "PNG"
            assert 900 <= picture.width <= 1600
            assert 400 <= picture.height <= 1200
        assert page.count(f"]({path.name})") == 1
    assert "Left out" not in page


def test_the_answer_stands_before_everything_else(report, landscape):
    found = Findings(landscape=landscape)
    page = report[0].read_text()
    assert page.startswith(
        f"# Report of the landscape\n\n## The answer\n\n**Best certified contract: {found.named(found.best)}"
    )
    certificate = str(landscape.certificate(landscape.contracts()[found.best]))
    assert code_block(certificate) in page


def test_the_page_tells_what_the_landscape_was_made_for_and_by(report):
    page = report[0].read_text()
    assert "| costs | cleaner:per\\_shot=0.02 |" in page
    assert "| game | horizon=200 |" in page  # the map is left out
    assert "| trainings | 3 (seeds 0, 1, 2) |" in page
    assert "| CPU time in all | 9 s |" in page
    assert "\n    cleanup-contracts landscape --seeds 3\n" in page


def test_the_page_tells_the_counts_of_every_crew_size(report, landscape):
    found, page = Findings(landscape=landscape), report[0].read_text()
    for crew in found.crews:
        certified = int(found.certified[crew.numbers].sum())
        row = next(line for line in page.splitlines() if line.startswith(f"| {crew.n_cleaners} | 7 |"))
        assert row.split(" | ")[3].startswith(f"{certified}, ")


def test_the_page_says_what_a_certificate_does_not(report):
    page = report[0].read_text()
    for words in ("Deviations that were not tried", "Several equilibria", "Bounds are per contract"):
        assert f"**{words}.**" in page


def test_a_figure_that_cannot_be_drawn_is_named_with_its_cause_and_its_old_picture_goes(
    landscape, tmp_path, unrendered
):
    (tmp_path / "landscape_alike.png").write_bytes(b"of an older landscape")
    paths = write_landscape_report(refused(landscape), tmp_path)
    page = paths[0].read_text()
    assert [path.name for path in paths[1:]] == [name for name in PICTURES if name != "landscape_alike.png"]
    assert "`landscape_alike.png`: no contract is feasible" in page
    assert not (tmp_path / "landscape_alike.png").exists()
    assert "None of 35 contracts is feasible as measured" in page


def test_a_landscape_without_gains_or_costs_says_what_is_missing(landscape, tmp_path, unrendered):
    paths = write_landscape_report(dataclasses.replace(without_gains(landscape), about={}), tmp_path)
    page = paths[0].read_text()
    assert "`landscape_gains.png`: no gain of any deviation was measured" in page
    assert "`landscape_free_riding.png`: the free rider was not tried" in page
    assert "The landscape does not say the command that made it." in page


def test_one_training_is_said_to_say_nothing_of_others(tmp_path, unrendered):
    page = write_landscape_report(made_up_landscape(1, n_taxes=3), tmp_path)[0].read_text()
    assert "**One training only:**" in page


def test_markup_of_a_file_is_shown_and_not_obeyed(landscape, tmp_path, unrendered):
    evil = "<script>x</script> [a](http://b.c) `c` | d\n# e"
    about = {"costs": evil, evil: 1, "command": "x\n\n# head\n```"}
    page = write_landscape_report(dataclasses.replace(landscape, about=about), tmp_path)[0].read_text()
    assert "<script>" not in page
    assert not re.search(r"(?<!\\)\]\(http", page)
    assert "://" not in page
    assert "\n# e" not in page
    assert "\n    x # head ```\n" in page
    rows = [line for line in page.splitlines() if "script" in line and line.startswith("|")]
    assert len(rows) == 2
    assert all(row.replace("\\|", "").count("|") == 3 for row in rows)


def test_escaped_text_is_one_line_without_hidden_characters():
    assert escaped("a\n<b> & _c_\x1b[2J\u202e") == "a &lt;b&gt; &amp; \\_c\\_\\[2J"


def test_a_folder_that_cannot_be_written_is_an_error_in_one_line(landscape, tmp_path):
    (tmp_path / "figures").write_text("a file where the folder should be")
    with pytest.raises(ContractsError, match="cannot make the folder") as error:
        write_landscape_report(landscape, tmp_path / "figures")
    assert "\n" not in str(error.value)


def test_the_command_report_takes_a_folder_or_a_file(landscape, tmp_path, capsys, unrendered):
    landscape.save(tmp_path / "landscape.npz")
    shutil.copy(tmp_path / "landscape.npz", tmp_path / "other.npz")
    for given, folder in ((tmp_path, "figures"), (tmp_path / "other.npz", "other-figures")):
        assert main(["report", str(given)]) == 0
        printed = capsys.readouterr().out
        assert "Best certified contract" in printed
        assert printed.splitlines()[-5:] == [str(tmp_path / folder / name) for name in PICTURES]
        assert (tmp_path / folder / "report.md").is_file()
    assert summary(landscape).splitlines()[0] in printed


def test_a_damaged_landscape_is_an_error_of_the_command(tmp_path, capsys):
    (tmp_path / "landscape.npz").write_bytes(b"no archive")
    assert main(["report", str(tmp_path)]) != 0
    assert "is no landscape that can be used" in capsys.readouterr().err


def test_a_folder_without_a_landscape_means_a_study(tmp_path):
    assert find_landscape(tmp_path) is None
    (tmp_path / "landscape.npz").touch()
    assert find_landscape(tmp_path) == tmp_path / "landscape.npz"
    (tmp_path / "study.sqlite3").touch()
    assert find_landscape(tmp_path) is None  # a study that keeps a landscape, too


def test_reports_of_two_files_in_one_folder_do_not_overwrite_each_other(tmp_path):
    assert report_folder(tmp_path / "a.npz") != report_folder(tmp_path / "landscape.npz")

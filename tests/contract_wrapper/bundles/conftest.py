"""One made-up study and its bundle, which the tests of this room share."""

import pytest
from stored_studies import store_study

from contract_wrapper.bundles.export import export_bundle


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    """A study in which crews judge, with a certificate, a page, a figure, and a file that no bundle takes."""
    record = store_study(tmp_path_factory.mktemp("there") / "mine", crews=True)
    figures = record.folder / "figures"
    figures.mkdir()
    for name, content in (("report.md", "# Report\n"), ("waste.png", "no picture"), ("a b.png", "a blank in its name")):
        (figures / name).write_text(content)
    return record


@pytest.fixture(scope="session")
def bundle(study, tmp_path_factory):
    """The bundle of the study."""
    return export_bundle(study.folder, tmp_path_factory.mktemp("bundles") / "mine.zip").path

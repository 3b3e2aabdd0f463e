"""Fixtures of more than one room."""

import pytest
from commands_here import Command, command_here, put_workers_here, render_nothing


@pytest.fixture
def fake_study(tmp_path):
    """A study of twelve contracts, eight of which are accepted; the best is tax 0.19 with 5 cleaners."""
    from made_up_studies import make_study  # needs the extra `optimize`, which other rooms' tests do without

    return make_study(tmp_path)


@pytest.fixture
def workers_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are one thread of this process."""
    put_workers_here(monkeypatch)


@pytest.fixture
def unrendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures of reports are drawn, and no pictures are made of them."""
    render_nothing(monkeypatch)


@pytest.fixture
def command(workers_here: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command in this process, and its workers, too."""
    return command_here(capsys, monkeypatch)

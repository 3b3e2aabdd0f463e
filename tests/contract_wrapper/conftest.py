"""Fixtures of more than one room."""

import pytest
from made_up_studies import make_study


@pytest.fixture
def fake_study(tmp_path):
    """A study of twelve contracts, eight of which are accepted; the best is tax 0.19 with 5 cleaners."""
    return make_study(tmp_path)

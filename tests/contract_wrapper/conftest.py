"""Fixtures of more than one room."""

import pytest


@pytest.fixture
def fake_study(tmp_path):
    """A study of twelve contracts, eight of which are accepted; the best is tax 0.19 with 5 cleaners."""
    from made_up_studies import make_study  # needs the extra `optimize`, which other rooms' tests do without

    return make_study(tmp_path)

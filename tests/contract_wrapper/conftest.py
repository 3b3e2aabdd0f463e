"""Fixtures of more than one room."""

import pytest


@pytest.fixture
def fake_study(tmp_path):
    """A study of twelve contracts, eight of which are accepted; the best is tax 0.19 with 5 cleaners."""
    from made_up_studies import make_study  # needs the extra `optimize`, which other rooms' tests do without

    return make_study(tmp_path)


@pytest.fixture
def fresh_registry():
    """Only the learners of this package are known, before the test and after it."""
    from contract_wrapper.evaluation.settings import code_version, versions
    from contract_wrapper.learners import registry

    def forget():
        for name in set(registry._LEARNERS) - set(registry._BUILT_IN):
            del registry._LEARNERS[name]
        registry._BY_ENTRY_POINT.clear()
        code_version.cache_clear()
        versions.cache_clear()

    forget()
    yield
    forget()

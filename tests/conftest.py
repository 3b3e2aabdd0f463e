"""One thread per process, as two processes run the tests; set here because libraries read it when they load."""

import os
import signal
import sys
import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from compiled_once import compile_once
from cpu_seconds import OPTION, noted
from hypothesis import HealthCheck, settings

# Programs in the background, as of `nohup ... &`, ignore Ctrl-C, and so would those that tests start and interrupt.
if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # a busy machine is slow, and no fault of what is tested


@pytest.fixture(autouse=True)
def learners_of_a_test_are_forgotten_after_it() -> Iterator[None]:
    yield
    registry = sys.modules.get("contract_wrapper.learners.registry")
    added = set(registry._LEARNERS) - set(registry._BUILT_IN) if registry is not None else set()
    for name in added:
        del registry._LEARNERS[name]
        registry._BY_ENTRY_POINT.discard(name)
    code = sys.modules.get("contract_wrapper.evaluation.judging.code_version")
    if added and code is not None:
        code.code_version.cache_clear()
        code.versions.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def what_is_compiled_is_compiled_once(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    compile_once(len(request.session.items), tmp_path_factory)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        OPTION,
        metavar="FILE",
        help="append to FILE, per test: CPU seconds of its process, of processes that it started, clock seconds, name",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    file = item.config.getoption(OPTION)
    return (yield) if file is None else (yield from noted(item.nodeid, Path(file)))

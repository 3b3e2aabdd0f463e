"""Machine code on disk is never older than the sources."""

import subprocess
import sys
from pathlib import Path

import pytest

from contract_tree import engine, numba_tools, python_engine


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": ":".join(sys.path)}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)


@pytest.mark.parametrize("function", [engine.play, python_engine.decide_one])
def test_compiled_code_on_disk_is_that_of_all_sources_of_the_package(function: object) -> None:
    """numba looks at the file of a kernel only; edited rules in another file would not be compiled."""
    assert function._cache._cache_file._source_stamp == numba_tools._STAMP  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["rules.py", "deep/rules.py", "deep/deeper/rules.py"])
def test_an_edit_at_any_depth_of_the_package_makes_compiled_code_stale(tmp_path: Path, name: str) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "top.py").write_text("a = 1\n")
    before = numba_tools.source_stamp(tmp_path)
    (tmp_path / name).write_text("b = 1\n")
    between = numba_tools.source_stamp(tmp_path)
    (tmp_path / name).write_text("b = 2\n")
    assert len({before, between, numba_tools.source_stamp(tmp_path)}) == 3


def test_a_numba_that_does_not_tell_stale_code_keeps_none() -> None:
    ran = run_python(
        "import numba.core.caching as c\n"
        "original = c.IndexDataCacheFile.__init__\n"
        "def renamed(self, *args, **kwargs):\n"
        "    original(self, *args, **kwargs); self._stamp = self.__dict__.pop('_source_stamp')\n"
        "c.IndexDataCacheFile.__init__ = renamed\n"
        "from contract_tree import engine\n"
        "print(engine.play.stats.cache_path)\n"
    )
    assert ran.stdout.split() == ["None"], ran.stderr
    assert ran.stderr.count("does not tell when it is stale") == 1

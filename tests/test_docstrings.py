"""Every example in a docstring gives what it says."""

import doctest
import importlib
from pathlib import Path

import pytest

PACKAGES = ("cleanup_env", "contract_tree", "contract_wrapper", "mtmfq", "optimiser_bench")


def modules_with_examples(folder: Path, package: str) -> list[str]:
    """Names of the modules below a package's folder, to the bottom, whose text holds an example."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        if ">>>" in path.read_text(encoding="utf-8"):
            parts = path.relative_to(folder).with_suffix("").parts
            found.append(".".join((package, *(part for part in parts if part != "__init__"))))
    return found


def folder_of(package: str) -> Path:
    origin = importlib.import_module(package).__file__
    assert origin is not None
    return Path(origin).parent


MODULES = [name for package in PACKAGES for name in modules_with_examples(folder_of(package), package)]


def test_there_are_examples_in_every_package_for_users() -> None:
    assert {name.partition(".")[0] for name in MODULES} >= {"cleanup_env", "contract_tree", "contract_wrapper"}


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0


def test_a_planted_example_deep_inside_is_found(tmp_path: Path) -> None:
    deep = tmp_path / "inner" / "deep"
    deep.mkdir(parents=True)
    (deep / "fault.py").write_text('""">>> 1 + 1\n3"""')
    (deep / "__init__.py").write_text('""">>> 1\n2"""')
    assert modules_with_examples(tmp_path, "p") == ["p.inner.deep", "p.inner.deep.fault"]

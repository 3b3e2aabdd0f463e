"""Every example in a docstring gives what it says."""

import doctest
import importlib
import pkgutil

import pytest

PACKAGES = ("cleanup_env", "contract_tree", "contract_wrapper", "mtmfq", "optimiser_bench")


def modules_with_examples() -> list[str]:
    found = []
    for package in map(importlib.import_module, PACKAGES):
        names = [package.__name__, *(m.name for m in pkgutil.iter_modules(package.__path__, f"{package.__name__}."))]
        for name in names:
            spec = importlib.util.find_spec(name)
            assert spec is not None
            assert spec.origin is not None
            with open(spec.origin) as file:
                if ">>>" in file.read():
                    found.append(name)
    return found


MODULES = modules_with_examples()


def test_there_are_examples_in_every_package_for_users() -> None:
    assert {name.partition(".")[0] for name in MODULES} >= {"cleanup_env", "contract_tree", "contract_wrapper"}


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0

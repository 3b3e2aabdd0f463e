"""Who may import whom, and what an import may cost."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOMES = {
    "cleanup_env": "cleanup_env",
    "contract_tree": "contract_tree",
    "contract_wrapper": "contract_wrapper",
    "mtmfq": "agents/mtmfq",
}
OURS = {*HOMES, "optimiser_bench", "examples", "benchmarks", "tests"}
MAY = {"cleanup_env": set(), "contract_tree": set(), "mtmfq": set(), "contract_wrapper": {"cleanup_env", "mtmfq"}}
OPTIMISER = (
    "space",
    "surrogate",
    "kernels",
    "hyperfit",
    "cholesky",
    "acquisition",
    "asking",
    "belief",
    "pareto",
    "cpmes",
    "cpmes_config",
    "suggestion",
    "designs",
    "history",
    "extremes",
    "maximise",
    "rivals",
    "threads",
)
OPTIMISER_MAY = {*OPTIMISER, "errors"}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("package", sorted(HOMES))
def test_packages_import_only_what_they_may(package: str) -> None:
    files = list((ROOT / HOMES[package]).glob("*.py"))
    assert files
    for path in files:
        ours = {name.split(".")[0] for name in imported(path)} & OURS - {package}
        assert ours <= MAY[package], f"{path.name} imports {ours}"


def test_the_optimiser_knows_arrays_only() -> None:
    for path in (ROOT / "contract_wrapper").glob("*.py"):
        if path.stem in OPTIMISER:
            parts = [name.split(".") for name in imported(path)]
            assert not {p[0] for p in parts} & {"cleanup_env", "mtmfq"}, path.name
            inside = {p[1] for p in parts if p[0] == "contract_wrapper" and len(p) > 1}
            assert inside <= OPTIMISER_MAY, f"{path.name} imports {inside - OPTIMISER_MAY}"


def test_skopt_is_named_in_one_module() -> None:
    users = [
        p.name for p in (ROOT / "contract_wrapper").glob("*.py") if any(n.startswith("skopt") for n in imported(p))
    ]
    assert users == ["space.py"]


@pytest.mark.parametrize("package", sorted(HOMES))
def test_importing_a_package_loads_no_heavy_library(package: str) -> None:
    program = (
        f"import sys, {package}\n"
        "heavy = {'torch', 'sklearn', 'matplotlib', 'optuna', 'skopt', 'pymoo', 'stable_baselines3', 'networkx'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'agents'}", "PATH": "/usr/bin:/bin", "HOME": str(Path.home())}
    result = subprocess.run([sys.executable, "-c", program], env=path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_stable_baselines3_is_loaded_by_the_training_alone() -> None:
    at_the_top = {
        path.name
        for path in (ROOT / "contract_wrapper").glob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("stable_baselines3")
    }
    assert at_the_top == {"ppo_env.py"}
    importers = [
        path.name
        for path in (ROOT / "contract_wrapper").glob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ImportFrom) and node.module == "contract_wrapper.ppo_env"
    ]
    assert importers == []


def test_every_package_ships_its_types() -> None:
    assert [home for home in HOMES.values() if not (ROOT / home / "py.typed").exists()] == []


def test_nothing_unpickles_or_evaluates_files() -> None:
    for home in HOMES.values():
        for path in (ROOT / home).glob("*.py"):
            text = path.read_text()
            assert "pickle.load" not in text, path
            assert "torch.load" not in text, path
            assert "allow_pickle=True" not in text, path
            calls = {
                n.func.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
            }
            assert not calls & {"eval", "exec"}, path


def test_test_modules_have_names_of_their_own() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py"]
    assert sorted(set(names)) == sorted(names)  # pytest imports them by name alone

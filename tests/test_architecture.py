"""Who may import whom, how large things may grow, and what an import may cost.

Every check is a function of a folder and walks it to the bottom; the tests at the end plant a fault deep inside
a made-up package and see each check find it.
"""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
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
FLOORS = (
    ("command_runs", "errors", "files", "folder_lock", "interrupts", "progress"), ("listeners",), ("contracts",), ("envs",), ("problems",), ("learners",), ("evaluation",), ("engines",), ("landscapes",), ("studies",), ("playback",),
    ("reports",), ("configuration",), ("bundles",), ("commands", "cli", "landscape_job", "main_job", "program"),
)  # fmt: skip
"""Rooms of contract_wrapper and the modules at its root: each may import its own floor and those before it."""

ONLY = {
    "matplotlib": ("reports/",),
    "bokeh": ("reports/html/",),
    "PIL": ("playback/",),
    "optuna": ("studies/", "bo/optuna_sampler.py"),
    "skopt": ("bo/scipy_result.py",),
    "ray": ("engines/ray_cluster.py",),
    "stable_baselines3": ("learners/ppo/",),
    "contract_wrapper.bo": ("bo/", "studies/", "__init__.py"),
    "cleanup_env": ("envs/", "problems/", "evaluation/", "landscapes/", "playback/", "configuration/", "program.py"),
    "mtmfq": ("learners/", "evaluation/", "landscapes/", "playback/", "configuration/", "bundles/", "program.py"),
}
"""Where in contract_wrapper a library or package may be imported at all."""

LONGEST_MODULE, LARGEST_ROOM = 320, 16
Faults = list[str]


def sources(folder: Path) -> list[Path]:
    """All modules below a folder, to the bottom."""
    found = sorted(folder.rglob("*.py"))
    assert found, f"there are no modules in {folder}"
    return found


def imported(path: Path) -> Iterator[str]:
    """Names that a module imports, at its top or inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def foreign_imports(folder: Path, package: str, may: Iterable[str]) -> Faults:
    """Imports of packages of this project that a package may not know."""
    forbidden = OURS - {package} - set(may)
    return [f"{p.name}: {n}" for p in sources(folder) for n in imported(p) if n.partition(".")[0] in forbidden]


def importers(folder: Path, library: str) -> set[str]:
    """Modules, relative to the folder, that import a library anywhere."""
    return {
        p.relative_to(folder).as_posix()
        for p in sources(folder)
        for n in imported(p)
        if n == library or n.startswith(f"{library}.")
    }


def module_name(folder: Path, path: Path, package: str) -> str:
    """Dotted name of a module below the folder of a package."""
    parts = path.relative_to(folder).with_suffix("").parts
    return ".".join((package, *(part for part in parts if part != "__init__")))


def inner_imports(folder: Path, package: str) -> dict[str, set[str]]:
    """Module -> modules of the same package that it imports; inside functions and for types alone counts, too."""
    names = {module_name(folder, path, package): path for path in sources(folder)}
    found = {}
    for name, path in names.items():
        seen = {n if n in names else n.rpartition(".")[0] for n in imported(path)}
        found[name] = (seen & set(names)) - {name, package}
    return found


def upward_imports(folder: Path, package: str, floors: Iterable[Iterable[str]]) -> Faults:
    """Imports of a room, or of a module at the root, that lies above the importing one."""
    floor_of = {room: i for i, floor in enumerate(floors) for room in floor}
    faults = []
    for name, targets in inner_imports(folder, package).items():
        mine = floor_of.get(name.split(".")[1]) if name != package else None
        for target in sorted(targets):
            its = floor_of.get(target.split(".")[1])
            if mine is not None and its is not None and its > mine:
                faults.append(f"{name} imports {target}")
    return faults


def circles(folder: Path, package: str) -> Faults:
    """Modules from which a way of imports leads back to them."""
    graph = inner_imports(folder, package)
    reached = {name: set(targets) for name, targets in graph.items()}
    for _ in graph:
        wider = {n: ts | {far for t in ts for far in reached[t]} for n, ts in reached.items()}
        if wider == reached:
            break
        reached = wider
    return sorted(name for name, targets in reached.items() if name in targets)


def floors(folder: Path, package: str) -> int:
    """Modules on the longest way of imports inside a package, the face apart; types alone count, too."""
    graph = inner_imports(folder, package)
    depth: dict[str, int] = {}

    def floor(name: str) -> int:
        if name not in depth:
            depth[name] = 1 + max(map(floor, graph[name]), default=0)
        return depth[name]

    return max(map(floor, set(graph) - {package}))


def lines_of(path: Path) -> int:
    """Length of a module."""
    return len(path.read_text().splitlines())


def modules_by_room(folder: Path) -> dict[str, int]:
    """Room, relative to the folder of a package -> its modules, those of rooms inside it apart."""
    modules = [p.parent.relative_to(folder).as_posix() for p in sources(folder) if not p.name.startswith("__")]
    return {room: modules.count(room) for room in modules}


def code_from_files(folder: Path) -> Faults:
    """Calls and names by which a file that somebody sent could run code."""
    faults = []
    for path in sources(folder):
        text = path.read_text()
        faults += [f"{path.name}: {w}" for w in ("pickle.load", "torch.load", "allow_pickle=True") if w in text]
        calls = (n.func for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call))
        faults += [f"{path.name}: {f.id}" for f in calls if isinstance(f, ast.Name) and f.id in ("eval", "exec")]
    return faults


@pytest.mark.parametrize("package", sorted(HOMES))
def test_packages_import_only_what_they_may(package: str) -> None:
    assert foreign_imports(ROOT / HOMES[package], package, MAY[package]) == []


def test_rooms_import_only_what_lies_below_them() -> None:
    assert upward_imports(ROOT / "contract_wrapper", "contract_wrapper", FLOORS) == []


def test_the_optimiser_knows_arrays_only() -> None:
    bo = ROOT / "contract_wrapper" / "bo"
    ours = {n for p in sources(bo) for n in imported(p) if n.partition(".")[0] in OURS}
    assert {n for n in ours if not n.startswith(("contract_wrapper.bo.", "contract_wrapper.errors."))} == set()


@pytest.mark.parametrize("library", ONLY)
def test_a_library_is_imported_only_where_it_belongs(library: str) -> None:
    users = importers(ROOT / "contract_wrapper", library)
    assert users, f"nothing imports {library}"
    assert {user for user in users if not user.startswith(ONLY[library])} == set()


@pytest.mark.parametrize("package", sorted(HOMES))
def test_no_two_modules_import_each_other(package: str) -> None:
    assert circles(ROOT / HOMES[package], package) == []


@pytest.mark.parametrize("package", sorted(HOMES))
def test_importing_a_package_loads_no_heavy_library(package: str) -> None:
    program = (
        f"import sys, {package}\n"
        "heavy = {'torch', 'ray', 'sklearn', 'matplotlib', 'bokeh', 'optuna', 'skopt', 'pymoo', 'stable_baselines3', 'networkx'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'agents'}", "PATH": "/usr/bin:/bin", "HOME": str(Path.home())}
    result = subprocess.run([sys.executable, "-c", program], env=path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_stable_baselines3_is_loaded_by_the_training_alone() -> None:
    inside = ROOT / "contract_wrapper" / "learners" / "ppo"
    at_the_top = {
        path.name
        for path in sources(inside)
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("stable_baselines3")
    }
    assert at_the_top == {"vec_env.py"}
    importers = [
        path.name
        for path in sources(ROOT / "contract_wrapper")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ImportFrom) and node.module == "contract_wrapper.learners.ppo.vec_env"
    ]
    assert importers == []


def test_every_package_ships_its_types() -> None:
    assert [home for home in HOMES.values() if not (ROOT / home / "py.typed").exists()] == []


@pytest.mark.parametrize("package", sorted(HOMES))
def test_nothing_unpickles_or_evaluates_files(package: str) -> None:
    assert code_from_files(ROOT / HOMES[package]) == []


def test_test_modules_have_names_of_their_own() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name not in ("conftest.py", "__init__.py")]
    assert sorted(set(names)) == sorted(names)  # pytest imports them by name alone


@pytest.mark.parametrize("package", sorted(HOMES))
def test_no_module_grows_past_one_idea(package: str) -> None:
    long = {p.name: lines_of(p) for p in sources(ROOT / HOMES[package]) if lines_of(p) > LONGEST_MODULE}
    assert long == {}


def test_no_room_is_crowded() -> None:
    assert {r: n for r, n in modules_by_room(ROOT / "contract_wrapper").items() if n > LARGEST_ROOM} == {}


def folders_of_packages() -> set[str]:
    """Import names of all folders with modules: packages and everything inside them."""
    names = set()
    for package, home in HOMES.items():
        for path in sources(ROOT / home):
            inside = path.parent.relative_to(ROOT / home).parts
            names.add(".".join((package, *inside)))
    return names


def test_every_folder_with_modules_is_a_package() -> None:
    for home in HOMES.values():
        assert [p for p in sources(ROOT / home) if not (p.parent / "__init__.py").exists()] == []


def test_a_built_wheel_holds_every_module(tmp_path: Path) -> None:
    copy = tmp_path / "source"
    copy.mkdir()
    for name in (
        "pyproject.toml",
        "setup.py",
        "README.md",
        "LICENSE",
        "cleanup_env",
        "contract_tree",
        "agents",
    ):
        (copy / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "contract_wrapper", copy / "contract_wrapper", ignore=shutil.ignore_patterns("__pycache__"))
    data = copy / "contract_wrapper" / "landscapes" / "data"
    data.mkdir(exist_ok=True)
    (data / "planted.npz").write_bytes(b"")
    # What pip calls, without a second environment.
    program = f"from setuptools.build_meta import build_wheel; build_wheel({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", program], cwd=copy, check=True, capture_output=True, env=dict(os.environ))
    (wheel,) = tmp_path.glob("*.whl")
    listing = subprocess.run([sys.executable, "-m", "zipfile", "-l", str(wheel)], capture_output=True, text=True)
    held = {line.split()[0] for line in listing.stdout.splitlines()[1:]}
    for package, home in HOMES.items():
        for path in sources(ROOT / home):
            assert f"{package}/{path.relative_to(ROOT / home).as_posix()}" in held
        assert f"{package}/py.typed" in held
    assert "cleanup_env/clean-up-map.txt" in held
    assert {f"contract_wrapper/reports/html/page.{ending}" for ending in ("css", "js")} <= held
    assert {f"contract_wrapper/landscapes/data/{path.name}" for path in data.glob("*.npz")} <= held


def test_module_names_in_the_configuration_exist() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    known = folders_of_packages() | {
        ".".join((package, *path.relative_to(ROOT / home).with_suffix("").parts))
        for package, home in HOMES.items()
        for path in sources(ROOT / home)
    }
    named = {
        name
        for override in settings["tool"]["mypy"]["overrides"]
        for name in ([override["module"]] if isinstance(override["module"], str) else override["module"])
        if name.partition(".")[0] in HOMES
    }
    assert named - known == set()


# The checks themselves: each finds a fault that lies two folders down.


@pytest.fixture
def planted(tmp_path: Path) -> Callable[[str], Path]:
    """Make a package whose module `inner/deep/fault.py` has the given text."""

    def plant(text: str) -> Path:
        deep = tmp_path / "package" / "inner" / "deep"
        deep.mkdir(parents=True)
        (tmp_path / "package" / "good.py").write_text("import math\n")
        (deep / "fault.py").write_text(text)
        return tmp_path / "package"

    return plant


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("import pickle\npickle.load(file)\n", "fault.py: pickle.load"),
        ("def f():\n    return torch.load(file)\n", "fault.py: torch.load"),
        ("numpy.load(path, allow_pickle=True)\n", "fault.py: allow_pickle=True"),
        ("eval(text)\n", "fault.py: eval"),
        ("def f():\n    exec(text)\n", "fault.py: exec"),
    ],
)
def test_a_planted_way_to_run_code_is_found(planted: Callable[[str], Path], text: str, fault: str) -> None:
    assert code_from_files(planted(text)) == [fault]


def test_a_planted_import_of_a_package_above_is_found(planted: Callable[[str], Path]) -> None:
    folder = planted("def f():\n    from contract_wrapper.errors import ContractsError\n")
    assert foreign_imports(folder, "cleanup_env", ()) == ["fault.py: contract_wrapper.errors.ContractsError"]
    assert foreign_imports(folder, "cleanup_env", ("contract_wrapper",)) == []


def test_a_planted_import_of_a_library_is_found(planted: Callable[[str], Path]) -> None:
    assert importers(planted("def f():\n    import skopt.space\n"), "skopt") == {"inner/deep/fault.py"}


def test_a_planted_circle_is_found(planted: Callable[[str], Path]) -> None:
    folder = planted("def f():\n    from package.good import x\n")
    assert circles(folder, "package") == []
    (folder / "good.py").write_text("from package.inner.deep.fault import f\n")
    assert circles(folder, "package") == ["package.good", "package.inner.deep.fault"]
    (folder / "good.py").write_text("if TYPE_CHECKING:\n    from package.inner.deep.fault import f\n")
    assert circles(folder, "package") == ["package.good", "package.inner.deep.fault"]


def test_a_planted_import_of_a_floor_above_is_found(planted: Callable[[str], Path]) -> None:
    folder = planted("from package.good import x\n")
    assert upward_imports(folder, "package", (("good",), ("inner",))) == []
    assert upward_imports(folder, "package", (("inner",), ("good",))) == [
        "package.inner.deep.fault imports package.good"
    ]


def test_floors_are_the_longest_way_of_imports(planted: Callable[[str], Path]) -> None:
    folder = planted("from package.good import x\n")
    assert floors(folder, "package") == 2
    assert modules_by_room(folder) == {".": 1, "inner/deep": 1}


if __name__ == "__main__":  # prints the size of each package; run it before and after a move
    print(f"{'package':18}{'modules':>8}{'rooms':>7}{'imports':>9}{'floors':>8}{'longest module':>16}")
    for package, home in HOMES.items():
        files, graph = sources(ROOT / home), inner_imports(ROOT / home, package)
        numbers = (len(files), len(modules_by_room(ROOT / home)), sum(map(len, graph.values())))
        deep = "circle" if circles(ROOT / home, package) else floors(ROOT / home, package)
        print("{:18}{:8}{:7}{:9}{:>8}{:16}".format(package, *numbers, deep, max(map(lines_of, files))))

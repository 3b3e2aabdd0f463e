"""What is built: a wheel with the packages alone, a source distribution whose tests run, a page for a package index."""

import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib import import_module
from pathlib import Path

import pytest
from made_once import made_once

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
VERSION = PROJECT["version"]
AT_ROOT = {
    *("cleanup_env", "contract_tree", "contract_wrapper", "agents", "benchmarks", "docs", "examples", "tests", ".ci"),
    *("CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "MANIFEST.in", "README.md"),
    *("mkdocs.yml", "pyproject.toml", "setup.py"),
}
"""What the repository holds; a clone may hold studies, environments and caches beside it."""
for_index = runpy.run_path(str(ROOT / "setup.py"))["for_index"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel and a source distribution, built in a copy, as pip builds them, in this environment."""
    caches = shutil.ignore_patterns("__pycache__", ".hypothesis")

    def ignored(path: str, names: list[str]) -> set[str]:
        return set(names) - AT_ROOT if Path(path) == ROOT else caches(path, names)

    def build(folder: Path) -> None:
        shutil.copytree(ROOT, folder / "copy", ignore=ignored)
        (folder / "copy" / "benchmarks" / "results" / "small-planted.txt").write_text("a small run, which git ignores")
        program = f"import setuptools.build_meta as b; b.build_sdist({str(folder)!r}); b.build_wheel({str(folder)!r})"
        subprocess.run([sys.executable, "-c", program], cwd=folder / "copy", check=True, capture_output=True)

    return made_once("built", build, tmp_path_factory)


def names_in_sdist(built: Path) -> set[str]:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as file:
        return {name.partition("/")[2] for name in file.getnames()}


def test_the_wheel_holds_the_packages_and_nothing_else(built: Path) -> None:
    (path,) = built.glob("*.whl")
    names = zipfile.ZipFile(path).namelist()
    info = f"cleanup_contracts-{VERSION}.dist-info"
    assert {name.partition("/")[0] for name in names} == {
        "cleanup_env", "contract_tree", "contract_wrapper", "mtmfq", info
    }  # fmt: skip
    data = {name for name in names if not name.endswith(".py") and not name.startswith(info)}
    packages = ("cleanup_env", "contract_tree", "contract_wrapper", "mtmfq")
    landscapes = {
        f"contract_wrapper/landscapes/data/{file.name}"
        for file in (ROOT / "contract_wrapper" / "landscapes" / "data").glob("*.npz")
    }
    assert landscapes
    page = {f"contract_wrapper/reports/html/page.{ending}" for ending in ("css", "js")}
    assert data == landscapes | page | {
        "cleanup_env/clean-up-map.txt",
        *(f"{package}/py.typed" for package in packages),
    }


@pytest.mark.parametrize("folder", ["tests", "docs", "examples", "benchmarks", "agents", ".ci"])
def test_the_source_distribution_holds_what_its_tests_read(built: Path, folder: str) -> None:
    skipped = re.compile(r"__pycache__|\.hypothesis|\.py[co]$|/small-|-chosen\.|\.nb[ic]$")
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file()}
    wanted = {name for name in files if not skipped.search(name)}
    assert wanted
    assert wanted - names_in_sdist(built) == set()


def test_the_source_distribution_holds_the_files_at_the_root_and_no_small_runs(built: Path) -> None:
    names = names_in_sdist(built)
    assert AT_ROOT - names == set()
    assert [name for name in names if "small-" in name or "__pycache__" in name] == []


def test_links_of_the_description_in_the_wheel_all_lead_somewhere(built: Path) -> None:
    (path,) = built.glob("*.whl")
    wheel = zipfile.ZipFile(path)
    (metadata,) = (name for name in wheel.namelist() if name.endswith("METADATA"))
    text = wheel.read(metadata).decode()
    assert "Description-Content-Type: text/markdown" in text
    assert "# cleanup-contracts" in text
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert links
    assert [link for link in links if not link.startswith("https://")] == []


TEXT = """See [the game](docs/game.md) and [a paper](https://example.org).

![A field](docs/images/field.png)

```python
values[0](docs)  # no link: [x](y.md)
```
"""


def test_with_a_repository_the_links_and_pictures_are_absolute() -> None:
    told = for_index(TEXT, "https://example.org/us/it/", "1.2.3")
    assert "[the game](https://example.org/us/it/blob/v1.2.3/docs/game.md)" in told
    assert "![A field](https://example.org/us/it/raw/v1.2.3/docs/images/field.png)" in told
    assert "[a paper](https://example.org)." in told
    assert "values[0](docs)  # no link: [x](y.md)" in told


def test_without_a_repository_links_are_words_and_pictures_are_left_out() -> None:
    told = for_index(TEXT, None, "1.2.3")
    assert told.startswith("See the game and [a paper](https://example.org).\n\n```python\nvalues[0](docs)  # no link")


def test_one_version_is_told_everywhere() -> None:
    assert re.findall(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text(), flags=re.MULTILINE) == [VERSION]
    modules = [import_module(name) for name in ("cleanup_env", "contract_tree", "contract_wrapper", "mtmfq")]
    assert {module.__version__ for module in modules if hasattr(module, "__version__")} == {VERSION}


def test_a_release_could_be_cut_from_the_changelog() -> None:
    """Keep a Changelog: versions newest first, each with a date, what is unreleased above, changes by kind."""
    text = (ROOT / "CHANGELOG.md").read_text()
    first, *released = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    assert first == "[Unreleased]"
    assert [line for line in released if not re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", line)] == []
    kinds = set(re.findall(r"^### (.*)$", text, flags=re.MULTILINE))
    assert kinds
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    changes = re.split(r"^#+ .*$", text, flags=re.MULTILINE)[2:]
    assert any("- " in change for change in changes)


def test_the_versions_of_python_that_are_told_are_those_that_ci_tries() -> None:
    told = {c.rpartition(" ")[2] for c in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", c)}
    lowest = PROJECT["requires-python"].removeprefix(">=")
    others = re.search(r"^for version in (.*); do$", (ROOT / ".ci" / "run").read_text(), flags=re.MULTILINE)
    assert others is not None
    assert told == {lowest, *others.group(1).split()}

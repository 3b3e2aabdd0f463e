"""The README keeps its word: its Python runs, its commands exist, its pictures are there."""

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def test_every_python_block_runs_one_after_another() -> None:
    python = blocks("python")
    assert len(python) >= 4
    scope: dict[str, object] = {}
    for block in python:
        exec(compile(block, "README.md", "exec"), scope)


def test_every_option_in_a_shell_block_is_one_of_the_command_line() -> None:
    from contract_wrapper.cli import build_parser

    commands = [line.split("#")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    ours = [c.split("cleanup-contracts ")[-1].split() for c in commands if "cleanup-contracts " in c]
    assert len(ours) >= 5
    for arguments in ours:
        build_parser().parse_args(arguments)


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    assert len(README.splitlines()) < 120
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", README) if not link.startswith("https://")]
    assert len(links) >= 10
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_extras_and_pictures_that_are_named_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(re.findall(r"\.\[(\w+)\]", README)) <= set(extras)
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / picture).stat().st_size > 10_000, picture


def test_ci_runs_the_very_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "README.md" in script
    found = subprocess.run(
        ["bash", "-c", f"cd {ROOT} && {next(line for line in script.splitlines() if line.startswith('test_command='))}\n"
         'echo "$test_command"'], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.strip() in README
    assert found.stdout.strip().endswith("pytest")

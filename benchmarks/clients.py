"""Play every client that the pages name across ends of episodes, each group of clients in an environment of its own.

    python benchmarks/clients.py                                   # all: makes environments of several gigabytes
    python benchmarks/clients.py --only sb3,mpe2_contract          # some groups or scripts
    python benchmarks/clients.py --environment sb3=.venv/bin/python  # in an environment that is there

A client is a script in `benchmarks/client_scripts/`. It is run in an empty folder, and its last line is what it found, in
JSON: client, version, what was run, how many episodes ended (null for a client that plays none), and perhaps a note. It
works if it ends without an error and saw at least two ends. For PyTorch's CPU build set PIP_EXTRA_INDEX_URL as README
says. The table of all clients goes to `benchmarks/results/clients.txt`, that of some to `clients-chosen.txt` beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "benchmarks" / "client_scripts"
RESULTS = ROOT / "benchmarks" / "results"
SECONDS = 900
"""How long a script may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Clients that share an environment."""

    scripts: tuple[str, ...]
    """Names of the scripts, in order."""
    extras: str = ""
    """Extras of this package that they need, with commas between."""
    requirements: tuple[str, ...] = ()
    """What they need besides, as pip takes it."""
    oldest: bool = False
    """Whether the dependencies of the core are the oldest that are allowed."""


GROUPS = {
    "sb3": Group(
        scripts=(
            "supersuit_wrappers", "supersuit_vector", "sb3_supersuit", "sb3_own_vector", "sb3_contrib_maskable",
            "cleanrl_pettingzoo",
        ),
        extras="sb3",
        requirements=("sb3-contrib>=2.9",),
    ),
    "core": Group(
        scripts=("cleanrl_gymnasium", "gymnasium_wrappers", "gymnasium_make_vec", "mpe2_contract", "pettingzoo_tests"),
        requirements=("mpe2>=1.0",),
    ),
    "oldest": Group(scripts=("pettingzoo_tests",), oldest=True),
    "torchrl": Group(
        scripts=("torchrl_ppo", "tianshou_dqn", "momaland_rewards"),
        extras="agents",
        requirements=("torchrl", "tianshou", "momaland"),
    ),
    "agilerl": Group(scripts=("agilerl_ippo",), extras="agents", requirements=("agilerl", "peft")),
    "rllib": Group(scripts=("rllib_ppo",), extras="agents", requirements=("ray[rllib]",)),
    "optuna": Group(
        scripts=("optuna_sampler", "optuna_dashboard_api", "skopt_plots"),
        extras="optimize",
        requirements=("optuna-dashboard",),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What became of a script."""

    client: str
    version: str = ""
    what: str = ""
    ends: int | None = None
    """Episodes that ended; None for a client that plays none."""
    environment: str
    verdict: str
    note: str = ""


# ---- one script


def last_line(text: str) -> str:
    """The last line that is not empty, on which Python and pip say what went wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def play(python: Path, script: Path, group: str, *, path: str | None, seconds: float = SECONDS) -> Row:
    """Run a script and judge it; path: PYTHONPATH for it, or None where this package is installed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if path is not None:
        environment["PYTHONPATH"] = path

    def failed(why: str) -> Row:
        return Row(client=script.stem, environment=group, verdict=f"fails: {why}")

    with tempfile.TemporaryDirectory() as folder:
        try:
            ran = subprocess.run(
                [python, script], cwd=folder, env=environment, capture_output=True, text=True, timeout=seconds
            )
        except subprocess.TimeoutExpired:
            return failed(f"not done after {seconds:g} seconds")
        except OSError as error:
            return failed(str(error))
    if ran.returncode:
        return failed(last_line(ran.stderr or ran.stdout))
    try:
        found = json.loads(last_line(ran.stdout))
        row = Row(**found, environment=group, verdict="works, see note" if found.get("note") else "works")
    except (ValueError, TypeError, AttributeError):
        return failed(f"its last line is no result: {last_line(ran.stdout)}")
    return row if row.ends is None or row.ends >= 2 else failed(f"only {row.ends} of at least 2 ends of episodes")


# ---- one environment


def requirements_of(group: Group) -> list[str]:
    """What pip installs for a group, this checkout among it."""
    core = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"] if group.oldest else ()
    oldest = [line.split(",")[0].replace(">=", "==") for line in core]
    extras = f"[{group.extras}]" if group.extras else ""
    return ["--editable", f"{ROOT}{extras}", *oldest, *group.requirements]


def make_environment(folder: Path, base: str, group: Group) -> tuple[Path, str]:
    """Make a virtual environment, or use the one that is there, and install; its Python, and what went wrong."""
    python = folder / "bin" / "python"
    steps = [[python, "-m", "pip", "install", "--quiet", *requirements_of(group)]]
    if not python.exists():
        steps.insert(0, [base, "-m", "venv", folder])
    for step in steps:
        try:
            done = subprocess.run([str(word) for word in step], capture_output=True, text=True)
        except OSError as error:
            return python, str(error)
        if done.returncode:
            return python, last_line(done.stderr or done.stdout)
    return python, ""


def play_all(
    chosen: Iterable[tuple[str, str]], folder: Path, base: str, given: Mapping[str, Path], keep_going: bool
) -> list[Row]:
    """Rows of (group, script) pairs, in order; after a failure the others are not run, unless to keep going."""
    rows: list[Row] = []
    ready: dict[str, tuple[Path, str]] = {group: (python, "") for group, python in given.items()}
    for group, script in chosen:
        if not keep_going and any(row.verdict.startswith("fails") for row in rows):
            rows.append(Row(client=script, environment=group, verdict="not run"))
            continue
        if group not in ready:
            print(f"environment {group} ...", file=sys.stderr, flush=True)
            ready[group] = make_environment(folder / group, base, GROUPS[group])
        python, wrong = ready[group]
        print(f"{script} ...", file=sys.stderr, flush=True)
        path = os.pathsep.join([str(ROOT), str(ROOT / "agents")]) if group in given else None
        if wrong:
            row = Row(client=script, environment=group, verdict=f"fails: installing: {wrong}")
        else:
            row = play(python, SCRIPTS / f"{script}.py", group, path=path)
        print(f"  {row.verdict}", file=sys.stderr, flush=True)
        rows.append(row)
    return rows


# ---- the table

HEADER = ("client", "version", "what was run", "ends", "environment", "verdict")


def table(rows: Iterable[Row]) -> list[str]:
    """Lines of a Markdown table, and below it the notes."""
    rows = list(rows)
    cells = [
        (r.client, r.version, r.what, "" if r.ends is None else str(r.ends), r.environment, r.verdict) for r in rows
    ]
    cells = [tuple(cell.replace("|", "/") for cell in line) for line in cells]
    widths = [max(map(len, column)) for column in zip(HEADER, *cells, strict=True)]
    lines = [HEADER, tuple("-" * width for width in widths), *cells]
    text = [f"| {' | '.join(c.ljust(w) for c, w in zip(line, widths, strict=True))} |" for line in lines]
    notes = [f"{row.client}: {row.note}." for row in rows if row.note]
    return [*text, "", *notes] if notes else text


def chosen_of(names: str | None) -> list[tuple[str, str]]:
    """(group, script) pairs that a list of groups and scripts means; all, if there is none."""
    pairs = [(group, script) for group in GROUPS for script in GROUPS[group].scripts]
    wanted = names.split(",") if names else []
    known = {name for pair in pairs for name in pair}
    if unknown := [name for name in wanted if name not in known]:
        raise SystemExit(f"--only: no group or script {', '.join(unknown)}: choose among {', '.join(sorted(known))}")
    return [pair for pair in pairs if not wanted or set(pair) & set(wanted)]


def environments_of(texts: Iterable[str]) -> dict[str, Path]:
    """Group -> Python, of arguments NAME=PATH."""
    given = {}
    for text in texts:
        name, _, path = text.partition("=")
        if name not in GROUPS or not path:
            raise SystemExit(f"--environment takes GROUP=PATH with a group among {', '.join(GROUPS)}, got {text!r}")
        given[name] = Path(path).absolute()  # not resolved: a link of a virtual environment leads out of it
    return given


def made_with(base: str) -> str:
    """Version of the Python that environments are made with."""
    try:
        return subprocess.run([base, "--version"], capture_output=True, text=True).stdout.strip()
    except OSError:
        return base


def header(only: str | None, given: Iterable[str], python: str) -> str:
    """The command, without paths of this machine, and where the environments came from."""
    words = ["$ python benchmarks/clients.py", *([f"--only {only}"] if only else [])]
    words += [f"--environment {group}=..." for group in given]
    return (
        f"{' '.join(words)}\n{python}, {platform.system()}; environments that are not given were made by this command"
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "studies" / "clients", help="where environments are made")
    parser.add_argument("--python", default=sys.executable, help="the Python to make them with (default: this one)")
    parser.add_argument("--only", metavar="NAMES", help="groups or scripts, with commas between")
    parser.add_argument(
        "--environment", action="append", default=[], metavar="GROUP=PYTHON",
        help="the Python of an environment to use for a group as it is, with this checkout on its path; may be repeated",
    )  # fmt: skip
    parser.add_argument("--keep-going", action="store_true", help="run the others after a failure, too")
    options = parser.parse_args(arguments)
    chosen, given = chosen_of(options.only), environments_of(options.environment)
    rows = play_all(chosen, options.folder.absolute(), options.python, given, options.keep_going)
    lines = [header(options.only, given, made_with(options.python)), "", *table(rows)]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"clients{'-chosen' if options.only else ''}.txt").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
    return 0 if all(row.verdict.startswith("works") for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())

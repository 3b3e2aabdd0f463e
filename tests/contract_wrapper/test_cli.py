"""The command line as a user meets it: small real runs, one-line errors, interrupt and go on.

Most commands run in this process (`command`), which saves seconds of imports; those that are stopped, killed or short of
something run in processes of their own, with worker processes. No pictures are made of the figures of reports.
"""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands_here import Command
from process_table import descendants, environment, running

pytestmark = pytest.mark.usefixtures("unrendered")

SETS = ["learner.hidden=[16]", "episodes=10", "game.horizon=100"]
SMALL = ["--profile", "smoke", "--episodes", "64", *(word for one in SETS for word in ("--set", one))]
SCRATCH = ["--inner", "scratch", *SMALL]
CREWS = ["--crews", "1", "--crews-episodes", "320", "--set", "crews.learner.hidden=[16]", *SMALL]


def refused(result: subprocess.CompletedProcess[str]) -> str:
    """The error line of a run that a user's mistake ended."""
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    return result.stderr.strip().splitlines()[-1]


def test_help_answers_at_once_and_loads_no_heavy_library(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom contract_wrapper.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'sklearn', 'optuna', 'matplotlib', 'numba', 'skopt'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    for command in ("optimize", "evaluate", "play", "report"):
        assert command in result.stdout


def test_a_small_search_runs_ends_with_a_table_and_is_not_repeated(command: Command, tmp_path: Path) -> None:
    small = ["--inner", "scratch", "--profile", "smoke", "--episodes", "64"]  # the game of the published figures
    small += ["--set", "learner.hidden=[16]", "--set", "episodes=10"]
    arguments = ["optimize", *small, "--initial", "3", "--evaluations", "2", "--confirm", "1", "--folder", "study"]
    result = command(*arguments, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "no contract" in result.stdout
    assert "255.53" in result.stdout
    assert "\x1b" not in result.stdout + result.stderr
    assert "\r" not in result.stdout + result.stderr
    assert "search " in result.stderr
    assert "training " in result.stderr
    study = tmp_path / "study"
    for name in ("study.sqlite3", "trials.csv", "run.json", "figures/welfare_over_designs.png"):
        assert (study / name).stat().st_size > 0, name
    began = time.process_time()
    again = command(*arguments, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert again.stdout == result.stdout
    assert time.process_time() - began < 10

    said = command(*arguments, "--json", "-q", cwd=tmp_path)
    assert said.stderr == ""
    document = json.loads(said.stdout)
    told, known = document["result"], document["configuration"]
    assert (known["search"]["n_search"], known["learner"]["episodes"], known["crews"]) == (2, 64, None)
    assert told["search"]["optimiser"] == known["search"]["optimiser"]
    phases = [trial["phase"] for trial in told["trials"]]
    assert phases[:6] == ["baseline", *["initial"] * 3, *["search"] * 2]
    assert set(phases[6:]) <= {"confirmation"}

    report = command("report", "study", cwd=tmp_path)
    assert report.returncode == 0, report.stderr
    assert "welfare_over_designs.png" in report.stdout

    other = refused(command("optimize", *small, "--initial", "4", "--folder", "study", cwd=tmp_path))
    assert "another configuration" in other
    assert "n_initial: 3 there, 4 now" in other


def test_evaluate_says_who_accepts_and_is_repeatable(command: Command, tmp_path: Path) -> None:
    arguments = ["evaluate", "--tax", "0.04", "--cleaners", "2", *SMALL, "--seeds", "2"]
    first = command(*arguments, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert re.search(r"participation +-?\d+\.\d+ ± \d+\.\d+", first.stdout)
    assert re.search(r"^  (accepted by everybody|refused by .+|undecided for .+)$", first.stdout, re.MULTILINE)
    assert "± is the standard error over 2 trainings, of one seed each; without contract over 2 others" in " ".join(
        first.stdout.split()
    )
    kept = [json.loads(path.read_text())["content"] for path in (tmp_path / "studies/evaluations").glob("*.json")]
    trained = sorted((o["outcome"]["contract"]["n_cleaners"], o["outcome"]["seed"]) for o in kept)
    assert trained == [(0, 0), (0, 1), (2, 0), (2, 1)]  # the baseline is trained with every seed, too
    fresh = command(*arguments, "--folder", "elsewhere", cwd=tmp_path)
    keep = [line for line in first.stdout.splitlines() if "CPU time" not in line]
    assert keep == [line for line in fresh.stdout.splitlines() if "CPU time" not in line]


def test_an_interrupted_search_goes_on_to_the_same_end(command: Command, tmp_path: Path) -> None:
    arguments = ["optimize", *SCRATCH, "--initial", "3", "--evaluations", "2", "--confirm", "0"]
    whole = command(*arguments, "--folder", "whole", cwd=tmp_path)  # the same in this process or on two
    assert whole.returncode == 0, whole.stderr

    words = [sys.executable, "-m", "contract_wrapper", *arguments, "--folder", "stopped"]
    child = subprocess.Popen(
        [*words, "--processes", "1"], cwd=tmp_path, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored where tests run in the background
    )  # fmt: skip
    assert child.stderr is not None
    for line in child.stderr:
        if line.startswith("#1"):
            child.send_signal(signal.SIGINT)
            break
    _, rest = child.communicate(timeout=600)
    assert child.returncode == 130, rest
    assert "same command goes on" in rest
    assert "Traceback" not in rest

    # ... and once more, this time killed without a chance to tidy up; its workers do not go on alone
    child = subprocess.Popen(words, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    for line in child.stderr:
        if line.startswith("#"):
            workers = descendants(child.pid)
            child.kill()
            break
    child.wait(timeout=60)
    assert len(workers) >= 2
    for _ in range(120):
        if not workers & running():
            break
        time.sleep(0.5)
    assert workers & running() == set()

    rest_of_it = command(*arguments, "--folder", "stopped", cwd=tmp_path)
    assert rest_of_it.returncode == 0, rest_of_it.stderr

    assert rows(tmp_path / "stopped") == rows(tmp_path / "whole")


def rows(folder: Path) -> list[str]:
    """Rows of a study's table, without the time that they took."""
    lines = (folder / "trials.csv").read_text().splitlines()
    cpu = lines[0].split(",").index("cpu_seconds")
    return [",".join(cell for k, cell in enumerate(line.split(",")) if k != cpu) for line in lines]


def test_a_search_by_crews_that_is_interrupted_goes_on_to_the_same_end(command: Command, tmp_path: Path) -> None:
    arguments = ["optimize", *CREWS, "--initial", "3", "--evaluations", "1", "--confirm", "1"]
    whole = command(*arguments, "--folder", "whole", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    assert "crews that know every contract are trained first (1 training of 320 episodes)" in whole.stdout
    assert max(map(len, whole.stdout.split("Apples per episode")[1].splitlines())) <= 80
    assert "certified" in whole.stdout

    words = [sys.executable, "-m", "contract_wrapper", *arguments, "--folder", "stopped"]
    child = subprocess.Popen(
        words, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored where tests run in the background
    )  # fmt: skip
    assert child.stderr is not None
    for line in child.stderr:
        if "trained: they know every contract" in line or line.startswith("#0"):
            child.send_signal(signal.SIGINT)
            break
    _, rest = child.communicate(timeout=600)
    assert child.returncode == 130, rest
    assert "Traceback" not in rest
    goes_on = command(*arguments, "--folder", "stopped", cwd=tmp_path)
    assert goes_on.returncode == 0, goes_on.stderr
    assert rows(tmp_path / "stopped") == rows(tmp_path / "whole")

    shown = command(
        "play", "--study", "whole", "--tax", "1", "--cleaners", "1", "--gif", "crew.gif", "--steps", "4", cwd=tmp_path
    )
    assert shown.returncode == 0, shown.stderr
    assert "trained players" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate", "--tax", "1.5", "--cleaners", "2"], ["tax", "[0, 1]", "1.5"]),
        (["evaluate", "--tax", "nan", "--cleaners", "2"], ["tax", "nan"]),
        (["evaluate", "--tax", "0.1", "--cleaners", "0"], ["no cleaners", "n_cleaners=1"]),
        (["evaluate", "--tax", "0.1", "--cleaners", "-1"], ["n_cleaners", "-1"]),
        (["evaluate", "--tax", "0.1", "--cleaners", "6"], ["10 spawn points", "6 cleaners"]),
        (["evaluate", "--tax", "0.1", "--cleaners", "2", "--preset", "nowhere"], ["preset", "nowhere", "contract"]),
        (["evaluate", "--tax", "0.1", "--cleaners", "2", "--profile", "slow"], ["profile", "slow", "fast"]),
        (["evaluate", "--tax", "0.1", "--cleaners", "2", "--costs", "much"], ["costs", "much", "effort"]),
        (["evaluate", "--tax", "0.1", "--cleaners", "2", "--costs", "cleaner:per_shot=-1"], ["per_shot", "-1"]),
        (["evaluate", "--tax", "0.1", "--cleaners", "2", "--seeds", "0"], ["--seeds", "1"]),
        (["evaluate", "--tax", "0.1", "--cleaners", "2", "--episodes", "0"], ["episodes", "0"]),
        (["evaluate", "--tax", "0.1", "--cleaners", "2", "--processes", "0"], ["processes", "1"]),
        (["optimize", "--inner", "scratch", "--crews", "2"], ["--crews", "leave out --crews", "--inner crews"]),
        (["optimize", "--learner", "ppo", "--crews-episodes", "9"], ["--crews-episodes", "from scratch"]),
        (["optimize", "--crews", "0"], ["trainings of crews", "0"]),
        (["evaluate", "--tax", "0.1", "--cleaners", "2", "--inner", "crews", "--seeds", "2"], ["--crews", "--seeds 2"]),
        (["optimize", "--evaluations", "-1"], ["n_search", "-1"]),
        (["optimize", "--folder", "/proc/nowhere/study"], ["/proc/nowhere/study", "--folder"]),
        (["report", "nowhere"], ["no study", "nowhere"]),
        (["play", "--study", "nowhere", "--gif", "x.gif"], ["nowhere"]),
        (["play", "--gif", "/proc/nowhere/x.gif", "--steps", "2"], ["/proc/nowhere"]),
        (["play", "--steps", "2", "--gif", "x.png"], ["animated GIF", "x.png", "end it in .gif"]),
        (["play", "--steps", "2", "--mp4", "x.gif"], ["MP4", "x.gif", "end it in .mp4", "--gif"]),
        (["play", "--steps", "2", "--tax", "0.1"], ["--tax 0.1 alone", "--cleaners"]),
        (["play", "--policy", "x", "--cleaners", "3"], ["--cleaners 3 alone", "--tax"]),
        (["evaluate", "--tax", "0.1"], ["got tax: give all of them", "--cleaners 5"]),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, list) else None,
)
def test_what_a_user_can_get_wrong_is_one_line(
    command: Command, tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    line = refused(command(*arguments, cwd=tmp_path))
    for word in words:
        assert word in line, line
    assert not list(tmp_path.glob("x.*"))


def test_a_missing_extra_is_one_line_that_says_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys\nsys.modules['matplotlib'] = None\nfrom contract_wrapper.cli import main\n"
        "sys.exit(main(['report', 'study']))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert 'pip install "cleanup-contracts[optimize]"' in refused(result)


def test_a_truncated_study_is_one_line_and_stays(command: Command, tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    database = tmp_path / "study" / "study.sqlite3"
    database.write_bytes(b"SQLite format 3\x00" + bytes(50))
    for words in (["report", "study"], ["optimize", *SCRATCH, "--folder", "study"]):
        assert "study.sqlite3" in refused(command(*words, cwd=tmp_path))
    assert database.stat().st_size == 66


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_disk_that_takes_no_more_is_one_line_and_nothing_is_lost(command: Command, tmp_path: Path) -> None:
    import resource

    arguments = ["optimize", *SCRATCH, "--initial", "3", "--evaluations", "0", "--confirm", "0", "--folder", "study"]
    assert command(*arguments, cwd=tmp_path).returncode == 0
    before = (tmp_path / "study" / "trials.csv").read_text()
    size = (tmp_path / "study" / "study.sqlite3").stat().st_size
    full = subprocess.run(
        [sys.executable, "-m", "contract_wrapper", *arguments, "--evaluations", "2"], cwd=tmp_path, env=environment(),
        capture_output=True, text=True, timeout=240,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )  # fmt: skip
    assert "free" in refused(full)
    assert (tmp_path / "study" / "trials.csv").read_text().startswith(before)
    again = command(*arguments, "--evaluations", "2", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert len((tmp_path / "study" / "trials.csv").read_text().splitlines()) == 1 + 4 + 2


def test_a_scripted_episode_becomes_a_gif(command: Command, tmp_path: Path) -> None:
    result = command("play", "--cleaners", "2", "--gif", "episode.gif", "--steps", "6", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "episode.gif").read_bytes()[:4] == b"GIF8"
    assert "tax 0, 2 cleaners" in result.stdout  # what was not given is said


def test_nothing_is_compiled_twice_and_nobody_is_told_so(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "contract_wrapper", "play", "--cleaners", "2", "--steps", "2"]
    for _ in range(2):
        result = subprocess.run(words, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=600)
        assert result.returncode == 0, result.stderr
    assert result.stderr == ""

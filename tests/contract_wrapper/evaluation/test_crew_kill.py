"""The training of crews is killed by SIGKILL, and goes on to the same crews."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from small_crews import SETTINGS

from contract_wrapper.evaluation.by_crews.crew_folder import crews_file, one_crews

TRAINING = """
import sys, time
from pathlib import Path
from small_crews import SETTINGS
from contract_wrapper.evaluation.by_crews import crew_learners
from contract_wrapper.evaluation.by_crews.crew_folder import one_crews
crew_learners._CHECKPOINT_SECONDS = 0.0
one_crews(Path(sys.argv[1]), SETTINGS, 0, on_progress=lambda _: time.sleep(0.5))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_crews_whose_training_was_killed_are_those_of_an_undisturbed_one(tmp_path: Path) -> None:
    whole = one_crews(tmp_path / "whole", SETTINGS, 0)
    folder = tmp_path / "killed"
    with subprocess.Popen([sys.executable, "-c", TRAINING, str(folder)], env=_environment()) as process:
        until = time.monotonic() + 60.0
        while not list(folder.glob("crews/*.training.npz")) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert list(folder.glob("crews/*.training.npz")), "it was killed before it wrote anything"
    assert not crews_file(folder, SETTINGS, 0).exists(), "it was killed too late"
    episodes: list[int] = []
    again = one_crews(folder, SETTINGS, 0, on_progress=lambda p: episodes.append(p.episode))
    assert whole is not None
    assert again is not None
    assert SETTINGS.crews is not None
    assert episodes[0] > SETTINGS.crews.learner.n_games, "it began anew"
    assert np.array_equal(again.policy.networks.flat.detach(), whole.policy.networks.flat.detach())


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}

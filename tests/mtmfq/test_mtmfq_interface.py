"""What learners and games know of each other."""

import json
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest
from mtmfq_small_games import Relay

from mtmfq.interface import LearnerError, Signature


def test_the_interface_loads_no_torch_and_none_of_the_learner() -> None:
    code = "import sys, mtmfq.interface; sys.exit('torch' in sys.modules or 'mtmfq.learner' in sys.modules)"
    environment = {"PYTHONPATH": ":".join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


def test_a_game_need_not_name_an_action_that_does_nothing() -> None:
    game = Relay()
    assert Signature.of(game).no_op is None
    game.no_op = np.int64(1)  # type: ignore[attr-defined]
    assert Signature.of(game).no_op == 1


def test_an_action_that_does_nothing_is_one_of_every_type() -> None:
    game = Relay()  # with 2 and 3 actions
    game.no_op = 2  # type: ignore[attr-defined]
    with pytest.raises(LearnerError, match="no_op must be an action of every type, below 2, but is 2"):
        Signature.of(game)


def test_a_signature_survives_json() -> None:
    signature = Signature.of(Relay())
    assert Signature.from_dict(json.loads(json.dumps(asdict(signature)))) == signature


@pytest.mark.parametrize("wrong", [[1.0], [1.0, float("nan")], [[1.0, 2.0]]])
def test_a_number_per_type_is_one_finite_number_each(wrong: list[float]) -> None:
    signature = Signature.of(Relay())
    assert signature.per_type(None, 3.0, "scale").tolist() == [3.0, 3.0]
    assert signature.per_type([1, 2], 3.0, "scale").tolist() == [1.0, 2.0]
    with pytest.raises(LearnerError, match="scale must hold one finite number for each of 2 types"):
        signature.per_type(wrong, 3.0, "scale")

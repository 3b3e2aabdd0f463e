"""What an install without extras says: each entry that needs one names it, and no bare "No module named" gets out."""

import subprocess
import sys
from pathlib import Path

import pytest
from process_table import environment

OPTIONAL = (
    "torch", "scipy", "sklearn", "skopt", "optuna", "pymoo", "threadpoolctl", "sqlalchemy", "alembic", "filelock",
    "matplotlib", "PIL", "stable_baselines3", "supersuit", "imageio_ffmpeg",
)  # fmt: skip
"""Packages that the core install does not bring."""

WITHOUT = """
import importlib.machinery, sys

class Without:
    '''Finds what an install without some packages has.'''
    @staticmethod
    def find_spec(name, path=None, target=None):
        found = importlib.machinery.PathFinder.find_spec
        return None if name.partition('.')[0] in MISSING else found(name, path, target)

sys.meta_path[sys.meta_path.index(importlib.machinery.PathFinder)] = Without
"""

ENTRIES = """
import pathlib
import contract_wrapper as cw, mtmfq
from contract_wrapper.playback.play import write_gif
from mtmfq.checkpoint import save_arrays

contract = cw.Contract(tax=0.1, n_cleaners=2)
settings = cw.EvaluationSettings(learner=cw.get_mtmfq_profile("smoke"))
folder = pathlib.Path("files"); folder.mkdir()
(folder / "a.policy.npz").write_bytes(b"a file")
save_arrays(folder / "a.crews.npz", "crews", {"config": {}}, {})

def design():
    env = cw.ContractDesign(settings=settings)
    env.reset(seed=0)
    env.step(env.action_space.sample())

entries = {
    **{f"contract_wrapper.{name}": lambda name=name: getattr(cw, name) for name in cw.__all__},
    **{f"mtmfq.{name}": lambda name=name: getattr(mtmfq, name) for name in mtmfq.__all__},
    "evaluate": lambda: cw.evaluate(contract, settings),
    "evaluate by crews": lambda: cw.evaluate(contract, cw.EvaluationSettings(crews=cw.CrewSettings()), folder=folder),
    "evaluate by ppo": lambda: cw.evaluate(contract, cw.EvaluationSettings(learner=cw.get_ppo_profile("smoke"))),
    "best_response": lambda: cw.best_response(contract, settings, object(), "cleaner_0"),
    "train_crews": lambda: cw.train_crews(),
    "Crews.load": lambda: cw.Crews.load(folder / "a.crews.npz"),
    "record_episode": lambda: cw.record_episode(contract, settings, folder / "a.policy.npz"),
    "write_gif": lambda: write_gif(cw.record_episode(contract, settings, steps=1), pathlib.Path("x.gif")),
    "ContractDesign": design,
    "sb3_vec_env": lambda: cw.sb3_vec_env(None),
    "Study": lambda: cw.Study(folder / "study", settings, cw.SearchSettings()),
    "read_study": lambda: cw.read_study(folder),
    "CPMES": lambda: cw.CPMES(cw.contract_space(), seed=0).ask(),
    "from_skopt": lambda: cw.from_skopt([None]),
    "certified": lambda: cw.load_landscape("effort").certified(),
}
for name, call in entries.items():
    try:
        call()
        print(f"{name}: fine")
    except Exception as error:
        print(f"{name}: {error}")
"""


def run(program: str, folder: Path, missing: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    code = f"MISSING = {missing!r}\n{WITHOUT}\n{program}"
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=folder, env=environment(), capture_output=True, text=True, timeout=120
    )  # fmt: skip


def test_every_entry_of_an_install_without_extras_names_the_extra_that_it_needs(tmp_path: Path) -> None:
    result = run(ENTRIES, tmp_path, OPTIONAL)
    assert result.returncode == 0, result.stderr
    said = dict(line.split(": ", 1) for line in result.stdout.splitlines())
    assert "No module named" not in result.stdout
    for name, extra in {
        "evaluate": "agents", "evaluate by crews": "search", "evaluate by ppo": "sb3", "best_response": "agents",
        "train_crews": "agents", "Crews.load": "agents", "record_episode": "agents", "ContractDesign": "agents",
        "mtmfq.train": "agents", "sb3_vec_env": "sb3", "Study": "search", "read_study": "search", "CPMES": "search",
        "from_skopt": "search", "certified": "search", "contract_wrapper.CPMESSampler": "search", "write_gif": "plots",
    }.items():  # fmt: skip
        assert f'is not installed: pip install "cleanup-contracts[{extra}]"' in said[name], said[name]
    for name in ("ContractWrapper", "make_contracted", "Contract", "evaluate", "record_episode", "Landscape"):
        assert said[f"contract_wrapper.{name}"] == "fine"


def test_one_error_serves_who_expects_a_missing_module_and_who_expects_ours(tmp_path: Path) -> None:
    program = (
        "try:\n    from contract_wrapper import CPMES\n"
        "except ImportError as error:\n    from contract_wrapper import ContractsError\n"
        "    print(isinstance(error, ContractsError))\n"
    )
    assert run(program, tmp_path, OPTIONAL).stdout == "True\n"


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["optimize", "--quick"], "agents"),
        (["evaluate", "--tax", "0.1", "--cleaners", "2"], "agents"),
        (["evaluate", "--tax", "0.1", "--cleaners", "2", "--learner", "ppo"], "sb3"),
        (["certify", "--tax", "0.1", "--cleaners", "2"], "agents"),
        (["landscape", "--folder", "land"], "optimize"),
        (["report", "study"], "optimize"),
        (["play", "--steps", "1", "--gif", "x.gif"], "plots"),
        (["play", "--study", "x"], "search"),
        (["play", "--steps", "1"], ""),
        (["play", "--steps", "1", "--set", "game.horizon=3"], ""),
        (["show"], ""),
    ],
    ids=lambda value: " ".join(value[:1] + value[-2:]) if isinstance(value, list) else None,
)
def test_every_command_names_the_extra_that_it_needs(arguments: list[str], extra: str, tmp_path: Path) -> None:
    program = f"from contract_wrapper.cli import main\nsys.exit(main({arguments!r}))"
    result = run(program, tmp_path, OPTIONAL)
    assert "Traceback" not in result.stderr
    if not extra:
        assert result.returncode == 0, result.stderr
        return
    assert result.returncode == 2, result.stderr
    assert f'is not installed: pip install "cleanup-contracts[{extra}]"' in result.stderr.splitlines()[-1]

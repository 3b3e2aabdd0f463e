"""What an evaluation is called in the cache, and when that name changes."""

import dataclasses
import shutil
from pathlib import Path

import lucky_learner
from lucky_learner import LUCKY

import cleanup_env
import contract_wrapper
import mtmfq
import optimiser_bench
from contract_wrapper.evaluation.judging.code_version import code_version, digest
from contract_wrapper.learners import registry
from contract_wrapper.learners.registry import register_learner

HASHED = [
    *(Path(package.__file__).parent for package in (cleanup_env, mtmfq)),
    *(
        Path(contract_wrapper.__file__).parent / room
        for room in ("contracts", "envs", "problems", "learners", "evaluation")
    ),
]


def test_an_edit_in_any_module_or_map_that_decides_a_result_changes_the_key(tmp_path: Path) -> None:
    copies = [Path(shutil.copytree(folder, tmp_path / folder.name)) for folder in HASHED]
    before = digest(copies)
    assert before == digest(HASHED) == code_version()
    files = [path for copy in copies for kind in ("*.py", "*.txt") for path in copy.rglob(kind)]
    assert len(files) > 50
    for path in files:
        old = path.read_bytes()
        path.write_bytes(old + b"#")
        assert digest(copies) != before, path
        path.write_bytes(old)
    assert digest(copies) == before


def test_a_new_module_and_a_moved_line_change_the_key(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "deep" / "b.py").write_text("")
    before = digest([tmp_path])
    (tmp_path / "a.py").write_text("")
    (tmp_path / "deep" / "b.py").write_text("x = 1\n")
    assert digest([tmp_path]) != before
    before = digest([tmp_path])
    (tmp_path / "deep" / "c.py").write_text("")
    assert digest([tmp_path]) != before


def test_results_of_a_learner_from_outside_depend_on_its_packages_or_on_the_file_that_defines_it() -> None:
    packaged = dataclasses.replace(LUCKY, packages=("optimiser_bench",))
    register_learner(packaged)
    by_package = code_version("lucky")
    assert by_package == digest([*HASHED, Path(optimiser_bench.__file__).parent])
    registry._LEARNERS["lucky"] = LUCKY
    code_version.cache_clear()
    by_file = code_version("lucky")
    assert by_file == digest([*HASHED, Path(lucky_learner.__file__)])
    assert len({by_package, by_file, code_version()}) == 3


def test_an_edit_of_a_single_file_changes_the_key(tmp_path: Path) -> None:
    (tmp_path / "learner.py").write_text("x = 1\n")
    before = digest([tmp_path / "learner.py"])
    (tmp_path / "learner.py").write_text("x = 2\n")
    assert digest([tmp_path / "learner.py"]) != before

"""Engines without a cluster: what is refused, what travels, how a node works, and that nothing of Ray is loaded."""

import contextlib
import io
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace

import pytest
from process_table import environment
from small_crews import SETTINGS

from contract_wrapper import ContractsError, EvaluationSettings, optimize
from contract_wrapper.cli import main
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.engines import connecting, on_node, ray_cluster
from contract_wrapper.engines.carried_files import Carried, came_about, read_files, unpacked, write_files
from contract_wrapper.engines.engine import Engine
from contract_wrapper.engines.on_node import Errand, do_on_node, look
from contract_wrapper.engines.working import working
from contract_wrapper.evaluation.evaluate import EvaluationStopped, evaluate
from contract_wrapper.evaluation.judging.code_version import versions
from contract_wrapper.evaluation.worker_pool import CrewJob, Job
from contract_wrapper.landscapes.building.landscape_folder import make_landscape
from contract_wrapper.landscapes.building.landscape_settings import LandscapeSettings

ERRAND = Errand(learner="mtmfq", code=versions("mtmfq")["code"])
JOB = Job(number=1, contract=Contract(tax=0.3, n_cleaners=1), seed=5)
FROM_SCRATCH = SETTINGS.from_scratch()


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"name": "dask"}, "the engine must be processes or ray, got 'dask'"),
        ({"ray_address": "10.0.0.1:6379"}, "ray_address belongs to the engine ray, and the engine is processes"),
        ({"ray_memory": 2.0}, "ray_memory belongs to the engine ray"),
        ({"name": "ray", "ray_address": "ray://10.0.0.1:10001"}, "must be HOST:PORT of a cluster's head"),
        ({"name": "ray", "ray_address": "10.0.0.1:70000"}, "must be HOST:PORT"),
        ({"name": "ray", "ray_address": "auto"}, "must be HOST:PORT"),
        ({"name": "ray", "ray_memory": 0.0}, "ray_memory must be a number of GB above 0, got 0.0"),
        ({"name": "ray", "ray_memory": float("nan")}, "ray_memory must be a number of GB above 0"),
    ],
)
def test_an_engine_that_there_is_not_is_refused(settings: dict[str, object], text: str) -> None:
    with pytest.raises(ContractsError, match=text):
        Engine(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "place"),
    [("10.0.0.1:6379", ("10.0.0.1", 6379)), ("head.example.org:1", ("head.example.org", 1)), ("[::1]:80", ("::1", 80))],
)
def test_an_address_is_a_host_and_a_port(address: str, place: tuple[str, int]) -> None:
    assert Engine(name="ray", ray_address=address).place() == place


@pytest.fixture
def without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    from contract_wrapper import errors

    found = errors.find_spec
    monkeypatch.setattr(errors, "find_spec", lambda name: None if name == "ray" else found(name))


@pytest.mark.usefixtures("without_ray")
def test_a_ray_that_is_not_installed_is_named_with_its_extra_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in ("optimize", "landscape"):
        assert main([command, "--engine", "ray"]) == 2
        assert (
            'the engine ray needs the package ray, which is not installed: pip install "cleanup-contracts[cluster]"'
            in (capsys.readouterr().err)
        )
    with pytest.raises(ContractsError, match=r"cleanup-contracts\[cluster\]"):
        optimize(EvaluationSettings(), folder=tmp_path / "study", engine="ray")
    with pytest.raises(ContractsError, match=r"cleanup-contracts\[cluster\]"), working(1, Engine(name="ray")):
        pass
    assert list(tmp_path.iterdir()) == []


def test_workers_of_this_machine_and_a_cluster_are_not_mixed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimize", "--engine", "ray", "--workers", "4"]) == 2
    assert "give --processes 4 and --batch 4 in place of --workers" in capsys.readouterr().err


def test_a_file_cannot_make_the_program_connect(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sent.toml").write_text('[engine]\nname = "ray"\nray_address = "10.0.0.1:6379"\n')
    assert main(["optimize", "--config", "sent.toml"]) == 2
    assert "there is no key engine.ray_address" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["optimize", "--help"], ["show", "--for", "optimize"], ["--help"]])
def test_nothing_of_ray_is_loaded_where_it_is_not_used(words: list[str]) -> None:
    program = (
        "import sys\nfrom contract_wrapper.cli import main\n"
        f"try: main({words!r})\nexcept SystemExit: pass\n"
        "assert not [name for name in sys.modules if name.partition('.')[0] == 'ray']"
    )
    done = subprocess.run([sys.executable, "-c", program], env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_search_by_processes_loads_nothing_of_ray(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom contract_wrapper.engines.working import working\n"
        "with working(1) as workers: pass\n"
        "assert 'ray' not in sys.modules"
    )
    script = tmp_path / "search.py"
    script.write_text("if __name__ == '__main__':\n    " + program.replace("\n", "\n    "))
    done = subprocess.run([sys.executable, str(script)], env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_files_travel_there_and_what_is_new_travels_back(tmp_path: Path) -> None:
    here = tmp_path / "here"
    write_files(here, {"crews/a.crews.npz": b"a", "crews/.lock": b"", "b.json": b"b", "seed-1/deep/c": b"c"})
    assert read_files(here, ("crews/*",)) == {"crews/a.crews.npz": b"a"}
    assert read_files(here, ("seed-1/**/*",)) == {"seed-1/deep/c": b"c"}
    before = read_files(here, ("crews/*", "b.json"))
    with unpacked(before) as there:
        (there / "b.json").write_bytes(b"B")
        (there / "new").write_bytes(b"n")
        (there / ".half").write_bytes(b"h")
        assert came_about(there, before) == {"b.json": b"B", "new": b"n"}
    assert not there.exists()


@pytest.mark.parametrize("name", ["/etc/passwd", "../outside", "crews/../../outside"])
def test_a_file_that_would_leave_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ContractsError, match="which is not in its folder"):
        write_files(tmp_path / "folder", {name: b"x"})
    assert not (tmp_path / "outside").exists()


def test_a_job_says_which_files_it_builds_on(tmp_path: Path) -> None:
    assert JOB.reads == ("crews/*.crews.npz",)
    assert Job(number=1, contract=JOB.contract, seed=5, from_scratch=True).reads == ()
    with unpacked({}) as there:
        CrewJob(number=-1, training=0).do(SETTINGS, there, None, None)
        files = came_about(there, {})
    write_files(tmp_path, files)
    assert set(read_files(tmp_path, JOB.reads)) == set(files) != set()


def test_a_node_that_does_not_see_the_folder_works_elsewhere_and_sends_its_files(tmp_path: Path) -> None:
    carried = do_on_node(JOB, FROM_SCRATCH, tmp_path / "gone", Errand(learner="mtmfq", code=ERRAND.code, files={}), id)
    assert isinstance(carried, Carried)
    assert carried.result.utilities == evaluate(JOB.contract, FROM_SCRATCH, JOB.seed).utilities
    assert carried.result.policy in carried.files
    assert not (tmp_path / "gone").exists()


def test_a_node_that_comes_later_and_does_not_see_the_folder_says_so(tmp_path: Path) -> None:
    errand = Errand(learner="mtmfq", code=ERRAND.code, mark=tmp_path / "mark")
    assert look(errand) == (False, "")
    with pytest.raises(ContractsError, match="does not see the folder"):
        do_on_node(JOB, FROM_SCRATCH, tmp_path, errand, id)
    (tmp_path / "mark").touch()
    assert look(errand) == (True, "")


def test_a_node_with_other_code_is_refused(tmp_path: Path) -> None:
    errand = Errand(learner="mtmfq", code="0123456789ab")
    assert "another version of this program" in look(errand)[1]
    with pytest.raises(ContractsError, match="install the same one on all nodes"):
        do_on_node(JOB, FROM_SCRATCH, tmp_path, errand, id)


def test_a_task_that_ray_interrupts_stops_with_a_checkpoint(tmp_path: Path) -> None:
    import _thread
    import signal

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(EvaluationStopped):
        do_on_node(JOB, FROM_SCRATCH, tmp_path, ERRAND, lambda _: _thread.interrupt_main())
    assert list(tmp_path.glob("*.training.npz"))
    assert signal.getsignal(signal.SIGINT) is before


def test_a_training_tells_how_far_it_is_and_not_too_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int, int, float]] = []
    do_on_node(JOB, FROM_SCRATCH, None, ERRAND, told.append)
    episodes = FROM_SCRATCH.learner.episodes
    assert told[-1][:3] == (1, episodes, episodes)
    monkeypatch.setattr(on_node, "TELL_SECONDS", 1000.0)
    often, told = len(told), []
    do_on_node(JOB, FROM_SCRATCH, None, ERRAND, told.append)
    assert len(told) == 2 <= often  # the first and the last


def test_a_wrong_landscape_engine_is_no_engine(tmp_path: Path) -> None:
    with pytest.raises(ContractsError, match="processes must be from 1"):
        make_landscape(LandscapeSettings(), [1], tmp_path, processes=0, stream=io.StringIO(), engine=Engine(name="ray"))


@contextlib.contextmanager
def listening(answer: bytes) -> Iterator[tuple[str, int]]:
    """A server that says something to whoever connects."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        connections = []

        def serve() -> None:
            with contextlib.suppress(OSError):
                connections.append(server.accept()[0])
                connections[0].sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[:2]
        for connection in connections:
            connection.close()


def test_what_is_no_head_of_a_cluster_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 0.2)
    with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as place, pytest.raises(OSError, match="something else"):
        connecting._check_answers(place)
    with listening(b"") as place, pytest.raises(TimeoutError):
        connecting._check_answers(place)
    with listening(bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])) as place:
        connecting._check_answers(place)


def test_resources_are_told_in_words_and_compared_one_by_one() -> None:
    node = {"Alive": True, "Resources": {"CPU": 2.0, "memory": 3e9}}
    assert ray_cluster._resources(node["Resources"]) == "2 CPU and 3 GB of memory"
    assert ray_cluster._fits(node, {"CPU": 1.0, "memory": 3e9})
    assert not ray_cluster._fits(node, {"CPU": 1.0, "memory": 3.1e9})
    assert not ray_cluster._fits({**node, "Alive": False}, {"CPU": 1.0})


def test_tasks_get_one_thread_and_the_paths_that_are_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["/home/ann/work", f"{sys.prefix}/lib/site-packages", "/home/ann/work"])
    variables = ray_cluster._environment()["env_vars"]
    assert variables["PYTHONPATH"] == "/home/ann/work:${PYTHONPATH}"
    assert {variables[f"{name}_NUM_THREADS"] for name in ("OMP", "MKL", "NUMBA", "OPENBLAS")} == {"1"}


def test_a_room_that_is_gone_for_a_minute_is_waited_for_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = {"Alive": False, "Resources": {"CPU": 8.0}}
    nodes = [gone, {"Alive": True, "Resources": {"CPU": 1.0}}]
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    tasks = ray_cluster.RayTasks.__new__(ray_cluster.RayTasks)
    tasks._ray, tasks._needs = SimpleNamespace(nodes=lambda: nodes), {"CPU": 1.0}
    tasks._looked = tasks._room_at = now
    tasks._refs = {Future(): (None, None)}
    now += 100.0
    tasks._check_room()  # there is room
    nodes.pop()
    now += 50.0
    tasks._check_room()  # for less than a minute there is none
    now += 50.0
    with pytest.raises(ContractsError, match="has what a task needs, 1 CPU; its nodes have: none"):
        tasks._check_room()

"""A Ray cluster of two nodes on this machine: the same study as with processes, also when a node is killed in the middle.

The suite has the killed node and what is refused; `pytest -m slow` the rest. Starting a cluster alone takes seconds.
"""

import dataclasses
import io
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from process_table import wait_until
from slow_log import SlowLog
from small_crews import SETTINGS

from cleanup_env import make_config
from contract_wrapper import ContractsError, EvaluationSettings, SearchSettings, get_costs, log_trainings, optimize
from contract_wrapper.engines import ray_cluster
from contract_wrapper.engines.engine import Engine
from contract_wrapper.engines.working import working
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.landscapes.building.landscape_folder import make_landscape
from contract_wrapper.landscapes.building.landscape_settings import LandscapeSettings
from contract_wrapper.landscapes.building.one_seed import SeedBuilder
from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile
from contract_wrapper.studies.record import StudyRecord
from mtmfq.config import get_profile

pytest.importorskip("ray")

TINY = EvaluationSettings(
    game=make_config("contract", horizon=20),
    costs=get_costs("none"),  # so that one of the few contracts is accepted
    learner=get_profile("smoke", episodes=160, n_games=8, batch_size=64, replay_capacity=100),
    episodes=4,
)
SHORT = SearchSettings(n_initial=3, n_search=1, n_confirm=0)
LIKE_US = {"worker_niceness": 0}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes with one processor each; this process is connected to neither."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray.cluster_utils import Cluster

    usual = {"num_cpus": 1, "object_store_memory": 100_000_000, "memory": 1_000_000_000}
    made = Cluster(
        initialize_head=True, head_node_args={**usual, "include_dashboard": False, "_system_config": LIKE_US}
    )
    made.second = made.add_node(**usual)
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> StudyRecord:
    """The study by this process alone."""
    return optimize(TINY, SHORT, folder=tmp_path_factory.mktemp("here"))


def by_ray(cluster: Any, folder: Path, **options: Any) -> StudyRecord:
    return optimize(TINY, SHORT, folder=folder, engine="ray", ray_address=cluster.address, **options)


def untimed(record: StudyRecord) -> list[Outcome | None]:
    times = {"cpu_seconds": 0.0, "wall_seconds": 0.0}
    return [t.outcome and dataclasses.replace(t.outcome, **times) for t in record.trials]  # type: ignore[misc]


def beside(do: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=do, daemon=True)
    thread.start()
    return thread


@pytest.mark.slow
def test_two_nodes_give_the_same_study_as_processes_with_one_thread_each(
    cluster: Any, undisturbed: StudyRecord, tmp_path: Path
) -> None:
    log = SlowLog(tmp_path / "log", 0.05)
    with log_trainings(log):
        record = by_ray(cluster, tmp_path / "study")
    assert untimed(record) == untimed(undisturbed)
    assert len({node for node, *_ in log.begun()}) == 2
    assert {threads for *_, threads in log.begun()} == {"1"}
    assert not list((tmp_path / "study" / "outcomes").glob(".seen*"))
    assert all((tmp_path / "study" / "outcomes" / t.outcome.policy).is_file() for t in record.trials if t.outcome)


@pytest.fixture
def not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes do not see the folder: they look for a mark that is not there."""
    monkeypatch.setattr(ray_cluster.RayTasks, "_set_mark", lambda self, folder: None)


@pytest.mark.slow
@pytest.mark.usefixtures("not_shared")
def test_crews_and_certificates_travel_between_nodes_that_do_not_see_the_folder(cluster: Any, tmp_path: Path) -> None:
    settings = dataclasses.replace(SETTINGS, crews=dataclasses.replace(SETTINGS.crews, sizes=(1,)))
    search = SearchSettings(n_initial=3, n_search=1, n_confirm=1, max_cleaners=1)
    here = optimize(settings, search, folder=tmp_path / "here")
    record = optimize(settings, search, folder=tmp_path / "ray", engine="ray", ray_address=cluster.address)
    assert untimed(record) == untimed(here)
    assert record.certificates == here.certificates
    names = [{p.name for p in (tmp_path / at / "outcomes" / "crews").glob("*.npz")} for at in ("here", "ray")]
    assert names[0] == names[1] != set()


@pytest.mark.slow
@pytest.mark.usefixtures("not_shared")
def test_a_landscape_is_the_same_where_its_parts_travel(cluster: Any, tmp_path: Path) -> None:
    learner = get_mtmfq_profile("smoke", episodes=24, n_games=4, hidden=(8,), n_step=5, updates_per_step=0.5)
    settings = LandscapeSettings(
        game=make_config("contract", horizon=20), taxes=(0.0, 0.3), sizes=(1,), tried_taxes=(0.3,),
        crews=learner, deviators=learner, baseline=learner, episodes=3, tried_episodes=4,
    )  # fmt: skip
    alone = SeedBuilder(settings, 1, tmp_path / "here", lambda _: None, lambda: False).table()
    engine = Engine(name="ray", ray_address=cluster.address)
    made = make_landscape(settings, [1], tmp_path / "ray", processes=5, stream=io.StringIO(), engine=engine)
    for name in ("welfare", "utilities", "gains", "gains_se"):
        found, expected = (np.asarray(getattr(each, name), np.float32) for each in (made, alone))
        assert np.array_equal(found, expected, equal_nan=True), name
    (node,) = (p.name for p in (tmp_path / "ray").glob("seed-*"))
    assert {p.name for p in (tmp_path / "ray" / node).glob("*.npz")} == {
        p.name for p in (tmp_path / "here").glob("*.npz")
    }


@pytest.mark.slow
def test_an_interrupt_leaves_checkpoints_from_which_processes_go_on_and_a_cluster_that_runs(
    cluster: Any, undisturbed: StudyRecord, tmp_path: Path
) -> None:
    study, log = tmp_path / "study", SlowLog(tmp_path / "log", 1.0)

    def interrupt() -> None:
        wait_until(log.begun)
        time.sleep(2.0)  # a few vector episodes
        os.kill(os.getpid(), signal.SIGINT)

    beside(interrupt)
    began = time.monotonic()
    with log_trainings(log), pytest.raises(KeyboardInterrupt):
        by_ray(cluster, study)
    assert time.monotonic() - began < ray_cluster.STOP_SECONDS
    assert list((study / "outcomes").glob("*.training.npz"))
    assert all(node.all_processes for node in cluster.list_all_nodes())
    record = optimize(TINY, SHORT, folder=study)
    assert untimed(record) == untimed(undisturbed)


def test_a_task_that_no_node_has_room_for_is_refused_with_what_there_is(cluster: Any) -> None:
    engine = Engine(name="ray", ray_address=cluster.address, ray_memory=1e6)
    with (
        pytest.raises(ContractsError, match=r"1 CPU and 1e\+06 GB of memory; its nodes have: 1 CPU and 1 GB"),
        working(1, engine),
    ):
        pass


def test_a_cluster_of_another_version_is_refused(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    monkeypatch.setattr(ray, "__version__", "2.1.0")
    engine = Engine(name="ray", ray_address=cluster.address)
    with pytest.raises(ContractsError, match=r"another version of Ray or Python.* 2\.1\.0"), working(1, engine):
        pass


def test_an_address_where_nothing_answers_is_refused_within_seconds() -> None:
    began = time.monotonic()
    engine = Engine(name="ray", ray_address="127.0.0.1:1")
    with pytest.raises(ContractsError, match=r"no Ray cluster at 127\.0\.0\.1:1 \(Connection"), working(1, engine):
        pass
    assert time.monotonic() - began < 30.0


def test_a_node_that_is_killed_in_the_middle_changes_nothing(
    cluster: Any, undisturbed: StudyRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = SlowLog(tmp_path / "log", 0.2)
    second = cluster.second.node_id

    def kill() -> None:
        wait_until(lambda: {node for node, *_ in log.begun()} >= {second})
        cluster.remove_node(cluster.second, allow_graceful=False)

    killer = beside(kill)
    with log_trainings(log):
        record = by_ray(cluster, tmp_path / "study")
    killer.join(timeout=60.0)
    assert not killer.is_alive()
    again = [name for _, _, name, *_ in log.begun()]
    assert len(again) > len(set(again)), "it was killed too late: nothing was done twice"
    assert untimed(record) == untimed(undisturbed)
    assert capsys.readouterr().out == "", "results belong there, and no words of Ray's"
    best = [each.best() for each in (record, undisturbed)]
    assert best[0] is not None
    assert best[1] is not None
    assert best[0].contract == best[1].contract

"""Tasks on a Ray cluster: plain Ray tasks with a processor each, which Ray itself does again where a node dies.

This module alone imports ray, and only inside functions: nothing of it is loaded where another engine is used.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from contract_wrapper import interrupts
from contract_wrapper.engines.carried_files import Carried, read_files, write_files
from contract_wrapper.engines.connecting import CONNECT_SECONDS, RETRIES, connect, said_by_log
from contract_wrapper.engines.engine import Engine
from contract_wrapper.engines.on_node import Errand, Told, do_on_node, look
from contract_wrapper.errors import ContractsError, shown
from contract_wrapper.evaluation.evaluate import EvaluationStopped
from contract_wrapper.evaluation.judging.code_version import versions
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.evaluation.worker_pool import THREADS, check_processes
from contract_wrapper.evaluation.workers import EvaluationFailed, Task, TrainingStatus, Workers
from contract_wrapper.learners.origin import check_importable, place_of
from contract_wrapper.learners.registry import LEARNERS, learner_of
from contract_wrapper.listeners.listener import current_logs

LOOK_SECONDS = 180.0
"""So long nodes may take to start a process and to load what tasks need."""

STOP_SECONDS = 120.0
"""So long trainings may take for a checkpoint after they were asked to stop."""

ROOM_SECONDS, GONE_SECONDS = 5.0, 60.0
"""Pause between looks at the nodes, and how long none of them may have room for a task before it is given up."""

log = logging.getLogger(__name__)


@contextmanager
def ray_workers(processes: int, engine: Engine) -> Iterator[Workers]:
    """Have workers on a cluster: an existing one, or one of this machine for as long as the block runs.

    A program that is connected to a cluster already (`ray.init`) goes on with that one, and stays connected.

    Raises:
        ContractsError: the cluster cannot be reached, has another version of Ray or Python, or no node with room.
    """
    check_processes(processes)
    ray = _ray()
    mine = not ray.is_initialized()
    terminate = signal.getsignal(signal.SIGTERM)
    pool, stack = None, ExitStack()
    try:
        if mine:
            stack.enter_context(said_by_log(ray))
            connect(ray, processes, engine)
            if terminate is not None and threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGTERM, terminate)  # Ray took it
        pool = RayTasks(ray, engine)
        yield Workers(pool)
    finally:
        try:
            if pool is not None:
                pool.close()
        finally:
            if mine:
                ray.shutdown()
            stack.close()


class RayTasks:
    """A cluster as a pool of workers (`workers.Pool`)."""

    def __init__(self, ray: Any, engine: Engine) -> None:
        """Use the cluster that this program is connected to."""
        from ray.util.queue import Queue

        self._ray = ray
        self._needs = {"CPU": 1.0} | ({} if engine.ray_memory is None else {"memory": engine.ray_memory * 1e9})
        self._room_at = self._looked = time.monotonic()
        if not self._has_room():
            raise ContractsError(self._no_room())
        here = ray.get_runtime_context().get_node_id()
        self._told: Any = Queue(actor_options={"num_cpus": 0, "scheduling_strategy": _at(here)})
        memory = {} if engine.ray_memory is None else {"memory": int(engine.ray_memory * 1e9)}
        self._remote = ray.remote(num_cpus=1, max_retries=RETRIES, runtime_env=_environment(), **memory)(_do)
        self._refs: dict[Future[Any], tuple[Any, Path | None]] = {}
        self._mark: Path | None = None
        self._shared: dict[Path | None, bool] = {}

    def prepare(self, settings: EvaluationSettings, folder: Path | None) -> None:
        """Have every node look whether it can do tasks with these settings, and whether it sees the folder."""
        from ray import exceptions

        learner = learner_of(settings.learner)
        check_importable(learner)
        if folder in self._shared:
            return
        self._set_mark(folder)
        self._shared[folder] = folder is not None  # as the nodes are asked it
        nodes = [node["NodeID"] for node in self._ray.nodes() if _fits(node, {"CPU": 1.0})]
        remote = self._ray.remote(num_cpus=0, max_retries=RETRIES, runtime_env=_environment())(look)
        errand = self._errand(settings, None, folder)
        asked = {remote.options(scheduling_strategy=_at(node)).remote(errand): node for node in nodes}
        until, found, left = time.monotonic() + LOOK_SECONDS, list[bool](), list(asked)
        while left and time.monotonic() < until:
            interrupts.check()
            done, left = self._ray.wait(left, timeout=0.2)
            for ref in done:
                try:
                    sees, why = self._taken(ref)
                except ContractsError as error:
                    if isinstance(error.__cause__, exceptions.RayTaskError):
                        raise
                    continue  # the node went away meanwhile
                if why:
                    raise ContractsError(why)
                found.append(sees)
        if not found:
            raise ContractsError(
                f"no node of the Ray cluster was ready for work within {LOOK_SECONDS:g} seconds: look at `ray status`"
            )
        self._shared[folder] = folder is not None and all(found)
        if folder is not None and not all(found):
            log.warning(
                "%d of %d nodes do not see the folder %s: what was trained travels there and back, and a training whose node "
                "dies, or that is stopped, begins anew", found.count(False), len(found), folder,
            )  # fmt: skip

    def submit(self, task: Task, settings: EvaluationSettings, folder: Path | None) -> Future[Any]:
        """Have a task done by a node that has room for it, now or later."""
        if not self._refs:
            self._room_at = time.monotonic()
        place = None if folder is None else folder.absolute()
        ref = self._remote.remote(task, settings, place, self._errand(settings, task, folder), self._told)
        future: Future[Any] = ref.future()
        self._refs[future] = (ref, folder)
        return future

    def result(self, future: Future[Any]) -> Any:
        """The result of a task, or why there is none."""
        ref, folder = self._refs.pop(future)
        try:
            found = self._taken(ref)
        except EvaluationStopped as error:
            raise KeyboardInterrupt from error
        except EvaluationFailed as error:
            return str(error)
        if isinstance(found, Carried):
            if folder is not None:
                write_files(folder, found.files)
            return found.result
        return found

    def statuses(self) -> Iterator[TrainingStatus]:
        """What trainings told since this was called last.

        Raises:
            ContractsError: for a while no node has had the room that a task needs.
        """
        self._check_room()
        many = self._told.qsize()
        for number, episode, episodes, total in self._told.get_nowait_batch(many) if many else ():
            yield TrainingStatus(number=number, episode=episode, episodes=episodes, total=total)

    def stop(self) -> None:
        """Ask all trainings to stop at their next episode, with a checkpoint; what has not begun never does."""
        for ref, _ in self._refs.values():
            self._ray.cancel(ref)

    def close(self) -> None:
        """Wait for trainings that were asked to stop."""
        left = [ref for ref, _ in self._refs.values()]
        with suppress(Exception):  # the cluster may be gone
            self.stop()
            if left:
                self._ray.wait(left, num_returns=len(left), timeout=STOP_SECONDS)
            self._told.shutdown(force=True)
        if self._mark is not None:
            with suppress(OSError):
                self._mark.unlink()

    def _errand(self, settings: EvaluationSettings, task: Task | None, folder: Path | None) -> Errand:
        name = learner_of(settings.learner).name
        carried = folder is not None and not self._shared[folder]
        return Errand(
            learner=name, code=versions(name)["code"], logs=tuple(current_logs()),
            places=tuple(place for place in map(place_of, LEARNERS.values()) if place is not None),
            mark=None if carried else self._mark,
            files=read_files(folder, task.reads) if carried and folder is not None and task is not None else None,
        )  # fmt: skip

    def _set_mark(self, folder: Path | None) -> None:
        """Leave a file in the folder by which nodes know that they see the same one."""
        if self._mark is not None:
            with suppress(OSError):
                self._mark.unlink()
        self._mark = None if folder is None else folder.absolute() / f".seen-by-all-nodes-{secrets.token_hex(8)}"
        if self._mark is not None:
            try:
                self._mark.touch()
            except OSError as error:
                raise ContractsError(f"cannot write to the folder {folder}: {error.strerror or error}") from error

    def _taken(self, ref: Any) -> Any:
        """What a task returned.

        Raises:
            EvaluationStopped, EvaluationFailed: as it did. ContractsError: it did, or it could not be done.
        """
        from ray import exceptions

        try:
            return self._ray.get(ref)
        except (exceptions.TaskCancelledError, CancelledError) as error:
            raise EvaluationStopped("the task was stopped") from error
        except exceptions.RayTaskError as error:
            cause = error.cause
            for kind in (EvaluationStopped, EvaluationFailed):
                if isinstance(cause, kind):
                    raise kind(str(cause)) from None
            raise ContractsError(str(cause) if isinstance(cause, ContractsError) else _cannot(cause)) from error
        except exceptions.RayError as error:
            died = (
                exceptions.WorkerCrashedError, exceptions.NodeDiedError, exceptions.OutOfMemoryError,
                exceptions.ObjectLostError, exceptions.LocalRayletDiedError,
            )  # fmt: skip
            if isinstance(error, died):
                raise ContractsError(
                    f"a task of the Ray cluster died {RETRIES + 1} times, for want of memory or because its nodes died "
                    f"({type(error).__name__}): run the same command again to go on, with --ray-memory if memory is short"
                ) from error
            raise ContractsError(_cannot(error)) from error

    def _check_room(self) -> None:
        now = time.monotonic()
        if not self._refs or now - self._looked < ROOM_SECONDS:
            return
        self._looked = now
        if self._has_room():
            self._room_at = now
        elif now - self._room_at > GONE_SECONDS:
            raise ContractsError(self._no_room())

    def _has_room(self) -> bool:
        return any(_fits(node, self._needs) for node in self._ray.nodes())

    def _no_room(self) -> str:
        """What to say where no node has what a task needs."""
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        there = "; ".join(_resources(node) for node in nodes) or "none"
        return (
            f"no node of the Ray cluster has what a task needs, {_resources(self._needs)}; its nodes have: {there}. Ask for "
            "less (--ray-memory), or add a node (ray start --address)"
        )


def _do(task: Task, settings: EvaluationSettings, folder: Path | None, errand: Errand, told: Any) -> Any:
    """The Ray task. What a training tells is sent without waiting: a task that waits lends its processor to others."""

    def tell(status: Told) -> None:
        told.actor.put_nowait.remote(status)

    return do_on_node(task, settings, folder, errand, tell)


def _ray() -> Any:
    """Load Ray, which then tells nobody that it is used."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_GCS_SERVER_REQUEST_TIMEOUT_SECONDS", str(CONNECT_SECONDS))
    import ray

    return ray


def _cannot(error: BaseException) -> str:
    return f"a node of the Ray cluster cannot do a task: {type(error).__name__}: {shown(str(error).strip(), 400)}"


def _at(node: str) -> Any:
    """Scheduling on one node and no other."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(node, soft=False)


def _environment() -> dict[str, Any]:
    """Environment of tasks: one thread each, and modules of the user's are found where this program finds them."""
    installed = tuple({Path(prefix).resolve() for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix)})
    paths = [Path(entry).absolute() for entry in sys.path]
    mine = [str(path) for path in paths if not any(path.resolve().is_relative_to(place) for place in installed)]
    return {
        "env_vars": {
            **dict.fromkeys(THREADS, "1"),
            "PYTHONPATH": os.pathsep.join([*dict.fromkeys(mine), "${PYTHONPATH}"]),
        }
    }


def _fits(node: Mapping[str, Any], needs: Mapping[str, float]) -> bool:
    """Whether a node, as `ray.nodes` tells it, is there and has what is needed, be it in use now or not."""
    return bool(node["Alive"]) and all(node["Resources"].get(name, 0.0) >= many for name, many in needs.items())


def _resources(of: Mapping[str, float]) -> str:
    """Processors and memory in words."""
    memory = of.get("memory")
    return f"{of.get('CPU', 0.0):g} CPU" + ("" if memory is None else f" and {memory / 1e9:.3g} GB of memory")

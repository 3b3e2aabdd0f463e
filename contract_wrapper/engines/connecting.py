"""The way to a Ray cluster, with what to say in one line where there is none."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from contract_wrapper.engines.engine import Engine
from contract_wrapper.errors import ContractsError, shown

log = logging.getLogger(__name__)

RETRIES = 3
"""How often Ray does a task again whose process or node died; what the task itself raises is final."""

STORE_BYTES = 150_000_000
"""Object store of a cluster that is started here: results of tasks are small."""

OF_OURS = {"worker_niceness": 0, "task_oom_retries": RETRIES}
"""Settings of a cluster that is started here: Ray would give its processes a low priority (nice 15), and do a task
again for ever that it ended for want of memory."""

CONNECT_SECONDS = 20
"""So long a cluster may take to answer."""


def connect(ray: Any, processes: int, engine: Engine) -> None:
    """Connect to the cluster of the engine, or start one.

    Args:
        ray: the module, which `ray_cluster` alone imports.
        processes: processors of a cluster that is started.
        engine: where the cluster is.

    Raises:
        ContractsError: it cannot be reached or started, or has another version of Ray or Python.
    """
    quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": logging.ERROR}
    address = engine.ray_address
    try:
        if address is None:
            ray.init(
                address="local", num_cpus=processes, object_store_memory=STORE_BYTES, _system_config=OF_OURS, **quiet
            )  # fmt: skip
            return
        _check_answers(engine.place())
        ray.init(address=address, **quiet)
    except OSError as error:
        ray.shutdown()
        why = error.strerror or str(error) or type(error).__name__
        if address is None:
            raise ContractsError(f"a Ray cluster cannot be started on this machine: {why}") from error
        raise ContractsError(
            f"there is no Ray cluster at {address} ({' '.join(why.split())}): start one (ray start --head), or leave out "
            "--ray-address to have one started on this machine"
        ) from error
    except Exception as error:
        ray.shutdown()
        raise ContractsError(_not_connected(str(error), address)) from error


def _check_answers(place: tuple[str, int]) -> None:
    """Make sure that a gRPC server answers, as a cluster's head is one: Ray itself would try for minutes.

    It speaks HTTP/2, whose first word from both sides is a frame of settings (RFC 9113, 3.4).

    Raises:
        OSError: nothing answers, or something else does.
    """
    with socket.create_connection(place, timeout=CONNECT_SECONDS) as connection:
        if os.environ.get("RAY_USE_TLS", "0").lower() not in ("0", "false", ""):
            return  # its first word would be another one
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
        if connection.recv(9)[3:4] != bytes([4]):
            raise OSError("something else answers there")


def _not_connected(text: str, address: str | None) -> str:
    """Say in one line why Ray did not connect."""
    told = " ".join(text.split())
    if "Version mismatch" in told or ("ersion" in told and "started with" in told):
        return f"the Ray cluster at {address} has another version of Ray or Python, and tasks travel between equal ones only: {told}"
    if address is None:
        return f"a Ray cluster cannot be started on this machine: {shown(told, 400)}"
    return (
        f"cannot connect to a Ray cluster at {address}: {shown(told, 400)}. This machine must be a node of it, if only one "
        f"without tasks: ray start --address={address} --num-cpus=0"
    )


@contextmanager
def said_by_log(ray: Any) -> Iterator[None]:
    """Log what Ray says of nodes that died and tasks that it does again.

    Ray prints it to standard output, where results belong, and has no setting against it.
    """
    worker = ray._private.worker
    printing = getattr(worker, "print_to_stdstream", None)

    def say(data: Mapping[str, Any], ignore_prefix: bool = False) -> None:
        for line in data.get("lines", ()):
            log.warning("ray: %s", shown(str(line).partition("\n")[0], 200).strip("'\""))

    if printing is not None:
        worker.print_to_stdstream = say
    try:
        yield
    finally:
        if printing is not None:
            worker.print_to_stdstream = printing

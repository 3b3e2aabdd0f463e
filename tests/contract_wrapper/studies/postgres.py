"""A PostgreSQL server of a test's own, in a temporary folder, where its programs are installed."""

import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def program(name: str) -> str | None:
    """Path of one of PostgreSQL's programs, which Debian keeps off the path; None if it is not installed."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    return shutil.which(name) or (found[-1] if found else None)


def why_not() -> str:
    """Why there can be no server here; empty if there can."""
    if program("initdb") is None or program("pg_ctl") is None:
        return "PostgreSQL is not installed (initdb, pg_ctl)"
    if os.geteuid() == 0 and not _has_user():
        return "PostgreSQL does not run as root, and there is no user postgres"
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "the driver psycopg is not installed"
    return ""


class Server:
    """A server that can be stopped and started."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._ctl("-o", options, "-l", str(self.folder / "log"), "-w", "start")

    def stop(self) -> None:
        self._ctl("-m", "immediate", "-w", "stop")

    def _ctl(self, *words: str) -> None:
        _run("pg_ctl", "-D", str(self.folder / "data"), *words)


@contextmanager
def server() -> Iterator[Server]:
    """A server that runs, with an empty database and no password."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        _run("initdb", "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "--no-sync")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            one = Server(folder, free.getsockname()[1])
        one.start()
        try:
            yield one
        finally:
            one.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _has_user() -> bool:
    return any(user.pw_name == "postgres" for user in pwd.getpwall()) and shutil.which("runuser") is not None


def _run(name: str, *words: str) -> None:
    command = [str(program(name)), *words]
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")

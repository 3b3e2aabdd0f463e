"""Optuna's dashboard of a study, for browsers of this machine alone, and for looking alone.

The dashboard can delete trials and rename studies, which would break a study of this program. So its database is opened
for reading, and requests that would change something are refused; so are those that name another host, by which a page
elsewhere could read along.
"""

from __future__ import annotations

import socketserver
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from contract_wrapper.errors import ContractsError, require_package
from contract_wrapper.studies.database import StudyDatabase
from contract_wrapper.studies.running.reading import record_of
from contract_wrapper.studies.sharing.opening import open_reading, told
from contract_wrapper.studies.sharing.place import check_there, place_of

HOST = "127.0.0.1"
"""The address that no other machine reaches."""

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class DashboardServer(socketserver.ThreadingMixIn, WSGIServer):
    """Answers several requests at once: browsers open connections that they do not use yet."""

    daemon_threads = True
    page = "/dashboard"
    """Where the study is shown, among those of its database."""


class _Handler(WSGIRequestHandler):
    """Says nothing of requests."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


def dashboard_server(
    folder: Path, port: int, *, storage: str | None = None, study: str | None = None
) -> DashboardServer:
    """Return a server of the dashboard of a study, which listens already; `serve_forever` answers.

    Args:
        folder: of the study, which may be running; with `storage` it need not be there.
        storage: URL of the database in which the study is, whose other studies are shown, too; None: in the folder.
        study: its name in that database; None: that of the folder.
        port: to listen on; 0: any that is free (`server_port` says which).

    Raises:
        ContractsError: there is no study, or the port is taken or none.
        MissingPackage: optuna-dashboard is not installed.
    """
    require_package("optuna_dashboard", "dashboard", "the dashboard of a study")
    place = place_of(folder, storage, study)
    if storage is None:
        check_there(folder)
    database = StudyDatabase(place, create=False)
    try:
        record_of(folder, database)  # which says what is wrong with it
        name = database.name
    finally:
        database.close()
    if not 0 <= port <= 65535:
        raise ContractsError(f"--port is a number from 0 (any that is free) to 65535, got {port}")
    from optuna_dashboard import wsgi

    with told(place):
        opened = open_reading(place)
        number = opened.get_study_id_from_name(name)
    application = only_reading(wsgi(opened))
    try:
        server = make_server(HOST, port, application, server_class=DashboardServer, handler_class=_Handler)
    except OSError as error:
        raise ContractsError(
            f"port {port} cannot be used ({error.strerror or error}): another program has it; choose one with --port, or "
            "--port 0 for any that is free"
        ) from error
    server.page = f"/dashboard/studies/{number}"
    return server


def only_reading(application: Application) -> Application:
    """Refuse requests that would change something, or that name another host than this machine."""

    def guarded(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        host = str(environ.get("HTTP_HOST", "")).rpartition(":")[0] or str(environ.get("HTTP_HOST", ""))
        if host not in (HOST, "localhost") or environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            start_response("403 Forbidden", [("Content-Type", "application/json")])
            return [b'{"reason": "This dashboard is for looking alone, on its own machine."}']
        return application(environ, start_response)

    return guarded

"""The dashboard as a user has it: it listens, tells the study, changes nothing, and ends by Ctrl-C."""

import hashlib
import http.client
import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from process_table import environment

from contract_wrapper.cli import main
from contract_wrapper.reports.html.dashboard_server import only_reading
from contract_wrapper.studies.sharing.place import DATABASE

SECONDS = 240
"""How long a busy machine may take for anything."""


def ask(port: int, path: str, method: str = "GET", host: str | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    connection.request(method, path, headers={} if host is None else {"Host": host})
    answer = connection.getresponse()
    told = answer.status, answer.read()
    connection.close()
    return told


def test_the_dashboard_tells_the_study_changes_nothing_and_stops(study):
    pytest.importorskip("optuna_dashboard", reason="the package optuna-dashboard is not installed")
    file = study.folder / DATABASE
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    command = [sys.executable, "-m", "contract_wrapper", "dashboard", str(study.folder), "--port", "0", "--no-browser"]
    program = subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        said = program.stdout.readline()
        assert said.startswith("http://127.0.0.1:"), program.stderr.read()
        port = int(said.partition("/dashboard/studies/1:")[0].rpartition(":")[2])
        idle = socket.create_connection(("127.0.0.1", port))  # as browsers open them ahead
        (summary,) = json.loads(ask(port, "/api/studies")[1])["study_summaries"]
        assert summary["study_name"] == study.folder.name
        told = json.loads(ask(port, f"/api/studies/{summary['study_id']}?after=0")[1])
        assert told["objective_names"] == ["welfare"]
        assert [trial["number"] for trial in told["trials"]] == [trial.number for trial in study.trials]
        for trial, known in zip(told["trials"], study.trials, strict=True):
            if known.outcome is not None:
                assert trial["values"] == [known.outcome.welfare.mean]
                if known.number:
                    feasible = max(trial["constraints"]) <= 0  # as Optuna has them: at most 0 is good
                    assert feasible is study.feasible(known)
        status, page = ask(port, "/dashboard")
        loaded = re.findall(rb"(?:src|href)=\"([^\"]*)", page)
        assert status == 200
        assert [each for each in loaded if not each.startswith(b"/") or each.startswith(b"//")] == []
        assert ask(port, "/static/bundle.js")[0] == 200
        assert ask(port, f"/api/studies/{summary['study_id']}", method="DELETE")[0] == 403
        assert ask(port, "/api/studies", host="elsewhere.example:80")[0] == 403
        idle.close()
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=SECONDS)
        assert (program.returncode, out, err) == (0, "stopped\n", "")
    finally:
        program.kill()
        program.communicate()
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before


def test_only_looking_and_only_this_machine_is_let_through():
    app = only_reading(lambda environ, start_response: [b"let through"])
    for method, host, through in (
        ("GET", "127.0.0.1:8080", True), ("HEAD", "localhost:8080", True), ("GET", "localhost", True),
        ("POST", "127.0.0.1:8080", False), ("DELETE", "localhost", False), ("PUT", "localhost", False),
        ("GET", "evil.example:8080", False), ("GET", "localhost.evil.example", False), ("GET", "", False),
    ):  # fmt: skip
        answer = list(app({"REQUEST_METHOD": method, "HTTP_HOST": host}, lambda *_: None))
        assert (answer == [b"let through"]) is through, (method, host)


def test_what_hinders_the_dashboard_is_said_in_one_line(study, tmp_path: Path, monkeypatch, capsys):
    pytest.importorskip("optuna_dashboard", reason="the package optuna-dashboard is not installed")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for folder, number, words in (
            (study.folder, port, f"port {port} cannot be used"), (study.folder, 70_000, "a number from 0"),
            (tmp_path, 0, "there is no study"),
        ):  # fmt: skip
            assert main(["dashboard", str(folder), "--port", str(number), "--no-browser"]) == 2
            told = capsys.readouterr().err
            assert words in told
            assert len(told.splitlines()) == 1
    monkeypatch.setattr("contract_wrapper.errors.find_spec", lambda name: None if name == "optuna_dashboard" else name)
    assert main(["dashboard", str(study.folder)]) == 2
    assert 'pip install "cleanup-contracts[dashboard]"' in capsys.readouterr().err

"""The commands `export`, `import` and `dashboard`: results handed on, and looked at."""

from __future__ import annotations

import argparse
import webbrowser
from pathlib import Path

from contract_wrapper import interrupts
from contract_wrapper.commands.options import add_json, add_study, study_address
from contract_wrapper.commands.output import Output
from contract_wrapper.commands.own_problem import add_problem, own_problem

PORT = 8080
"""Where the dashboard listens, if nothing else is asked for."""


def add_export(sub: argparse.ArgumentParser) -> None:
    """Add the options of `export`."""
    add_study(sub, "folder of the study, or folder or file of a landscape", needed=True)
    sub.add_argument(
        "file", type=Path, nargs="?", metavar="FILE.zip", help="the bundle (default: the folder's name, here)"
    )
    add_problem(sub)
    sub.add_argument("--policies", action="store_true", help="with the trained players, so that its reader can play")
    sub.add_argument(
        "--parquet", action=argparse.BooleanOptionalAction,
        help="with the table as Parquet, too (default: where pyarrow or polars is installed; extra parquet)",
    )  # fmt: skip
    add_json(sub)


def export(options: argparse.Namespace, output: Output) -> int:
    """Write a study or a landscape into a bundle."""
    from contract_wrapper.bundles.archive import digest
    from contract_wrapper.bundles.export import export_bundle

    if options.problem is not None:
        own_problem(options.problem)
    at = study_address(options, options.study)
    made = export_bundle(
        at.folder, options.file, policies=options.policies, parquet=options.parquet, storage=at.storage, study=at.name
    )
    sha256, size = digest(made.path), made.path.stat().st_size
    for name in made.left_out:
        output.say(f"left out, for no bundle has such a file: {name}")
    output.result(
        f"{made.path}: the {made.kind} in {at}, {len(made.members)} files, {size / 1e6:.1f} MB\n"
        f"SHA-256: {sha256}",
        lambda: {
            "kind": made.kind, "file": made.path, "bytes": size, "sha256": sha256, "members": made.members,
            "left_out": made.left_out,
        },
        fold=False,
    )  # fmt: skip
    return 0


def add_import(sub: argparse.ArgumentParser) -> None:
    """Add the options of `import`."""
    sub.add_argument("file", type=Path, metavar="FILE.zip", help="what `export` wrote")
    sub.add_argument(
        "folder", type=Path, nargs="?", metavar="FOLDER",
        help="where to put the study or landscape; it must not be there, or be empty (default: the file's name, here)",
    )  # fmt: skip
    add_problem(sub)
    sub.add_argument("--check", action="store_true", help="check it only, and write nothing")
    add_json(sub)


def bring_in(options: argparse.Namespace, output: Output) -> int:
    """Check a bundle, and make a folder of it."""
    from contract_wrapper.bundles.bring_in import import_bundle
    from contract_wrapper.command_runs import to_plain, told

    if options.problem is not None:
        own_problem(options.problem)
    found = import_bundle(options.file, options.folder, check=options.check)
    about = found.manifest
    what = f"{found.contracts} {'trials' if about.kind == 'study' else 'contracts'}"
    lines = [
        f"{options.file}: whole; the {about.kind} {about.name}, {what}, exported by version {about.program}",
        f"SHA-256: {found.sha256}",
        *(told(found.commands) if found.commands else []),
    ]
    if found.folder is not None:
        lines.append(f"{found.folder}: look at it with `cleanup-contracts report {found.folder}`")
    output.result(
        "\n".join(lines),
        lambda: {
            "kind": about.kind, "name": about.name, "exported_by": about.program, "sha256": found.sha256,
            "contracts": found.contracts, "commands": to_plain(found.commands), "members": sorted(about.members),
            "folder": found.folder,
        },
        fold=False,
    )  # fmt: skip
    return 0


def add_dashboard(sub: argparse.ArgumentParser) -> None:
    """Add the options of `dashboard`."""
    add_study(sub, "folder of the study, which may be running")
    add_problem(sub)
    sub.add_argument(
        "--port", type=int, default=PORT, metavar="N", help=f"where to listen; 0: any that is free (default: {PORT})"
    )
    sub.add_argument("--no-browser", action="store_true", help="open no browser, only say the address")


def dashboard(options: argparse.Namespace, output: Output) -> int:
    """Show Optuna's dashboard of a study, for this machine alone, until Ctrl-C."""
    from contract_wrapper.reports.html.dashboard_server import HOST, dashboard_server

    if options.problem is not None:
        own_problem(options.problem)
    at = study_address(options, options.study)
    server = dashboard_server(at.folder, options.port, storage=at.storage, study=at.name)
    try:
        address = f"http://{HOST}:{server.server_port}{server.page}"
        output.result(f"{address}: the study in {at}, for looking alone; stop with Ctrl-C", dict, fold=False)
        if not options.no_browser:
            webbrowser.open(address)
        server.serve_forever()
    except KeyboardInterrupt:
        interrupts.install()  # it ends as it should: nothing was interrupted
        output.say("stopped")
    finally:
        server.server_close()
    return 0

"""Bundles as somebody might forge them: any members, any manifest, any entry of the archive."""

import hashlib
import io
import json
import zipfile
from pathlib import Path

from contract_wrapper.bundles.archive import FORMAT, VERSION
from contract_wrapper.bundles.study_text import TRIAL
from contract_wrapper.files import seal


def members_of(bundle: Path) -> dict[str, bytes]:
    """Files of a bundle, the manifest apart."""
    with zipfile.ZipFile(bundle) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name != "manifest.json"}


def manifest_of(members, /, **changes) -> dict:
    """A manifest that fits."""
    listed = {n: {"bytes": len(d), "sha256": hashlib.sha256(d).hexdigest()} for n, d in members.items()}
    about = {"format": FORMAT, "version": VERSION, "kind": "study", "name": "mine", "program": "0.1.0"}
    return {**about, "members": listed, **changes}


def forged(path: Path, members, manifest=None, edit=lambda entry: None, packed=zipfile.ZIP_DEFLATED) -> Path:
    """Write a bundle; `edit` may change the entry of any file before it is written. manifest: text, or plain values."""
    about = manifest_of(members) if manifest is None else manifest
    text = about if isinstance(about, str) else json.dumps(about)
    with zipfile.ZipFile(path, "w", packed) as archive:
        for name, data in [*members.items(), ("manifest.json", text.encode())]:
            entry = zipfile.ZipInfo("x")
            entry.filename = entry.orig_filename = name
            entry.compress_type, entry.external_attr = packed, 0o100644 << 16
            edit(entry)
            archive.writestr(entry, data)
    return path


def with_trials(members, edit) -> dict[str, bytes]:
    """The same members, with trials that `edit` has changed and that are sealed again."""
    trials = [json.loads(line)["trial"] for line in members["trials.jsonl"].splitlines()]
    changed = edit(trials)
    trials = trials if changed is None else changed
    lines = [json.dumps({"sha256": seal(TRIAL, trial), "trial": trial}) for trial in trials]
    return {**members, "trials.jsonl": ("\n".join(lines) + "\n").encode()}


def with_sealed(members, name, edit) -> dict[str, bytes]:
    """The same members, with a sealed file whose content `edit` has changed and that is sealed again."""
    sealed = json.loads(members[name])
    edit(sealed["content"])
    sealed["sha256"] = seal(sealed["kind"], sealed["content"])
    return {**members, name: json.dumps(sealed).encode()}


def archive_of(members) -> bytes:
    """A plain archive in memory."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()

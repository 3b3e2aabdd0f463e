"""Files that somebody made on purpose: whole and sealed, with content that is odd. Landscapes, crews, certificates."""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from made_up_crews import certificate_of
from made_up_landscapes import made_up_landscape
from small_crews import SETTINGS
from targets import CREW, target
from values import damaged, mutated, pick

from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.contract_grid import play_grid
from contract_wrapper.evaluation.crews import Crews, train_crews
from contract_wrapper.files import read_sealed, write_sealed
from contract_wrapper.landscapes.landscape import Landscape
from contract_wrapper.landscapes.tabular import TabularProblem
from contract_wrapper.reports.landscape_summary import summary
from contract_wrapper.studies.certificate_file import NAME, read_certificates, write_certificates
from mtmfq.checkpoint import save_arrays
from mtmfq.interface import LearnerError


@functools.cache
def sources() -> Path:
    """A folder with a landscape, crews and certificates, as the package writes them."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-crafted-"))
    made_up_landscape(n_seeds=3, n_taxes=3).save(folder / "landscape.npz")
    assert SETTINGS.crews is not None
    train_crews(config=SETTINGS.crews.learner, sizes=(1, 3), game=SETTINGS.game).save(folder / "crews.npz")
    write_certificates(folder, [certificate_of(CREW)], SETTINGS)
    return folder


def odd_array(rng: np.random.Generator, array: np.ndarray) -> np.ndarray:
    """An array with an odd entry, of another type, or of another shape."""
    kind = int(rng.integers(5))
    changed = array.copy()
    if kind <= 2 and array.size:
        numbers = (np.nan, np.inf, -np.inf, 1e30, -1.0, 0.0, 2.0) if array.dtype.kind == "f" else (-1, 0, 1, 7, 32_000)
        some = rng.random(array.shape) < pick(rng, (0.01, 0.3, 1.0))
        some.flat[int(rng.integers(array.size))] = True
        changed[some] = pick(rng, numbers)
        return changed
    if kind == 3:
        return changed.astype(pick(rng, (np.float64, np.float32, np.int16, np.int64, np.bool_)), casting="unsafe")
    return pick(
        rng, (changed.ravel(), changed[..., :0], changed[None], changed[:1], np.concatenate([changed, changed]))
    )


def craft(rng: np.random.Generator, source: Path, target: Path) -> None:
    """Write a copy of a file of arrays in which one thing is odd and all seals are right, or a damaged copy."""
    if rng.random() < 0.2:
        target.write_bytes(damaged(rng, source.read_bytes()))
        return
    with np.load(source) as archive:
        members = {name: archive[name] for name in archive.files}
    header: Mapping[str, Any] = json.loads(members.pop("mtmfq").tobytes())
    del members["sha256"]
    meta = header["meta"]
    if rng.random() < 0.5:
        meta = mutated(rng, meta)
    else:
        name = pick(rng, sorted(members))
        with np.errstate(all="ignore"):
            members[name] = odd_array(rng, members[name])
        if rng.random() < 0.1:
            del members[name]
    save_arrays(target, header["kind"], meta, members)


@target(ContractsError)
def landscapes(rng: np.random.Generator, folder: Path) -> None:
    path = folder / "landscape.npz"
    craft(rng, sources() / "landscape.npz", path)
    landscape = Landscape.load(path)
    assert np.isfinite(landscape.welfare).all()
    landscape.feasible(), landscape.certified(), landscape.refuted()
    landscape.to_csv()
    summary(landscape)
    for contract in landscape.contracts()[:3]:
        str(landscape.certificate(contract))
    problem = TabularProblem(landscape=landscape)
    problem.reading(landscape.contracts()[-1], np.random.default_rng(0))


@target(ContractsError, LearnerError)
def crews(rng: np.random.Generator, folder: Path) -> None:
    path = folder / "crews.npz"
    craft(rng, sources() / "crews.npz", path)
    found = Crews.load(path)
    play_grid(found, found.sizes[0], [[found.family.bounds[0][0] or 0.1]], episodes=2)


@target(ContractsError)
def certificates(rng: np.random.Generator, folder: Path) -> None:
    shutil.copy(sources() / NAME, folder / NAME)
    if rng.random() < 0.3:
        (folder / NAME).write_bytes(damaged(rng, (folder / NAME).read_bytes()))
    else:
        kind = json.loads((folder / NAME).read_text())["kind"]
        write_sealed(folder / NAME, kind, mutated(rng, read_sealed(folder / NAME, kind)))
    for certificate in read_certificates(folder, SETTINGS):
        str(certificate)
        assert certificate.verdict

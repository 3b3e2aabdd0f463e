"""Linear algebra of symmetric matrices: LAPACK and BLAS called as they are, for small matrices many times."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg.blas import dtrsm
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs, dpstrf

from contract_wrapper.errors import ContractsError

Floats = npt.NDArray[np.float64]


def cholesky(k: Floats, out: Floats | None = None) -> Floats:
    """Lower L (n, n) with L L^T = k, in `out` if that is there: (n, n), stored by columns.

    Raises:
        ContractsError: k is far from positive definite.
    """
    lower = np.empty(k.shape, order="F") if out is None else out
    for jitter in (0.0, 1e-8, 1e-6, 1e-4):  # repeated designs with a tiny noise may need a little help
        lower[:] = k + jitter * np.eye(len(k)) if jitter else k
        chol, info = dpotrf(lower, lower=1, clean=1, overwrite_a=1)
        if info == 0:
            return np.asarray(chol)
    raise ContractsError(
        f"the covariance of {len(k)} designs is not positive definite: look for values that are not finite"
    )


def root_of(k: Floats) -> Floats:
    """Return R (n, rank) with R R^T = k, by pivoted Cholesky up to the numerical rank."""
    factor, pivots, rank, _ = dpstrf(k, lower=1, tol=1e-10 * float(k[0, 0]))
    root = np.empty((len(k), rank))
    root[pivots - 1] = np.tril(factor[:, :rank])
    return root


def solve(chol: Floats, b: Floats) -> Floats:
    """k^-1 b, from the lower Cholesky factor of k: b (n,) or (n, q)."""
    return np.asarray(dpotrs(chol, b, lower=1)[0])


def half_solve(chol: Floats, b: Floats) -> Floats:
    """L^-1 b, of the lower Cholesky factor L: b (n, q)."""
    return np.asarray(dtrsm(1.0, chol, b, lower=1))


def invert(chol: Floats, out: Floats) -> Floats:
    """Return k^-1 (n, n) in `out`, from the lower Cholesky factor of k, stored by columns, which is written over."""
    half = np.asarray(dpotri(chol, lower=1, overwrite_c=1)[0])  # the upper half is 0, as `cholesky` left it
    np.add(half, half.T, out=out)
    out.reshape(-1)[:: len(out) + 1] *= 0.5
    return out

"""Linear algebra of symmetric matrices: LAPACK and BLAS called as they are, for small matrices many times."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg.blas import dtrsm
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs, dpstrf

from contract_wrapper.errors import ContractsError

Floats = npt.NDArray[np.float64]


def cholesky(k: Floats) -> Floats:
    """Lower L (n, n) with L L^T = k; raises `ContractsError` where k is far from positive definite."""
    for jitter in (0.0, 1e-8, 1e-6, 1e-4):  # repeated designs with a tiny noise may need a little help
        chol, info = dpotrf(k + jitter * np.eye(len(k)) if jitter else k, lower=1, clean=1)
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


def inverse(chol: Floats) -> Floats:
    """k^-1 (n, n), from the lower Cholesky factor of k."""
    half = np.asarray(dpotri(chol, lower=1)[0])  # the upper half is 0, as `cholesky` left it
    full: Floats = half + half.T
    full.flat[:: len(half) + 1] *= 0.5
    return full

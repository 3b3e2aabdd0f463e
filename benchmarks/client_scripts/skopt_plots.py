"""The plots of scikit-optimize on a search of this package."""

import json
from importlib.metadata import version

import matplotlib

matplotlib.use("Agg")

import numpy as np
from skopt import plots

from contract_wrapper import CPMES, as_optimize_result, contract_space

space, rng = contract_space(), np.random.default_rng(0)
search = CPMES(space, seed=0, constraints=("harvesters", "cleaners"), participation=1)
for tax, n_cleaners in space.sample(rng, 12):
    welfare = 100 * n_cleaners * tax * (1 - tax)
    search.tell((tax, n_cleaners), objective=welfare, margins=[0.8 - tax, tax - 0.1])
result = as_optimize_result(space, search.history)
plots.plot_convergence(result)
plots.plot_evaluations(result)
plots.plot_regret(result)
plots.plot_objective(result, n_points=5, n_samples=5)
plots.plot_objective_2D(result, "tax", "n_cleaners", n_points=5, n_samples=5)
what = "five plots of as_optimize_result"
print(json.dumps({"client": "scikit-optimize", "version": version("scikit-optimize"), "what": what, "ends": None}))

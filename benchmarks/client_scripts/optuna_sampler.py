"""Optuna: cPMES as a sampler, on a landscape of contracts as an objective."""

import json
from importlib.metadata import version

import optuna

from contract_wrapper import CPMESSampler, TabularProblem, load_landscape, optuna_objective

optuna.logging.set_verbosity(optuna.logging.ERROR)
problem = TabularProblem(landscape=load_landscape("effort"))
study = optuna.create_study(sampler=CPMESSampler(seed=0), direction="maximize")
study.optimize(optuna_objective(problem, seed=0), n_trials=12)
assert all(constraint <= 0 for constraint in study.best_trial.constraints.values())
assert problem.contract((study.best_params["tax"], study.best_params["n_cleaners"])).n_cleaners >= 1
what = "CPMESSampler and optuna_objective, 12 trials"
print(json.dumps({"client": "Optuna", "version": version("optuna"), "what": what, "ends": None}))

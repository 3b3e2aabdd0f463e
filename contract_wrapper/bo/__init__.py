"""Constrained multi-objective Bayesian optimisation; knows arrays only, neither games nor contracts' agents."""

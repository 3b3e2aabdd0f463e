"""Contracts, roles, payment rules and costs, and the settlement of a step; knows no game and no learner."""

"""Proximal policy optimisation by stable-baselines3 as a learner."""

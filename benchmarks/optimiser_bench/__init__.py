"""What the optimiser benchmarks share: problems, rivals, runs and tables."""

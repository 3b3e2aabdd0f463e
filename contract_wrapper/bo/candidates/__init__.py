"""Where candidates come from: samples of a space, its Pareto front, the best of it or of a box in it."""

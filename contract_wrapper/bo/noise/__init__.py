"""What noise asks of a search: information of noisy observations, repeats, what to recommend, constraints that are alike."""

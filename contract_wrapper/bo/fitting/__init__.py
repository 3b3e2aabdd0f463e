"""What is fitted of the results: which of them, and how outliers are drawn in."""

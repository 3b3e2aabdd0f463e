"""Small exact Gaussian processes."""

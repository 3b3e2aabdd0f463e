"""What `benchmarks/paper_figures.py` trains, keeps, prints and draws."""

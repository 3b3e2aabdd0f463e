"""What a search tells while it runs, and the file that says how it ran."""

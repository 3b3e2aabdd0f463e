"""What a study found, as figures, tables and a page."""

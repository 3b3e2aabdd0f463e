"""What `families.py` measures: contracts beyond the single tax, by crews that know all of a family."""

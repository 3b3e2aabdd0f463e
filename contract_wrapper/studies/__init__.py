"""Searches that are stored: the study on disk, its record as plain values, and the loop that runs it."""

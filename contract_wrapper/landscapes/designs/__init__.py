"""Landscapes of the contracts of design problems: grids of several numbers."""

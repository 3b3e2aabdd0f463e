"""The table of a landscape, whatever its contracts are: its arrays and their rules, its file, what it says."""

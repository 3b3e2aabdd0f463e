"""Settings from files and from `--set`: their keys, how they are read, resolved and written."""

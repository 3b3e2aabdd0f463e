"""The one exception type for everything that a user of the game can get wrong."""


class CleanupError(ValueError):
    """A wrong map, setting, seed, action or call order; the message says what to do."""

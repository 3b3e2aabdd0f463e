"""The one exception type for everything that a user of the trees can get wrong."""


class TreeError(ValueError):
    """A wrong tree, player, setting, horizon, seed or call order; the message says what to do."""

"""The one exception type for everything that a user of the game can get wrong."""


class CleanupError(ValueError):
    """A wrong map, setting, seed, action or call order; the message says what to do."""


def shown(value: object, most: int = 100) -> str:
    """Return a value as a message shows it: its `repr` in one line, cut to a number of characters."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # Python writes no integer of more than 4,300 digits; a class may have no repr at all
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= most else f"{text[: most - 3]}..."

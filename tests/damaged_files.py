"""What may happen to a file, byte by byte, and a limit on what reading the result may cost."""

import contextlib
import time
import tracemalloc
from collections.abc import Iterator

import numpy as np

MOST_BYTES = 200e6


def damaged(content: bytes, every: int = 7, most: int = 1_000_000) -> Iterator[bytes]:
    """`content` with one bit or one byte changed at every so many bytes, cut short, and with something added.

    most: of each kind; a long file is then visited at wider steps.
    """
    rng = np.random.default_rng(0)
    step = max(every, len(content) // most)
    for at in range(0, len(content), step):
        one, whole = bytearray(content), bytearray(content)
        one[at] ^= 1 << int(rng.integers(8))
        whole[at] ^= int(rng.integers(1, 256))
        yield bytes(one)
        yield bytes(whole)
    for at in range(0, len(content), 4 * step):
        yield content[:at]
    yield from (content[:-1], content + b"\0", content + content, content[1:], b"")


@contextlib.contextmanager
def cheap(seconds: float = 10.0) -> Iterator[None]:
    """Make sure that what is done inside takes little memory, and CPU time of seconds at most, not of minutes."""
    tracemalloc.start()
    began = time.process_time()
    try:
        yield
        took, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST_BYTES
    assert took < seconds

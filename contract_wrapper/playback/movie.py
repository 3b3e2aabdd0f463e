"""Pictures and texts that follow each other: captions, GIF and MP4 files, a terminal as a screen."""

from __future__ import annotations

import contextlib
import io
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np
from numpy.typing import NDArray

from contract_wrapper.errors import ContractsError, require_package, shown
from contract_wrapper.files import replacing, write_bytes

if TYPE_CHECKING:
    from PIL import Image

Picture = NDArray[np.uint8]

PAPER = (250, 250, 247)
INK = (30, 30, 30)
GOLD = (255, 190, 0)
COLOURS = 64
"""Colours that all frames of a GIF share; the board with ten agents has about thirty."""

PLAIN_FRAMES = 5
"""Frames that are printed where the cursor cannot be moved."""


@lru_cache(maxsize=64)
def letter_size(width: int, widest: str) -> int:
    """Return the largest letter size in 8..20 pixels at which a line fits into a picture's width."""
    size = 20
    while size > 8 and _font(size).getlength(widest) > width - 8:
        size -= 1
    return size


@lru_cache(maxsize=16)
def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def captioned(picture: Picture, lines: Sequence[str], size: int = 11) -> Picture:
    """Put a strip with lines of text below a picture, as wide as the picture, in letters of `size` pixels."""
    from PIL import Image, ImageDraw

    spacing = round(1.35 * size)
    strip = Image.new("RGB", (picture.shape[1], spacing * len(lines) + size // 2), PAPER)
    pen = ImageDraw.Draw(strip)
    for i, line in enumerate(lines):
        pen.text((4, size // 4 + i * spacing), line, fill=INK, font=_font(size))
    return np.concatenate((picture, np.asarray(strip, dtype=np.uint8)))


def with_arrows(
    picture: Picture,
    arrows: Sequence[tuple[tuple[float, float], tuple[float, float]]],
    size: float,
    colour: tuple[int, int, int] = GOLD,
) -> Picture:
    """Draw arrows onto a copy of a picture, in a colour with a dark rim.

    Args:
        picture: (rows, columns, 3).
        arrows: from and to, each (row, column) in pixels.
        size: length of a head in pixels; shafts are a fifth as wide.
        colour: of the arrows.
    """
    from PIL import Image, ImageDraw

    image = Image.fromarray(picture)
    pen = ImageDraw.Draw(image)
    shapes = [_arrow(np.array(start)[::-1], np.array(end)[::-1], size) for start, end in arrows]
    width = max(1, round(size / 5))
    for rim, ink in ((2, INK), (0, colour)):  # all rims first, so that no arrow cuts another one
        for shaft, head in shapes:
            pen.line(shaft, fill=ink, width=width + rim)
            pen.polygon(head, fill=ink, outline=INK)
    return np.asarray(image, dtype=np.uint8)


def between(
    start: NDArray[np.float64], end: NDArray[np.float64], margin: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Ends of an arrow from the rim of one disc to that of another, both (row, column) in pixels."""
    away = end - start
    step = min(margin / max(float(np.hypot(*away)), 1e-9), 0.4) * away
    (y0, x0), (y1, x1) = start + step, end - step
    return (float(y0), float(x0)), (float(y1), float(x1))


Points = list[tuple[float, float]]


def _arrow(start: NDArray[np.float64], end: NDArray[np.float64], size: float) -> tuple[Points, Points]:
    """Shaft and head of an arrow between two points (x, y); a short arrow has a short head."""
    away = end - start
    length = max(float(np.hypot(*away)), 1e-9)
    along = away / length
    across = np.array([-along[1], along[0]])
    size = min(size, length)
    neck = end - size * along
    shaft = [(float(p[0]), float(p[1])) for p in (start, neck + 0.2 * size * along)]
    head = [(float(p[0]), float(p[1])) for p in (end, neck + 0.42 * size * across, neck - 0.42 * size * across)]
    return shaft, head


def write_video(frames: Iterable[Picture], path: Path, fps: float = 10.0) -> Path:
    """Write frames of one size as an MP4 video (H.264, which every browser plays).

    Raises:
        ContractsError: fps is not positive, there are no frames or several sizes, the file cannot be
            written or encoded, or the extra `render` is not installed; an older file is then kept.
    """
    _check_fps(fps)
    require_package("imageio_ffmpeg", "render", "an MP4 file")
    from imageio_ffmpeg import get_ffmpeg_exe

    pictures = [_even(frame) for frame in frames]
    if len({picture.shape for picture in pictures}) != 1:
        raise ContractsError(f"a video needs one or more frames of one size, got {len(pictures)} of several")
    height, width, _ = pictures[0].shape
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", f"{fps:.6f}", "-i", "-"]
    # A whole path, as a name that begins with a dash would be an option.
    with replacing(path.absolute()) as temporary:
        target = ["-an", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-f", "mp4", str(temporary)]
        _encode([get_ffmpeg_exe(), "-y", "-v", "error", *source, *target], pictures, path)
    return path


def _encode(command: Sequence[str], pictures: Iterable[Picture], path: Path) -> None:
    """Hand pictures to an encoder and wait for it; what it complains of becomes one line."""
    with tempfile.TemporaryFile() as complaints:
        encoder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=complaints)
        assert encoder.stdin is not None
        try:
            with contextlib.suppress(BrokenPipeError):  # it has ended, and says why
                for picture in pictures:
                    encoder.stdin.write(picture.tobytes())
                encoder.stdin.close()
            code = encoder.wait()
        finally:
            encoder.kill()
            encoder.wait()
        if code != 0:
            complaints.seek(0)
            lines = complaints.read().decode(errors="replace").strip().splitlines() or [f"exit code {code}"]
            raise ContractsError(
                f"cannot write {path}: the video encoder failed ({lines[-1]}); free some space, choose another file, "
                "or write a GIF"
            )


def _even(picture: Picture) -> Picture:
    """Add a row or a column where their number is odd, which the codec does not take."""
    height, width, _ = picture.shape
    return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def write_frames(frames: Iterable[Picture], path: Path, fps: float = 10.0) -> Path:
    """Write frames of one size as an animated GIF that repeats; the last frame stays for two seconds.

    Raises:
        ContractsError: there are no frames or several sizes, fps is not positive, or the file cannot be written.
    """
    from PIL import Image

    _check_fps(fps)
    pictures = [Image.fromarray(frame) for frame in frames]
    if len({picture.size for picture in pictures}) != 1:
        raise ContractsError(f"an animation needs one or more frames of one size, got {len(pictures)} of several")
    shared = _shared_palette(pictures)
    indexed = [picture.quantize(palette=shared, dither=Image.Dither.NONE) for picture in pictures]
    wait = max(20, round(1000 / fps))  # many viewers slow down anything faster
    durations = [wait] * (len(indexed) - 1) + [max(2000, wait)]
    buffer = io.BytesIO()
    indexed[0].save(buffer, "GIF", save_all=True, append_images=indexed[1:], duration=durations, loop=0, optimize=True)
    write_bytes(path, buffer.getvalue())
    return path


def _shared_palette(pictures: Sequence[Image.Image]) -> Image.Image:
    """One palette for all frames, taken from a few of them side by side."""
    from PIL import Image

    few = [pictures[i] for i in sorted({round(k) for k in np.linspace(0, len(pictures) - 1, 8)})]
    width, height = few[0].size
    montage = Image.new("RGB", (width * len(few), height))
    for i, picture in enumerate(few):
        montage.paste(picture, (i * width, 0))
    return montage.quantize(COLOURS, dither=Image.Dither.NONE)


def show(texts: Sequence[str], stream: TextIO, fps: float = 10.0, sleep: Callable[[float], None] = time.sleep) -> None:
    """Show texts one after the other in place on a terminal; elsewhere print a few of them.

    On a terminal the cursor moves up before each text but the first, and is hidden meanwhile. All
    texts should have the same number of lines.
    """
    _check_fps(fps)
    if not stream.isatty():
        stream.write("\n\n".join(_few(texts)) + "\n")
        return
    stream.write("\x1b[?25l")
    try:
        for i, text in enumerate(texts):
            lines = text.split("\n")
            up = f"\x1b[{len(lines)}A" if i else ""
            stream.write(up + "".join(f"{line}\x1b[K\n" for line in lines))
            stream.flush()
            sleep(1.0 / fps)
    finally:
        stream.write("\x1b[?25h")
        stream.flush()


def _few(texts: Sequence[str]) -> Iterator[str]:
    yield from (texts[i] for i in sorted({round(k) for k in np.linspace(0, len(texts) - 1, PLAIN_FRAMES)}))


def _check_fps(fps: float) -> None:
    if not 0.0 < fps < float("inf"):
        raise ContractsError(f"fps must be a positive number of frames per second, got {shown(fps)}")

"""An episode as small plain data, for a player on a page: a board and what changes on it, pictures, or text."""

from __future__ import annotations

import base64
import io
import itertools
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanup_env.colours import COLOURS
from cleanup_env.maps import APPLE, BEAM, ORCHARD
from contract_wrapper.playback import movie as animation
from contract_wrapper.playback.any_game import GameEpisode
from contract_wrapper.playback.board import swatches
from contract_wrapper.playback.recording import Episode

MOST_CHARACTERS = 300_000
"""Largest episode; of a longer one every second moment is left out until it fits."""

MOST_MOMENTS = 400
"""Moments of an episode that are kept."""

PICTURE_WIDTH = 240
"""Pixels to which pictures of other games are made smaller."""

BEAM_FLAG = 16
"""Added to the class of a cell that a beam covers."""


def compact(episode: Episode | GameEpisode) -> dict[str, Any]:
    """Return an episode as plain data that JSON holds.

    Keys: `kind` ("board", "pictures" or "text"), `title` (the contract), `players`, `steps` and `captions` (one for each
    moment that is kept). A board has `rows`, `columns`, `colours` by cell class, `orchard`, `apple` and `beam` (numbers of these
    classes), `legend`, `agents` (names), `paint` (their colours), `first` (class of each cell at the start, with
    `BEAM_FLAG` where a beam is), `changes` (for each later moment cells and their new classes in turns) and `places` (for
    each moment and agent 4 x cell + heading). Pictures are PNG files as data URLs; a text is a text for each moment.
    """
    every = max(1, -(-len(episode) // MOST_MOMENTS))
    while True:
        chosen = sorted({*range(0, len(episode), every), len(episode) - 1})
        found = _board(episode, chosen) if isinstance(episode, Episode) else _game(episode, chosen)
        if len(chosen) <= 2 or len(json.dumps(found)) <= MOST_CHARACTERS:
            return found
        every *= 2


def _common(episode: Episode | GameEpisode, kind: str, chosen: list[int]) -> dict[str, Any]:
    return {
        "kind": kind, "title": "no contract" if episode.contract.is_none else str(episode.contract),
        "players": episode.players, "steps": [episode.moments[k].step for k in chosen],
        "captions": [episode.caption(k) for k in chosen],
    }  # fmt: skip


def _board(episode: Episode, chosen: list[int]) -> dict[str, Any]:
    """The board: cells that change are few, so that they are told instead of whole boards."""
    game = episode.stage
    cells, places = list[NDArray[np.int64]](), list[list[int]]()
    for k in chosen:
        game.set_state(episode.moments[k].state)
        ground, shown = game.ground()[0].astype(np.int64), game.board()[0]
        rows, columns = ground.shape
        cells.append((ground + BEAM_FLAG * (shown == BEAM)).ravel())
        at = np.asarray(game.position[0], np.int64).reshape(-1, 2)
        heading = np.asarray(game.heading[0], np.int64)
        places.append((4 * (at[:, 0] * columns + at[:, 1]) + heading).tolist())
    changes = []
    for before, after in itertools.pairwise(cells):
        where = np.flatnonzero(before != after)
        changes.append(np.column_stack([where, after[where]]).ravel().tolist())
    board = episode.board(chosen[0])
    legend = swatches([board, episode.board(chosen[-1])])
    return {
        **_common(episode, "board", chosen), "rows": rows, "columns": columns,
        "colours": {int(k): _hex(rgb) for k, rgb in COLOURS.items()}, "orchard": int(ORCHARD), "apple": int(APPLE),
        "beam": int(BEAM), "agents": list(episode.agents), "paint": [_hex([255 * c for c in rgb]) for rgb in board.colours],
        "legend": [[it.name, [_hex([255 * c for c in rgb]) for rgb in it.colours], it.disc] for it in legend],
        "first": cells[0].tolist(), "changes": changes, "places": places,
    }  # fmt: skip


def _game(episode: GameEpisode, chosen: list[int]) -> dict[str, Any]:
    """Pictures where the game draws any, else text."""
    seen = [episode.moments[k].seen for k in chosen]
    texts = [episode.text(k) for k in chosen]
    if not all(isinstance(picture, np.ndarray) for picture in seen):
        return {**_common(episode, "text", chosen), "texts": texts}
    pictures = [_png(picture) for picture in seen if isinstance(picture, np.ndarray)]
    return {**_common(episode, "pictures", chosen), "pictures": pictures, "texts": texts}


def _png(picture: animation.Picture) -> str:
    from PIL import Image

    image = Image.fromarray(picture)
    if image.width > PICTURE_WIDTH:
        image = image.resize((PICTURE_WIDTH, max(1, round(image.height * PICTURE_WIDTH / image.width))))
    file = io.BytesIO()
    image.quantize(64).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _hex(rgb: Any) -> str:
    return "#" + "".join(f"{round(c):02x}" for c in rgb)

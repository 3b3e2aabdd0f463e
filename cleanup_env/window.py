"""A window on the screen for `render_mode="human"`; pygame-ce or pygame is loaded only when one is opened."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanup_env.errors import CleanupError


class Window:
    """One window that shows pictures, at most `fps` per second; closing it raises KeyboardInterrupt."""

    def __init__(self, title: str, fps: float) -> None:
        """Load pygame; the window opens with the first picture."""
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        try:
            import pygame
        except ImportError as error:
            raise CleanupError(
                'render_mode="human" needs pygame-ce or pygame: pip install "cleanup-contracts[window]", '
                'or take render_mode="ansi" or "rgb_array"'
            ) from error
        if not hasattr(pygame, "display"):
            # Both distributions install into the folder `pygame`: uninstalling one takes files of the other.
            raise CleanupError(
                'render_mode="human" finds a pygame without a display, as is left when pygame and pygame-ce were both '
                "installed and one was removed: pip uninstall pygame pygame-ce, then pip install pygame-ce"
            )
        self._pygame, self._title, self._fps = pygame, title, fps
        self._clock: Any = pygame.time.Clock()
        self._screen: Any = None

    def show(self, picture: NDArray[np.uint8]) -> None:
        """Show a picture (rows, columns, 3); waits as long as the frame rate asks."""
        pygame, (rows, columns, _) = self._pygame, picture.shape
        if self._screen is None:
            pygame.display.init()
            pygame.display.set_caption(self._title)
            self._screen = pygame.display.set_mode((columns, rows))
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                self.close()
                raise KeyboardInterrupt("the window was closed")
        self._screen.blit(pygame.surfarray.make_surface(picture.swapaxes(0, 1)), (0, 0))
        pygame.display.flip()
        self._clock.tick(self._fps)

    def close(self) -> None:
        """Close the window if it is open."""
        if self._screen is not None:
            self._pygame.display.quit()
            self._screen = None

"""One training for every contract: crews that see their contract are asked about taxes that nobody trained alone."""

from dataclasses import replace

import numpy as np

from contract_wrapper import play_deviation, play_grid, train_crews
from contract_wrapper.evaluation.crews import CREWS
from mtmfq.config import MTMFQConfig

SHORT = replace(CREWS, episodes=4_000, hidden=(64, 64))  # a minute; a look, no result
TAXES = np.array([[0.02], [0.1], [0.3], [0.6]])


def main(
    config: MTMFQConfig = replace(CREWS, episodes=4_000, hidden=(64, 64)), episodes: int = 20
) -> dict[int, np.ndarray]:
    """Train once for crews of two and four; return what a free rider gains, (taxes,), by crew size."""
    crews = train_crews(costs="effort", sizes=(2, 4), config=config, seed=0)
    print(f"trained in {crews.cpu_seconds:.0f} CPU-seconds for every tax")
    gains = {}
    for n in crews.sizes:
        grid = play_grid(crews, n, TAXES, episodes=episodes)
        cleaner = grid.agents.index("cleaner_0")
        alone = play_deviation(crews, n, TAXES, "cleaner", "never work", episodes=episodes)  # the same episodes
        gains[n] = (alone - grid.utilities[:, :, cleaner]).mean(axis=1)
        for (tax,), welfare, gain in zip(TAXES, grid.welfare.mean(axis=1), gains[n], strict=True):
            print(f"{n} cleaners, tax {tax:.2f}: welfare {welfare:6.1f}, a free rider gains {gain:+.2f}")
    return gains


if __name__ == "__main__":
    main()

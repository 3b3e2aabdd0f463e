"""Clean-up games that each play under a contract of their own, which the agents see.

One training on them serves every contract of a family: the learner is shown a context (`mtmfq.ContextGame`) and
knows of nothing else.
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from cleanup_env import CleanupConfig
from contract_wrapper.contracts.contract import as_int
from contract_wrapper.contracts.costs import CostRule
from contract_wrapper.contracts.families import ContractFamily, TaxContracts
from contract_wrapper.envs.batch_game import SettledGame
from contract_wrapper.envs.family_games import LARGEST_CREW, FamilyGames, check_largest
from contract_wrapper.errors import ContractsError, shown


class ConditionedGame(FamilyGames, SettledGame):
    """B games with one crew, each under a contract of its own; a `mtmfq.RelabelGame` where the family's transfers
    are sums of parts (`parts_of`).

    The contracts are drawn anew at every reset, from its seed and spread over the family, or are fixed. Where nobody
    is there who is paid (no cleaners, for most families), all terms are the least ones, which must move nothing.

    >>> game = ConditionedGame(2, n_games=4)
    >>> observations = game.reset(seed=1)
    >>> sorted((4 * game.terms[:, 0]).astype(int).tolist())  # one tax from each quarter of [0, 1]
    [0, 1, 2, 3]
    >>> game.context().shape  # own share kept, own share of the pot, tax, sqrt(tax), crew size
    (4, 7, 5)
    """

    def __init__(
        self,
        n_cleaners: int,
        *,
        family: ContractFamily | None = None,
        terms: ArrayLike | None = None,
        largest_crew: int = LARGEST_CREW,
        n_games: int = 1,
        config: CleanupConfig | None = None,
        costs: CostRule | str | None = None,
        observation: str = "features",
    ) -> None:
        """Build the games.

        Args:
            n_cleaners: size of the crew, at most `largest_crew`.
            family: what contracts there are, and what agents see of them; default: all taxes, `TaxContracts()`.
            terms: of the contracts of the B games, (B, P), or of one for all, (1, P); None: drawn at every reset.
            largest_crew: unit in which crew sizes are shown; a policy knows crews in the unit of its training.
            n_games, config, observation: as in `ContractedGame`.
            costs: a cost rule, or text for `get_costs`; default: `effort`.

        Raises:
            ContractsError: the crew is too large, terms are none of the family's, there is somebody to pay and
                nobody to be paid, or as `ContractedGame`.
        """
        largest, crew = check_largest(largest_crew), as_int(n_cleaners)
        if crew is None or not 0 <= crew <= largest:
            raise ContractsError(
                f"n_cleaners must be an integer between 0 and largest_crew={largest}, got {shown(n_cleaners)}"
            )
        chosen: ContractFamily = TaxContracts() if family is None else family
        super().__init__(crew, n_games=n_games, config=config, observation=observation, contract=chosen)
        self._play_under(chosen, terms, largest, costs)

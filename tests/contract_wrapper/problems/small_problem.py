"""Clean-up with a tax, a crew of one or two and a bonus as a design problem of a user, small enough to train in seconds."""

from cleanup_env import make_config
from contract_wrapper import (
    Contract,
    ContractedGame,
    DesignProblem,
    EvaluationSettings,
    SearchSettings,
    Term,
    get_mtmfq_profile,
)


def games(numbers, n_games, observation):
    contract = Contract.none() if numbers is None else Contract(tax=numbers["tax"], n_cleaners=numbers["crew"])
    game = make_config("contract", n_harvesters=2, horizon=20)
    return ContractedGame(contract, n_games=n_games, config=game, costs="effort", observation=observation)


def small_problem(**changes):
    terms = (Term(name="tax", low=0.0, high=0.5, step=0.1), Term(name="crew", low=1, high=2, whole=True))
    return DesignProblem(
        **{"name": "small", "terms": terms, "games": games, "recruits": True, "unit": "apples"} | changes
    )


def small_settings(problem):
    learner = get_mtmfq_profile("smoke", episodes=8, n_games=8, hidden=(8,))
    return EvaluationSettings(problem=problem, learner=learner, episodes=4)


SEARCH = SearchSettings(n_initial=3, n_search=2, n_confirm=1)

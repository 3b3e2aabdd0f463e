"""Episodes under contracts of design problems: scripted players, crews that know the family, free agents."""

import numpy as np
import pytest

from cleanup_env import make_config
from contract_wrapper import (
    Contract,
    ContractsError,
    EvaluationSettings,
    cleanup_problem,
    get_mtmfq_profile,
    record_episode,
    train_crews,
)


def test_an_episode_of_a_designed_contract_by_scripted_players_and_by_crews(tmp_path):
    game = make_config("contract", n_harvesters=2, horizon=20)
    problem = cleanup_problem("tax-and-piece-rate", game=game, max_cleaners=2)
    settings, contract = EvaluationSettings(problem=problem), problem.contract(tax=0.5, piece_rate=0.0, n_cleaners=1)
    episode = record_episode(contract, settings, seed=3)
    assert (episode.contract, len(episode)) == (contract, 21)
    assert episode.moments[-1].tax == pytest.approx(0.5 * episode.moments[-1].apples)
    assert "tax 0.5, piece_rate 0, n_cleaners 1" in episode.text(20)
    learner = get_mtmfq_profile("smoke", episodes=4, n_games=4, hidden=(8,))
    crews = train_crews(family=problem.family, sizes=(1,), config=learner, game=game)
    crews.save(tmp_path / "crews.npz")
    played = record_episode(contract, settings, tmp_path / "crews.npz", seed=3)
    assert played.players == "trained"
    assert played.stage.config.agents == ("harvester_0", "harvester_1", "cleaner_0")
    with pytest.raises(ContractsError, match="these crews know PieceRateContracts: give crews of TaxContracts, or a"):
        record_episode(Contract(tax=0.5, n_cleaners=1), EvaluationSettings(game=game), crews)
    tax = cleanup_problem("tax", game=game)
    with pytest.raises(ContractsError, match="these crews know PieceRateContracts with the terms tax, piece_rate, and"):
        record_episode(tax.contract(tax=0.5, n_cleaners=1), EvaluationSettings(problem=tax), crews)
    with pytest.raises(ContractsError, match="crews know contracts, and not the game without any: name the terms"):
        record_episode(problem.none(), settings, crews)


def test_free_agents_pay_in_pictures_too():
    problem = cleanup_problem("free-tax", game=make_config("original", n_free=3, horizon=30))
    episode = record_episode(problem.contract(tax=0.5, piece_rate=1.0), EvaluationSettings(problem=problem), seed=1)
    paid = -sum(np.minimum(m.transfers, 0.0).sum() for m in episode.moments)
    assert episode.moments[-1].tax == pytest.approx(paid)

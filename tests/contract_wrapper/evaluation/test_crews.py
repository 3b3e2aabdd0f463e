"""Crews for every contract: one training over all crew sizes."""

import numpy as np
import pytest

from cleanup_env import make_config
from contract_wrapper.contracts.costs import get_costs
from contract_wrapper.contracts.families import CellPriceContracts, CellTaxContracts, TaxContracts
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.crews import CREWS, Crews, train_crews
from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile
from mtmfq import LearnerError, Policy
from mtmfq.checkpoint import plain

CONFIG = get_mtmfq_profile("smoke", episodes=24, n_games=4, hidden=(8,), n_step=5, updates_per_step=0.5)
GAME = make_config("contract", horizon=20)


def run(**changes) -> Crews:
    return train_crews(**{"sizes": (1, 3), "config": CONFIG, "game": GAME, "seed": 2, **changes})


def weights(crews: Crews) -> np.ndarray:
    return crews.policy.networks.flat.numpy()


def test_same_arguments_same_agents():
    assert np.array_equal(weights(run()), weights(run()))
    assert not np.array_equal(weights(run()), weights(run(seed=3)))


def test_agents_know_the_contracts_and_crews_of_their_training():
    crews = run()
    assert (crews.sizes, crews.largest_crew, crews.costs, crews.family) == (
        (1, 3),
        3,
        get_costs("effort"),
        TaxContracts(),
    )
    assert crews.finished
    game = crews.games(3, [[0.5]], n_games=2)
    assert (game.n_games, game.horizon, game.settlement.roles.cleaner.sum()) == (2, 20, 3)
    assert game.context()[0, 0].tolist() == pytest.approx([0.5, 0.0, 0.5, 0.5**0.5, 1.0])


def test_nothing_is_extrapolated():
    crews = run(family=TaxContracts(low=0.2, high=0.6))
    with pytest.raises(ContractsError, match=r"these agents know crews of 1, 3 cleaners, got 2: train them for it"):
        crews.games(2, [[0.5]], n_games=1)
    with pytest.raises(ContractsError, match=r"tax must lie in \[0.2, 0.6\] here, got 0.7"):
        crews.games(3, [[0.7]], n_games=1)


def test_any_family_can_be_trained_for_and_the_game_without_contract_beside_it():
    crews = run(family=CellPriceContracts(high=0.2), sizes=(0, 2), costs="paper")
    assert crews.policy.signature.n_context == 3
    assert crews.games(2, [[0.1]], n_games=1).costs == get_costs("paper")


def test_a_stopped_training_resumes_bit_for_bit(tmp_path):
    rounds = iter(range(3))
    first = run(checkpoint=tmp_path / "crews.npz", should_stop=lambda: next(rounds, None) is None)
    assert not first.finished
    assert len(first.curve.episode) == 3
    assert np.array_equal(weights(run(checkpoint=tmp_path / "crews.npz")), weights(run()))


def test_a_checkpoint_and_a_policy_say_what_they_are_for(tmp_path):
    rounds = iter(range(3))
    path = tmp_path / "crews.npz"
    stopped = run(checkpoint=path, should_stop=lambda: next(rounds, None) is None)
    for other in (
        {"costs": "paper"}, {"family": TaxContracts(high=0.5)}, {"family": CellTaxContracts()}, {"seed": 3},
        {"largest_crew": 5}, {"game": make_config("contract", horizon=20, cooldown=3)},
    ):  # fmt: skip
        (name,) = other
        word = "bounds" if other.get("family") == TaxContracts(high=0.5) else name
        with pytest.raises(LearnerError, match=rf"made for another training: its {word} is"):
            run(checkpoint=path, **other)
    assert stopped.policy.identity["bounds"] == {"tax": [0.0, 1.0]}
    stopped.policy.save(tmp_path / "policy.npz")
    assert Policy.load(tmp_path / "policy.npz", stopped.policy.identity).identity["sizes"] == [1, 3]


@pytest.mark.parametrize("sizes", [(), (1, 1), (-1, 2), (1.5,), "12"])
def test_sizes_are_crews(sizes):
    with pytest.raises(ContractsError, match="sizes must be distinct numbers of cleaners"):
        run(sizes=sizes)


def test_the_settings_of_the_trials():
    found = (CREWS.episodes, CREWS.hidden, CREWS.updates_per_step, CREWS.replay_capacity, CREWS.relabel)
    assert found == (25_000, (128, 128), 1.125, 300, 0.5)


def test_crews_come_back_from_a_file_as_they_were(tmp_path):
    for family, costs in ((TaxContracts(low=0.1), "paper"), (CellPriceContracts(high=0.2), "cleaner:per_shot=0.05")):
        crews = run(family=family, costs=costs, largest_crew=4)
        crews.save(tmp_path / "crews.npz")
        again = Crews.load(tmp_path / "crews.npz")
        assert np.array_equal(weights(again), weights(crews))
        for name in ("family", "sizes", "largest_crew", "costs", "game", "cpu_seconds", "finished"):
            assert getattr(again, name) == getattr(crews, name)
        for name in ("episode", "returns", "temperature", "loss"):
            assert np.array_equal(getattr(again.curve, name), getattr(crews.curve, name), equal_nan=True)
        assert again.policy.identity == plain(crews.policy.identity)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("family", "Taxes"), ("bounds", {}), ("bounds", {"tax": [0.5, 0.2]}), ("sizes", []), ("sizes", [7]),
        ("sizes", ["1"]), ("largest_crew", True), ("costs", "rent"), ("costs", None), ("game", {"horizon": -1}),
        ("game", {"colour": "red"}), ("family", "CellPriceContracts"),
    ],
)  # fmt: skip
def test_an_edited_file_is_refused(tmp_path, name, value):
    crews = run()
    crews.policy.identity = {**plain(crews.policy.identity), name: value}
    crews.save(tmp_path / "crews.npz")
    with pytest.raises(ContractsError, match=r"crews\.npz (says nothing that crews can be made of|holds crews of)"):
        Crews.load(tmp_path / "crews.npz")


def test_a_damaged_file_and_one_of_another_kind_are_refused(tmp_path):
    crews = run()
    crews.save(tmp_path / "crews.npz")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "crews.npz").read_bytes()[:2_000])
    crews.policy.save(tmp_path / "policy.npz")
    for name, message in (("cut", "no whole checkpoint"), ("policy", "of kind 'crews'"), ("none", "there is no")):
        with pytest.raises(LearnerError, match=message):
            Crews.load(tmp_path / f"{name}.npz")


def test_contracts_of_ones_own_cannot_be_kept_in_a_file(tmp_path):
    class Mine(TaxContracts):
        pass

    with pytest.raises(
        ContractsError, match=r"cannot be kept in a file, which can name tax, .* alone: call register_family"
    ):
        run(family=Mine()).save(tmp_path / "crews.npz")

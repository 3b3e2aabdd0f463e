"""Crews for every contract: one training over all crew sizes."""

import dataclasses

import numpy as np
import pytest

from cleanup_env import make_config
from contract_wrapper.contracts import named_families
from contract_wrapper.contracts.costs import get_costs
from contract_wrapper.contracts.families import CellPriceContracts, CellTaxContracts, TaxContracts
from contract_wrapper.contracts.function_families import FunctionContracts
from contract_wrapper.contracts.linear_families import LinearContracts
from contract_wrapper.contracts.tax_families import FreeTaxContracts, HarvesterTaxContracts, PieceRateContracts
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.contract_grid import play_grid
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


def wage(rewards, activity, roles, price):
    earned = price * activity.cleaned * roles.cleaner
    return earned - earned.sum(axis=-1, keepdims=True) * roles.harvester / roles.harvester.sum()


WAGE = FunctionContracts(function=wage, terms={"price": (0, 1)}, needs=("cleaned",), linear=True)


@pytest.mark.parametrize(
    "family",
    [
        HarvesterTaxContracts(high=0.5),
        PieceRateContracts(tax=(0, 0.5)),
        LinearContracts(harvester_weight=(0, 1), cleaner_weight=(-1, 1)),
    ],
    ids=lambda family: type(family).__name__,
)
def test_every_family_can_be_learned_from_other_contracts_and_kept(tmp_path, family):
    config = dataclasses.replace(CONFIG, relabel=0.5)
    crews = run(family=family, config=config, sizes=(2,))
    crews.save(tmp_path / "crews.npz")
    again = Crews.load(tmp_path / "crews.npz")
    assert again.family == family
    assert np.array_equal(weights(again), weights(crews))
    low, high = np.array(family.bounds).T
    assert play_grid(again, 2, [(low + high) / 2], episodes=2).welfare.shape == (1, 2)


def test_free_agents_can_be_trained_for_every_contract_among_them(tmp_path):
    base = make_config("original", horizon=20, n_free=3, start="clean")
    with pytest.raises(ContractsError, match="the game has 3 free agents"):
        run(game=base, sizes=(0,))
    crews = run(family=FreeTaxContracts(), game=base, sizes=(0,), costs="free:per_shot=0.02")
    assert crews.policy.signature.type_names == ("free",)
    crews.save(tmp_path / "crews.npz")
    again = Crews.load(tmp_path / "crews.npz")
    assert (again.family, again.game, again.costs) == (crews.family, base, crews.costs)
    assert play_grid(again, 0, [[0.5, 0.5]], episodes=2).utilities.shape == (1, 2, 3)


def test_files_from_before_families_had_names_are_read(tmp_path):
    crews = run(family=CellTaxContracts(high=0.5))
    crews.policy.identity = {**plain(crews.policy.identity), "family": "CellTaxContracts"}
    crews.save(tmp_path / "crews.npz")
    assert Crews.load(tmp_path / "crews.npz").family == CellTaxContracts(high=0.5)


def test_a_function_without_a_name_is_trained_for_but_kept_nowhere(tmp_path, monkeypatch):
    monkeypatch.setattr(named_families, "_FAMILIES", dict(named_families._FAMILIES))
    message = r"cannot be kept in a file, which can name tax, .*: call register_family\(name, family\) first"
    crews = run(family=WAGE, sizes=(2,))
    with pytest.raises(ContractsError, match=message):
        crews.save(tmp_path / "crews.npz")
    with pytest.raises(ContractsError, match=message):
        run(family=WAGE, sizes=(2,), checkpoint=tmp_path / "checkpoint.npz")
    named_families.register_family("wage", WAGE)
    named = run(family=WAGE, sizes=(2,), checkpoint=tmp_path / "checkpoint.npz")
    named.save(tmp_path / "crews.npz")
    assert Crews.load(tmp_path / "crews.npz").family == WAGE
    del named_families._FAMILIES["wage"]
    with pytest.raises(
        ContractsError, match=r"crews.npz says nothing that crews can be made of: there are no contracts of"
    ):
        Crews.load(tmp_path / "crews.npz")

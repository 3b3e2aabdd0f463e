"""From which tax on nobody free-rides."""

import dataclasses
import math

import numpy as np
import pytest
from made_up_landscapes import DEVIATIONS, made_up_landscape

from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes.landscape import Landscape
from contract_wrapper.landscapes.thresholds import predicted_threshold, threshold


def with_free_rider(gains: list[list[float]], se: float = 0.1) -> Landscape:
    """A landscape with taxes 0.02, 0.51 and 1 in which the free rider of a crew of two gains this."""
    land = made_up_landscape(len(gains), n_taxes=3, tried_at=np.arange(16), **everywhere(len(gains)))
    tried = land.tried.copy()
    tried[:, 4:7, 0, DEVIATIONS.index("never work")] = gains
    return dataclasses.replace(land, tried=tried, tried_se=np.full(tried.shape, se))


def everywhere(n: int) -> dict[str, np.ndarray]:
    return {"tried": np.zeros((n, 16, 2, 6)), "tried_se": np.zeros((n, 16, 2, 6))}


def test_the_threshold_is_the_tax_after_which_no_free_rider_gains_beyond_its_error() -> None:
    found = threshold(with_free_rider([[1.0, -1.0, -2.0], [1.0, 0.16, -2.0], [1.0, 0.17, -2.0]]), 2)
    assert found.per_training.tolist() == [0.51, 0.51, 1.0]  # 0.16 < 1.645 * 0.1 < 0.17
    assert found.interval is not None
    assert found.interval.mean == pytest.approx((0.51 + 0.51 + 1.0) / 3)
    assert not found.at_smallest.any()


def test_a_free_rider_that_gains_again_later_moves_the_threshold_there() -> None:
    assert threshold(with_free_rider([[-1.0, 1.0, -1.0]]), 2).per_training.tolist() == [1.0]


def test_a_crew_in_which_somebody_always_free_rides_has_no_threshold() -> None:
    found = threshold(with_free_rider([[1.0, 1.0, 1.0], [-1.0, -1.0, -1.0]]), 2)
    assert found.per_training.tolist() == [math.inf, 0.02]
    assert found.interval is None
    assert found.at_smallest.tolist() == [False, True]
    assert str(found) == "2 cleaners: nobody free-rides from tax inf, 0.02"


def test_a_crew_that_idles_leaves_nothing_to_gain_and_has_not_settled() -> None:
    land = with_free_rider([[0.0, 0.0, -1.0], [0.0, 0.0, -1.0], [0.0, 0.0, 0.0]])
    shots = np.full(land.shots.shape, 100.0)
    shots[:, 4:7] = [[0.0, 50.0, 60.0], [0.0, 5.9, 60.0], [0.0, 0.0, 0.0]]
    found = threshold(dataclasses.replace(land, shots=shots), 2)
    assert found.per_training.tolist() == [0.51, 1.0, math.inf]


def test_one_training_has_a_threshold_without_interval() -> None:
    found = threshold(made_up_landscape(1), 3)
    assert found.interval is None
    assert np.isfinite(found.per_training).all()


def test_the_threshold_of_the_made_up_landscape_grows_with_the_crew() -> None:
    land = made_up_landscape(4, n_taxes=101)
    means = [threshold(land, n).per_training.mean() for n in (1, 3, 5)]
    assert means[0] < means[1] < means[2]


def test_the_prediction_is_cost_of_shots_over_the_cleaners_share_of_what_it_adds() -> None:
    shape = (1, 16)
    harvest, shots = np.full(shape, 100.0), np.full(shape, 100.0)
    harvest[:, 4:7] = [[100.5, 104.0, 110.0]]  # two cleaners; one has 100 everywhere
    land = made_up_landscape(1, n_taxes=3, harvest=harvest, shots=shots)
    found = predicted_threshold(land, 2)
    assert found.free_rider[0] == pytest.approx([1.0 - 0.01 * 4.0, 1.0 - 0.255 * 4.0, 1.0 - 0.5 * 4.0])
    assert found.per_training.tolist() == [0.51]  # cost 1 / (4 / 2) = 0.5 <= 0.51
    alone = predicted_threshold(land, 1)
    assert alone.per_training.tolist() == [math.inf]  # adds nothing to the harvest without a contract


def test_flat_costs_cannot_be_saved_by_idling() -> None:
    land = made_up_landscape(1, about={"costs": "paper"}, n_taxes=3)
    assert predicted_threshold(land, 2).per_training.tolist() == [0.02]


@pytest.mark.parametrize(
    ("about", "n", "words"),
    [
        ({"costs": "cleaner:per_cell=0.1"}, 2, "does not count cells"),
        ({}, 2, "does not say its costs"),
        ({"costs": "cleaner:per_shot=0.1;cleaner_1:per_shot=0.2"}, 2, "prices of single cleaners allow no prediction"),
        ({"costs": "effort"}, 7, "no contract with 7"),
        ({"costs": "effort"}, 0, "no contract with 0"),
    ],
)
def test_what_cannot_be_predicted_is_named(about: dict[str, str], n: int, words: str) -> None:
    with pytest.raises(ContractsError, match=words):
        predicted_threshold(made_up_landscape(about=about), n)


def test_a_free_rider_that_was_not_tried_is_named() -> None:
    names = ("rest", *DEVIATIONS[1:])
    for land, n in ((made_up_landscape(deviations=names), 2), (made_up_landscape(), 7)):
        with pytest.raises(ContractsError, match="was not tried with"):
            threshold(land, n)
    tried = made_up_landscape().tried.copy()
    tried[1, :, 0] = np.nan
    with pytest.raises(ContractsError, match="not tried in every training"):
        threshold(made_up_landscape(tried=tried), 2)

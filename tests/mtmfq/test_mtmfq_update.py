import subprocess
import sys

import numpy as np
import pytest
import torch

from mtmfq.interface import Signature
from mtmfq.network import NetworkShape, QNetworks
from mtmfq.update import (
    PADDED,
    boltzmann_probabilities,
    boltzmann_value,
    mean_actions,
    sample_actions,
    td_loss,
    td_targets,
)


def test_mean_actions_of_three_agents_by_hand() -> None:
    # agents 0 and 1 of type 0 (2 actions), agent 2 of type 1 (3 actions)
    visible = np.array([[[False, True, True], [False, False, False], [True, True, False]]])
    means = mean_actions(np.array([[0, 1, 2]]), visible, np.array([0, 0, 1]), (2, 3))
    assert means[0].tolist() == [
        [0.0, 1.0, 0.0, 0.0, 1.0],  # sees agent 1 (action 1) and agent 2 (action 2)
        [0.0, 0.0, 0.0, 0.0, 0.0],  # sees nobody: zeros, not NaN
        [0.5, 0.5, 0.0, 0.0, 0.0],  # sees agents 0 and 1, not itself
    ]


def test_boltzmann_prefers_reward_and_never_a_padded_action() -> None:
    q = torch.tensor([[1.0, 2.0, PADDED]])
    for temperature in (10.0, 1.0, 0.001):
        p = boltzmann_probabilities(q, temperature)[0]
        assert p.sum().item() == pytest.approx(1.0)
        assert p[2].item() == 0.0
        assert p[1] > p[0]
    assert boltzmann_probabilities(q, 1.0)[0, 1].item() == pytest.approx(np.e / (1 + np.e))


def test_boltzmann_value_lies_between_mean_and_maximum() -> None:
    q = torch.tensor([1.0, 2.0, PADDED])
    assert boltzmann_value(q, 1e6).item() == pytest.approx(1.5, abs=1e-3)
    assert boltzmann_value(q, 1e-3).item() == pytest.approx(2.0)
    assert boltzmann_value(q, 1.0).item() == pytest.approx((1 + 2 * np.e) / (1 + np.e))


def test_target_is_return_plus_discounted_value() -> None:
    y = td_targets(torch.tensor([[3.0]]), torch.tensor([[0.5]]), torch.tensor([[[4.0, 4.0]]]), 1.0)
    assert y.item() == pytest.approx(5.0)


def test_loss_by_hand() -> None:
    q, actions = torch.tensor([[[0.0, 5.0]]]), torch.tensor([[1]])
    assert td_loss(q, actions, torch.tensor([[2.0]]), "mse").item() == pytest.approx(9.0)
    assert td_loss(q, actions, torch.tensor([[2.0]]), "huber").item() == pytest.approx(2.5)


def test_sampled_actions_follow_the_probabilities() -> None:
    n = 20_000
    q = np.zeros((1, n, 1, 3), np.float32)
    q[..., :] = np.log(np.array([1.0, 3.0, 1.0], np.float32))
    q[..., 2] = PADDED
    agents, places, sizes = np.array([0]), np.array([0]), np.array([2])
    uniforms = np.random.default_rng(0).random((n, 1))
    counts = np.bincount(sample_actions(q, agents, places, sizes, 1.0, uniforms).ravel(), minlength=3)
    assert counts[2] == 0
    assert counts[1] / n == pytest.approx(0.75, abs=0.01)
    assert (sample_actions(q, agents, places, sizes, 0.0, uniforms) == 1).all()


def test_uniforms_are_read_off_the_cumulative_distribution() -> None:
    q = np.zeros((1, 4, 1, 4), np.float32)
    uniforms = np.array([[0.0], [0.25], [0.7499], [0.9999999999999999]])
    drawn = sample_actions(q, np.array([0]), np.array([0]), np.array([4]), 1.0, uniforms)
    assert drawn.ravel().tolist() == [0, 1, 2, 3]


def shape(**changes: object) -> NetworkShape:
    values: dict[str, object] = {
        "n_actions": (2, 3),
        "n_features": 4,
        "n_cells": 0,
        "n_classes": 0,
        "n_columns": 0,
        "hidden": (8, 6),
        "join_after_first": False,
    }
    return NetworkShape(**{**values, **changes})  # type: ignore[arg-type]


def test_stacked_networks_equal_one_network_per_type() -> None:
    networks = QNetworks.initialised(shape(), 0)
    rows = torch.rand(2, 5, 9)
    q = networks(rows)
    w1, b1, w2, b2, w3, b3 = (p.detach() for p in networks.parameters)
    for m in range(2):
        hidden = torch.relu(torch.relu(rows[m] @ w1[m] + b1[m]) @ w2[m] + b2[m])
        torch.testing.assert_close(q[m], hidden @ w3[m] + b3[m])
    assert (q[0, :, 2] == PADDED).all()


def test_mean_actions_can_join_after_the_first_layer() -> None:
    networks = QNetworks.initialised(shape(join_after_first=True), 0)
    rows = torch.rand(2, 5, 9)
    w1, b1, w2, b2, w3, b3 = (p.detach() for p in networks.parameters)
    first = torch.relu(rows[1, :, :4] @ w1[1] + b1[1])
    hidden = torch.relu(torch.cat([first, rows[1, :, 4:]], 1) @ w2[1] + b2[1])
    torch.testing.assert_close(networks(rows)[1], hidden @ w3[1] + b3[1])


def test_symbolic_first_layer_equals_one_hot_product() -> None:
    networks = QNetworks.initialised(shape(n_features=0, n_cells=6, n_classes=3, join_after_first=True, hidden=(8,)), 0)
    classes = torch.randint(0, 3, (2, 5, 6))
    numbers = (torch.arange(6) * 3 + classes).int()
    rows = torch.rand(2, 5, 5)
    w1, b1, w2, b2, table = (p.detach() for p in networks.parameters)
    with torch.no_grad():
        plain = networks(rows, numbers)
    torch.testing.assert_close(networks(rows, numbers), plain)
    assert w1.numel() == 0
    for m in range(2):
        one_hot = torch.nn.functional.one_hot(classes[m], 3).float().flatten(1)
        first = torch.relu(one_hot @ table[m] + b1[m])
        torch.testing.assert_close(plain[m], torch.cat([first, rows[m]], 1) @ w2[m] + b2[m])


def test_initial_weights_come_from_the_seed_alone() -> None:
    before = torch.random.get_rng_state()
    first, second = QNetworks.initialised(shape(), 5), QNetworks.initialised(shape(), 5)
    assert torch.equal(first.flat, second.flat)
    assert not torch.equal(first.flat, QNetworks.initialised(shape(), 6).flat)
    assert torch.equal(before, torch.random.get_rng_state())


def test_signature_counts_crew_and_splits_observations() -> None:
    signature = Signature(
        type_names=("a", "b"),
        n_actions=(2, 3),
        observation_shape=(2, 2),
        n_classes=4,
        agent_types=(1, 1),
        horizon=3,
    )
    assert signature.population == (0, 2)
    features, cells = signature.split(np.ones((5, 2, 2, 2), np.uint8))
    assert features.shape == (5, 2, 0)
    assert cells.shape == (5, 2, 4)


def test_without_a_place_for_compiled_code_the_learner_compiles_anew() -> None:
    code = (
        "import numba.core.caching as c\n"
        "getattr(c, 'CacheImpl', getattr(c, '_CacheImpl', None))._locator_classes = []\n"
        "import numpy as np\n"
        "from mtmfq.update import mean_actions\n"
        "seen = np.array([[[False, True], [True, False]]])\n"
        "print(mean_actions(np.array([[1, 0]]), seen, np.array([0, 0]), (2,)).tolist())\n"
    )
    environment = {"PYTHONPATH": ":".join(sys.path)}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == "[[[1.0, 0.0], [0.0, 1.0]]]", ran.stderr

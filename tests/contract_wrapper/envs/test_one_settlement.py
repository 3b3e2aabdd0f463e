"""The PettingZoo wrapper and the batch of games settle alike: same numbers, same refusals."""

import numpy as np
import pytest

from cleanup_env import make_config, parallel_env
from cleanup_env.batch import BatchCleanup
from cleanup_env.scripted import ScriptedCrew
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.costs import COSTS, CostRule, RoleCost
from contract_wrapper.contracts.payment_rules import (
    CustomPayment,
    LinearShares,
    PayPerCell,
    RewardSharing,
    TaxAndShare,
    TaxByCells,
)
from contract_wrapper.envs.batch_game import ContractedGame
from contract_wrapper.envs.pettingzoo_wrapper import make_contracted
from contract_wrapper.errors import ContractsError

STEPS, SEED, CLEANERS = 60, 7, 3
CONFIG = make_config("contract", horizon=STEPS)
N = CONFIG.n_harvesters + CLEANERS


def by_shots(rewards, activity, roles):
    """Harvesters pay 0.3 of their income; a cleaner's share grows with its shots."""
    paid = 0.3 * rewards * roles.harvester
    weights = roles.cleaner * (1.0 + activity.shots)
    return paid.sum(axis=-1, keepdims=True) * weights / weights.sum(axis=-1, keepdims=True) - paid


class Minting:
    """A payment rule that gives everybody an apple and says that it conserves money."""

    mints = False
    needs = ()

    def transfers(self, rewards, activity, roles):
        return np.ones_like(rewards)


RULES = {
    "tax and share": (0.3, TaxAndShare(tax=0.3)),
    "default": (0.07, None),
    "tax by cells": (0.3, TaxByCells(tax=0.3)),
    "pay per cell": (0.0, PayPerCell(price=0.1)),
    "pay per cell, minted": (0.0, PayPerCell(price=0.1, minted=True)),
    "linear shares": (0.0, LinearShares(weights=tuple((np.arange(N) + 1.0) * 2 / (N * (N + 1))))),
    "linear shares, minted": (0.0, LinearShares(weights=(0.3,) * N)),
    "reward sharing": (0.0, RewardSharing(share=0.2)),
    "custom": (0.3, CustomPayment(function=by_shots, needs=("shots",))),
    "function": (0.3, by_shots),
}


def test_utilities_under_sharing_are_scaled_by_what_is_shared():
    game = ContractedGame(Contract(tax=0.0, n_cleaners=1), config=CONFIG, payment=RewardSharing(share=0.5))
    assert game.reward_scale().tolist() == pytest.approx([0.2 / (0.5 / 5), 2.0])  # a cleaner gets 1/5 of each half
    assert ContractedGame(Contract(tax=0.0, n_cleaners=1), config=CONFIG).reward_scale().tolist() == pytest.approx(
        [20, 1]
    )


def both(tax, payment, costs="effort"):
    """The wrapper around one game, and the batch of one game, under the same contract."""
    contract = Contract(tax=tax, n_cleaners=CLEANERS)
    wrapped = make_contracted(
        contract,
        lambda n: parallel_env("contract", observation="features", horizon=STEPS, n_cleaners=n),
        payment=payment,
        costs=costs,
    )
    return wrapped, ContractedGame(contract, config=CONFIG, payment=payment, costs=costs)


@pytest.fixture(scope="module")
def actions():
    """Actions (STEPS, N) of skilled players, so that apples are eaten and cells cleaned."""
    game = BatchCleanup(make_config("contract", horizon=STEPS, n_cleaners=CLEANERS), 1)
    players = ScriptedCrew(game, "greedy", rng=np.random.default_rng(SEED))
    game.reset(SEED)
    chosen, apples, cleaned, shots = [], 0, 0, 0
    for _ in range(STEPS):
        chosen.append(players.act()[0].copy())
        game.step(chosen[-1][None])
        apples, cleaned, shots = apples + game.apples.sum(), cleaned + game.cleaned.sum(), shots + game.shots.sum()
    assert min(apples, cleaned, shots) > 10
    return np.array(chosen)


@pytest.mark.parametrize("costs", [*COSTS, "cleaner:per_cell=0.003,per_shot=0.01;harvester:per_step=0.1"])
@pytest.mark.parametrize("rule", RULES)
def test_wrapper_and_batch_give_the_same_numbers_to_the_last_bit(rule, costs, actions):
    wrapped, game = both(*RULES[rule], costs)
    wrapped.reset(seed=SEED)
    game.reset(SEED)
    agents = wrapped.possible_agents
    for chosen in actions:
        _, utilities, _, _, infos = wrapped.step(dict(zip(agents, chosen.tolist(), strict=True)))
        game.step(chosen[None])
        assert [utilities[a] for a in agents] == game.settled.utilities[0].tolist()
        assert [infos[a]["transfer"] for a in agents] == game.settled.transfers[0].tolist()
        assert [infos[a]["cost"] for a in agents] == game.settled.costs[0].tolist()
        assert [infos[a]["reward_raw"] for a in agents] == game.raw_rewards[0].tolist()


def refusal(call):
    with pytest.raises(ContractsError) as error:
        call()
    return str(error.value)


@pytest.mark.parametrize(
    ("tax", "payment", "costs", "message"),
    [
        (0.3, PayPerCell(price=1), "effort", "tax is 0.3, but the payment rule PayPerCell takes 0.0"),
        (0.3, TaxAndShare(tax=0.2), "effort", "tax is 0.3, but the payment rule TaxAndShare takes 0.2"),
        (0.3, 0.3, "effort", "payment must be a payment rule or a function, got 0.3"),
        (0.3, None, CostRule.of(cleanr=RoleCost(per_shot=1)), "the costs name the role 'cleanr'"),
        (0.3, None, "efort", "choose one of effort"),
    ],
)
def test_both_refuse_the_same_contracts_in_the_same_words(tax, payment, costs, message):
    contract = Contract(tax=tax, n_cleaners=CLEANERS)
    one = refusal(lambda: ContractedGame(contract, config=CONFIG, payment=payment, costs=costs))
    other = refusal(lambda: both(tax, payment, costs))
    assert message in one == other


@pytest.mark.parametrize(
    ("payment", "message"),
    [
        (Minting(), f"the payment rule Minting conserves money, so transfers must sum to 0 in every step, but they sum to {N}"),
        (lambda r, activity, roles: np.nan * r, "pays 'harvester_0' nan apples: a transfer must be a finite number"),
        (lambda r, activity, roles: "much", "must return an array of transfers per agent, got a str"),
    ],
)  # fmt: skip
def test_both_refuse_the_same_transfers_in_the_same_words(payment, message):
    wrapped, game = both(0.3, payment)
    wrapped.reset(seed=SEED)
    game.reset(SEED)
    one = refusal(lambda: wrapped.step(dict.fromkeys(wrapped.possible_agents, 4)))
    other = refusal(lambda: game.step(np.full((1, N), 4)))
    assert message in one == other


def test_welfare_is_the_sum_of_utilities_in_every_step_of_every_game():
    game = ContractedGame(Contract(tax=0.3, n_cleaners=5), n_games=4)
    game.reset(0)
    rng = np.random.default_rng(0)
    for _ in range(50):
        _, utility = game.step(rng.integers(0, game.game.n_actions, (4, 10)))
        np.testing.assert_allclose(utility.sum(1), (game.raw_rewards - game.settled.costs).sum(1), atol=1e-12)

"""What users get wrong in problems of their own: one line that says so, and a search that loses nothing."""

from functools import partial

import numpy as np
import pytest
from commons import SEARCH, Commons, common, settings_of, share
from lucky_learner import LUCKY, LuckyConfig
from pettingzoo import AECEnv

from contract_wrapper import (
    Contract,
    ContractsError,
    DesignProblem,
    EvaluationSettings,
    PettingZooGames,
    Term,
    evaluate,
    optimize,
    read_study,
    register_learner,
)
from contract_wrapper.problems import registry
from contract_wrapper.reports.summary_table import closing_table


@pytest.fixture(autouse=True)
def no_problems(monkeypatch):
    monkeypatch.setattr(registry, "_known", {})


class Turns(AECEnv):
    metadata, possible_agents = {"name": "turns_v0", "is_parallelizable": True}, ["herder_0"]


def faulty(rewards, activity, roles, part):
    return rewards[..., 7] * part


def minting(rewards, activity, roles, part):
    return np.ones_like(rewards)


def keeps_all(rewards, activity, roles, part):
    return part * (rewards.mean(axis=-1, keepdims=True) - rewards)


def never_there(numbers):
    return {}["nowhere"]


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (common(pay=lambda r, *_, part: r * np.nan), "pays 'herder_0' nan apples: a transfer must be a finite number"),
        (common(pay=lambda r, *_, part: np.array([np.inf, -np.inf]) + r), "pays 'herder_0' inf apples"),
        (common(pay=lambda *_, part: np.zeros(3)), r"an array of shape \(2, 2\) like the rewards, got shape \(3,\)"),
        (common(pay=lambda *_, part: None), "must return an array of transfers per agent, got a NoneType"),
        (
            common(pay=faulty),
            r"the payment function faulty\(part=0.5\) raised IndexError: .*\(test_mistakes.py, line \d+\); rewards were of "
            r"shape \(2, 2\)",
        ),
        (common(pay=minting), r"minting\(part=0.5\) conserves money, .* sum to 2.0 apples: .* say so with mints=True"),
        (common(partial(Commons, leaves=1), keeps_all), "it has left the episode and must get 0 .roles.mask"),
        (common(partial(Commons, earns=lambda r: [r, 1.0])), "'herder_0' is a vector of shape .*LinearizeReward"),
        (common(partial(Commons, earns=lambda r: np.nan)), "the game gave 'herder_0' a reward of nan"),
        (common(partial(Commons, earns=lambda r: -np.inf)), "the game gave 'herder_0' a reward of -inf"),
        (common(partial(Commons, earns=str)), "the reward of 'herder_0' must be a real number, got '"),
        (common(Turns), r"is an AEC environment, .* pettingzoo.utils.conversions.aec_to_parallel\(env\)"),
        (
            common(before=never_there),
            r"games of commons raised KeyError: 'nowhere' \(test_mistakes.py, line \d+\) for part 0.5",
        ),
        (
            common(games=lambda *_: PettingZooGames(Commons, n_games=7)),
            "were asked for 2 copies, but made 7: pass n_games",
        ),
        (common(outside="shepherd:3"), "the outside options of commons name the role 'shepherd', which no agent has"),
        (common(games=lambda *_: Commons()), "must return games that learners can play .such as PettingZooGames"),
    ],
)
def test_a_mistake_is_one_line(problem, message):
    with pytest.raises(ContractsError, match=message) as error:
        evaluate(problem.contract(part=0.5), settings_of(problem))
    assert "\n" not in str(error.value)


def test_who_leaves_early_is_no_obstacle_to_a_rule_that_asks_who_is_there():
    problem = common(partial(Commons, leaves=2), share)
    assert evaluate(problem.contract(part=0.5), settings_of(problem)).utilities.keys() == {"herder_0", "herder_1"}


def test_a_bare_payment_function_is_taken_for_the_rule_of_every_contract():
    register_learner(LUCKY)
    how = {"learner": LuckyConfig(), "episodes": 2}
    bare = EvaluationSettings(payment=lambda rewards, activity, roles: 0.0 * rewards, **how)
    told = EvaluationSettings(payment=lambda contract: lambda rewards, activity, roles: 0.0 * rewards, **how)
    contract = Contract(tax=0.1, n_cleaners=1)
    assert evaluate(contract, bare).utilities == evaluate(contract, told).utilities
    assert evaluate(contract, bare).utilities["cleaner_0"].mean <= 0.0


def test_games_that_cannot_be_called_are_refused_at_birth():
    with pytest.raises(ContractsError, match=r"games of mine must be a function \(numbers, n_games, observation\)"):
        DesignProblem(name="mine", terms=(Term(name="part", low=0, high=1),), games=lambda numbers: numbers)
    with pytest.raises(ContractsError, match="low of part must be a finite number, got nan"):
        Term(name="part", low=float("nan"), high=1)


def test_a_games_function_that_forgets_the_game_without_a_contract_is_told(tmp_path):
    problem = common(before=lambda numbers: print(numbers["part"]))
    with pytest.raises(ContractsError, match=r"baseline could not be trained, .*without a contract, numbers is None"):
        optimize(settings_of(problem), SEARCH, folder=tmp_path)


def test_a_search_goes_on_where_some_contracts_cannot_be_judged(tmp_path):
    def before(numbers):
        part = 0.0 if numbers is None else numbers["part"]
        if part == 1.0:
            open("/no/such/folder/of/the/user")  # noqa: SIM115
        return partial(Commons, n=1) if part > 0.3 else None

    settings = settings_of(common(before=before))
    record = optimize(settings, SEARCH, folder=tmp_path)
    failures = {dict(t.contract.numbers)["part"]: t.failure for t in record.trials[1:]}
    assert {part for part, failure in failures.items() if failure} == {part for part in failures if part > 0.3}
    assert "games of commons raised FileNotFoundError" in failures.pop(1.0)
    others = {failure for failure in failures.values() if failure}
    assert others
    assert all("herder_1 of the game without a contract do not take part" in failure for failure in others)
    assert f"{1 + len(others)} failed" in closing_table(record)
    again = optimize(settings, SEARCH, folder=tmp_path)
    assert [t.failure for t in again.trials] == [t.failure for t in record.trials]
    assert len(read_study(tmp_path).trials) == 6


def test_where_every_contract_fails_the_search_stops_and_tries_them_again_when_that_is_mended(tmp_path):
    broken = True

    def before(numbers):
        if broken and numbers is not None:
            raise RuntimeError("the simulator is not installed")

    settings = settings_of(common(before=before))
    with pytest.raises(
        ContractsError, match=r"all 3 contracts that were tried failed, part 0 by .*simulator is not inst"
    ):
        optimize(settings, SEARCH, folder=tmp_path)
    broken = False
    record = optimize(settings, SEARCH, folder=tmp_path)
    assert len(record.trials) == 6
    assert not any(t.failure for t in record.trials)

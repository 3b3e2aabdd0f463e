"""Certificates of contracts of design problems: other families of Clean-up, free agents, and games that are not Clean-up."""

import dataclasses
import runpy
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from pettingzoo import ParallelEnv

from cleanup_env import make_config
from contract_wrapper import (
    Contract,
    ContractsError,
    DesignProblem,
    Estimate,
    EvaluationSettings,
    Outcome,
    PettingZooGames,
    Term,
    cleanup_problem,
    evaluate,
    get_mtmfq_profile,
    train_crews,
)
from contract_wrapper.evaluation.deviations import SCRIPTED, deviate, scripted_of
from contract_wrapper.evaluation.deviators import roles_of
from contract_wrapper.evaluation.judging.margins import agent_margins, margins_of
from contract_wrapper.landscapes.certify import measure_certificate
from contract_wrapper.landscapes.certifying.subject import subject_of_crews, subject_of_training
from contract_wrapper.learners.registry import load_policy
from mtmfq import MTMFQConfig

ROOT = Path(__file__).parents[3]
TINY = make_config("contract", n_harvesters=2, horizon=20)
CONFIG = get_mtmfq_profile("smoke", episodes=16, n_games=4, hidden=(8,), n_step=5)
LONE = MTMFQConfig(
    episodes=8, n_games=4, hidden=(8,), n_step=2, batch_size=16, updates_per_step=0.5, neighbours="none",
    test_temperature=0.5,
)  # fmt: skip


def without(value: float = 1.0, **more: Any) -> Outcome:
    """A baseline in which each agent of `more`, or each of two harvesters, has a utility."""
    utilities = {f"harvester_{n}": Estimate(mean=value, se=0.1) for n in range(2)}
    nothing = dict.fromkeys(("welfare", "harvest", "cleaned", "shots"), Estimate(mean=0.0))
    return Outcome(**{"contract": Contract.none(), "utilities": utilities, **nothing, **more})


def small(subject: Any, folder: Path, baseline: Outcome, **changes: Any) -> Any:
    given = {"folder": folder, "choosing": 4, "measuring": 6, **changes}
    return measure_certificate([dataclasses.replace(subject, deviators=CONFIG)], baseline, **given)


# ---- a game that is not Clean-up


class Commons(ParallelEnv):
    """Two herders; who grazes (action 1) gains 2 and costs both 1. Action 2 does nothing."""

    possible_agents, horizon = ["herder_0", "herder_1"], 5
    observation_space = lambda self, agent: spaces.Box(0.0, 1.0, (1,), np.float32)  # noqa: E731
    action_space = lambda self, agent: spaces.Discrete(3)  # noqa: E731

    def reset(self, seed=None, options=None):
        self.agents, self.time = list(self.possible_agents), 0
        return {agent: [1.0] for agent in self.agents}, {agent: {} for agent in self.agents}

    def step(self, actions):
        self.time += 1
        grazing = sum(int(action == 1) for action in actions.values())
        rewards = {agent: 2.0 * (action == 1) - grazing for agent, action in actions.items()}
        over = dict.fromkeys(actions, self.time == self.horizon)
        self.agents = [agent for agent in actions if not over[agent]]
        return {a: [1.0] for a in actions}, rewards, dict.fromkeys(actions, False), over, {a: {} for a in actions}


def share(rewards, activity, roles, part):
    return part * (rewards.mean(axis=-1, keepdims=True) - rewards)


def grazing(numbers, n_games, observation):
    part = 0.0 if numbers is None else numbers["part"]
    return PettingZooGames(Commons, n_games=n_games, payment=partial(share, part=part))


def commons(**changes: Any) -> DesignProblem:
    terms = (Term(name="part", low=0, high=1, step=0.1),)
    return DesignProblem(**{"name": "commons", "terms": terms, "games": grazing, "unit": "sheep", **changes})


@pytest.fixture(scope="module")
def herders(tmp_path_factory: Any) -> Any:
    """Herders that learned nothing, as a subject; and the outcome without a contract."""
    folder, problem = tmp_path_factory.mktemp("herders"), commons()
    still = dataclasses.replace(LONE, updates_per_step=0.0)
    settings = EvaluationSettings(problem=problem, learner=still, episodes=4)
    contract = problem.contract(part=0.5)
    baseline, outcome = (evaluate(c, settings, folder=folder) for c in (problem.none(), contract))
    policy = load_policy(folder / outcome.policy, settings.identity(contract, 0))
    return subject_of_training(contract, settings, policy), baseline, settings, policy


def test_each_constant_action_is_a_deviation_and_brings_what_it_brings(herders: Any) -> None:
    """Grazing brings its herder 1 and costs the other 1; at part 0.5 half of the 1 goes into the pot, whose sum is 0."""
    subject, _, _, _ = herders
    game = subject.games(6)
    assert roles_of(game) == ("herder",)
    assert scripted_of(game, "herder") == ("random", "always 0", "always 1", "always 2")
    idle, grazes, other, again = (
        deviate(subject.games(6), subject.policy, "herder", f"always {k}", 3) for k in (0, 1, 2, 0)
    )
    np.testing.assert_allclose(grazes - idle, 5 * (1.0 - 0.5 * 1.0))
    assert np.array_equal(idle, other)
    assert np.array_equal(idle, again)


def test_masks_of_a_game_are_respected(herders: Any) -> None:
    subject, _, _, _ = herders
    taken: dict[str, list[Any]] = {"random": [], "always 0": [], "always 2": []}
    for name, actions in taken.items():
        game = subject.games(50)
        game.action_mask = lambda: np.broadcast_to([False, True, True], (50, 2, 3))
        deviate(game, subject.policy, "herder", name, 3, on_step=lambda _, a, __, to=actions: to.append(a.copy()))
    drawn = np.concatenate([a[:, 0] for a in taken["random"]])
    assert set(drawn) == {1, 2}
    assert abs((drawn == 1).mean() - 0.5) < 0.15
    assert {int(a) for step in taken["always 2"] for a in step[:, 0]} == {2}
    assert {int(a) for step in taken["always 0"] for a in step[:, 0]} == {0, 1, 2}  # as its policy


def test_outside_options_of_a_problem_count_for_margins(herders: Any, tmp_path: Path) -> None:
    subject, baseline, _, _ = herders
    one = small(subject, tmp_path, baseline)
    better = dataclasses.replace(subject, problem=commons(outside="herder_1:100"))
    other = small(better, tmp_path, baseline)
    assert [m.name for m in one.margins] == ["herder_0", "herder_1"]
    assert other.margins[0] == one.margins[0]
    assert other.margins[1].mean == pytest.approx(one.margins[1].mean + baseline.utilities["herder_1"].mean - 100.0)
    assert other.gains == one.gains
    assert (one.counted_in, one.missing) == ("sheep", ())
    assert "sheep per episode" in str(one)


def test_what_cannot_be_certified_is_named(herders: Any, tmp_path: Path) -> None:
    subject, baseline, settings, policy = herders
    with pytest.raises(ContractsError, match="there is no role 'cleaner': those that may deviate are herder"):
        small(subject, tmp_path, baseline, roles=["cleaner"])
    with pytest.raises(ContractsError, match="is no contract of the problem commons"):
        subject_of_training(Contract(tax=0.1, n_cleaners=1), settings, policy)
    with pytest.raises(ContractsError, match="a herder has no deviation 'never work': choose one of random, always 0"):
        deviate(subject.games(2), policy, "herder", "never work", 0)
    with pytest.raises(ContractsError, match="certify one that has part"):
        small(dataclasses.replace(subject, contract=commons().none()), tmp_path, baseline)
    more = {**baseline.utilities, "herder_2": Estimate(mean=1.0)}
    with pytest.raises(
        ContractsError, match=r"herder_2 of the game without a contract do not take part under part 0.5"
    ):
        small(subject, tmp_path, dataclasses.replace(baseline, utilities=more))
    fewer = {"herder_0": baseline.utilities["herder_0"]}
    with pytest.raises(ContractsError, match="say so by recruits=True in the problem commons"):
        small(subject, tmp_path, dataclasses.replace(baseline, utilities=fewer))
    assert list(tmp_path.iterdir()) == []


def test_the_fishery_is_certified_from_end_to_end_and_nothing_is_trained_twice(tmp_path: Path) -> None:
    example = runpy.run_path(str(ROOT / "examples" / "11_fishery.py"))
    problem, learner = example["PROBLEM"], dataclasses.replace(example["LEARNER"], episodes=16)
    settings, said = EvaluationSettings(problem=problem, learner=learner, episodes=4), list[str]()
    contract = problem.contract(part=0.9)
    baseline, outcome = (evaluate(c, settings, folder=tmp_path) for c in (problem.none(), contract))
    subject = subject_of_training(contract, settings, load_policy(tmp_path / outcome.policy))

    def certificate() -> Any:
        return measure_certificate([subject], baseline, folder=tmp_path, choosing=4, measuring=8, say=said.append)

    found = certificate()
    assert [m.name for m in found.margins] == [f"fisher_{n}" for n in range(4)]
    (gain,) = found.gains
    assert gain.role == "fisher"
    assert gain.deviation in ("random", "always 0", "always 1", "always 2", "learned anew", "learned on")
    assert found.epsilon == pytest.approx(0.02 * np.mean([u.mean for u in baseline.utilities.values()]))
    assert "seed 0: 6 deviations of a fisher are played" in said
    assert len(list(tmp_path.glob("*.deviator.npz"))) == 2
    said.clear()
    assert certificate() == found
    assert not any("alone" in line for line in said)


# ---- other contracts of Clean-up, by crews that know them


@pytest.fixture(scope="module")
def taxed() -> Any:
    return train_crews(sizes=(1, 2), config=CONFIG, game=TINY, largest_crew=5)


def test_the_tax_as_a_designed_contract_is_certified_as_the_tax_itself(taxed: Any, tmp_path: Path) -> None:
    problem = cleanup_problem("tax", game=TINY, max_cleaners=2)
    own = small(subject_of_crews(taxed, Contract(tax=0.3, n_cleaners=2)), tmp_path / "own", without())
    designed = problem.contract(tax=0.3, n_cleaners=2)
    same = small(subject_of_crews(taxed, designed, problem=problem), tmp_path / "designed", without())
    assert (same.margins, same.gains, same.epsilon) == (own.margins, own.gains, own.epsilon)
    assert (own.epsilon, same.contract) == (0.02, designed)


def test_margins_agent_by_agent_are_those_of_a_search(taxed: Any) -> None:
    """Of the recruited agents a search takes the least; options of cleaners and harvesters count in both."""
    problem = cleanup_problem("tax", game=TINY, max_cleaners=2, outside="cleaner_1:3;harvester_0:2")
    contract = problem.contract(tax=0.3, n_cleaners=2)
    had = {"harvester_0": 5.0, "harvester_1": 4.0, "cleaner_0": 1.0, "cleaner_1": 3.5}
    outcome = without(contract=contract, utilities={name: Estimate(mean=u) for name, u in had.items()})
    roles = {name: name[:-2] for name in had}
    each = agent_margins(outcome.utilities, roles, without(), problem, contract=contract)
    assert {name: m.mean for name, m in each.items()} == {
        "harvester_0": 3.0, "harvester_1": 3.0, "cleaner_0": 1.0, "cleaner_1": 0.5,
    }  # fmt: skip
    searched = margins_of(outcome, without(), problem)
    assert searched == {**{name: each[name] for name in list(had)[:2]}, "participation": each["cleaner_1"]}
    # over several trainings the mean baseline, 1, says whether the option of 2 is better: it binds in each
    high = agent_margins(outcome.utilities, roles, without(2.5), problem, contract=contract, expected=without())
    assert (high["harvester_0"].mean, high["harvester_1"].mean) == (3.0, 1.5)


def test_crews_of_another_family_game_or_unit_are_refused(taxed: Any) -> None:
    def subject(problem: Any, **numbers: Any) -> Any:
        return subject_of_crews(taxed, problem.contract(**numbers), problem=problem)

    other = cleanup_problem("tax-and-piece-rate", game=TINY, max_cleaners=2)
    with pytest.raises(
        ContractsError, match=r"these crews know TaxContracts with the terms tax, and tax 0.3, piece_rate"
    ):
        subject(other, tax=0.3, piece_rate=0.5, n_cleaners=1)
    with pytest.raises(ContractsError, match="these crews play another game than asked for"):
        subject(cleanup_problem("tax"), tax=0.3, n_cleaners=1)
    with pytest.raises(ContractsError, match=r"trained for the costs cleaner:per_shot=0.02, got"):
        subject(cleanup_problem("tax", game=TINY, costs="paper"), tax=0.3, n_cleaners=1)
    with pytest.raises(ContractsError, match=r"crew sizes in units of 5, those of .* in units of 6"):
        subject(cleanup_problem("tax", game=make_config("contract", n_harvesters=2, horizon=20), max_cleaners=6),
                tax=0.3, n_cleaners=1)  # fmt: skip
    with pytest.raises(ContractsError, match="know crews of 1, 2 cleaners, got 3"):
        subject(cleanup_problem("tax", game=TINY), tax=0.3, n_cleaners=3)
    with pytest.raises(ContractsError, match="cannot be conditioned on the contracts of commons"):
        subject(commons(), part=0.5)
    with pytest.raises(ContractsError, match="is no contract of the problem cleanup-tax"):
        subject_of_crews(taxed, other.contract(tax=0.3, piece_rate=0.5, n_cleaners=1),
                         problem=cleanup_problem("tax", game=TINY))  # fmt: skip


def test_free_agents_deviate_as_free_riders_cleaners_and_harvesters(tmp_path: Path) -> None:
    config = make_config("contract", n_harvesters=0, n_free=2, horizon=40)  # where apples grow from the start
    problem = cleanup_problem("free-tax", game=config)
    crews = train_crews(family=problem.family, sizes=(0,), config=CONFIG, game=config, largest_crew=5)
    subject = subject_of_crews(crews, problem.contract(tax=0.4, piece_rate=0.5), problem=problem)
    assert scripted_of(subject.games(1), "free") == SCRIPTED["free"]
    done = {name: np.zeros(2) for name in SCRIPTED["free"]}
    for name, (shots, apples) in ((name, (count[:1], count[1:])) for name, count in done.items()):
        game = subject.games(30)

        def count(*_: Any, game: Any = game, shots: Any = shots, apples: Any = apples) -> None:
            shots += game.game.shots[:, 0].sum()
            apples += game.game.apples[:, 0].sum()

        deviate(game, crews.policy, "free", name, 1, on_step=count)
    assert done["never work"][0] == done["greedy harvest"][0] == 0
    assert done["greedy cleaner"][0] > done["random"][0] > 0
    assert done["greedy harvest"][1] > 2 * done["random"][1]
    baseline = without(utilities={f"free_{n}": Estimate(mean=1.0) for n in range(2)}, contract=problem.none())
    found = small(subject, tmp_path, baseline)
    assert [g.role for g in found.gains] == ["free"]
    assert found.gains[0].deviation in (*SCRIPTED["free"], "learned anew", "learned on")
    assert not found.missing

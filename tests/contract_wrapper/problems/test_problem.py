"""Design problems: what a contract of one is, what is refused, and who must not be worse off."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_problem import games, small_problem, small_settings

from contract_wrapper import (
    Contract,
    ContractsError,
    CrewSettings,
    DesignedContract,
    Estimate,
    EvaluationSettings,
    Outcome,
    Term,
    evaluate,
    get_problem,
    register_problem,
)
from contract_wrapper.contracts.designed_contract import of_cleanup, read_contract
from contract_wrapper.evaluation.judging.margins import margins_of, objective_of
from contract_wrapper.evaluation.participation import PARTICIPATION
from contract_wrapper.problems import registry

PROBLEM = small_problem()
GOOD = PROBLEM.contract(tax=0.3, crew=2)


def outcome(contract=GOOD, income=0.0, **utilities):
    each = {agent: Estimate(mean=mean, se=0.5) for agent, mean in utilities.items()}
    nothing = Estimate(mean=0.0)
    return Outcome(
        contract=contract, welfare=Estimate(mean=sum(utilities.values())), utilities=each, harvest=nothing,
        cleaned=nothing, shots=nothing, income=Estimate(mean=income),
    )  # fmt: skip


@pytest.fixture
def no_problems(monkeypatch):
    monkeypatch.setattr(registry, "_known", {})


@given(
    st.dictionaries(st.text(min_size=1), st.integers() | st.floats(allow_nan=False, allow_infinity=False), max_size=5)
)
def test_a_contract_is_read_back_as_it_was_written(numbers):
    contract = DesignedContract.of("some problem", numbers)
    assert read_contract(contract.as_dict()) == contract
    assert contract.is_none == (not numbers)
    assert read_contract(Contract(tax=0.5, n_cleaners=1).as_dict()) == Contract(tax=0.5, n_cleaners=1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"problem": "p"}, "has the keys 'problem' and 'numbers'"),
        ({"problem": "p", "numbers": [1]}, "the numbers of a contract are a mapping by name"),
        ({"problem": "", "numbers": {}}, "a contract names its design problem"),
        ({"problem": "p", "numbers": {"a": float("nan")}}, "a must be a finite number"),
        ({"problem": "p", "numbers": {"a": "1"}}, "a must be a finite number"),
        ({"problem": "p", "numbers": {"a": True}}, "a must be a finite number"),
        ({"problem": "p", "numbers": dict.fromkeys(map(str, range(1001)), 0)}, "at most 1000 pairs"),
    ],
)
def test_what_is_no_contract_is_refused(data, message):
    with pytest.raises(ContractsError, match=message):
        read_contract(data)


def test_a_contract_has_a_number_in_range_for_each_term():
    assert str(GOOD) == "tax 0.3, crew 2"
    assert PROBLEM.check(GOOD) == GOOD
    assert PROBLEM.none().is_none
    for numbers, message in (
        ({"tax": 0.3}, "a contract of small has tax, crew, got tax"),
        ({"tax": 0.3, "crew": 2, "bonus": 1}, "a contract of small has tax, crew, got tax, crew, bonus"),
        ({"tax": 0.6, "crew": 2}, r"tax must lie in \[0, 0.5\], got 0.6"),
        ({"tax": 0.3, "crew": 1.5}, "crew must be an integer, got 1.5"),
        ({"tax": float("nan"), "crew": 1}, r"tax must lie in \[0, 0.5\], got nan"),
    ):
        with pytest.raises(ContractsError, match=message):
            PROBLEM.contract(**numbers)
    with pytest.raises(ContractsError, match="is no contract of the problem small"):
        PROBLEM.check(Contract(tax=0.3, n_cleaners=2))
    with pytest.raises(ContractsError, match="in another order"):
        PROBLEM.check(DesignedContract(problem="small", numbers=GOOD.numbers[::-1]))
    with pytest.raises(ContractsError, match="of Clean-up's tax and crew alone"):
        of_cleanup(GOOD)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "the name of a design problem must be a short text"),
        ({"terms": ()}, "needs the terms of its contracts"),
        ({"terms": (PROBLEM.terms[0],) * 2}, "need different names, got tax, tax"),
        ({"games": 3}, r"games of small must be a function \(numbers, n_games, observation\)"),
        ({"objective": "profit"}, "objective must be one of welfare, worst, nash, income, got 'profit'"),
        ({"outside": {"harvester": "much"}}, "outside must be OutsideOptions, or text such as"),
        ({"epsilon": -0.1}, "epsilon must be a number of .* of at least 0, or None, got -0.1"),
        ({"epsilon": float("nan")}, "epsilon must be a number"),
        ({"epsilon": "2 %"}, "epsilon must be a number"),
        ({"settings": {"price": object()}}, "settings of small must be plain values"),
        ({"packages": "numpy"}, "packages must be names of packages or modules"),
    ],
)
def test_a_problem_is_checked_at_birth(changes, message):
    with pytest.raises(ContractsError, match=message):
        small_problem(**changes)


@pytest.mark.parametrize(
    ("term", "message"),
    [
        ({"name": "a tax"}, "must be a Python name such as 'tax'"),
        ({"low": float("inf")}, "low of tax must be a finite number"),
        ({"low": 2.0}, "low of tax must be at most high, got 2 and 1"),
        ({"step": 0.0}, "step of tax must be a number above 0"),
        ({"step": 2.0}, "step of tax must be a number above 0 and at most 1"),
        ({"high": 1.5, "whole": True}, "high of tax must be an integer, as it is a count"),
    ],
)
def test_a_term_is_checked_at_birth(term, message):
    with pytest.raises(ContractsError, match=message):
        Term(**{"name": "tax", "low": 0.0, "high": 1.0} | term)


def test_what_is_no_game_is_refused():
    with pytest.raises(ContractsError, match="games of small must return games that learners can play"):
        small_problem(games=lambda *_: 3).build(GOOD, 2)


def test_agents_that_are_there_anyway_are_compared_with_no_contract_and_recruits_with_their_outside_option():
    problem = small_problem(outside="harvester_1:9;cleaner:2")
    before = outcome(PROBLEM.none(), harvester_0=5.0, harvester_1=6.0)
    after = outcome(harvester_0=7.0, harvester_1=8.0, cleaner_0=3.0, cleaner_1=1.5)
    margins = {name: margin.mean for name, margin in margins_of(after, before, problem).items()}
    assert margins == {"harvester_0": 2.0, "harvester_1": -1.0, PARTICIPATION: -0.5}
    assert margins_of(after, before, problem)["harvester_0"].se == pytest.approx(0.5**0.5)
    stay = {name: margin.mean for name, margin in margins_of(before, before, problem).items()}
    assert stay == {"harvester_0": 0.0, "harvester_1": -3.0, PARTICIPATION: 0.0}
    lone = margins_of(outcome(harvester_0=7.0, harvester_1=10.0), before, problem)
    assert lone[PARTICIPATION] == Estimate(mean=0.0)
    with pytest.raises(ContractsError, match="harvester_1 of the game without a contract do not take part"):
        margins_of(outcome(harvester_0=7.0), before, problem)
    with pytest.raises(ContractsError, match="say so by recruits=True"):
        margins_of(after, before, small_problem(recruits=False))


@pytest.mark.parametrize(
    ("objective", "value"),
    [("welfare", 19.5), ("worst", 1.5), ("nash", (2.0 * 2.0 * 3.0 * 1.5) ** 0.25), ("income", -4.0)],
)
def test_the_principal_maximises_what_it_chooses(objective, value):
    before = outcome(PROBLEM.none(), harvester_0=5.0, harvester_1=6.0)
    after = outcome(harvester_0=7.0, harvester_1=8.0, cleaner_0=3.0, cleaner_1=1.5, income=-4.0)
    found = objective_of(after, before, small_problem(objective=objective))
    assert found.mean == pytest.approx(value)
    if objective == "nash":
        worse = outcome(harvester_0=4.0, harvester_1=8.0, cleaner_0=3.0, cleaner_1=1.5)
        assert objective_of(worse, before, small_problem(objective="nash")) == Estimate(mean=0.0)
        relative = sum((0.5 / gain) ** 2 for gain in (2.0, 2.0, 3.0, 1.5)) ** 0.5 / 4
        assert found.se == pytest.approx(found.mean * relative)


def test_settings_name_their_problem_and_are_read_back_if_the_program_knows_it(no_problems):
    settings = small_settings(PROBLEM)
    plain = settings.to_dict()
    with pytest.raises(ContractsError, match="there is no design problem 'small'"):
        EvaluationSettings.from_dict(plain)
    register_problem(PROBLEM)
    assert EvaluationSettings.from_dict(plain).problem is PROBLEM
    assert get_problem("small") is PROBLEM
    with pytest.raises(ContractsError, match="another design problem named small"):
        register_problem(small_problem(unit="pears", outside="cleaner:1"))
    other = {**plain, "problem": {**plain["problem"], "outside": "cleaner:1"}}
    with pytest.raises(ContractsError, match="has other outside than that of the file"):
        EvaluationSettings.from_dict(other)
    looser = {**plain, "problem": {**plain["problem"], "epsilon": 100.0}}
    with pytest.raises(ContractsError, match="has other epsilon than that of the file"):
        EvaluationSettings.from_dict(looser)


def test_a_problem_says_for_itself_what_game_is_played():
    for changes in ({"costs": "paper"}, {"payment": lambda _: None}):
        with pytest.raises(
            ContractsError, match=f"the problem small says for itself .* leave out {next(iter(changes))}"
        ):
            dataclasses.replace(small_settings(PROBLEM), **changes)
    with pytest.raises(ContractsError, match="agents cannot be conditioned on the contracts of small"):
        dataclasses.replace(small_settings(PROBLEM), crews=CrewSettings())
    with pytest.raises(ContractsError, match="problem must be a DesignProblem"):
        EvaluationSettings(problem="small")
    with pytest.raises(ContractsError, match=r"tax 0\.3, crew 2 is a contract of the problem small"):
        evaluate(GOOD)
    with pytest.raises(ContractsError, match="is no contract of the problem small"):
        evaluate(Contract(tax=0.3, n_cleaners=1), small_settings(PROBLEM))


def test_cleanup_as_a_problem_is_cleanup(tmp_path):
    """The same game, contract and seed: the same figures as by the settings that know Clean-up."""
    settings = small_settings(PROBLEM)
    mine = evaluate(GOOD, settings, seed=3, folder=tmp_path)
    game = games(None, 1, "features").config
    known = EvaluationSettings(game=game, costs="effort", learner=settings.learner, episodes=4)
    theirs = evaluate(Contract(tax=0.3, n_cleaners=2), known, seed=3)
    assert mine.welfare == theirs.welfare
    assert mine.utilities == theirs.utilities
    assert dict(mine.training_curve) == dict(theirs.training_curve)
    assert mine.income == Estimate(mean=0.0)
    assert evaluate(GOOD, settings, seed=3, folder=tmp_path) == mine


def test_other_sources_are_another_result():
    def other(numbers, n_games, observation):
        return games(numbers, n_games, observation)

    assert PROBLEM.code_version() == small_problem().code_version()
    assert PROBLEM.code_version() != small_problem(games=other).code_version()
    assert PROBLEM.code_version() != small_problem(packages=("json.decoder",)).code_version()
    with pytest.raises(ContractsError, match="the sources of no_such_package cannot be found"):
        small_problem(packages=("no_such_package",)).code_version()

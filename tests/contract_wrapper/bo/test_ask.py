"""What every ask does around its rule, on rules that a reader can follow: the first design that is not taken."""

import pytest

from contract_wrapper.bo.ask import Rule, ask_with
from contract_wrapper.bo.candidates.sampling import without
from contract_wrapper.bo.cpmes import ask as cpmes_ask
from contract_wrapper.bo.cpmes_config import CPMESConfig
from contract_wrapper.bo.history import History
from contract_wrapper.bo.rivals import RIVALS
from contract_wrapper.bo.space import DesignSpace, contract_space
from contract_wrapper.bo.suggestion import SpaceExhausted, Suggestion

SPACE = contract_space(max_cleaners=3, step=0.5)  # 9 designs
GRID = [SPACE.as_design(row) for row in SPACE.grid()]
EMPTY = History.empty(SPACE)


class InOrder(Rule):
    """The grid from its first design on; it notes what each step was given."""

    steps: list = []  # noqa: RUF012

    def step(self, pending, t, rng):
        self.steps.append((len(pending), t, rng.random()))
        for row in without(self.space, self.space.grid(), self.taken(pending)):
            yield Suggestion.unpredicted(self.space.as_design(row))


class AtOnce(InOrder):
    at_once = True


class Undecided(InOrder):
    @classmethod
    def prepare(cls, space, history):
        return None


@pytest.fixture(autouse=True)
def _no_steps():
    InOrder.steps.clear()


def designs_of(suggestions):
    return [suggestion.design for suggestion in suggestions]


@pytest.mark.parametrize(("rule", "steps"), [(InOrder, 3), (AtOnce, 1)])
def test_a_batch_is_one_step_per_pick_or_the_best_of_one_step(rule, steps):
    picks = ask_with(rule.prepare)(SPACE, EMPTY, GRID[:2], 3, seed=0)
    assert designs_of(picks) == GRID[2:5]
    assert [(pending, t) for pending, t, _ in rule.steps] == [(2, 3), (3, 4), (4, 5)][:steps]


def test_the_draws_of_a_trial_depend_on_seed_and_trial_alone():
    ask = ask_with(InOrder.prepare)
    ask(SPACE, EMPTY, number=3, seed=7)
    ask(SPACE, EMPTY, GRID[:2], seed=7)
    ask(SPACE, EMPTY, GRID[5:], seed=7, trial=2)
    ask(SPACE, EMPTY, seed=8, trial=2)
    third, with_two_pending, with_its_number, other_seed = (draw for *_, draw in InOrder.steps[2:])
    assert third == with_two_pending == with_its_number != other_seed


def test_a_rule_that_is_not_ready_leaves_the_space_to_be_filled():
    picks = ask_with(Undecided.prepare)(SPACE, EMPTY, number=3, seed=0)
    assert designs_of(picks) == [(0.5, 2), (0.0, 1), (0.0, 3)]
    assert InOrder.steps == []


@pytest.mark.parametrize("rule", [InOrder, AtOnce, Undecided])
def test_the_last_batch_is_short_and_then_the_space_is_exhausted(rule):
    ask = ask_with(rule.prepare)
    history = EMPTY.add_failed(GRID[0]).add(GRID[1], 1.0)
    assert set(designs_of(ask(SPACE, history, GRID[2:7], 5, seed=0))) == set(GRID[7:])
    with pytest.raises(SpaceExhausted, match="finer grid"):
        ask(SPACE, history, GRID[2:], seed=0)


ASKS = {
    "cPMES": cpmes_ask,
    "topk": lambda *args, **kw: cpmes_ask(*args, config=CPMESConfig(batch="topk"), **kw),
    **RIVALS,
}


@pytest.mark.parametrize("name", ASKS)
def test_suggestions_are_built_only_for_what_is_picked(name, monkeypatch):
    history = History.empty(contract_space(), ("margin",))
    for design in [(0.0, 1), (0.0, 5), (1.0, 1), (1.0, 5), (0.5, 3)]:
        history = history.add(design, design[0] * design[1], [0.6 - design[0]])
    built, original = [], DesignSpace.as_design
    monkeypatch.setattr(DesignSpace, "as_design", lambda space, row: built.append(row) or original(space, row))
    assert len(ASKS[name](contract_space(), history, number=2, seed=0)) == len(built) == 2

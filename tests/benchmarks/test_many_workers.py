"""The simulation of many workers: the same seed gives the same, every worker has one design, and more find more sooner."""

from contract_wrapper.landscapes.shipped import load_landscape
from contract_wrapper.landscapes.tabular import TabularProblem
from many_workers import Simulation, measure_ask

PROBLEM = TabularProblem(landscape=load_landscape("effort"))


def test_the_same_seed_gives_the_same_search_and_another_another() -> None:
    first, again, other = (list(Simulation(PROBLEM, 3, seed).run(2.0)) for seed in (0, 0, 1))
    assert first == again
    assert [seen.time for seen in first] == [1.0, 1.5, 2.0]
    assert [seen.results for seen in first] == sorted(seen.results for seen in first)
    assert first != other


def test_more_workers_finish_more_and_none_has_two_designs_at_once() -> None:
    few, many = Simulation(PROBLEM, 2, 0), Simulation(PROBLEM, 6, 0)
    (seen_few,), (seen_many,) = list(few.run(1.0)), list(many.run(1.0))
    assert seen_many.results > seen_few.results
    for simulation in (few, many):
        assert len(simulation._at_work) <= simulation.workers
        designs = [design for _, _, design in simulation._at_work]
        assert len(designs) == len(set(designs))


def test_workers_for_whom_no_design_is_left_are_idle() -> None:
    simulation = Simulation(PROBLEM, 600, 0)
    simulation._begin(0.0, 600)
    assert (len(simulation._at_work), simulation.idle) == (505, 95)


def test_an_ask_at_more_results_is_measured() -> None:
    assert measure_ask(PROBLEM, 5, 2, 1) > 0.0

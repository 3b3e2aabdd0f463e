"""Clean-up under any family of contracts as a design problem: from scratch, by crews, through a whole study."""

import dataclasses

import numpy as np
import pytest

from cleanup_env import make_config
from contract_wrapper import (
    Contract,
    ContractedGame,
    ContractsError,
    CrewSettings,
    EvaluationSettings,
    SearchSettings,
    TaxContracts,
    cleanup_problem,
    closing_table,
    evaluate,
    get_mtmfq_profile,
    optimize,
    read_study,
    write_report,
)
from contract_wrapper.commands.documents import study_document
from contract_wrapper.evaluation.crews import CREWS
from contract_wrapper.problems.cleanup import CleanupProblem
from contract_wrapper.problems.registry import problem_from

TINY = {"n_harvesters": 2, "horizon": 20}
LEARNER = get_mtmfq_profile("smoke", episodes=8, n_games=8, hidden=(8,))
KNOWING = dataclasses.replace(CREWS, episodes=32, n_games=8, hidden=(8,), updates_per_step=0.1)


def problem(family, preset="contract", **changes):
    numbers = {"n_harvesters": 2, "horizon": 20} if preset == "contract" else {"n_free": 2, "horizon": 20}
    return cleanup_problem(family, game=make_config(preset, **numbers), max_cleaners=2, **changes)


def numbers_in_the_middle(one: CleanupProblem):
    return {t.name: t.low if t.whole else (t.low + t.high) / 2 for t in one.terms}


@pytest.mark.parametrize(
    ("family", "terms"),
    [
        ("tax", ["tax", "n_cleaners"]),
        ("tax-per-harvester", ["tax_0", "tax_1", "n_cleaners"]),
        ("tax-and-piece-rate", ["tax", "piece_rate", "n_cleaners"]),
        ("price-per-cell", ["price", "n_cleaners"]),
        ("linear", ["harvester_weight", "cleaner_weight", "n_cleaners"]),
    ],
)
def test_a_contract_is_the_familys_terms_and_a_crew(family, terms):
    one = problem(family)
    assert [term.name for term in one.terms] == terms
    assert one.recruits
    contract = one.contract(**numbers_in_the_middle(one))
    assert one.crew_of(contract) == 1
    game = one.build(contract, 3)
    assert game.roles.agents == ("harvester_0", "harvester_1", "cleaner_0")
    assert game.terms.shape == (3, len(terms) - 1)
    assert game.terms[0].tolist() == one.terms_of(contract)
    assert one.build(one.none(), 3).roles.agents == ("harvester_0", "harvester_1")


def test_free_agents_are_contracted_without_a_crew():
    one = problem("free-tax", "original")
    assert [term.name for term in one.terms] == ["tax", "piece_rate"]
    assert not one.recruits
    contract = one.contract(tax=0.5, piece_rate=1.0)
    assert one.build(contract, 2).roles.agents == one.build(one.none(), 2).roles.agents
    with pytest.raises(ContractsError, match="contracts know the roles cleaner and harvester"):
        problem("tax", "original")
    with pytest.raises(ContractsError, match="contracts know the role"):
        problem("free-tax")


def test_the_tax_of_the_problem_pays_as_the_contract_does():
    one = problem("tax")
    mine = one.build(one.contract(tax=0.25, n_cleaners=2), 4)
    theirs = ContractedGame(Contract(tax=0.25, n_cleaners=2), n_games=4, config=make_config("contract", **TINY))
    rng = np.random.default_rng(0)
    mine.reset(1), theirs.reset(1)
    for _ in range(20):
        actions = np.stack([rng.integers(0, 7 + (i > 1), 4) for i in range(4)], axis=1)
        assert (mine.step(actions)[1] == theirs.step(actions)[1]).all()


def test_other_prices_are_another_problem():
    assert problem("tax").to_dict() != problem("tax", costs="paper").to_dict()
    assert problem("tax").to_dict() == problem(TaxContracts()).to_dict()
    loose = problem("tax", epsilon=0.5)
    assert problem_from(loose.to_dict()).epsilon == 0.5
    assert "epsilon" not in problem("tax").to_dict()  # so that studies of before are still found
    with pytest.raises(ContractsError, match="max_cleaners must be an integer of at least 1"):
        cleanup_problem("tax", max_cleaners=0)
    with pytest.raises(ContractsError, match="too few for 5 harvesters and 500 cleaners"):
        cleanup_problem("tax", max_cleaners=500)
    with pytest.raises(ContractsError, match="the game must be a CleanupConfig or the name of a preset, got 3"):
        cleanup_problem("tax", game=3)
    with pytest.raises(ContractsError, match="name the agent 'harvester_9', which the game does not have"):
        cleanup_problem("tax", outside="harvester_9:5")


@pytest.mark.parametrize(("family", "preset"), [("tax-per-harvester", "contract"), ("free-tax", "original")])
def test_a_study_by_crews_that_know_every_contract_of_the_family(tmp_path, monkeypatch, family, preset):
    monkeypatch.setattr(
        "contract_wrapper.studies.record.accepts", lambda _: True
    )  # whatever so short a training brings
    one = problem(family, preset, name=f"small {family}")
    crews = CrewSettings(trainings=1, learner=KNOWING, sizes=(1, 2))
    settings = EvaluationSettings(problem=one, learner=LEARNER, episodes=4, crews=crews)
    record = optimize(settings, SearchSettings(n_initial=3, n_search=2, n_confirm=1), folder=tmp_path / "study")
    assert all(t.outcome is not None for t in record.trials)
    assert all(len(t.outcome.by_crew) == 1 for t in record.finished())
    assert len(list((tmp_path / "study" / "outcomes" / "crews").glob("*.crews.npz"))) == 1
    again = read_study(tmp_path / "study")
    assert [t.outcome.welfare for t in again.trials] == [t.outcome.welfare for t in record.trials]
    _check_certified(record, again, ["free"] if preset == "original" else ["cleaner", "harvester"])


def _check_certified(record, again, roles):
    """What is recommended has a certificate, in the file, the table, the page and the document."""
    certificate = record.certificate
    assert certificate is not None
    assert [g.role for g in certificate.gains] == roles
    assert (certificate.contract, certificate.unit) == (record.best().contract, "episodes")
    assert again.certificates == record.certificates
    table, largest = closing_table(again), max(g.upper for g in certificate.gains)
    assert max(map(len, table.splitlines())) <= 80
    (row,) = (line for line in table.splitlines() if line.startswith("best found"))
    assert row.split()[-2:] == [f"{largest:+.2f}", certificate.verdict.value]
    assert "by deviating alone" in " ".join(table.split())
    assert str(certificate) in write_report(again)[0].read_text()
    told = study_document(again, [], [])["certificate"]
    assert (told["verdict"], told["contract"]) == (certificate.verdict, certificate.contract.as_dict())


def test_crews_need_contracts_that_agents_can_be_conditioned_on(tmp_path):
    one = problem("tax")
    few = CrewSettings(trainings=1, learner=KNOWING, sizes=(1,))
    with pytest.raises(ContractsError, match="the crews are trained for 1 cleaners, not for 2"):
        EvaluationSettings(problem=one, learner=LEARNER, crews=few)
    settings = EvaluationSettings(problem=one, learner=LEARNER, episodes=4)
    scratch = evaluate(one.contract(tax=0.5, n_cleaners=1), settings, folder=tmp_path)
    assert set(scratch.utilities) == {"harvester_0", "harvester_1", "cleaner_0"}

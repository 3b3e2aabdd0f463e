import dataclasses

import pytest
from made_up_crews import certificate_of
from made_up_studies import DESIGNS, make_study
from PIL import Image
from small_crews import SETTINGS as BY_CREWS

from cleanup_env import make_config
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.evaluate import evaluate
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.reports.report import training_name, write_report
from contract_wrapper.studies.record import Phase, StudyRecord, TrialRecord
from contract_wrapper.studies.settings import SearchSettings
from mtmfq.config import get_profile


def names(paths):
    return [path.name for path in paths]


@pytest.fixture(scope="module")
def real_study(tmp_path_factory):
    """A study of two short trainings; the contract is counted as accepted whatever it brings."""
    folder = tmp_path_factory.mktemp("study")
    learner = get_profile("smoke", episodes=128, updates_per_step=0.05)
    settings = EvaluationSettings(game=make_config("contract", horizon=200), learner=learner, episodes=10)
    contract = Contract(tax=0.3, n_cleaners=2)
    base, outcome = (evaluate(c, settings, 0, folder=folder / "outcomes") for c in (Contract.none(), contract))
    poor = {agent: dataclasses.replace(u, mean=-1.0) for agent, u in base.utilities.items()}
    trials = (
        TrialRecord(
            number=0,
            contract=base.contract,
            phase=Phase.BASELINE,
            seed=0,
            outcome=dataclasses.replace(base, utilities=poor),
        ),
        TrialRecord(number=1, contract=contract, phase=Phase.INITIAL, seed=0, outcome=outcome),
    )
    return StudyRecord(folder=folder, settings=settings, search=SearchSettings(), trials=trials)


def test_a_whole_study_gives_a_page_and_every_figure(real_study):
    paths = write_report(real_study)
    assert names(paths) == [
        "report.md", "welfare_over_designs.png", "best_feasible.png", "work_over_tax.png", "margins.png",
        "training_tax0.3_cleaners2.png", "training_none.png", "field.png", "waste.png",
    ]  # fmt: skip
    page = paths[0].read_text()
    for path in paths[1:]:
        with Image.open(path) as picture:
            assert picture.format == "PNG"
            assert 700 <= picture.width <= 1600
            assert 300 <= picture.height <= 1200
        assert f"]({path.name})" in page
    assert "Left out" not in page


def test_a_policy_that_is_gone_leaves_the_field_out_and_says_so(real_study, unrendered):
    (outcome,) = [t.outcome for t in real_study.trials if t.phase is Phase.INITIAL]
    gone = dataclasses.replace(outcome, policy="gone.policy.npz")
    trials = (real_study.trials[0], dataclasses.replace(real_study.trials[1], outcome=gone))
    (real_study.folder / "figures").mkdir(exist_ok=True)
    (real_study.folder / "figures" / "field.png").write_bytes(b"of an older study")
    paths = write_report(dataclasses.replace(real_study, trials=trials))
    assert "field.png" not in names(paths)
    assert not (real_study.folder / "figures" / "field.png").exists()
    assert "`field.png`: no learned policy of tax 0.3, 2 cleaners: the file gone.policy.npz" in paths[0].read_text()


def test_a_study_in_which_nothing_is_accepted_still_has_a_report(tmp_path, unrendered):
    paths = write_report(make_study(tmp_path, DESIGNS[:4]))
    assert "margins.png" in names(paths)
    page = paths[0].read_text()
    assert "Nothing was found under which no margin is below 0" in page
    assert "`field.png`: no contract is feasible: each has a margin below 0" in page


def test_a_study_that_has_only_begun_has_a_page(tmp_path):
    paths = write_report(make_study(tmp_path, (), baseline=None))
    assert names(paths) == ["report.md"]
    assert paths[0].read_text().count("- `") == 6


def test_a_folder_that_cannot_be_written_is_an_error_in_one_line(tmp_path):
    (tmp_path / "figures").write_text("a file where the folder should be")
    with pytest.raises(ContractsError, match="cannot make the folder") as error:
        write_report(make_study(tmp_path))
    assert "\n" not in str(error.value)


def test_a_figure_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "figures" / "welfare_over_designs.png").mkdir(parents=True)
    with pytest.raises(ContractsError, match=r"cannot write .*welfare_over_designs\.png"):
        write_report(make_study(tmp_path))


def test_training_figures_are_named_by_their_contract():
    assert training_name(Contract.none()) == "training_none"
    assert training_name(Contract(tax=0.04, n_cleaners=5)) == "training_tax0.04_cleaners5"


def test_a_study_by_crews_shows_their_training_and_says_how_contracts_were_judged(tmp_path, unrendered):
    outcomes = tmp_path / "outcomes"
    contract = Contract(tax=0.3, n_cleaners=3)
    base, outcome = (evaluate(c, BY_CREWS, 0, folder=outcomes) for c in (Contract.none(), contract))
    poor = {agent: dataclasses.replace(u, mean=-1000.0) for agent, u in base.utilities.items()}
    rich = {agent: dataclasses.replace(u, mean=1.0) for agent, u in outcome.utilities.items()}
    trials = tuple(
        TrialRecord(number=k, contract=o.contract, phase=phase, seed=0, outcome=o)
        for k, (phase, o) in enumerate(
            (
                (Phase.BASELINE, dataclasses.replace(base, utilities=poor)),
                (Phase.INITIAL, dataclasses.replace(outcome, utilities=rich)),
            )
        )
    )
    study = StudyRecord(
        folder=tmp_path,
        settings=BY_CREWS,
        search=SearchSettings(),
        trials=trials,
        certificates=(certificate_of(contract),),
    )
    paths = write_report(study)
    assert names(paths) == [
        "report.md", "welfare_over_designs.png", "best_feasible.png", "work_over_tax.png", "margins.png",
        "training_crews.png", "training_none.png", "field.png", "waste.png",
    ]  # fmt: skip
    page = paths[0].read_text()
    assert "judged by crews that know all of them" in page
    assert "the verdict hangs on" in page
    assert "Left out" not in page
    for file in (outcomes / "crews").glob("*.npz"):
        file.unlink()
    page = write_report(study)[0].read_text()
    assert "`training_crews.png`: " in page
    assert "`field.png`: " in page

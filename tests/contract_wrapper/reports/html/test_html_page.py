import base64
import dataclasses
import io
import json
import re

import numpy as np
import pytest
from hostile import FORMULA, IMAGE, MAKING, QUOTES, SCRIPT, Parts, hostile_landscape, hostile_study
from made_up_crews import certified, make_crew_study
from made_up_designs import made_up_designs
from made_up_landscapes import made_up_landscape
from made_up_studies import DESIGNS, make_study
from PIL import Image

from contract_wrapper.bo.surrogates import believe_objective
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.designed_contract import DesignedContract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.playback.any_game import GameEpisode, Turn
from contract_wrapper.playback.compact import BEAM_FLAG, compact
from contract_wrapper.playback.recording import record_episode
from contract_wrapper.problems.problem import DesignProblem
from contract_wrapper.problems.terms import Term
from contract_wrapper.reports.html import document
from contract_wrapper.reports.html.document import POLICY, HtmlPage, Making, as_json, text
from contract_wrapper.reports.html.landscape_page import landscape_page, write_landscape_page
from contract_wrapper.reports.html.study_page import study_page, write_study_page
from contract_wrapper.studies.record import Phase, StudyRecord, TrialRecord
from contract_wrapper.studies.sensitivity import slices_through
from contract_wrapper.studies.settings import SearchSettings
from contract_wrapper.studies.suggest import history_of

MOST_BYTES = 3_000_000

OWN_SCRIPTS = 2
"""Script elements of a page that hold no data: Bokeh, and this package's own."""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return certified(make_crew_study(tmp_path_factory.mktemp("study")))


@pytest.fixture(scope="module")
def page(study):
    return write_study_page(
        study, Making(command="cleanup-contracts optimize", settings="seed = 0\n", versions={"code": "abc"})
    )


@pytest.fixture(scope="module")
def hostile_pages(tmp_path_factory):
    made = (
        study_page(hostile_study(tmp_path_factory.mktemp("hostile")), MAKING),
        landscape_page(hostile_landscape(), MAKING),
    )
    return [one.whole() for one in made]


def headings(page):
    return [heading for _, heading in page.links]


def test_a_study_has_its_answer_figures_table_and_making_in_one_small_file(study, page):
    assert (page.parent, page.name) == (study.folder / "figures", "report.html")
    assert page.stat().st_size < MOST_BYTES
    parts = Parts(page.read_text())
    found = re.findall(r"<h2>(.*?)</h2>", page.read_text())
    assert found[:6] == [
        "The answer", "All contracts that were tried", "How the search went", "What each agent gains: margins",
        "What each agent gains by leaving alone", "Around the best contract",
    ]  # fmt: skip
    assert "How this was made" in found
    for words in (
        "best contract", "tax 0.19, 5 cleaners", "Cannot be told from the best", "tax 0.33, 5 cleaners (trial 8)",
        "cleanup-contracts optimize", "seed = 0", "abc",
    ):  # fmt: skip
        assert words in parts.text
    assert "it was not kept" in parts.text  # why no episode is shown


def test_a_page_loads_nothing_and_says_so_to_the_browser(page, hostile_pages):
    for content in (page.read_text(), *hostile_pages):
        parts = Parts(content)
        assert [load for load in parts.loads if not load.startswith(("#", "data:text/plain"))] == []
        assert not {"link", "iframe", "object", "embed", "base", "img"} & set(parts.elements)
        assert "@import" not in content.partition("</style>")[0]
        assert f'content="{POLICY}"' in content
    assert "unsafe-eval" not in POLICY
    assert POLICY.startswith("default-src 'none'")


def test_names_with_markup_stay_text(hostile_pages):
    for content in hostile_pages:
        parts = Parts(content)
        assert parts.elements.count("script") == len(parts.data) + OWN_SCRIPTS
        assert parts.handlers == []
        assert SCRIPT not in content
        assert "<img src=x" not in content
        assert "\u2028" not in content
        assert "img" not in parts.elements
        assert "window.hacked" in parts.text  # it is shown
    told = json.dumps(Parts(hostile_pages[0]).data)
    assert "onerror" in told


@pytest.mark.parametrize("name", [SCRIPT, IMAGE, QUOTES, FORMULA, "]]>", "<!--<script>"])
def test_plain_data_come_out_of_the_page_as_they_went_in(name):
    assert json.loads(as_json({name: [name]})) == {name: [name]}
    assert not set("<>&\u2028") & set(as_json(name))


def test_what_is_no_plain_data_is_refused():
    for value in (float("nan"), object(), {1, 2}):
        with pytest.raises(ContractsError, match="plain data alone"):
            as_json(value)


def test_letters_without_a_shape_are_left_out():
    assert text("a\x00b\u202ec\u2028d\ne") == "abcd\ne"


def test_a_study_that_has_only_begun_has_a_page(tmp_path):
    made = study_page(make_study(tmp_path, (), baseline=None), Making())
    assert headings(made)[:2] == ["The answer", "All contracts that were tried"]
    assert any("no contract has been evaluated yet" in line for line in made.left_out)


def test_a_study_in_which_nothing_is_accepted_says_so(tmp_path):
    made = study_page(make_study(tmp_path, DESIGNS[:4]), Making())
    assert "none is feasible" in made.body[0]
    assert "What each agent gains: margins" in headings(made)
    assert any(line.startswith("Around the best contract: no contract is feasible") for line in made.left_out)


def test_a_folder_that_cannot_be_written_is_an_error_in_one_line(tmp_path):
    (tmp_path / "figures").write_text("a file where the folder should be")
    with pytest.raises(ContractsError, match="cannot make the folder"):
        write_study_page(make_study(tmp_path))


def test_a_landscape_of_two_thousand_contracts_stays_small(tmp_path):
    written = write_landscape_page(made_up_landscape(n_taxes=440), tmp_path, MAKING)
    assert written.stat().st_size < MOST_BYTES
    parts = Parts(written.read_text())
    assert "The table has the 1000 contracts that are worth most; 1201 others" in parts.text
    assert "The tax from which nobody free-rides" in parts.text
    assert "certified" in parts.text


@pytest.mark.parametrize(
    ("terms", "sizes", "kind"),
    [
        (("quota",), (), "Line"), (("tax", "rate"), (1, 2), "Quad"), (("a", "b", "c"), (2,), "Scatter"),
        (("tax",), (1, 2), "Quad"),
    ],
)  # fmt: skip
def test_contracts_of_any_number_of_terms_have_figures(terms, sizes, kind):
    made = landscape_page(made_up_designs(terms, sizes), MAKING)
    assert made.left_out == []
    assert f'"name":"{kind}"' in made.body[1]
    assert "DataTable" in made.body[1]
    assert [heading for heading in headings(made) if "gains" in heading] == [
        "What somebody gains by leaving alone", "What each role gains: margins",
    ]  # fmt: skip


def test_a_landscape_without_gains_says_what_is_missing():
    made = made_up_landscape(2, n_taxes=5)
    nothing = {name: np.full_like(getattr(made, name), np.nan) for name in ("gains", "gains_se", "tried", "tried_se")}
    page = landscape_page(dataclasses.replace(made, strongest=np.full_like(made.strongest, -1), **nothing), Making())
    assert "What somebody gains by leaving alone: no gain was measured" in page.left_out
    assert "The command is not known." in page.body[-1]


def test_an_episode_as_plain_data_gives_every_board_again():
    episode = record_episode(Contract(tax=0.3, n_cleaners=3), seed=1, steps=40)
    told = json.loads(as_json(compact(episode)))
    assert (told["kind"], told["title"], told["players"]) == ("board", "tax 0.3, 3 cleaners", "scripted")
    cells = np.array(told["first"])
    for k in range(41):
        if k:
            change = np.array(told["changes"][k - 1], int).reshape(-1, 2)
            cells[change[:, 0]] = change[:, 1]
        board = episode.board(k)
        ground = np.where(cells % BEAM_FLAG == told["apple"], told["orchard"], cells % BEAM_FLAG)
        assert (ground.reshape(told["rows"], told["columns"]) == board.ground).all()
        assert len(board.apples) == (cells % BEAM_FLAG == told["apple"]).sum()
        assert len(board.beams) == (cells >= BEAM_FLAG).sum()
        places = np.array(told["places"][k])
        assert (np.column_stack(np.divmod(places // 4, told["columns"])) == board.agents).all()
        assert told["captions"][k] == episode.caption(k)
    assert len(as_json(told)) < 60_000


def game_episode(seen):
    """Four moments of a game of two agents, who have pictures or text of what was seen."""
    nothing = np.zeros(2)
    turns = [
        Turn(
            step=k, rewards=nothing + k, transfers=np.array([k, -k], float), costs=nothing, home=nothing + k, seen=seen
        )
        for k in range(4)
    ]
    return GameEpisode(
        contract=DesignedContract.of("fishery", {"quota": 3}), players="random", moments=tuple(turns),
        agents=("boat_0", IMAGE), unit="fish",
    )  # fmt: skip


def test_an_episode_of_another_game_is_told_as_text_or_shown_by_its_pictures():
    told = compact(game_episode("the sea"))
    assert (told["kind"], told["title"], told["steps"]) == ("text", "quota 3", [0, 1, 2, 3])
    assert told["texts"][2].startswith("the sea\n")
    assert IMAGE in told["texts"][2]
    drawn = compact(game_episode(np.full((300, 600, 3), 90, np.uint8)))
    assert drawn["kind"] == "pictures"
    with Image.open(
        io.BytesIO(base64.b64decode(drawn["pictures"][0].removeprefix("data:image/png;base64,")))
    ) as picture:
        assert (picture.format, picture.size) == ("PNG", (240, 120))


def test_a_long_episode_leaves_moments_out_until_it_is_small(monkeypatch):
    monkeypatch.setattr("contract_wrapper.playback.compact.MOST_CHARACTERS", 2600)
    told = compact(game_episode("the sea " * 50))
    assert told["steps"] == [0, 2, 3]


def never_played(numbers, n_games, observation):
    raise AssertionError("no game of this problem is played")


def problem_study(folder):
    """A study of a design problem whose outcomes are made up: the objective grows with the tax, the crew is of no use."""
    terms = (Term(name="tax", low=0.0, high=0.5, step=0.1), Term(name="crew", low=1, high=2, whole=True))
    problem = DesignProblem(name="small", terms=terms, games=never_played, recruits=True, unit=SCRIPT)
    contracts = [problem.contract(tax=tax, crew=crew) for tax in (0.1, 0.2, 0.4) for crew in (1, 2)]
    trials = [
        TrialRecord(
            number=0, contract=problem.none(), phase=Phase.BASELINE, seed=0, outcome=outcome_of(problem.none(), 5.0, 0)
        )
    ]
    for k, contract in enumerate(contracts, 1):
        tax, crew = (dict(contract.numbers)[name] for name in ("tax", "crew"))
        outcome = outcome_of(contract, 5.0 + 10.0 * tax, crew)
        trials.append(TrialRecord(number=k, contract=contract, phase=Phase.SEARCH, seed=k, outcome=outcome))
    return StudyRecord(
        folder=folder, settings=EvaluationSettings(problem=problem), search=SearchSettings(), trials=tuple(trials)
    )


def outcome_of(contract, utility, crew):
    """Two harvesters and a crew, who all have the same."""
    agents = ("harvester_0", "harvester_1", *(f"cleaner_{k}" for k in range(crew)))
    total = Estimate(mean=utility * len(agents), se=0.1)
    utilities = {agent: Estimate(mean=utility, se=0.1) for agent in agents}
    return Outcome(contract=contract, welfare=total, utilities=utilities, harvest=total, cleaned=total, shots=total)


def test_a_study_of_a_design_problem_has_the_same_sections(tmp_path):
    made = study_page(problem_study(tmp_path), MAKING)
    assert made.title == "Report of the study: small"
    assert headings(made)[:5] == [
        "The answer", "All contracts that were tried", "How the search went", "What each agent gains: margins",
        "Around the best contract",
    ]  # fmt: skip
    assert "tax 0.4, crew 2" in made.body[0]
    assert SCRIPT not in made.whole()
    assert any("it was not kept" in line for line in made.left_out)


def test_the_belief_around_the_best_contract_is_that_of_the_search(tmp_path):
    record = problem_study(tmp_path)
    best = record.best().contract
    tax, crew = slices_through(record, best)
    assert (tax.term, tax.at, crew.term, crew.at) == ("tax", 0.4, "crew", 2.0)
    assert crew.values.tolist() == [1.0, 2.0]
    assert (tax.values[0], tax.values[-1]) == (0.0, 0.5)
    mean, sd = believe_objective(record.designs.space, history_of(record), [[0.4, 1], [0.4, 2]])
    assert crew.mean == pytest.approx(mean)
    assert crew.sd == pytest.approx(sd)
    assert ((tax.accepted >= 0.0) & (tax.accepted <= 1.0)).all()
    with pytest.raises(ContractsError, match="no terms that could be changed"):
        slices_through(record, record.settings.problem.none())


def test_a_page_says_which_extra_brings_its_package(monkeypatch):
    monkeypatch.setattr("contract_wrapper.errors.find_spec", lambda name: None)
    with pytest.raises(ContractsError, match=r'pip install "cleanup-contracts\[html\]"'):
        document.check_there()


def test_the_same_page_is_written_twice_with_the_same_text():
    page = HtmlPage("a < b")
    page.section("<h>", "<p>x</p>")
    assert page.whole() == page.whole()
    assert "<h1>a &lt; b</h1>" in page.whole()
    assert "<h2>&lt;h&gt;</h2>" in page.whole()

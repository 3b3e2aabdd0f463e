"""What a landscape of many agents costs: the small one has the parts of a whole one, as often as it is multiplied by."""

import dataclasses

import pytest

import landscape_cost
from contract_wrapper.landscapes.building.one_seed import PARTS, parts_of
from landscape_cost import FULL, SHOWN, game_of, small, times


@pytest.mark.parametrize("agents", [10, 50, 120, 500])
def test_the_map_has_a_tile_for_every_ten_agents_and_room_for_all(agents: int) -> None:
    game, one = game_of(agents), game_of(10)
    cells = {letter: sum(row.count(letter) for row in one.map) for letter in "RHPB"}
    assert {letter: sum(row.count(letter) for row in game.map) for letter in "RHPB"} == {
        letter: count * agents // 10 for letter, count in cells.items()
    }
    most = dataclasses.replace(game, n_cleaners=agents // 2)
    assert len(most.agents) == agents


def test_a_small_landscape_times_its_factor_is_a_whole_one() -> None:
    did = small(50, 20)
    assert len(parts_of(did)) == len(parts_of(FULL))
    assert did.crews.episodes * times("crews", did) == FULL.crews.episodes
    assert did.deviators.episodes * times("deviators", did) == FULL.deviators.episodes
    assert did.baseline.episodes * times("baseline", did) == FULL.baseline.episodes
    played = len(did.contracts()) - 1, len(FULL.contracts()) - 1
    assert played[0] * did.episodes * times("playing contracts", did) == played[1] * FULL.episodes
    assert times("measuring gains", did) == times("playing contracts", did)
    tried = len(did.tried_at()) * did.tried_episodes, len(FULL.tried_at()) * FULL.tried_episodes
    assert tried[0] * times("trying deviations", did) == tried[1]


def test_every_part_of_a_seed_is_in_one_column() -> None:
    assert sorted(part for parts in SHOWN.values() for part in parts) == sorted(PARTS)


def test_a_row_adds_up_what_parts_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landscape_cost, "measure", lambda agents, episodes: dict.fromkeys(PARTS, 1.0))
    agents, *columns, hours = landscape_cost.line(20, 50).replace(",", "").split()
    did = small(20, 50)
    assert agents == "20"
    assert [float(c) for c in columns] == [round(sum(times(part, did) for part in parts)) for parts in SHOWN.values()]
    assert float(hours) == pytest.approx(sum(times(part, did) for part in PARTS) / 3600, abs=0.01)


def test_other_numbers_of_agents_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("5", "15", "0", "-10"):
        with pytest.raises(SystemExit):
            landscape_cost.main(["--agents", wrong])
        assert "multiples of 10" in capsys.readouterr().err

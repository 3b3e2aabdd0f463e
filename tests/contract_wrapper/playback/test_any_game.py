"""Episodes of games that are not Clean-up: told as text, drawn by the game itself where it can."""

import dataclasses
import io
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from gymnasium import spaces
from pettingzoo import ParallelEnv
from PIL import Image

from contract_wrapper import ContractsError, DesignProblem, EvaluationSettings, PettingZooGames, Term, evaluate
from contract_wrapper.playback.play import play_command
from contract_wrapper.playback.recording import record_episode
from mtmfq import MTMFQConfig

TAKEN: set[int] = set()
"""Actions that somebody took."""


class Commons(ParallelEnv):
    """Two herders; who grazes (action 1) gains 2 and costs both 1. Action 2 is never of use."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}
    possible_agents, horizon = ["herder_0", "herder_1"], 5
    observation_space = lambda self, agent: spaces.Box(0.0, 1.0, (1,), np.float32)  # noqa: E731
    action_space = lambda self, agent: spaces.Discrete(3)  # noqa: E731
    render_mode: str | None = None

    def reset(self, seed=None, options=None):
        self.agents, self.time = list(self.possible_agents), 0
        return {agent: [1.0] for agent in self.agents}, self.infos()

    def infos(self):
        return {agent: {"action_mask": np.array([1, 1, 0], np.int8)} for agent in self.agents}

    def step(self, actions):
        TAKEN.update(actions.values())
        self.time += 1
        rewards = {agent: 2.0 * grazes - sum(actions.values()) for agent, grazes in actions.items()}
        over = dict.fromkeys(actions, self.time == self.horizon)
        infos = self.infos()
        self.agents = [agent for agent in actions if not over[agent]]
        return {a: [1.0] for a in actions}, rewards, dict.fromkeys(actions, False), over, infos


class Drawn(Commons):
    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"]}

    def render(self):
        assert self.render_mode == "rgb_array"
        return np.full((20, 200, 3), 40 * self.time, np.uint8)


class Written(Commons):
    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi"]}
    render_mode = "ansi"

    def render(self):
        return f"the meadow at {self.time}"


class Broken(Drawn):
    def render(self):
        raise RuntimeError("no screen")


def games(numbers: Any, n_games: int, observation: str, make: Any = Commons) -> PettingZooGames:
    part = 0.0 if numbers is None else numbers["part"]
    return PettingZooGames(make, n_games=n_games, payment=partial(one_way, part=part))


def one_way(rewards: Any, activity: Any, roles: Any, part: float) -> Any:
    """Herder 0 pays herder 1 a fixed amount in every step."""
    return np.broadcast_to(np.array([-part, part]), rewards.shape)


def problem(make: Any = Commons) -> DesignProblem:
    terms = (Term(name="part", low=0, high=1),)
    return DesignProblem(name="commons", terms=terms, games=partial(games, make=make), unit="sheep")


def settings(make: Any = Commons) -> EvaluationSettings:
    learner = MTMFQConfig(
        episodes=8, n_games=4, hidden=(8,), n_step=2, batch_size=16, updates_per_step=0.5, neighbours="none"
    )
    return EvaluationSettings(problem=problem(make), learner=learner, episodes=4)


def test_what_everybody_has_adds_up_and_what_is_of_no_use_is_not_done() -> None:
    TAKEN.clear()
    episode = record_episode(problem().contract(part=0.25), settings(), seed=3)
    assert {0, 1} == TAKEN
    assert len(episode) == 6
    assert episode.agents == ("herder_0", "herder_1")
    last = episode.moments[-1]
    rewards = sum(m.rewards for m in episode.moments)
    assert last.home.tolist() == (rewards + 5 * np.array([-0.25, 0.25])).tolist()
    assert "part 0.25, random players" in episode.text(5)
    assert "moved between agents 1.25" in episode.caption(5)
    again = record_episode(problem().contract(part=0.25), settings(), seed=3)
    assert [m.home.tolist() for m in again.moments] == [m.home.tolist() for m in episode.moments]


def test_trained_players_play_their_own_policy(tmp_path: Path) -> None:
    contract = problem().contract(part=0.5)
    outcome = evaluate(contract, settings(), folder=tmp_path)
    episode = record_episode(contract, settings(), tmp_path / outcome.policy, seed=0, steps=2)
    assert (len(episode), episode.players) == (3, "trained")


def test_a_game_that_draws_becomes_a_gif_with_captions(tmp_path: Path) -> None:
    said = io.StringIO()
    play_command(
        settings=settings(Drawn), contract=problem(Drawn).contract(part=0.5), gif=tmp_path / "game.gif", stream=said
    )
    with Image.open(tmp_path / "game.gif") as gif:
        assert gif.size[0] == 200
        assert gif.size[1] > 20
        assert gif.n_frames > 2
    assert "random players" in said.getvalue()


@pytest.mark.parametrize("make", [Commons, Written, Broken])
def test_a_game_that_draws_nothing_is_told_as_text_and_makes_no_file(tmp_path: Path, make: Any) -> None:
    said = io.StringIO()
    play_command(settings=settings(make), contract=problem(make).contract(part=0.5), stream=said)
    assert "herder_1" in said.getvalue()
    assert ("the meadow at 5" in said.getvalue()) == (make is Written)
    with pytest.raises(ContractsError, match="draws no pictures"):
        play_command(
            settings=settings(make), contract=problem(make).contract(part=0.5), gif=tmp_path / "game.gif", stream=said
        )
    assert not (tmp_path / "game.gif").exists()


def test_numbers_out_of_range_are_refused() -> None:
    for steps in (0, 6, 2.5, True):
        with pytest.raises(ContractsError, match=r"steps must be an integer in 1\.\.5"):
            record_episode(problem().contract(part=0.5), settings(), steps=steps)  # type: ignore[arg-type]
    episode = record_episode(problem().none(), settings(), steps=1)
    with pytest.raises(ContractsError, match="every must be an integer"):
        episode.texts(0)


def test_a_policy_of_another_game_is_refused(tmp_path: Path) -> None:
    outcome = evaluate(problem().none(), settings(), folder=tmp_path)

    class Three(Commons):
        action_space = lambda self, agent: spaces.Discrete(4)  # noqa: E731

        def infos(self):
            return {agent: {} for agent in self.agents}

    other = dataclasses.replace(settings(), problem=problem(Three))
    with pytest.raises(ContractsError, match="does not fit the game"):
        record_episode(problem(Three).none(), other, tmp_path / outcome.policy)

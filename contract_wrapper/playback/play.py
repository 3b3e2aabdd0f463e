"""The command `play`: an episode as a GIF or as text in a terminal, of scripted or trained players."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.errors import ContractsError, require_package, shown
from contract_wrapper.evaluation.by_crews.crew_folder import FOLDER
from contract_wrapper.evaluation.crews import Crews
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.published_results import PAPER
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.files import inside
from contract_wrapper.learners.learner import LearnedPolicy
from contract_wrapper.learners.registry import load_policy
from contract_wrapper.playback import movie as animation
from contract_wrapper.playback.any_game import GameEpisode
from contract_wrapper.playback.recording import SCALE, SCRIPTED, Episode, record_episode

if TYPE_CHECKING:
    from contract_wrapper.studies.record import StudyRecord

GIF, MP4 = ".gif", ".mp4"
"""Endings of the files that can be written."""


def play_command(
    *,
    settings: EvaluationSettings,
    contract: AnyContract | None = None,
    players: str = SCRIPTED,
    policy: Path | None = None,
    study: StudyRecord | None = None,
    gif: Path | None = None,
    mp4: Path | None = None,
    flows: bool = False,
    scale: int = SCALE,
    steps: int | None = None,
    fps: float = 12.0,
    seed: int = 0,
    stream: TextIO | None,
) -> Episode | GameEpisode:
    """Play one episode and show it on a stream, or write it as a GIF and say so there; return it.

    Args:
        settings: game, costs and payment; a study's own replace them.
        contract: tax and cleaners, or a contract of the settings' problem; default: the study's best, for scripted
            players the paper's best.
        players: 'scripted' or 'trained'; a policy or a study means trained.
        policy: file of a trained policy, or of crews that know every contract.
        study: from which contract and trained policy are taken.
        gif, mp4: file to write.
        flows: whether files show who paid whom.
        scale: pixels per cell of files, 4 to 64.
        steps, fps, seed: length, speed and seed of the episode.
        stream: a terminal, or anything that text can be written to; None: nothing is shown or said.

    Raises:
        ContractsError: as in `record_episode` and `write_gif`, or the study has not
            evaluated the contract.
    """
    for path, ending in ((gif, GIF), (mp4, MP4)):
        if path is not None:
            _check_ending(path, ending)  # before an episode is played
    if policy is not None and study is not None:
        raise ContractsError("a policy file and a study were given: leave one of --policy and --study out")
    who: str | Path | LearnedPolicy | Crews
    if study is not None:
        settings, contract, who = _from_study(study, contract)
    elif policy is not None:
        if contract is None:
            raise ContractsError(
                "a policy file does not tell its contract: give --tax and --cleaners, or --contract and --terms, as in its "
                "training (crews play any)"
            )
        who = policy
    elif players == SCRIPTED:
        who = SCRIPTED
    elif players == "trained":
        raise ContractsError("trained players need their policy: give --policy FILE, or --study FOLDER")
    else:
        raise ContractsError(f"unknown players {shown(players)}: choose 'scripted' or 'trained'")
    if contract is None and settings.problem is not None:
        terms = ", ".join(f"{term.name} ({term.low:g} to {term.high:g})" for term in settings.problem.terms)
        raise ContractsError(f"an episode is played under one contract: name its terms by --terms, {terms}")
    episode = record_episode(contract or PAPER.contract, settings, who, seed, steps)
    if gif is None and mp4 is None and stream is not None:
        play_in_terminal(episode, stream, fps)
    for path, write in ((gif, write_gif), (mp4, write_mp4)):
        if path is not None:
            write(episode, path, fps, scale, flows=flows)
            if stream is not None:
                stream.write(
                    f"{path}: {episode.contract}, {episode.players} players; {episode.caption(len(episode) - 1)}\n"
                )
    return episode


def _from_study(
    record: StudyRecord, contract: AnyContract | None
) -> tuple[EvaluationSettings, AnyContract, LearnedPolicy | Crews]:
    """Settings of a study, its best contract or the one asked for, and the players trained for it."""
    if contract is None:
        best = record.best() if record.baseline is not None else None
        if best is None:
            raise ContractsError(
                f"the study in {record.folder} has no contract yet that is feasible (no margin below 0): name one of its contracts with "
                "--tax and --cleaners, or --terms"
            )
        found = best.outcome
    else:
        found = next((t.outcome for t in record.trials if t.contract == contract and t.outcome is not None), None)
    if found is None:
        raise ContractsError(
            f"the study in {record.folder} has no finished evaluation of {contract}: choose a contract listed in its trials.csv"
        )
    return record.settings, found.contract, kept_policy(record, found)


def kept_policy(record: StudyRecord, outcome: Outcome) -> LearnedPolicy | Crews:
    """Return the learned policy of an outcome, or the first crews that judged it, from the folder of its study.

    Raises:
        ContractsError: it was not kept, is gone, or is another contract's.
        LearnerError: its file is damaged.
    """
    from contract_wrapper.studies.running.run_file import OUTCOMES  # which loads the search's packages

    again = f"no learned policy of {outcome.contract}: {{}}; evaluate the contract again"
    if not outcome.policy:
        raise ContractsError(again.format("it was not kept"))
    folder = record.folder / OUTCOMES
    path = inside(folder / FOLDER if outcome.by_crew else folder, outcome.policy)
    if not path.is_file():
        raise ContractsError(again.format(f"the file {path.name} is not in {path.parent}"))
    if outcome.by_crew:
        return Crews.load(path)
    policy = load_policy(path)
    wanted = {"contract": outcome.contract.as_dict(), "seed": outcome.seed}
    if any(policy.identity.get(name, value) != value for name, value in wanted.items()):
        raise ContractsError(again.format(f"the file {path.name} is that of another training"))
    return policy


def write_gif(
    episode: Episode | GameEpisode,
    path: Path,
    fps: float = 10.0,
    scale: int = SCALE,
    every: int = 2,
    flows: bool = False,
) -> Path:
    """Write an episode as an animated GIF with captions; `every` keeps one step in so many.

    200 steps at scale 12 with every second step take about half a megabyte. flows: show who paid whom.

    Raises:
        ContractsError: the file cannot be written, its name promises another format, or a number is out of range.
    """
    _check_ending(path, GIF)
    require_package("PIL", "plots", "a GIF file")
    _check_scale(scale)
    return animation.write_frames(episode.frames(scale, every, flows), path, fps)


def write_mp4(
    episode: Episode | GameEpisode,
    path: Path,
    fps: float = 10.0,
    scale: int = SCALE,
    every: int = 1,
    flows: bool = False,
) -> Path:
    """Write an episode as an MP4 video, as `write_gif` does; it needs the extra `render`."""
    _check_ending(path, MP4)
    _check_scale(scale)
    return animation.write_video(episode.frames(scale, every, flows), path, fps)


def _check_ending(path: Path, ending: str) -> None:
    """Refuse a name that promises another format than is written; one without an ending promises none."""
    if path.suffix.lower() not in ("", ending):
        others = {GIF: "an animated GIF", MP4: "an MP4 video"}
        raise ContractsError(
            f"{others[ending]} is written, got the name {path.name}: end it in {ending}"
            + (
                f", or give --{path.suffix[1:].lower()} for {others[path.suffix.lower()]}"
                if path.suffix.lower() in others
                else ""
            )
        )


def _check_scale(scale: int) -> None:
    if isinstance(scale, bool) or not isinstance(scale, int) or not 4 <= scale <= 64:
        raise ContractsError(f"scale must be an integer in 4..64 pixels per cell, got {shown(scale)}")


def play_in_terminal(
    episode: Episode | GameEpisode,
    stream: TextIO,
    fps: float = 10.0,
    every: int = 1,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Show an episode as text in place on a terminal; on any other stream print a few moments."""
    animation.show(episode.texts(every), stream, fps, sleep)

import dataclasses
import io
import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from made_up_studies import DESIGNS, fake_outcome, make_study
from PIL import Image
from process_table import environment
from small_crews import SETTINGS as BY_CREWS

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.evaluation.by_crews.crew_folder import crews_file, read_crews
from contract_wrapper.evaluation.crews import Crews
from contract_wrapper.evaluation.evaluate import evaluate
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.playback.movie import GOLD, INK, captioned, letter_size, show, write_frames
from contract_wrapper.playback.play import kept_policy, play_command, play_in_terminal, write_gif, write_mp4
from contract_wrapper.playback.recording import record_episode
from mtmfq.config import get_profile

CREW = Contract(tax=0.25, n_cleaners=3)
SETTINGS = EvaluationSettings(learner=get_profile("smoke", episodes=64, updates_per_step=0.0), episodes=2)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(scope="module")
def episode():
    return record_episode(CREW, SETTINGS, "scripted", seed=3, steps=20)


@pytest.fixture(scope="module")
def policy_path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outcomes")
    return folder / evaluate(CREW, SETTINGS, folder=folder).policy


def test_an_episode_has_its_start_and_every_step(episode):
    assert [m.step for m in episode.moments] == list(range(21))
    assert (episode.moments[0].apples, episode.moments[0].waste) == (0, 0)


def test_the_tax_paid_is_a_quarter_of_the_apples_at_tax_a_quarter(episode):
    assert episode.moments[-1].apples > 0
    for moment in episode.moments:
        assert moment.tax == pytest.approx(0.25 * moment.apples)


def test_nobody_pays_without_a_contract():
    assert record_episode(Contract.none(), SETTINGS, steps=10).moments[-1].tax == 0.0


def test_moments_can_be_drawn_in_any_order(episode):
    late, early = episode.frame(20), episode.frame(0)
    assert not np.array_equal(late, early)
    assert np.array_equal(episode.frame(20), late)


def test_frames_are_the_board_and_a_strip_of_one_size(episode):
    rows, columns = 25, 18
    shapes = {frame.shape for frame in episode.frames(scale=12)}
    (shape,) = shapes
    assert shape[1:] == (12 * columns, 3)
    assert shape[0] > 12 * rows + 30
    assert np.array_equal(episode.frame(5, 12)[: 12 * rows], episode.picture(5, 12))


def test_text_ends_with_the_caption(episode):
    m = episode.moments[7]
    assert episode.text(7).splitlines()[-2:] == [
        "tax 0.25, 3 cleaners, scripted players",
        f"step 7, waste {m.waste}, apples eaten {m.apples}, tax paid {m.tax:.1f}",
    ]


def test_same_seed_same_episode(episode):
    again = record_episode(CREW, SETTINGS, "scripted", seed=3, steps=20)
    assert [m.apples for m in again.moments] == [m.apples for m in episode.moments]


def test_trained_players_play_from_their_file_and_as_an_object(policy_path):
    from mtmfq.policy import Policy

    by_file = record_episode(CREW, SETTINGS, policy_path, steps=15)
    by_object = record_episode(CREW, SETTINGS, Policy.load(policy_path), steps=15)
    assert by_file.players == "trained"
    assert len(by_file) == 16
    assert [m.apples for m in by_file.moments] == [m.apples for m in by_object.moments]


def test_a_policy_also_plays_under_another_contract(policy_path):
    assert len(record_episode(Contract(tax=0.1, n_cleaners=1), SETTINGS, policy_path, steps=3)) == 4


def test_gif_has_every_second_step_and_the_last(episode, tmp_path):
    path = write_gif(episode, tmp_path / "new" / "episode.gif", fps=10, scale=8, every=2)
    with Image.open(path) as gif:
        assert gif.n_frames == 11
        assert gif.size[0] == 8 * 18
        assert gif.info["duration"] == 100
        gif.seek(10)
        assert gif.info["duration"] == 2000


def test_gif_of_a_whole_episode_is_small(tmp_path):
    whole = record_episode(Contract(tax=0.2, n_cleaners=5), SETTINGS)
    path = write_gif(whole, tmp_path / "whole.gif")
    assert path.stat().st_size < 500_000
    with Image.open(path) as gif:
        assert gif.size[0] == 24 * 18  # large enough to be seen


def test_the_scale_of_a_file_can_be_chosen(tmp_path):
    for scale in (8, 16):
        path = tmp_path / f"{scale}.gif"
        play_command(settings=SETTINGS, contract=CREW, gif=path, scale=scale, steps=2, stream=io.StringIO())
        with Image.open(path) as gif:
            assert gif.size[0] == scale * 18
    with pytest.raises(ContractsError, match=r"scale must be an integer in 4\.\.64"):
        play_command(settings=SETTINGS, contract=CREW, gif=path, scale=3, steps=2, stream=io.StringIO())


def test_colours_of_the_board_survive_the_shared_palette(episode, tmp_path):
    path = write_gif(episode, tmp_path / "episode.gif", every=5)
    with Image.open(path) as gif:
        gif.seek(4)
        seen = np.asarray(gif.convert("RGB"), int)
    assert np.abs(seen - episode.frame(20).astype(int)).max() < 60
    assert np.abs(seen - episode.frame(20).astype(int)).mean() < 2


def test_transfers_of_a_step_are_the_tax_and_add_up_to_nothing(episode):
    paid = 0.0
    for moment in episode.moments:
        assert moment.transfers.sum() == pytest.approx(0.0)
        assert np.ptp(moment.transfers[5:]) == pytest.approx(0.0)  # cleaners share equally
        paid -= moment.transfers[:5].sum()
        assert paid == pytest.approx(moment.tax)


def test_flows_are_arrows_that_end_at_the_rim_of_every_cleaner(episode):
    """An arrow is wide behind its head and ends at who is paid; where it begins, at who pays, it is narrow."""
    k = next(k for k, m in enumerate(episode.moments) if m.apples > 0)
    payer = int(np.flatnonzero(episode.moments[k].transfers < 0)[0])
    plain, flowing = episode.picture(k), episode.picture(k, flows=1)
    drawn = (flowing != plain).any(axis=2)
    assert {tuple(map(int, c)) for c in flowing[drawn]} == {GOLD, INK}
    middles = 24 * (episode.stage.position[0] + 0.5)

    def width(at, away):
        """Gold pixels across a line at a point of it."""
        across = np.array([-away[1], away[0]]) / np.hypot(*away)
        points = {tuple((at + s * across).astype(int)) for s in np.arange(-9, 9, 0.25)}
        return sum((flowing[p] == GOLD).all() for p in points)

    for paid in (5, 6, 7):
        away = middles[paid] - middles[payer]
        unit = away / np.hypot(*away)
        head, tail = middles[paid] - 21 * unit, middles[payer] + 16 * unit
        assert width(head, away) > width(tail, away) > 0
        assert tuple(plain[tuple(middles[paid].astype(int))]) == tuple(flowing[tuple(middles[paid].astype(int))])
    before = episode.picture(k - 1, flows=1)
    assert np.array_equal(before, episode.picture(k - 1))  # nobody had eaten yet


def test_a_frame_with_flows_says_what_the_arrows_mean(episode):
    assert len(episode.frame(5, flows=1)) > len(episode.frame(5))


def test_a_film_shows_the_flows_of_the_steps_that_it_leaves_out(episode):
    k = next(k for k, m in enumerate(episode.moments) if m.apples > 0 and k % 2)
    assert not np.array_equal(episode.picture(k + 1, 12, flows=2), episode.picture(k + 1, 12))


def test_a_video_holds_every_step_in_even_numbers_of_pixels(episode, tmp_path):
    path = write_mp4(episode, tmp_path / "films" / "episode.mp4", fps=10, scale=5)
    frames = imageio_ffmpeg.read_frames(str(path))
    size = next(frames)["size"]
    rows, columns, _ = episode.frame(0, 5).shape
    assert size == (columns + columns % 2, rows + rows % 2)
    assert sum(1 for _ in frames) == len(episode)


def test_a_video_that_cannot_be_written_is_named(episode, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(ContractsError, match=r"cannot write .*choose another place"):
        write_mp4(episode, tmp_path / "file" / "episode.mp4")
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(ContractsError, match=r"pip install \"cleanup-contracts\[render\]\""):
        write_mp4(episode, tmp_path / "episode.mp4")


def test_the_command_writes_both_files_and_says_so(tmp_path):
    stream, files = io.StringIO(), (tmp_path / "a.gif", tmp_path / "a.mp4")
    play_command(settings=SETTINGS, contract=CREW, gif=files[0], mp4=files[1], flows=True, steps=4, stream=stream)
    assert [line.split(":")[0] for line in stream.getvalue().splitlines()] == [str(file) for file in files]
    assert all(file.stat().st_size > 1000 for file in files)


def test_a_terminal_is_drawn_in_place_and_gets_its_cursor_back(episode):
    stream, pauses = Terminal(), []
    play_in_terminal(episode, stream, fps=20, every=10, sleep=pauses.append)
    text = stream.getvalue()
    assert text.count("\x1b[27A") == 2  # three texts of 25 rows and 2 lines, in one place
    assert text.startswith("\x1b[?25l")
    assert text.endswith("\x1b[?25h")
    assert pauses == [0.05] * 3


def test_elsewhere_a_few_frames_are_printed_plainly(episode):
    stream = io.StringIO()
    play_in_terminal(episode, stream)
    text = stream.getvalue()
    assert "\x1b" not in text
    assert [line.split(",")[0] for line in text.splitlines() if line.startswith("step")] == [
        f"step {k}" for k in (0, 5, 10, 15, 20)
    ]


def test_the_cursor_comes_back_when_the_show_is_stopped():
    def stop(_seconds):
        raise KeyboardInterrupt

    stream = Terminal()
    with pytest.raises(KeyboardInterrupt):
        show(["a", "b"], stream, sleep=stop)
    assert stream.getvalue().endswith("\x1b[?25h")


def test_the_command_writes_a_gif_and_says_so(tmp_path):
    stream = io.StringIO()
    path = tmp_path / "a.gif"
    play_command(settings=SETTINGS, contract=CREW, gif=path, steps=4, seed=1, stream=stream)
    assert path.exists()
    assert stream.getvalue().startswith(f"{path}: tax 0.25, 3 cleaners, scripted players; step 4, waste")


def test_the_command_plays_in_the_stream_without_a_gif(policy_path):
    stream = io.StringIO()
    play_command(settings=SETTINGS, contract=CREW, policy=policy_path, steps=2, stream=stream)
    assert "trained players" in stream.getvalue()


def test_the_command_takes_contract_and_crew_from_a_study(policy_path, tmp_path):
    good = fake_outcome(CREW, [60.0] * 5, cleaner=5.0, shots=50, policy=policy_path.name)
    (tmp_path / "outcomes").mkdir()
    (tmp_path / "outcomes" / policy_path.name).write_bytes(policy_path.read_bytes())
    study = make_study(tmp_path, DESIGNS[:1])
    best = dataclasses.replace(study.trials[1], contract=CREW, outcome=good)
    study = dataclasses.replace(study, settings=SETTINGS, trials=(study.trials[0], best))
    stream = io.StringIO()
    play_command(settings=EvaluationSettings(), study=study, steps=2, stream=stream)
    assert "tax 0.25, 3 cleaners, trained players" in stream.getvalue()
    other = Contract(tax=0.5, n_cleaners=1)
    with pytest.raises(ContractsError, match=r"no finished evaluation of tax 0\.5, 1 cleaner"):
        play_command(settings=SETTINGS, contract=other, study=study, stream=stream)


def test_letters_shrink_with_the_picture():
    assert letter_size(600, "step 200") == 20
    assert letter_size(20, "step 200") == 8
    assert captioned(np.zeros((10, 90, 3), np.uint8), ["a", "b"]).shape[1:] == (90, 3)


def wrong_calls(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    broken = tmp_path / "broken.policy.npz"
    broken.write_text("no policy")
    short = record_episode(CREW, SETTINGS, steps=2)
    command = {"settings": SETTINGS, "contract": CREW, "stream": io.StringIO()}
    return {
        "unknown players 'clever'": lambda: record_episode(CREW, SETTINGS, "clever"),
        "there is no policy file": lambda: record_episode(CREW, SETTINGS, tmp_path / "none.policy.npz"),
        "no whole checkpoint": lambda: record_episode(CREW, SETTINGS, broken),
        "players are 'scripted'": lambda: record_episode(CREW, SETTINGS, 5),
        "steps must be": lambda: record_episode(CREW, SETTINGS, steps=201),
        "seed must be": lambda: record_episode(CREW, SETTINGS, seed=-1),
        "more agents|spawn points": lambda: record_episode(Contract(tax=0.1, n_cleaners=9), SETTINGS),
        "cannot write": lambda: write_gif(short, blocked / "a.gif"),
        "scale must be": lambda: write_gif(short, tmp_path / "a.gif", scale=1),
        "fps must be": lambda: write_gif(short, tmp_path / "a.gif", fps=0),
        "every must be": lambda: write_gif(short, tmp_path / "a.gif", every=0),
        "frames of one size": lambda: write_frames([], tmp_path / "a.gif"),
        r"an animated GIF is written, got the name a\.png: end it in \.gif": lambda: write_gif(
            short, tmp_path / "a.png"
        ),
        r"an MP4 video is written, got the name a\.GIF: end it in \.mp4, or give --gif": lambda: write_mp4(
            short, tmp_path / "a.GIF"
        ),
        "--policy and --study": lambda: play_command(**command, policy=broken, study=make_study(tmp_path, DESIGNS[:1])),
        "does not tell its contract": lambda: play_command(settings=SETTINGS, policy=broken, stream=io.StringIO()),
        "need their policy": lambda: play_command(**command, players="trained"),
        "choose 'scripted' or 'trained'": lambda: play_command(**command, players="clever"),
    }


def test_what_a_user_can_get_wrong_is_said_in_one_line(tmp_path):
    for message, call in wrong_calls(tmp_path).items():
        with pytest.raises(ContractsError, match=message) as error:
            call()
        assert "\n" not in str(error.value)


def test_a_policy_for_another_window_does_not_fit(policy_path):
    from mtmfq.policy import Policy

    policy = Policy.load(policy_path)
    policy.signature = dataclasses.replace(policy.signature, observation_shape=(50,))
    with pytest.raises(ContractsError, match="does not fit the game"):
        record_episode(CREW, SETTINGS, policy)


def test_a_picture_of_any_kind_replaces_the_old_one_only_when_it_is_whole(episode, tmp_path):
    program = (
        "import resource, sys; from pathlib import Path; import numpy as np\n"
        "from contract_wrapper.errors import ContractsError\n"
        "from contract_wrapper.playback.movie import write_frames, write_video\n"
        "noise = np.random.default_rng(0).integers(0, 255, (8, 64, 64, 3), dtype=np.uint8)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "for write, name in ((write_frames, 'old.gif'), (write_video, 'old.mp4')):\n"
        "    try: write(noise, Path(name))\n"
        "    except ContractsError as error: print(error)\n"
    )
    for name in ("old.gif", "old.mp4"):
        (tmp_path / name).write_text("the good one")
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60
    )
    assert result.stderr == ""
    gif, mp4 = result.stdout.splitlines()
    assert gif.startswith("cannot write old.gif")
    assert mp4.startswith("cannot write old.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.gif", "old.mp4"]
    assert {path.read_text() for path in tmp_path.iterdir()} == {"the good one"}


@pytest.mark.parametrize("name", ["-film.mp4", "a b?.mp4", "film"])
def test_a_video_may_have_any_name(episode, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write_mp4(episode, Path(name), scale=5)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert Path(name).read_bytes()[4:8] == b"ftyp"


@pytest.fixture(scope="module")
def crews_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crews")
    evaluate(Contract(tax=0.25, n_cleaners=3), BY_CREWS, folder=folder)
    return folder


def test_crews_that_know_every_contract_play_any_of_them(crews_folder):
    (crews,) = read_crews(crews_folder, BY_CREWS)[:1]
    for contract in (Contract(tax=0.5, n_cleaners=3), Contract(tax=0.25, n_cleaners=1)):
        episode = record_episode(contract, BY_CREWS, crews, seed=2)
        assert (len(episode), episode.players) == (21, "trained")
        m = episode.moments[-1]
        assert m.tax == pytest.approx(contract.tax * m.apples)
        by_file = record_episode(contract, BY_CREWS, crews_file(crews_folder, BY_CREWS, 0), seed=2)
        assert [x.waste for x in by_file.moments] == [x.waste for x in episode.moments]


def test_crews_play_as_they_do_when_they_are_judged(crews_folder):
    crews, contract = read_crews(crews_folder, BY_CREWS)[0], Contract(tax=0.25, n_cleaners=3)
    from mtmfq.policy import play

    game = crews.games(3, [[0.25]], 1)
    play(game, crews.policy, 9)
    last = record_episode(contract, BY_CREWS, crews, seed=9).moments[-1]
    then = game.game.get_state()
    assert last.state.keys() == then.keys()
    assert all(np.array_equal(last.state[name], then[name]) for name in then)


def test_crews_play_nothing_that_they_do_not_know(crews_folder):
    crews = read_crews(crews_folder, BY_CREWS)[0]
    with pytest.raises(ContractsError, match="these agents know crews of 1, 3 cleaners, got 2"):
        record_episode(Contract(tax=0.25, n_cleaners=2), BY_CREWS, crews)
    with pytest.raises(ContractsError, match="not the game without any"):
        record_episode(Contract.none(), BY_CREWS, crews)
    broken = crews_folder / "broken.npz"
    broken.write_bytes(crews_file(crews_folder, BY_CREWS, 0).read_bytes()[:-200])
    with pytest.raises(ContractsError):
        record_episode(Contract(tax=0.25, n_cleaners=3), BY_CREWS, broken)


def test_an_outcome_by_crews_is_played_by_the_first_of_them(crews_folder, tmp_path):
    outcome = evaluate(Contract(tax=0.25, n_cleaners=3), BY_CREWS, folder=crews_folder)
    study = dataclasses.replace(make_study(tmp_path), folder=crews_folder.parent / "study", settings=BY_CREWS)
    (study.folder).mkdir()
    crews_folder.rename(study.folder / "outcomes")
    try:
        kept = kept_policy(study, outcome)
        assert isinstance(kept, Crews)
        assert kept.policy.identity["seed"] == BY_CREWS.crews.seeds[0]
        with pytest.raises(ContractsError, match="is not in"):
            kept_policy(study, dataclasses.replace(outcome, policy="gone.crews.npz"))
    finally:
        (study.folder / "outcomes").rename(crews_folder)

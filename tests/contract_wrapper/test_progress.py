"""How long a job still takes is told from what was done since it was started, not from what was there."""

import io

from contract_wrapper.progress import COMPILING, STARTING, Pace, Progress


def pace(done: float, *times: float) -> Pace:
    clock = iter([0.0, *times])
    return Pace(done, clock=lambda: next(clock))


def test_what_was_there_before_is_no_speed() -> None:
    assert pace(90.0, 10.0).left(done=91.0, total=100.0) == "1:30"


def test_regained_work_is_no_speed_either() -> None:
    search = pace(0.0, 10.0)
    search.regain(50.0)
    assert search.left(done=60.0, total=100.0) == "0:40"


def test_nothing_is_told_before_anything_is_known() -> None:
    assert pace(5.0, 60.0).left(done=5.0, total=10.0) == "?"
    assert pace(5.0, 2.0).left(done=9.0, total=10.0) == "?"


def test_what_comes_before_the_first_sign_of_work_is_no_speed() -> None:
    search = pace(0.0, 100.0, 110.0)
    assert search.start(done=1.0)  # at 100 seconds, when processes have started
    assert search.left(done=2.0, total=4.0) == "0:20"


def test_only_the_first_sign_of_work_starts_the_clock() -> None:
    search = pace(0.0, 100.0)
    search.start(done=1.0)
    assert not search.start(done=2.0)


def test_compiling_is_spoken_of_only_where_starting_takes_long() -> None:
    """Asked each second for 12 seconds; then trainings report for a while, and others start."""
    clock = iter([*map(float, range(13)), 100.0, 101.0])
    progress = Progress(io.StringIO(), clock=lambda: next(clock))
    assert [progress.starting() for _ in range(13)] == [STARTING] * 10 + [COMPILING] * 3
    assert [progress.starting() for _ in range(2)] == [STARTING] * 2
    assert "compiles" not in STARTING

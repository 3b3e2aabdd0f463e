"""Design problems of engineering and of a textbook: the published best designs are worth what is published, and tables rank runs."""

import numpy as np
import pytest

import engineering as command
from optimiser_bench.engineering import ENGINEERING
from optimiser_bench.runner import Job, Run, problem_of
from optimiser_bench.textbook import TEXTBOOK
from optimiser_bench.unseen import UNSEEN

PUBLISHED = {
    "speed reducer": (3.5, 0.7, 17, 7.3, 7.71532, 3.350215, 5.286655),
    "spring": (0.0516891, 0.3567178, 11.28896),
    "welded beam": (0.2057296, 3.4704887, 9.0366239, 0.2057297),
    "G4": (78, 33, 29.9952560, 45, 36.7758129),
    "G6": (14.095, 0.84296),
    "G8": (1.2279713, 4.2453733),
    "G9": (2.330499, 1.951372, -0.4775414, 4.365726, -0.6244870, 1.038131, 1.594227),
    "G10": (579.3066, 1359.9707, 5109.9707, 182.0177, 295.6012, 217.9823, 286.4165, 395.6012),
    "truss": (0.7886751, 0.4082483),
    "HS29": (-4, -2.828427, 2),
    "HS33": (0, 1.414214, 1.414214),
    "HS34": (0.834032, 2.302585, 10),
    "HS36": (20, 11, 15),
    "HS43": (0, 1, 2, -1),
    "HS64": (108.7347, 85.1261, 204.3247),
    "HS65": (3.650462, 3.650462, 4.620418),
    "HS66": (0.1841265, 1.202168, 3.327322),
    "HS76": (0.2727273, 2.090909, 0, 0.5454545),
    "HS84": (4.53743, 2.4, 60, 9.3, 7),
    "HS86": (0.3, 0.3334676, 0.4, 0.4283101, 0.2239649),
    "HS93": (5.332666, 4.656744, 10.43299, 12.08230, 0.7526074, 0.8786508),
    "HS95": (0, 0, 0, 0, 0, 0.00332330),
    "HS97": (0.2685649, 0, 0, 0, 0.028, 0.0134),
    "HS104": (6.465114, 2.232709, 0.6673975, 0.5957564, 5.932676, 5.527235, 1.013322, 0.4006682),
    "HS30": (1, 0, 0),
    "HS31": (0.5773503, 1.732051, 0),
    "HS35": (1.333333, 0.7777778, 0.4444444),
    "HS37": (24, 12, 12),
    "HS44": (0, 3, 0, 4),
    "HS72": (193.4071, 179.5475, 185.0186, 168.7062),
    "HS117": (0, 0, 5.174, 0, 3.0611, 11.8395, 0, 0, 0.1039, 0, 0.3, 0.3335, 0.4, 0.4283, 0.2240),
    "G1": (1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 3, 1),
    "disc brake": (55, 75, 1049, 2),
    "four-bar truss": (1.8047, 2.5523, 1.4142136, 2.5523),
    "water resources": (0.3544, 0.01, 0.01),
    "cantilever": (6.01601, 5.30917, 4.49433, 3.50147, 2.15266),
}
"""Designs as the literature gives them, rounded, so that bounds may be missed by the rounding."""


def run_of(problem, optimiser, seed, regret, first=3):
    job = Job(problem=problem, optimiser=optimiser, seed=seed, evaluations=1, n_prior=2, corners=False)
    return Run(job=job, regrets=(9e9, regret), first=first, seconds=0.5)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_best_design_is_worth_what_is_stated(name):
    problem = problem_of(name)
    objective, margins = problem.evaluate(PUBLISHED[name])
    assert objective == pytest.approx(problem.best, rel=2e-4)
    sizes = np.median(
        np.abs([problem.evaluate(tuple(x))[1] for x in problem.space.sample(np.random.default_rng(0), 99)]), axis=0
    )
    assert (np.array(margins) >= -1e-3 * sizes).all()


@pytest.mark.parametrize("name", [*ENGINEERING, *TEXTBOOK, *UNSEEN])
def test_random_designs_have_numbers_and_none_is_better_than_the_best(name):
    problem = problem_of(name)
    history = problem.begin(False, 300, np.random.default_rng(1))
    assert len(history) == 300  # a history takes finite numbers only
    held = history.feasible()
    assert not held.any() or history.objective[held].max() <= problem.best + 1e-4 * abs(problem.best)


def test_ranks_are_averaged_over_seeds_and_intervals_are_over_problems():
    runs = [
        run_of("column", "cPMES", 0, 1.0), run_of("column", "cEI", 0, 2.0),
        run_of("column", "cPMES", 1, 1.0), run_of("column", "cEI", 1, 0.5),
        run_of("truss", "cPMES", 0, 4.0), run_of("truss", "cEI", 0, 3.0),
        run_of("truss", "cPMES", 1, 4.0), run_of("truss", "cEI", 1, 4.0),
        run_of("truss", "cPMES", 2, 4.0),  # without its rival: left out
    ]  # fmt: skip
    title, _, first, second, foot = command.table_lines(runs, ["column", "truss"], ["cPMES", "cEI"])
    assert title == "2 problems, 4 runs of each optimiser"
    assert first.split()[:2] == ["cPMES", "1.62"]  # 1.5 and 1.75
    assert second.split()[:4] == ["cEI", "1.38", "±", "1.59"]
    assert "-0.25" in second
    assert "over 2 problems" in foot


def test_runs_without_anything_feasible_share_the_last_rank_and_are_counted():
    runs = [run_of("column", name, 0, 1e15, first=None) for name in ("cPMES", "cEI")] + [
        run_of("column", "random", 0, 7.0)
    ]
    lines = command.table_lines(runs, ["column"], ["cPMES", "cEI", "random"])
    assert [line.split()[1] for line in lines[2:5]] == ["2.50", "2.50", "1.00"]
    assert ["1 of 1" in line for line in lines[2:5]] == [True, True, False]
    row = command.problem_lines(runs, ["column"], ["cPMES", "random"])[1]
    assert row.split("  ")[-1].strip() == "7 (1 of 1)"
    assert "(0 of 1)" in row


def test_the_command_runs_stores_and_prints_what_is_stored(tmp_path, capsys):
    command.main(["--small", "--processes", "1", "--optimisers", "cPMES,random", "--folder", str(tmp_path)])
    ran = capsys.readouterr().out
    command.main(["--small", "--stored", "--optimisers", "cPMES,random", "--folder", str(tmp_path)])
    assert capsys.readouterr().out == ran
    assert "nothing feasible" in ran
    assert len((tmp_path / "small-engineering.jsonl").read_text().splitlines()) == 4


def test_another_set_of_problems_has_a_file_of_its_own(tmp_path, capsys):
    for name in ("textbook", "unseen"):
        command.main(
            [
                "--small",
                "--problems",
                name,
                "--processes",
                "1",
                "--optimisers",
                "cPMES,random",
                "--folder",
                str(tmp_path),
            ]
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small-textbook.jsonl", "small-unseen.jsonl"]
    assert "2 problems, 2 runs of each optimiser" in capsys.readouterr().out
    command.main(
        ["--small", "--problems", "all", "--processes", "1", "--optimisers", "cPMES,random", "--folder", str(tmp_path)]
    )
    assert len(list(tmp_path.iterdir())) == 3
    assert "6 problems, 6 runs of each optimiser" in capsys.readouterr().out


def test_searches_of_another_length_have_a_file_of_their_own_and_need_more_than_the_random_designs(tmp_path, capsys):
    options = ["--seeds", "1", "--processes", "1", "--optimisers", "cPMES,random", "--folder", str(tmp_path)]
    command.main(["--problems", "unseen", "--evaluations", "11", *options])
    assert [path.name for path in tmp_path.iterdir()] == ["unseen-11.jsonl"]
    with pytest.raises(SystemExit):
        command.main(["--evaluations", "10", *options])
    assert "more than the 10 random ones" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("optimisers", "why"), [("random", "must hold cPMES"), ("cPMES,nobody", "no optimiser is called")]
)
def test_wrong_optimisers_are_refused(optimisers, why, tmp_path, capsys):
    with pytest.raises(SystemExit):
        command.main(["--small", "--optimisers", optimisers, "--folder", str(tmp_path)])
    assert why in capsys.readouterr().err

"""What is fuzzed. Each target makes one input, tries it, and answers "accepted" or "refused" (see `fuzzing`)."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import math
import shutil
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from fuzzing import Target
from values import damaged, mostly, mutated, odd, pick, text

from cleanup_env import PRESETS, BatchCleanup, CleanupError, make_config, parallel_env
from contract_tree import Tree, TreeError, named_tree, solve
from contract_wrapper import (
    CPMES,
    Contract,
    ContractedGame,
    ContractsError,
    CPMESConfig,
    DesignSpace,
    EvaluationSettings,
    Integer,
    PPOConfig,
    Real,
    SearchSettings,
    SpaceExhausted,
    contract_space,
    evaluate,
    get_costs,
    get_mtmfq_profile,
    record_episode,
)
from contract_wrapper.evaluation.evaluate import EvaluationStopped, contracted_game
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.learners.registry import learner_of, load_policy
from contract_wrapper.studies.study import read_study
from mtmfq.interface import LearnerError

TARGETS: dict[str, Target] = {}
TINY = EvaluationSettings(
    game=make_config("contract", horizon=10),
    learner=get_mtmfq_profile("smoke", episodes=16, n_games=8, batch_size=32, replay_capacity=50),
    episodes=2,
)
LONGER = dataclasses.replace(TINY, learner=dataclasses.replace(TINY.learner, episodes=64))
CREW = Contract(tax=0.3, n_cleaners=2)


def target(*refusals: type[Exception]) -> Callable[[Callable[[np.random.Generator, Path], object]], Target]:
    """Make a target of a function that raises one of these errors where it refuses its input."""

    def make(tries: Callable[[np.random.Generator, Path], object]) -> Target:
        def try_it(rng: np.random.Generator, folder: Path) -> str:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    tries(rng, folder)
                except refusals as error:
                    message = str(error)
                    assert message.strip(), "an error without a message"
                    assert "\n" not in message, f"a message of several lines: {message!r}"
                    return "refused"
            return "accepted"

        TARGETS[tries.__name__.replace("_", "-")] = try_it
        return try_it

    return make


def fields(rng: np.random.Generator, names: list[str], most: int = 3) -> dict[str, Any]:
    """Odd values for some of the fields."""
    return {
        pick(rng, names): sound(rng) if rng.random() < 0.4 else odd(rng) for _ in range(int(rng.integers(1, most + 1)))
    }


def sound(rng: np.random.Generator) -> Any:
    """A value that many fields take."""
    return pick(rng, (1, 2, 3, 8, 0.1, 0.5, 0.9, True, False, "contract", "fast", "effort", None))


# The game


@target(CleanupError)
def game_settings(rng: np.random.Generator, folder: Path) -> None:
    changes = fields(rng, list(make_config("contract").as_dict()), most=2)
    config = make_config(pick(rng, tuple(PRESETS)), **changes)
    game = BatchCleanup(config, 1, observation="symbolic")
    game.reset(seed=0)
    for _ in range(min(3, config.horizon)):
        game.step(np.full((1, config.n_agents), 4))


@target(CleanupError)
def game_map(rng: np.random.Generator, folder: Path) -> None:
    rows = list(make_config("contract").map)
    kind = int(rng.integers(4))
    if kind == 0:
        k = int(rng.integers(len(rows)))
        rows[k] = text(rng, "".join(sorted({*"".join(rows), "?", "é", " "})), len(rows[k]) + 2)
    elif kind == 1:
        rows = [text(rng, "@PHBRS ", 8) for _ in range(int(rng.integers(8)))]
    elif kind == 2:
        rows = [text(rng, "".join(sorted({*"".join(rows)})), 6).ljust(6) for _ in range(6)]
    else:
        rows[int(rng.integers(len(rows)))] = odd(rng)
    config = make_config("contract", map=tuple(rows), n_harvesters=1)
    game = BatchCleanup(config, 2, observation="features")
    game.reset(seed=1)
    for _ in range(5):
        game.step(rng.integers(0, 6, (2, config.n_agents)))


@target(CleanupError)
def game_actions(rng: np.random.Generator, folder: Path) -> None:
    game = parallel_env(n_harvesters=2, n_cleaners=1, horizon=5)
    game.reset(seed=mostly(rng, 1, 0.2))
    for _ in range(7):
        if not game.agents:
            return
        actions = {agent: mostly(rng, int(rng.integers(6)), 0.1) for agent in game.agents}
        if rng.random() < 0.1:
            actions.pop(pick(rng, list(actions)))
        if rng.random() < 0.1:
            actions[text(rng, "ab_0", 6)] = 1
        _, rewards, *_ = game.step(actions)
        assert all(math.isfinite(r) for r in rewards.values())


@target(CleanupError)
def batch_calls(rng: np.random.Generator, folder: Path) -> None:
    game = BatchCleanup(make_config("contract", n_cleaners=1), mostly(rng, 2), observation=mostly(rng, "symbolic", 0.2))
    game.reset(seed=mostly(rng, 3))
    n = game.config.n_agents
    actions: Any = rng.integers(0, 6, (2, n))
    game.step(mostly(rng, actions, 0.5))


# Contracts


@target(ContractsError)
def contracts(rng: np.random.Generator, folder: Path) -> None:
    contract = Contract(tax=mostly(rng, 0.3, 0.6), n_cleaners=mostly(rng, 2, 0.6))
    assert 0 <= contract.tax <= 1
    assert Contract.from_dict(contract.as_dict()) == contract


@target(ContractsError)
def cost_texts(rng: np.random.Generator, folder: Path) -> None:
    parts = ("cleaner", "harvester", "cleaners", "gardener", ":", ";", ",", "=", "per_shot", "per_step", "per_cell", "per_episode",
             "0.05", "-1", "nan", "1e400", "effort", "paper", " ", "free", "0", "1e-320")  # fmt: skip
    words = "".join(pick(rng, parts) for _ in range(int(rng.integers(1, 9))))
    words = pick(rng, (words, f"cleaner:per_shot={words}", f"{words}:per_step=0.1", "cleaner:per_shot=0.02;" + words))
    costs = get_costs(words)
    settings = EvaluationSettings(costs=costs)
    game = ContractedGame(CREW, costs=settings.costs)
    assert all(role in ("cleaner", "harvester") for role, prices in costs.by_role if any(
        getattr(prices, name) for name in ("per_step", "per_shot", "per_cell", "per_episode"))), "an unknown role is charged"  # fmt: skip
    game.reset(seed=0)
    game.step(np.full((1, game.n_agents), 4))
    assert (game.settled.costs >= 0).all()


@target(ContractsError)
def payment_functions(rng: np.random.Generator, folder: Path) -> None:
    what = int(rng.integers(7))
    returned = odd(rng)

    def pay(rewards: Any, activity: Any, roles: Any) -> Any:
        if what == 0:
            return returned
        if what == 1:
            return np.where(roles.cleaner, 1.0, 0.0)
        if what == 2:
            return np.full(rewards.shape, 1e308)
        if what == 3:
            rewards += 1.0
        if what == 4:
            activity.apples[...] = 5
        if what == 5:
            return np.zeros(rewards.shape[:-1])
        return np.zeros_like(rewards)

    try:
        game = ContractedGame(CREW, n_games=2, payment=pay)
        game.reset(seed=0)
        game.step(np.full((2, game.n_agents), 4))
    except ValueError as error:
        if "read-only" not in str(error):  # Python's own word for a buffer that may not be written
            raise
        return
    assert what not in (1, 2, 3, 4, 5), "minting, or writing into the game, was accepted"
    assert np.isfinite(game.settled.utilities).all()


@target(ContractsError, CleanupError, LearnerError)
def settings(rng: np.random.Generator, folder: Path) -> None:
    kind = int(rng.integers(5))
    if kind == 0:
        given = fields(rng, ["game", "costs", "learner", "episodes", "payment"], 2)
        made: Any = EvaluationSettings(**given)
        if made.payment is not None:  # a function, whose own errors go to whoever gave it
            return
        contracted_game(CREW, made, 1)
        made.key(CREW, 0)
    elif kind == 1:
        config = get_mtmfq_profile("smoke")
        made = get_mtmfq_profile("smoke", **fields(rng, sorted(config.to_dict())))
        assert json.loads(json.dumps(made.to_dict()))
    elif kind == 2:
        made = PPOConfig(**fields(rng, sorted(PPOConfig().to_dict())))
        assert json.loads(json.dumps(made.to_dict()))
    elif kind == 3:
        made = SearchSettings(**fields(rng, sorted(SearchSettings().to_dict())))
        made.initial_contracts()
    else:
        CPMESConfig(
            **fields(rng, ["n_paths", "score", "beta", "delta", "batch", "population", "generations", "refinements"])
        )


@target(ContractsError)
def episodes(rng: np.random.Generator, folder: Path) -> None:
    players = pick(rng, ("scripted", "scripted", "trained", "nowhere.npz", odd(rng)))
    record_episode(CREW, TINY, players, mostly(rng, 0), mostly(rng, 3))


# The optimiser


@target(ContractsError)
def spaces(rng: np.random.Generator, folder: Path) -> None:
    def dimension(k: int) -> Any:
        if rng.random() < 0.5:
            return Real(
                name=mostly(rng, f"x{k}", 0.1),
                low=mostly(rng, 0.0),
                high=mostly(rng, 1.0),
                step=mostly(rng, None, 0.4),
                log=mostly(rng, False, 0.2),
            )
        return Integer(name=mostly(rng, f"x{k}", 0.1), low=mostly(rng, 1), high=mostly(rng, 9), log=mostly(rng, False, 0.2))  # fmt: skip

    space = DesignSpace(dimensions=tuple(dimension(k) for k in range(int(rng.integers(1, 4)))))
    designs = space.sample(np.random.default_rng(0), 3)
    assert all(space.contains(design) for design in designs)
    assert np.isfinite(space.to_unit(designs)).all()
    search = CPMES(space, seed=0)
    (first,) = search.ask()
    search.tell(first.design, objective=1.0)


@target()
def ask_and_tell(rng: np.random.Generator, folder: Path) -> None:
    """A refused call changes nothing, and an accepted one leaves a search that answers."""
    space = pick(rng, (contract_space(2, step=0.1), DesignSpace(dimensions=(Real(name="x", low=-1.0, high=2.0),))))
    search = CPMES(space, seed=0, constraints=("a", "b"), participation=1, config=CPMESConfig(n_paths=4, refinements=1))

    def state() -> tuple[Any, ...]:
        h = search.history
        arrays = (h.designs, h.objective, h.margins, h.objective_se, h.margins_se, h.failed)
        return (*(None if a is None else a.tobytes() for a in arrays), tuple(map(tuple, search.pending)))

    for _ in range(6):
        design: Any = tuple(space.as_design(space.sample(rng, 1)[0]))
        if rng.random() < 0.3:
            design = pick(rng, (odd(rng), (odd(rng),), (0.5, odd(rng)), (0.5, 1, 2)))
        before = state()
        try:
            kind = int(rng.integers(8))
            if kind == 0:
                search.ask(mostly(rng, 1, 0.3))
            elif kind == 1:
                search.tell_failed(design)
            else:
                scale = pick(rng, (1.0, 100.0, 1e155, 1e300, 1e-300))
                margins: Any = mostly(rng, [float(rng.normal()), float(rng.normal()) * scale], 0.15)
                errors = {"objective_se": odd(rng)} if rng.random() < 0.15 else {}
                if rng.random() < 0.1:
                    errors["margins_se"] = pick(rng, (odd(rng), [odd(rng), 0.1], [0.1, 0.1]))
                search.tell(design, objective=mostly(rng, float(rng.normal()) * scale, 0.2), margins=margins, **errors)
        except (ContractsError, SpaceExhausted):
            assert state() == before, "a refused call changed the search"
    with contextlib.suppress(SpaceExhausted):  # it may have asked for all
        search.ask()


# Files


@functools.cache
def made_once() -> Path:
    """A folder with one file of each kind, made by real runs of a second."""
    import pytest
    from quick_searches import run as run_search

    # What is compiled when first used is compiled now, so that no input has to wait for it.
    for observation in ("symbolic", "one_hot", "rgb", "features", None):
        game = BatchCleanup(make_config("contract", n_cleaners=1), 1, observation=observation)
        game.reset(seed=0)
        game.step(np.full((1, game.config.n_agents), 4))
    record_episode(CREW, TINY, "scripted", steps=2)
    folder = Path(tempfile.mkdtemp(prefix="fuzz-files-"))
    evaluate(CREW, TINY, 0, folder=folder / "outcomes")
    stops = iter([False] * 2)
    with contextlib.suppress(EvaluationStopped):  # its checkpoint is what is wanted
        evaluate(CREW, LONGER, 1, folder=folder / "stopped", should_stop=lambda: next(stops, True))
    with pytest.MonkeyPatch.context() as patch:
        run_search(folder / "study", SearchSettings(n_initial=3, n_search=1, n_confirm=0), patch)
    from contract_tree.cli import main as tree

    assert (
        tree(
            [
                "run",
                "--tree",
                "chain",
                "--horizon",
                "200",
                "--games",
                "2",
                "--folder",
                str(folder / "tree"),
                "--players",
                "ucb",
            ]
        )
        == 0
    )
    return folder


def only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


@target(ContractsError, LearnerError)
def policies(rng: np.random.Generator, folder: Path) -> None:
    source = only(made_once() / "outcomes", "*.policy.npz")
    copy = folder / "some.policy.npz"
    copy.write_bytes(damaged(rng, source.read_bytes()))
    policy, good = load_policy(copy), load_policy(source)
    game = contracted_game(CREW, TINY, 1)
    play = learner_of(policy.config).play
    assert np.array_equal(play(game, policy, 0), play(game, good, 0)), "a damaged policy plays otherwise"


@target(ContractsError, LearnerError)
def checkpoints(rng: np.random.Generator, folder: Path) -> None:
    source = only(made_once() / "stopped", "*.training.npz")
    (folder / source.name).write_bytes(damaged(rng, source.read_bytes()))
    outcome = evaluate(CREW, LONGER, 1, folder=folder)
    assert outcome.utilities == whole_training(1, LONGER).utilities, "a damaged checkpoint was learned from"


@functools.cache
def whole_training(seed: int, settings: EvaluationSettings = TINY) -> Outcome:
    return evaluate(CREW, settings, seed)


@target(ContractsError)
def outcomes(rng: np.random.Generator, folder: Path) -> None:
    source = only(made_once() / "outcomes", "*.json")
    data = source.read_bytes()
    changed = json.dumps(mutated(rng, json.loads(data))).encode() if rng.random() < 0.5 else damaged(rng, data)
    (folder / source.name).write_bytes(changed)
    outcome = evaluate(CREW, TINY, 0, folder=folder)
    assert outcome.utilities == whole_training(0).utilities, "a changed outcome was returned"
    assert outcome.contract == CREW


@target(ContractsError)
def outcome_data(rng: np.random.Generator, folder: Path) -> None:
    data = json.loads(only(made_once() / "outcomes", "*.json").read_bytes())
    outcome = Outcome.from_dict(mutated(rng, data["content"]["outcome"]))
    assert math.isfinite(outcome.welfare.mean)
    assert all(math.isfinite(u.mean) for u in outcome.utilities.values())
    assert Path(outcome.policy).name == outcome.policy
    json.dumps(outcome.to_dict())
    str(outcome.worst_harvester)


@target(ContractsError)
def study_folders(rng: np.random.Generator, folder: Path) -> None:
    source = made_once() / "study"
    good = read_study(source)
    (folder / "study.sqlite3").write_bytes(damaged(rng, (source / "study.sqlite3").read_bytes()))
    record = read_study(folder)
    for there, here in zip(good.trials, record.trials, strict=False):
        if here.outcome is not None and there.outcome is not None and here.outcome != there.outcome:
            raise AssertionError("a changed outcome was read from a damaged database")
    record.to_csv()


@target(TreeError)
def tree_files(rng: np.random.Generator, folder: Path) -> None:
    path = folder / "tree.json"
    content = json.dumps(mutated(rng, named_tree(pick(rng, ("chain", "random-2-2-0"))).as_nested())).encode()
    path.write_bytes(damaged(rng, content) if rng.random() < 0.3 else content)
    solve(Tree.from_json(path))


@target(TreeError)
def tree_results(rng: np.random.Generator, folder: Path) -> None:
    from contract_tree.cli import main

    source = made_once() / "tree"
    shutil.copytree(source, folder / "tree", ignore=lambda *_: {"report", "figures"})
    path = pick(rng, sorted(p for p in (folder / "tree").iterdir() if p.is_file()))
    path.write_bytes(damaged(rng, path.read_bytes()))
    try:
        run_main(main, ["report", str(folder / "tree")])
    except ContractsError as error:
        raise TreeError(str(error)) from None


# Command lines


def command(rng: np.random.Generator, name: str, options: dict[str, tuple[str, ...]]) -> list[str]:
    """One command with some of its options, each with a sensible or an odd value."""
    odd_texts = (
        "-1",
        "0",
        "1",
        "nan",
        "inf",
        "-inf",
        "1e400",
        "",
        " ",
        "x",
        "é±",
        "../x",
        "/proc/x/y",
        "99999999999",
        "1.5",
        "--",
        "a\x00b",
        "$x^$",
    )
    words = [name]
    for option, sensible in options.items():
        if rng.random() < 0.45:
            words.append(option)
            if sensible:
                words.append(pick(rng, sensible) if rng.random() < 0.85 else pick(rng, odd_texts))
    return words


def run_main(main: Callable[[list[str]], int], words: list[str]) -> None:
    """Run a command in this process; an exit code other than 0 counts as refused."""
    import io

    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            code = main(words)
        except SystemExit as error:
            code = int(error.code or 0)
    assert code in (0, 2), f"{words} ended with {code}: {said.getvalue()[-2000:]}"
    assert "Traceback" not in said.getvalue()
    if code:
        raise ContractsError(f"exit code {code}")


@target(ContractsError)
def command_line(rng: np.random.Generator, folder: Path) -> None:
    """Commands of cleanup-contracts, with evaluations that are made up."""
    import os

    import pytest
    from quick_searches import FakeWorkers

    from contract_wrapper import cli, interrupts
    from contract_wrapper.evaluation import seeds
    from contract_wrapper.studies import search

    os.chdir(folder)
    shared = {
        "--preset": ("contract", "original", "meltingpot-like"), "--costs": ("effort", "paper", "cleaner:per_shot=0.05", "cleaners:per_shot=5"),
        "--learner": ("mtmfq", "ppo"), "--profile": ("smoke", "quick"), "--episodes": ("64", "128"), "--seed": ("0", "7"),
    }  # fmt: skip
    contract = {"--tax": ("0.1", "0.3"), "--cleaners": ("1", "3", "5")}
    choices = {
        "optimize": {**shared, "--folder": ("study", "a?b"), "--quick": (), "--initial": ("3", "4"), "--evaluations": ("0", "2"),
                     "--batch": ("1", "2"), "--confirm": ("0", "1"), "--processes": ("1",)},
        "evaluate": {**shared, **contract, "--seeds": ("1", "2"), "--processes": ("1",), "--folder": ("kept",)},
        "play": {**shared, **contract, "--players": ("scripted", "trained"), "--policy": ("none.npz",), "--study": ("study",),
                 "--gif": ("a.gif", "-b.gif"), "--flows": (), "--steps": ("1", "5"), "--fps": ("12", "1e6")},
        "report": {"study": ()},
    }  # fmt: skip
    name = pick(rng, sorted(choices))
    words = command(rng, name, choices[name])
    if name == "optimize":  # the default budgets take minutes
        words += ["--initial", "3", "--evaluations", "1", "--confirm", "0"]
    if name == "play" and "--gif" not in words:
        words += ["--fps", "1e9", "--steps", "2"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interrupts, "install", lambda: None)
        for module in (search, seeds):
            patch.setattr(module, "working", fake_working(FakeWorkers))
        run_main(cli.main, words)


def fake_working(workers: Any) -> Any:
    def working(processes: int, engine: Any = None) -> Any:
        if processes < 1:
            raise ContractsError(f"processes must be at least 1, got {processes}")
        return workers()

    return working


@target(ContractsError)
def tree_command_line(rng: np.random.Generator, folder: Path) -> None:
    import os

    from contract_tree import cli

    os.chdir(folder)
    options = {
        "--tree": ("chain", "random-3-2", "random-99999999999-1", "random-0-0", "tree.json"), "--horizon": ("100", "200"),
        "--games": ("1", "2"), "--players": ("ucb", "tree"), "--seed": ("0",), "--folder": ("run", "a/b"), "--noise": ("0.1",),
    }  # fmt: skip
    words = command(rng, pick(rng, ("run", "run", "report")), options)
    if words[0] == "run" and "--horizon" not in words:
        words += ["--horizon", "100"]
    run_main(cli.main, words)

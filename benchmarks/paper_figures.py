"""The paper's figures on the real game: its four training curves, its baseline beside its best contract, its contracts.

    python benchmarks/paper_figures.py --processes 2           # 30 trainings of profile faithful, 1 to 2 CPU-hours each
    python benchmarks/paper_figures.py --status                # what is done and what is missing; nothing is trained
    python benchmarks/paper_figures.py --profile fast          # the same contracts by our learner's default profile
    python benchmarks/paper_figures.py --stored                # tables and pictures from what is stored
    python benchmarks/paper_figures.py --speed 100             # CPU time of 100 episodes of each crew size; minutes
    python benchmarks/paper_figures.py --quick                 # a minute, to see that it works

Figures 3 to 6: training curves of (N_a, tax) = (1, .01), (5, .01), (1, .99), (5, .99); Figure 7 is the four together.
Figure 8: what trained agents do without a contract and under the paper's best, (5, .04). Costs are `paper` unless
--costs says otherwise. Figure 2: the shipped landscape of these costs, 505 contracts, from crews that know all of them;
it trains nothing.

Trainings go seed by seed over all six contracts, so that a part of them is a comparison. Every one that ends is a line
of paper_figures-PROFILE.jsonl in --folder, with its curve; the same command goes on where it was stopped (Ctrl-C: each
running training writes a checkpoint into --trainings), and its tables and pictures hold what there is so far. Lines of other
code or other settings are left alone and do not count, but with --stored, which takes those of the last line.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from contract_wrapper import interrupts
from contract_wrapper.contracts.contract import Contract
from contract_wrapper.contracts.costs import get_costs
from contract_wrapper.evaluation.evaluate import evaluate
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.evaluation.worker_pool import working
from contract_wrapper.evaluation.workers import TrainingStatus
from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile
from contract_wrapper.progress import Pace, Progress
from optimiser_bench.runner import read_stored
from paper_bench.tables import missing_lines, orchard_lines, play_lines, training_lines, write_table
from paper_bench.trainings import ALL, Training, TrainingJob, made_by

HERE = Path(__file__).parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit code."""
    options = read_options(arguments)
    if options.speed:
        print(*speed_lines(options), sep="\n")
        return 0
    settings = settings_of(options)
    path = options.folder / f"{stem_of(options)}.jsonl"
    found = read_stored(path, Training.from_line)
    wanted = found[-1].made_by if options.stored and found else made_by(settings)
    done = [training for training in found if training.made_by == wanted and training.seed < options.seeds]
    pairs = [(contract, seed) for seed in range(options.seeds) for contract in ALL.values()]
    code = 0
    if not (options.stored or options.status):
        interrupts.install()
        try:
            train_missing(pairs, done, settings, options, path)
        except KeyboardInterrupt:
            code = interrupts.EXIT_CODE
            print("stopped; the same command goes on\n", file=sys.stderr)
    begun = {
        (contract, seed): (options.trainings / f"{settings.key(contract, seed)}.training.npz").exists()
        for contract, seed in pairs
    }
    print(f"profile {options.profile}, costs {options.costs}, {settings.learner.episodes:,} episodes", end="\n\n")
    print(*missing_lines(done, options.seeds, begun), sep="\n", end="\n\n")
    if not options.status:
        report(done, options)
    return code


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options of the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--profile", default="faithful", help="settings of the learner (default: faithful)")
    parser.add_argument("--costs", default="paper")
    parser.add_argument("--seeds", type=int, help="trainings of each contract (default: 5)")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--trainings", type=Path, default=Path("studies/paper_figures"), help="of trainings under way")
    parser.add_argument("--folder", type=Path, default=HERE / "results", help="of what is kept, tables and pictures")
    parser.add_argument("--status", action="store_true", help="say what is done and what is missing, and train nothing")
    parser.add_argument("--stored", action="store_true", help="print and draw what is stored, and train nothing")
    parser.add_argument(
        "--speed", type=int, default=0, help="time so many episodes of each crew size, and train nothing"
    )
    parser.add_argument("--quick", action="store_true", help="one training of each contract, two vector episodes long")
    options = parser.parse_args(arguments)
    options.seeds = options.seeds or (1 if options.quick else 5)
    return options


def settings_of(options: argparse.Namespace) -> EvaluationSettings:
    """Say how contracts are trained and judged."""
    learner = get_mtmfq_profile(options.profile)
    if options.quick:
        learner = get_mtmfq_profile(options.profile, episodes=2 * learner.n_games, batch_size=32)
    return EvaluationSettings(costs=get_costs(options.costs), learner=learner, episodes=4 if options.quick else 100)


def speed_lines(options: argparse.Namespace) -> Iterator[str]:
    """Train a few episodes of each crew size, which are not kept; how long they take, and how long whole trainings would."""
    whole = get_mtmfq_profile(options.profile)
    yield f"profile {options.profile}: CPU time of training and judging, {options.speed} episodes, one process"
    yield f"{'cleaners':>8}{'ms an episode':>15}{f'minutes for {whole.episodes:,}':>22}"
    for contract in (Contract.none(), Contract(tax=0.01, n_cleaners=1), Contract(tax=0.01, n_cleaners=5)):
        for episodes in (whole.n_games, options.speed):  # the first compiles, and is not counted
            learner = get_mtmfq_profile(options.profile, episodes=episodes)
            settings = EvaluationSettings(costs=get_costs(options.costs), learner=learner, episodes=2)
            seconds = evaluate(contract, settings, seed=0).cpu_seconds / episodes
        yield f"{contract.n_cleaners:>8}{1000 * seconds:>15.0f}{seconds * whole.episodes / 60:>22.0f}"


def stem_of(options: argparse.Namespace) -> str:
    """Names of the files in the folder, without suffix."""
    costs = "" if options.costs == "paper" else f"-{options.costs}"
    return f"{'small-' if options.quick else ''}paper_figures-{options.profile}{costs}"


def train_missing(
    pairs: Sequence[tuple[Contract, int]], done: list[Training], settings: EvaluationSettings,
    options: argparse.Namespace, path: Path,
) -> None:  # fmt: skip
    """Train what is missing; every training is stored, and added to `done`, when it ends."""
    there = {(training.contract, training.seed) for training in done}
    jobs = [
        TrainingJob(number=n, contract=contract, seed=seed)
        for n, (contract, seed) in enumerate(pairs)
        if (contract, seed) not in there
    ]
    if not jobs:
        return
    progress, pace = Progress(sys.stderr), Pace(0.0)
    statuses: dict[int, TrainingStatus] = {}
    ended = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.read_text().endswith("\n"):  # cut short by a crash
        path.write_text("".join(training.to_line() for training in read_stored(path, Training.from_line)))

    def on_status(status: TrainingStatus) -> None:
        if status.number not in statuses:
            pace.start(ended)
            pace.regain((status.episode - settings.learner.n_games) / status.episodes)
        statuses[status.number] = status

    def on_result(job: TrainingJob, result: Training | str) -> None:
        nonlocal ended
        ended += 1
        statuses.pop(job.number, None)
        if isinstance(result, str):
            progress.say(f"{job}: failed: {result}")
            return
        with path.open("a") as file:
            file.write(result.to_line())
        done.append(result)
        progress.say(f"{job}: welfare {result.welfare:.1f}, {result.cpu_seconds / 60:.1f} CPU-minutes")

    def on_tick() -> None:
        if not statuses:
            progress.show([progress.starting()])
            return
        work = ended + sum(status.episode / status.episodes for status in statuses.values())
        lines = [
            f"  {job}: episode {statuses[job.number].episode:,}, {statuses[job.number].total:.0f} apples"
            for job in jobs
            if job.number in statuses
        ]
        progress.show([f"{ended} of {len(jobs)} trainings, about {pace.left(work, len(jobs))} left", *lines])

    with working(options.processes) as workers:
        workers.run(jobs, settings, options.trainings, on_result, on_status, on_tick)


def report(done: Sequence[Training], options: argparse.Namespace) -> None:
    """Print the tables of what is done, and write the pictures."""
    stem, folder = stem_of(options), options.folder
    for lines in (training_lines(done), play_lines(done), orchard_lines(done)) if done else ():
        print(*lines, sep="\n", end="\n\n")
    from paper_bench import pictures

    folder.mkdir(parents=True, exist_ok=True)
    if done:
        write_table(folder / f"{stem}.csv", done)
        pictures.save(pictures.draw_training(done), folder / f"{stem}-training.png")
        pictures.save(pictures.draw_play(done), folder / f"{stem}-play.png")
    if options.costs == "paper":
        prefix = "small-" if options.quick else ""
        pictures.save(pictures.draw_landscape(), folder / f"{prefix}paper_figures-landscape.png")


if __name__ == "__main__":
    sys.exit(main())

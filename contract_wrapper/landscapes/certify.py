"""The certificate of one contract, from crews at hand or trained from scratch: all deviations are tried and measured.

The strongest deviation is chosen on some episodes and measured on others. Deviators learn at the one contract; what
was trained is kept in a folder, under hashes of what determined it, and is not trained twice.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np
from numpy.typing import NDArray

from contract_wrapper import interrupts
from contract_wrapper.contracts.contract import as_int
from contract_wrapper.contracts.designed_contract import AnyContract
from contract_wrapper.contracts.roles import Roles, a_role
from contract_wrapper.errors import ContractsError, require_package, shown
from contract_wrapper.evaluation.deviations import deviate, scripted_of
from contract_wrapper.evaluation.deviators import (
    LEARNED_ANEW,
    LEARNED_ON,
    PPO,
    PPO_DEVIATORS,
    Deviator,
    first_of,
    learn_alone,
    learn_alone_by_ppo,
)
from contract_wrapper.evaluation.estimate import Estimate
from contract_wrapper.evaluation.evaluate import EvaluationStopped
from contract_wrapper.evaluation.judging.code_version import code_version
from contract_wrapper.evaluation.judging.margins import agent_margins
from contract_wrapper.evaluation.outcome import Outcome, mean_outcome
from contract_wrapper.evaluation.seeds import evaluate_seeds
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.files import make_folder
from contract_wrapper.landscapes.certificate import (
    Certificate,
    RoleGain,
    certify,
    default_epsilon,
    gain,
    strongest,
)
from contract_wrapper.landscapes.certifying.alike import role_of, who_deviates
from contract_wrapper.landscapes.certifying.subject import (
    Subject,
    crews_for,
    subject_of_crews,
    subject_of_training,
)
from contract_wrapper.learners.ppo.config import PPOConfig
from contract_wrapper.learners.registry import learner_of, load_policy
from contract_wrapper.problems.problem import DesignProblem
from contract_wrapper.progress import Progress
from mtmfq.config import MTMFQConfig
from mtmfq.interface import TrainProgress

CHOOSING, MEASURING = 200, 2_000
"""Episodes on which the strongest deviation is chosen, and on which margins and its gain are measured: with 1,000 the
bound on a harvester's gain stood 0.9 apples above its mean, more than epsilon."""

CHOOSING_TIMES, MEASURING_TIMES = 2, 20
"""The same, for each episode that judges a contract of a search or of a design problem."""

Say = Callable[[str], None]
Stop = Callable[[], bool] | None


def measure_certificate(
    subjects: Sequence[Subject],
    baseline: Outcome | Sequence[Outcome],
    *,
    roles: Sequence[str] | None = None,
    folder: Path | str,
    deviator_episodes: int | None = None,
    ppo: PPOConfig | None = None,
    choosing: int = CHOOSING,
    measuring: int = MEASURING,
    say: Say | None = None,
    should_stop: Stop = None,
) -> Certificate:
    """Try all deviations from trainings of one contract, and put margins and gains together to its certificate.

    Args:
        subjects: the agents of S trainings of the same contract.
        baseline: the outcome without a contract, of the same game and costs: one for all, or one for each training.
        roles: who deviates: roles, or agents by name; default: all roles of the game, and where the contract or the
            costs tell agents of a role apart, one of each kind. Who is left out leaves the certificate undecided.
        folder: where deviators are kept; those that are there are not trained again.
        deviator_episodes: training episodes of each deviator, in place of the subjects' settings.
        ppo: settings of deviators of PPO; None: there are none.
        choosing, measuring: episodes on which the strongest deviation is chosen, and others on which margins and
            its gain are measured, at least 2 each.
        say: told in a few words what is being done.
        should_stop: asked during trainings.

    Raises:
        EvaluationStopped: as `should_stop` asked; the same call goes on.
        ContractsError: there is nobody to judge, no such role or agent, or no way to learn from what they observe.
        mtmfq.LearnerError: a deviator diverged, or its file is broken.
    """
    baselines = _baselines_of(subjects, baseline)
    for name, value in (("choosing", choosing), ("measuring", measuring)):
        if (as_int(value) or 0) < 2:
            raise ContractsError(f"{name} must be an integer of at least 2 episodes, got {shown(value)}")
    contract, problem, game = subjects[0].contract, subjects[0].problem, subjects[0].games(1)
    agents = dict(zip(game.roles.agents, game.roles.names, strict=True))
    needed = who_deviates(game)
    place = {who: first_of(game, who) for who in _asked(needed, roles, game.roles)}
    path, tell, expected = make_folder(folder), say or (lambda _: None), mean_outcome(baselines)
    margins: dict[str, list[Estimate]] = {}
    gains: dict[str, list[tuple[Estimate, str, float]]] = {role: [] for role in place}
    for subject, without in zip(subjects, baselines, strict=True):
        on, measured_on = map(int, np.random.SeedSequence([subject.seed, 4]).generate_state(2, np.uint32))
        chosen, measured = _played(subject, choosing, on), _played(subject, measuring, measured_on)
        told = {agent: Estimate.of(measured.utilities[:, i]) for i, agent in enumerate(agents)}
        found = agent_margins(told, agents, without, problem, contract=contract, expected=expected)
        for agent, margin in found.items():
            margins.setdefault(agent, []).append(margin)
        for role, i in place.items():
            tried = _deviations(subject, role, path, deviator_episodes, ppo, tell, should_stop)
            tell(f"seed {subject.seed}: {len(tried)} deviations of {a_role(role)} are played")
            gains[role].append(_strongest(subject, role, i, tried, chosen, measured))
    return certify(
        contract,
        margins,
        [
            RoleGain(
                role=role, gains=[g for g, _, _ in rows], deviations=[name for _, name, _ in rows],
                utility=float(np.mean([utility for _, _, utility in rows])),
            )
            for role, rows in gains.items()
        ],
        epsilon=_epsilon(problem, baselines),
        needed=needed, counted_in="apples" if problem is None else problem.unit,
    )  # fmt: skip


def _epsilon(problem: DesignProblem | None, baselines: Sequence[Outcome]) -> float:
    """What counts as nothing: as the problem says it, else a part of what agents have without a contract."""
    if problem is not None and problem.epsilon is not None:
        return problem.epsilon
    return default_epsilon([u.mean for b in baselines for u in b.utilities.values()])


def _asked(needed: Sequence[str], asked: Sequence[str] | None, roles: Roles) -> list[str]:
    """Return who deviates: all who have to be tried, or those of them who were asked for, by role or by name."""
    if asked is None:
        return list(needed)
    found: list[str] = []
    for who in asked:
        of_role = [one for one in needed if one not in roles.names and role_of(one, roles.agents) == who]
        found += of_role or [who]
    return list(dict.fromkeys(found))


def _baselines_of(subjects: Sequence[Subject], baseline: Outcome | Sequence[Outcome]) -> list[Outcome]:
    """A baseline for each training, after a look at whether there is one contract to certify."""
    if not subjects or any(s.contract != subjects[0].contract for s in subjects):
        raise ContractsError(f"a certificate is for one contract and at least one training, got {len(subjects)}")
    baselines = [baseline] * len(subjects) if isinstance(baseline, Outcome) else list(baseline)
    if len(baselines) != len(subjects):
        raise ContractsError(f"{len(subjects)} trainings need a baseline each, or one for all, got {len(baselines)}")
    contract, problem = subjects[0].contract, subjects[0].problem
    if contract.is_none:
        way_out = "recruits cleaners" if problem is None else f"has {', '.join(term.name for term in problem.terms)}"
        raise ContractsError(f"no contract is what contracts are judged against: certify one that {way_out}")
    return baselines


class _Played(NamedTuple):
    """Episodes in which nobody deviates."""

    n: int
    seed: int
    utilities: NDArray[np.float64]
    """Of all agents, (n, N)."""


def _played(subject: Subject, episodes: int, seed: int) -> _Played:
    utilities = learner_of(subject.policy.config).play(subject.games(episodes), subject.policy, seed)
    return _Played(episodes, seed, utilities)


def _strongest(
    subject: Subject, role: str, agent: int, tried: Mapping[str, str | Deviator], chosen: _Played, measured: _Played
) -> tuple[Estimate, str, float]:
    """The gain of the deviation that is strongest on some episodes, on others; its name; the utility in the crew."""

    def gain_of(deviation: str | Deviator, on: _Played) -> Estimate:
        alone = deviate(subject.games(on.n), subject.policy, role, deviation, on.seed)
        return gain(alone, on.utilities[:, agent])

    name = list(tried)[int(strongest([gain_of(deviation, chosen).mean for deviation in tried.values()]))]
    return gain_of(tried[name], measured), name, float(measured.utilities[:, agent].mean())


def certify_command(
    contract: AnyContract,
    settings: EvaluationSettings,
    seeds: Sequence[int],
    *,
    crews: Sequence[Path] = (),
    roles: Sequence[str] | None = None,
    ppo: bool = False,
    deviator_episodes: int | None = None,
    folder: Path,
    processes: int,
    stream: TextIO,
) -> Certificate:
    """Certify a contract for the command line.

    Args:
        contract, settings: what is certified, and the game, costs and learner, or the problem; of a problem margins
            and gains are measured on 20 times `settings.episodes`, and deviations chosen on twice as many.
        seeds: of the trainings from scratch, with the contract and without; with `crews`, the first is that of
            baseline, deviators and episodes.
        crews: files of crews that know many contracts, one for each training; none: they are trained from scratch.
        roles, deviator_episodes, folder: as in `measure_certificate`.
        ppo: whether PPO learns to deviate, too.
        processes: that train crews from scratch.
        stream: where progress is shown.

    Raises:
        ContractsError: a file is of another game or other costs, or as in `measure_certificate` and `evaluate_seeds`.
    """
    if ppo:
        require_package("stable_baselines3", "sb3", "a deviator of PPO")
    known = [crews_for(path, settings) for path in crews]
    subjects = [subject_of_crews(c, contract, seeds[0], problem=settings.problem) for c in known]
    judged, trained = (settings.none(), seeds[:1]) if known else (contract, seeds)
    baselines, outcomes = evaluate_seeds(judged, settings, trained, folder=folder, processes=processes, stream=stream)
    if not known:
        policies = [load_policy(folder / o.policy, settings.identity(contract, o.seed)) for o in outcomes]
        subjects = [subject_of_training(contract, settings, p, o.seed) for p, o in zip(policies, outcomes, strict=True)]
    by_ppo = settings.learner if isinstance(settings.learner, PPOConfig) else PPO_DEVIATORS
    by_ppo = by_ppo if deviator_episodes is None else dataclasses.replace(by_ppo, episodes=deviator_episodes)
    progress, usual = Progress(stream), settings.problem is None
    found = measure_certificate(
        subjects, baselines[0] if known else baselines, roles=roles, folder=folder, deviator_episodes=deviator_episodes,
        choosing=CHOOSING if usual else CHOOSING_TIMES * settings.episodes,
        measuring=MEASURING if usual else MEASURING_TIMES * settings.episodes,
        ppo=by_ppo if ppo else None, say=lambda text: progress.show([text]),
    )  # fmt: skip
    progress.say("")
    return found


def _deviations(
    subject: Subject, role: str, folder: Path, episodes: int | None, ppo: PPOConfig | None, say: Say,
    should_stop: Stop,
) -> dict[str, str | Deviator]:  # fmt: skip
    """All deviations of a role by name; those that learn are trained, or read where they were."""
    from mtmfq.policy import Policy

    config = subject.deviators if episodes is None else dataclasses.replace(subject.deviators, episodes=episodes)
    tried: dict[str, str | Deviator] = {name: name for name in scripted_of(subject.games(1), role)}

    def kept(name: str, settings: MTMFQConfig | PPOConfig) -> dict[str, Any]:
        about = {**subject.identity, "learner": settings.to_dict(), "deviator_seed": subject.seed}
        if name == PPO:
            own = "" if subject.problem is None else f"-{subject.problem.code_version()}"
            about["code"] = f"{code_version('ppo')}{own}"
        key = hashlib.sha256(json.dumps([about, role, name], sort_keys=True, default=str).encode()).hexdigest()[:24]
        return {"path": folder / f"{key}.deviator.npz", "identity": about}

    for name in (LEARNED_ANEW, *((LEARNED_ON,) if isinstance(subject.policy, Policy) else ())):
        games = [subject.games(config.n_games)]
        tried[name] = learn_alone(
            games, subject.policy, role, warm=name == LEARNED_ON, config=config, seed=subject.seed,
            on_progress=_telling(say, subject, role, name), should_stop=should_stop, **kept(name, config),
        )  # fmt: skip
    if ppo is not None:
        tried[PPO] = learn_alone_by_ppo(
            subject.games(ppo.n_games), subject.policy, role, config=ppo, seed=subject.seed,
            on_progress=_telling(say, subject, role, PPO), should_stop=should_stop, **kept(PPO, ppo),
        )  # fmt: skip
    if not all(d.finished for d in tried.values() if isinstance(d, Deviator)):
        raise EvaluationStopped("the training of a deviator was stopped; run the same command to go on")
    return tried


def _telling(say: Say, subject: Subject, role: str, name: str) -> Callable[[TrainProgress], None]:
    def tell(p: TrainProgress) -> None:
        interrupts.check()
        say(f"seed {subject.seed}: {a_role(role)} alone, {name}: episode {p.episode}/{p.episodes}")

    return tell

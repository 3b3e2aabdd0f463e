"""The certificate of one contract, from crews at hand or trained from scratch: all deviations are tried and measured.

The strongest deviation is chosen on some episodes and measured on others. Deviators learn at the one contract; what
was trained is kept in a folder, under hashes of what determined it, and is not trained twice.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from contract_wrapper import interrupts
from contract_wrapper.contracts.contract import Contract, as_int
from contract_wrapper.contracts.families import TaxContracts
from contract_wrapper.envs.batch_game import TYPES, SettledGame
from contract_wrapper.errors import ContractsError, require_package, shown
from contract_wrapper.evaluation.by_crews.crew_learners import hash_of
from contract_wrapper.evaluation.crews import Crews
from contract_wrapper.evaluation.deviations import SCRIPTED, deviate
from contract_wrapper.evaluation.deviators import (
    DEVIATORS,
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
from contract_wrapper.evaluation.evaluate import EvaluationStopped, contracted_game
from contract_wrapper.evaluation.judging.code_version import code_version
from contract_wrapper.evaluation.outcome import Outcome
from contract_wrapper.evaluation.seeds import evaluate_seeds
from contract_wrapper.evaluation.settings import EvaluationSettings, check_seed
from contract_wrapper.files import make_folder
from contract_wrapper.landscapes.certificate import Certificate, RoleGain, certify, default_epsilon, gain, strongest
from contract_wrapper.learners.ppo.config import PPOConfig
from contract_wrapper.learners.registry import learner_of, load_policy
from contract_wrapper.progress import Progress
from mtmfq.config import MTMFQConfig
from mtmfq.interface import TrainProgress

AT_ONE_CONTRACT: MTMFQConfig = dataclasses.replace(DEVIATORS, episodes=2_500, replay_capacity=1_500)
"""Settings of a deviator that learns at one contract, against crews that know all of them or that PPO trained."""

CHOOSING, MEASURING = 200, 2_000
"""Episodes on which the strongest deviation is chosen, and on which margins and its gain are measured: with 1,000 the
bound on a harvester's gain stood 0.9 apples above its mean, more than epsilon."""

Say = Callable[[str], None]
Stop = Callable[[], bool] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The agents of one training under one contract, as they are judged."""

    contract: Contract
    """The contract."""

    policy: Any
    """What the agents do: a policy of any learner."""

    games: Callable[[int], SettledGame]
    """Builds so many games in which they are judged, all under the contract."""

    identity: Mapping[str, Any]
    """What determined them, in plain values."""

    deviators: MTMFQConfig
    """Settings with which one of them may learn alone."""

    seed: int
    """Seed of the deviators and of all episodes."""


def subject_of_crews(crews: Crews, contract: Contract, seed: int = 0) -> Subject:
    """Judge crews that know many contracts under one of them.

    Raises:
        ContractsError: they know contracts of another kind, other taxes, or other crew sizes.
    """
    if type(crews.family) is not TaxContracts:
        raise ContractsError(
            f"a contract is a tax and a number of cleaners, but these crews know {type(crews.family).__name__}: "
            "certify crews of TaxContracts"
        )
    terms = [[contract.tax]]
    crews.games(contract.n_cleaners, terms, 1)  # refuses what the crews never saw
    return Subject(
        contract=contract,
        policy=crews.policy,
        games=lambda n: crews.games(contract.n_cleaners, terms, n),
        identity={
            **crews.policy.identity, "crew": hash_of(crews.policy), "contract": contract.as_dict(),
            "code": code_version(),
        },
        deviators=AT_ONE_CONTRACT,
        seed=check_seed(seed),
    )  # fmt: skip


def subject_of_training(contract: Contract, settings: EvaluationSettings, policy: Any, seed: int = 0) -> Subject:
    """Judge agents that were trained under the contract alone; their own settings are those of deviators, too."""
    return Subject(
        contract=contract,
        policy=policy,
        games=lambda n: contracted_game(contract, settings, n),
        identity=settings.identity(contract, seed),
        deviators=settings.learner if isinstance(settings.learner, MTMFQConfig) else AT_ONE_CONTRACT,
        seed=check_seed(seed),
    )


def measure_certificate(
    subjects: Sequence[Subject],
    baseline: Outcome | Sequence[Outcome],
    *,
    roles: Sequence[str] = TYPES,
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
        roles: who deviates; a role of the contract that is left out leaves the certificate undecided.
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
    if not subjects or any(s.contract != subjects[0].contract for s in subjects):
        raise ContractsError(f"a certificate is for one contract and at least one training, got {len(subjects)}")
    baselines = [baseline] * len(subjects) if isinstance(baseline, Outcome) else list(baseline)
    if len(baselines) != len(subjects):
        raise ContractsError(f"{len(subjects)} trainings need a baseline each, or one for all, got {len(baselines)}")
    contract = subjects[0].contract
    if contract.is_none:
        raise ContractsError("no contract is what contracts are judged against: certify one that recruits cleaners")
    for name, value in (("choosing", choosing), ("measuring", measuring)):
        if (as_int(value) or 0) < 2:
            raise ContractsError(f"{name} must be an integer of at least 2 episodes, got {shown(value)}")
    wanted = list(dict.fromkeys(roles))
    for role in wanted:
        first_of(subjects[0].games(1), role)
    path, tell = make_folder(folder), say or (lambda _: None)
    margins: dict[str, list[Estimate]] = {}
    gains: dict[str, list[tuple[Estimate, str, float]]] = {role: [] for role in wanted}
    for subject, without in zip(subjects, baselines, strict=True):
        on, measured_on = map(int, np.random.SeedSequence([subject.seed, 4]).generate_state(2, np.uint32))
        crew = {number: _play(subject, n, number) for number, n in ((on, choosing), (measured_on, measuring))}
        for agent, margin in _margins(subject, crew[measured_on], without).items():
            margins.setdefault(agent, []).append(margin)
        for role in wanted:
            i = first_of(subject.games(1), role)
            tried = _deviations(subject, role, path, deviator_episodes, ppo, tell, should_stop)
            tell(f"seed {subject.seed}: {len(tried)} deviations of a {role} are played")
            found = [
                gain(deviate(subject.games(choosing), subject.policy, role, d, on), crew[on][:, i]).mean
                for d in tried.values()
            ]
            name = list(tried)[int(strongest(found))]
            utilities = deviate(subject.games(measuring), subject.policy, role, tried[name], measured_on)
            before = crew[measured_on][:, i]
            gains[role].append((gain(utilities, before), name, float(before.mean())))
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
        epsilon=default_epsilon([u.mean for b in baselines for u in b.of_role("harvester").values()]),
    )  # fmt: skip


def certify_command(
    contract: Contract,
    settings: EvaluationSettings,
    seeds: Sequence[int],
    *,
    crews: Sequence[Path] = (),
    roles: Sequence[str] = TYPES,
    ppo: bool = False,
    deviator_episodes: int | None = None,
    folder: Path,
    processes: int,
    stream: TextIO,
) -> Certificate:
    """Certify a contract for the command line.

    Args:
        contract, settings: what is certified, and the game, costs and learner.
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
    known = [_crews_for(path, settings) for path in crews]
    subjects = [subject_of_crews(c, contract, seeds[0]) for c in known]
    judged, trained = (Contract.none(), seeds[:1]) if known else (contract, seeds)
    baselines, outcomes = evaluate_seeds(judged, settings, trained, folder=folder, processes=processes, stream=stream)
    if not known:
        policies = [load_policy(folder / o.policy, settings.identity(contract, o.seed)) for o in outcomes]
        subjects = [subject_of_training(contract, settings, p, o.seed) for p, o in zip(policies, outcomes, strict=True)]
    by_ppo = settings.learner if isinstance(settings.learner, PPOConfig) else PPO_DEVIATORS
    by_ppo = by_ppo if deviator_episodes is None else dataclasses.replace(by_ppo, episodes=deviator_episodes)
    progress = Progress(stream)
    found = measure_certificate(
        subjects, baselines[0] if known else baselines, roles=roles, folder=folder, deviator_episodes=deviator_episodes,
        ppo=by_ppo if ppo else None, say=lambda text: progress.show([text]),
    )  # fmt: skip
    progress.say("")
    return found


def _crews_for(path: Path, settings: EvaluationSettings) -> Crews:
    crews = Crews.load(path)
    if crews.game != settings.game:
        raise ContractsError(f"the crews of {path} play another game than asked for: give its --preset, or other crews")
    if crews.costs != settings.costs:
        raise ContractsError(
            f"the crews of {path} were trained for the costs {crews.costs}, got {settings.costs}: "
            f"give --costs '{crews.costs}', or other crews"
        )
    return crews


def _deviations(
    subject: Subject, role: str, folder: Path, episodes: int | None, ppo: PPOConfig | None, say: Say,
    should_stop: Stop,
) -> dict[str, str | Deviator]:  # fmt: skip
    """All deviations of a role by name; those that learn are trained, or read where they were."""
    from mtmfq.policy import Policy

    config = subject.deviators if episodes is None else dataclasses.replace(subject.deviators, episodes=episodes)
    tried: dict[str, str | Deviator] = {name: name for name in SCRIPTED[role]}

    def kept(name: str, settings: MTMFQConfig | PPOConfig) -> dict[str, Any]:
        about = {**subject.identity, "learner": settings.to_dict(), "deviator_seed": subject.seed}
        if name == PPO:
            about["code"] = code_version("ppo")
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
        say(f"seed {subject.seed}: a {role} alone, {name}: episode {p.episode}/{p.episodes}")

    return tell


def _play(subject: Subject, episodes: int, seed: int) -> NDArray[np.float64]:
    """Utilities of all agents, none of whom deviates, (E, N)."""
    return learner_of(subject.policy.config).play(subject.games(episodes), subject.policy, seed)


def _margins(subject: Subject, utilities: NDArray[np.float64], baseline: Outcome) -> dict[str, Estimate]:
    """Margins of participation, agent by agent (Molina Concha et al. 2024, eqs. 4 and 5)."""
    config, without = subject.games(1).config, baseline.of_role("harvester")
    told = {agent: Estimate.of(utilities[:, i]) for i, agent in enumerate(config.agents)}
    return {agent: u.minus(without[agent]) if agent in without else u for agent, u in told.items()}

"""Configurations drawn by hypothesis: valid settings with many fields away from their defaults."""

import dataclasses
from typing import Any

from hypothesis import strategies as st

from cleanup_env import make_config
from contract_wrapper.bo.cpmes_config import CPMESConfig
from contract_wrapper.contracts.costs import CostRule, RoleCost
from contract_wrapper.evaluation.by_crews.crew_settings import CrewSettings
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.landscapes.building.landscape_settings import LandscapeSettings
from contract_wrapper.learners.mtmfq_profiles import MTMFQ_PROFILES
from contract_wrapper.learners.ppo.config import PPOConfig
from contract_wrapper.studies.settings import SearchSettings
from mtmfq.config import MTMFQConfig

UNIT = st.floats(0.0, 1.0)
SMALL = st.floats(1e-12, 1e3)
SEEDS = st.integers(0, 2**63 - 1)
NAMES = st.text(st.characters(codec="utf-8"), max_size=6)


def some(strategies: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Values for some of the fields."""
    return st.fixed_dictionaries({}, optional=strategies)


@st.composite
def games(draw: st.DrawFn) -> Any:
    changes = draw(
        some(
            {
                "n_harvesters": st.integers(1, 4), "horizon": st.integers(2, 300), "p_apple": UNIT, "p_waste": UNIT,
                "start": st.sampled_from(("clean", "soiled")), "waste_ceiling": st.one_of(st.none(), st.just("depletion"), UNIT),
                "waste_mode": st.sampled_from(("loop", "bernoulli")), "rotate": st.booleans(), "fire_cost": SMALL,
                "depletion": st.floats(0.5, 1.0), "restoration": st.floats(0.0, 0.3), "radius": st.integers(5, 8),
            }
        )
    )  # fmt: skip
    return make_config("contract", **changes)


@st.composite
def costs(draw: st.DrawFn) -> CostRule:
    roles = draw(st.lists(st.sampled_from(("cleaner", "harvester")), unique=True))
    return CostRule.of(**{role: RoleCost(per_shot=draw(SMALL), per_step=draw(UNIT)) for role in roles})


@st.composite
def mtmfq(draw: st.DrawFn) -> MTMFQConfig:
    changes = draw(
        some(
            {
                "episodes": st.integers(1, 9_000), "hidden": st.lists(st.integers(1, 64), min_size=1, max_size=3),
                "gamma": st.one_of(UNIT, st.dictionaries(NAMES, UNIT, max_size=3)), "n_step": st.integers(1, 50),
                "neighbours": st.sampled_from(("visible", "all", "none")), "grad_clip": st.one_of(st.none(), SMALL),
                "average_from": st.one_of(st.none(), UNIT), "learning_rate": SMALL, "relabel": UNIT,
                "temperature": st.sampled_from([((0.0, 1.0),), ((0.0, 0.3), (0.5, 1e-7))]), "scaled_rewards": st.booleans(),
            }
        )
    )  # fmt: skip
    profile = MTMFQ_PROFILES[draw(st.sampled_from(("smoke", "quick", "fast")))]
    return dataclasses.replace(profile, **changes)


@st.composite
def ppo(draw: st.DrawFn) -> PPOConfig:
    return PPOConfig(
        **draw(some({"gamma": UNIT, "epochs": st.integers(1, 9), "greedy": st.booleans(), "ent_coef": UNIT}))
    )


@st.composite
def crews(draw: st.DrawFn) -> CrewSettings:
    sizes = st.lists(st.integers(1, 5), unique=True, min_size=1)
    return CrewSettings(
        learner=draw(mtmfq()), **draw(some({"trainings": st.integers(1, 99), "sizes": sizes, "seed": SEEDS}))
    )


@st.composite
def evaluations(draw: st.DrawFn) -> EvaluationSettings:
    learner = draw(st.one_of(mtmfq(), ppo()))
    judged = draw(st.one_of(st.none(), crews())) if isinstance(learner, MTMFQConfig) else None
    return EvaluationSettings(
        game=draw(games()), costs=draw(costs()), learner=learner, crews=judged, episodes=draw(st.integers(2, 50))
    )


@st.composite
def searches(draw: st.DrawFn) -> SearchSettings:
    choosing = draw(
        some(
            {
                "score": st.sampled_from(("gain", "cmes", "ibo")), "delta": st.floats(1e-9, 0.99),
                "local_term": st.booleans(), "n_paths": st.integers(1, 256),
            }
        )
    )  # fmt: skip
    fields = {
        "seed": SEEDS,
        "n_initial": st.integers(3, 20),
        "n_search": st.integers(0, 99),
        "max_cleaners": st.integers(1, 5),
    }
    return SearchSettings(optimiser=CPMESConfig(**choosing), **draw(some(fields)))


@st.composite
def landscapes(draw: st.DrawFn) -> LandscapeSettings:
    taxes = st.lists(UNIT, unique=True, min_size=1, max_size=5).map(sorted)
    fields = {
        "taxes": taxes, "tried_taxes": taxes, "sizes": st.lists(st.integers(1, 5), unique=True, min_size=1),
        "crews": mtmfq(), "deviators": mtmfq(), "baseline": mtmfq(), "episodes": st.integers(2, 50),
    }  # fmt: skip
    return LandscapeSettings(game=draw(games()), costs=draw(costs()), **draw(some(fields)))

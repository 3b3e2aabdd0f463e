"""How a step of the search is taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from contract_wrapper.bo.numbers_in import check_count, is_number
from contract_wrapper.errors import ContractsError, shown

_CHOICES = {
    "objective_acquisition": ("ei", "ucb"),
    "score": ("gain", "cmes", "ibo"),
    "feasibility_objective": ("joint", "ucb", "logprob"),
    "beta": ("printed", "designs"),
    "batch": ("believer", "topk", "random", "cmi"),
}

_LIMITS = {"n_paths": (1, 256), "population": (4, 1000), "generations": (1, 1000), "refinements": (0, 100)}
_MOST_EVALUATIONS = 100_000  # of NSGA-II, about a quarter of a minute


@dataclass(frozen=True, slots=True, kw_only=True)
class CPMESConfig:
    """How a step is taken; `CPMESConfig.paper()` is as printed.

    The default differs from it in six places: kernels have a local term, the front trades the expected
    improvement for the probability that all constraints hold, information counts by what there is to gain,
    fronts of spaces that are no grid are refined where the score is high, in such spaces of three dimensions or more
    steps look near the best design, and a batch is chosen by a kriging believer.
    """

    n_paths: int = 32
    """Joint posterior draws, each giving one f* (K), at most 256."""

    score: Literal["gain", "cmes", "ibo"] = "gain"
    """`cmes`: eq. 8, Perrone et al. 2019 (paper). `ibo`: the lower bound of Takeno et al. 2022, never negative.
    `gain`: that bound, where each draw of f* counts by what it holds above the best feasible result."""

    objective_acquisition: Literal["ei", "ucb"] = "ei"
    """AF_G of eq. 7: log expected improvement over the best feasible result (the bound while there is none), or
    upper confidence bound (paper). With sqrt(beta) at 4 to 5 the bound's front has no place for designs near
    the best one so far, as those farther away are less certain: in a continuous space it never closes in."""

    feasibility_objective: Literal["joint", "ucb", "logprob"] = "joint"
    """AF_phi of eq. 7, the recruited agents' own objective: `ucb`, upper confidence bound of their margin (paper);
    `logprob`, log Pr(margin >= 0); `joint`, none, their margin is one constraint among the others."""

    beta: Literal["printed", "designs"] = "printed"
    """D in beta_t: the summed numbers of values |alpha| + |N_a| (paper), or the number of designs (theorem).

    A continuous dimension counts as 100 values."""

    local_term: bool = True
    """Whether each kernel has a second term, of short range (paper: one term). Without it what is local looks
    like noise, and predictions claim to know what they do not."""

    delta: float = 0.1
    """Probability with which the confidence bounds may fail, in (0, 1)."""

    batch: Literal["believer", "topk", "random", "cmi"] = "believer"
    """How several suggestions, and those pending elsewhere, are kept apart.

    `believer`: kriging believer, take the surrogates' means for results, and step again. `topk`: the best
    scores of one front (paper). `random`: random members of one front. `cmi`: information given what each path takes at
    the designs picked so far (Takeno et al. 2022; scored as `ibo`)."""

    population: int = 40
    """NSGA-II population where the space is not a grid (paper: 100), from 4 to 1000."""

    generations: int = 10
    """NSGA-II generations where the space is not a grid (paper: 100), at most 1000; at most 100,000 designs in all."""

    repeats: bool = True
    """Whether a design may be measured again where results are noisy (paper: no): where standard errors say so, or where
    two results of one design differ. The score is then the information of a noisy observation."""

    varying_noise: bool = False
    """Whether noise may vary over designs, where results of designs that were measured again say that it does. Off, as it
    could not be told to help in searches of 30 evaluations."""

    refinements: int = 16
    """Rounds of ever smaller steps around the front's best-scored designs where the space is not a grid, at most 100 (paper: 0)."""

    trust_region: bool = True
    """Whether steps look near the best design where the space is not a grid and has three dimensions or more (paper: no).

    They take the constrained expected improvement in a box around the best feasible design, or around that which misses
    the least while there is none, and every second time a step of the front once that promises next to nothing. With
    other batches than `believer` there are no boxes."""

    def __post_init__(self) -> None:
        for name, (least, most) in _LIMITS.items():
            check_count(getattr(self, name), f"CPMESConfig.{name}", least, most)
        if self.population * self.generations > _MOST_EVALUATIONS:
            raise ContractsError(
                f"CPMESConfig.population times generations must be at most {_MOST_EVALUATIONS}, but got "
                f"{self.population} times {self.generations}: lower one of them"
            )
        if not is_number(self.delta) or not 0 < self.delta < 1:
            raise ContractsError(f"CPMESConfig.delta must be a number between 0 and 1, but got {shown(self.delta)}")
        for name in ("local_term", "repeats", "varying_noise", "trust_region"):
            if not isinstance(getattr(self, name), (bool, np.bool_)):
                raise ContractsError(f"CPMESConfig.{name} must be True or False, but got {shown(getattr(self, name))}")
        for name, allowed in _CHOICES.items():
            value = getattr(self, name)
            if not isinstance(value, str) or value not in allowed:
                raise ContractsError(f"CPMESConfig.{name} must be one of {allowed}, not {shown(value)}")

    @classmethod
    def paper(cls) -> CPMESConfig:
        """As printed: UCB for both AF with D = |alpha| + |N_a|, cMES, the k best scores for a batch, NSGA-II alone."""
        return cls(
            local_term=False, score="cmes", objective_acquisition="ucb", feasibility_objective="ucb", beta="printed", batch="topk",
            population=100, generations=100, repeats=False, refinements=0, trust_region=False,
        )  # fmt: skip


def check_config(config: CPMESConfig | None) -> CPMESConfig:
    """Return the configuration, the default for None.

    Raises:
        ContractsError: it is another thing.
    """
    if config is None:
        return CPMESConfig()
    if not isinstance(config, CPMESConfig):
        raise ContractsError(f"config must be a CPMESConfig or None, but got {shown(config)}: make one")
    return config

"""The best contract in a third-party game, simple_tag of `mpe2`: how much of a catch should the prey get?

    pip install "cleanup-contracts[all]" mpe2

Three predators hunt one prey. A touch earns 10 for each predator and costs the prey 10, so that it flees. Under a contract
the predators hand a part of what they gain to the prey. From a third on a touch costs it nothing, and it need not flee;
but the more it gets, the less the hunt is worth to the predators. Nobody may be worse off than without a contract.
A search of minutes, which is a look and no result: agents that are trained for so short a time are far from skilled.
"""

from functools import partial

import numpy as np
from mpe2 import simple_tag_v3

import contract_wrapper as cw
from mtmfq import MTMFQConfig


def hand_over(rewards, activity, roles, part):
    """Transfers (..., N): a part of what the predators gain goes to the prey."""
    paid = part * np.maximum(rewards, 0.0) * roles.mask("adversary")
    return paid.sum(axis=-1, keepdims=True) * roles.mask("agent") - paid


def games(numbers, n_games, observation):
    """The hunt under a contract, or without any; `horizon`, roles (names without their numbers) and spaces are read."""
    make = partial(simple_tag_v3.parallel_env, num_good=1, num_adversaries=3, num_obstacles=0, max_cycles=25)
    part = numbers["part"] if numbers else 0.0
    return cw.PettingZooGames(make, n_games=n_games, payment=partial(hand_over, part=part))


PROBLEM = cw.DesignProblem(
    name="hunt", terms=(cw.Term(name="part", low=0, high=1, step=0.05),), games=games, packages=("mpe2",), unit="points"
)
LEARNER = MTMFQConfig(
    episodes=1_280, n_games=16, hidden=(32,), gamma=0.9, n_step=5, learning_rate=3e-3, batch_size=64, tau=0.05,
    updates_per_step=0.5, temperature=((0.0, 1.0), (0.8, 0.05)), neighbours="none",
)  # fmt: skip
SEARCH = cw.SearchSettings(n_initial=4, n_search=6, n_confirm=1)


def main(folder="studies/hunt", search=SEARCH, learner=LEARNER):
    """Search, print the table and write the report; a study that was stopped goes on by the same call."""
    settings = cw.EvaluationSettings(problem=PROBLEM, learner=learner, episodes=32)
    record = cw.optimize(settings, search, folder=folder)
    print(cw.closing_table(record), f"report: {cw.write_report(record)[0]}", sep="\n")
    return record


if __name__ == "__main__":
    main()

"""The exact solution of a tree: best actions and least payments of every node, by backward induction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contract_tree.tree import Tree, check_tree


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    """What every node would do if all means were known (rebuilt from the abstract of Scheid et al. 2025, arXiv 2501.19388)."""

    best_welfare: tuple[NDArray[np.float64], ...]
    """W_v(a), (K,) each: most welfare per round of node v and all below it, if v plays a."""

    utility: tuple[NDArray[np.float64], ...]
    """mu_v(a), (K,) each: most that v keeps per round if it plays a and pays its children what they need."""

    payment: tuple[NDArray[np.float64], ...]
    """tau*_v(b), (K,) each: least payment at which v is content to play b; 0 for the action that v likes best."""

    actions: tuple[int, ...]
    """The action of every node where all together earn most."""

    selfish: tuple[int, ...]
    """The action of every node without payments: each answers best to its children, who answer first."""

    welfare: float
    """Welfare per round of `actions`."""

    selfish_welfare: float
    """Welfare per round of `selfish`."""

    alone: tuple[float, ...]
    """What every node keeps per round in `selfish`, where nobody pays: the baseline of participation."""

    margins: tuple[float, ...]
    """What every node keeps per round where all pay `payment` and play `actions`, less `alone`.

    Never below 0 for leaves and those directly above. Higher up it can be: contracts below a node
    change what its child wants, and the node has to pay if it wants the former action back.
    """

    @property
    def gap(self) -> float:
        """Welfare per round that is lost without payments."""
        return self.welfare - self.selfish_welfare


def solve(tree: Tree) -> Solution:
    """Solve a tree from its leaves up:

        W_v(a)    = max_c { theta_v(a, c) + sum_u W_u(c_u) }
        mu_v(a)   = max_c { theta_v(a, c) - sum_u tau*_u(c_u) },   tau*_u(b) = max mu_u - mu_u(b)

    over all actions c of the children u of v. Since mu_v = W_v - constant, a selfish principal who
    pays tau* chooses what is best for all below it.

    >>> from contract_tree import named_tree
    >>> solution = solve(named_tree("chain"))
    >>> solution.actions, round(solution.welfare, 2), solution.payment[2].round(2).tolist()
    ((1, 1, 1), 2.05, [0.0, 0.2])
    """
    n = check_tree(tree).n_nodes
    welfare, utility, payment, choice = ([np.zeros(0)] * n for _ in range(4))
    selfish = [0] * n
    for v in reversed(range(n)):
        children = tree.children(v)
        k = tree.n_actions[v]
        keeps = tree.theta[v].copy()
        earns = tree.theta[v].copy()
        for axis, u in enumerate(children, 1):
            along = [1] * keeps.ndim
            along[axis] = -1
            keeps -= payment[u].reshape(along)
            earns += welfare[u].reshape(along)
        welfare[v] = earns.reshape(k, -1).max(axis=1)
        utility[v] = keeps.reshape(k, -1).max(axis=1)
        payment[v] = utility[v].max() - utility[v]
        choice[v] = earns.reshape(k, -1).argmax(axis=1)
        selfish[v] = int(np.argmax([tree.theta[v][(action, *(selfish[u] for u in children))] for action in range(k)]))
    actions = [int(welfare[0].argmax())] + [0] * (n - 1)
    for v in range(n):
        below = tree.theta[v].shape[1:]
        for u, action in zip(tree.children(v), np.unravel_index(int(choice[v][actions[v]]), below), strict=True):
            actions[u] = int(action)
    alone = [tree.mean(v, selfish) for v in range(n)]
    return Solution(
        best_welfare=tuple(welfare), utility=tuple(utility), payment=tuple(payment),
        actions=tuple(actions), selfish=tuple(selfish),
        welfare=tree.welfare(actions), selfish_welfare=tree.welfare(selfish),
        alone=tuple(alone), margins=tuple(float(utility[v].max()) - alone[v] for v in range(n)),
    )  # fmt: skip

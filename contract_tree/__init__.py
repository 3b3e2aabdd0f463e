"""Contracts in a tree: every node is principal of its children and agent of its parent, and all of them learn.

>>> from contract_tree import named_tree, simulate
>>> result = simulate(named_tree("chain"), "tree", horizon=30_000, n_games=4)
>>> bool((result.gap() < 0.01).all())
True

The same game is a PettingZoo environment: `contract_tree.env(tree)`.
"""

import pettingzoo

from contract_tree.env import BanditTreeEnv, env, raw_env
from contract_tree.errors import TreeError
from contract_tree.instances import misaligned_tree, named_tree, random_tree
from contract_tree.player_parameters import Place
from contract_tree.players import BELGIC, IPA, PLAYERS, UCB, Informed, Oracle, get_player
from contract_tree.python_engine import Factory, Move, Offer, Player
from contract_tree.result import Estimate, Result
from contract_tree.result_files import load_result, save_result
from contract_tree.simulation import simulate
from contract_tree.solution import Solution, solve
from contract_tree.tree import Tree
from contract_tree.tree_learner import TreeLearner

__version__ = "0.1.0"

__all__ = [
    "BELGIC",
    "IPA",
    "PLAYERS",
    "UCB",
    "BanditTreeEnv",
    "Estimate",
    "Factory",
    "Informed",
    "Move",
    "Offer",
    "Oracle",
    "Place",
    "Player",
    "Result",
    "Solution",
    "Tree",
    "TreeError",
    "TreeLearner",
    "env",
    "get_player",
    "load_result",
    "misaligned_tree",
    "named_tree",
    "random_tree",
    "raw_env",
    "save_result",
    "simulate",
    "solve",
]

if hasattr(pettingzoo, "register"):  # since 1.27; contract_tree.env works without
    pettingzoo.register("aec", "contract_tree/bandit-tree-v0", entry_point="contract_tree:env")

"""Trees are built in several ways, and bad ones are refused with one clear line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_trees import pair

from contract_tree import Tree, TreeError, misaligned_tree, named_tree, simulate, solve
from contract_tree.env import raw_env

LEAF = {"name": "leaf", "theta": [0.6, 0.4]}


def test_nodes_are_kept_level_by_level_whatever_the_order_of_their_description() -> None:
    parents = {"a": "r", "a1": "a", "b": "r", "b1": "b", "r": None}
    theta = {"r": [[[0.5]]], "a": [[0.1]], "b": [[0.2]], "a1": [0.3], "b1": [0.4]}
    tree = Tree.from_dict(parents, theta)
    assert tree.names == ("r", "a", "b", "a1", "b1")
    assert tree.parents == (-1, 0, 0, 1, 2)
    assert [list(tree.children(v)) for v in range(5)] == [[1, 2], [3], [4], [], []]
    assert tree.heights() == (3, 2, 2, 1, 1)


def test_children_are_found_where_a_leaf_stands_before_a_parent() -> None:
    nested = {"name": "r", "theta": [[[0.5]]], "children": [
        {"name": "a", "theta": [0.1]}, {"name": "b", "theta": [[0.2]], "children": [{"name": "b1", "theta": [0.3]}]},
    ]}  # fmt: skip
    tree = Tree.from_nested(nested)
    assert [list(tree.children(v)) for v in range(4)] == [[1, 2], [], [3], []]


def test_welfare_is_the_sum_of_the_cells_that_are_played(chain_tree: Tree) -> None:
    assert chain_tree.welfare((0, 0, 0)) == pytest.approx(0.5 + 0.7 + 0.6)
    assert chain_tree.welfare((1, 1, 1)) == pytest.approx(0.9 + 0.75 + 0.4)


@pytest.fixture
def chain_tree() -> Tree:
    return named_tree("chain")


def test_a_tree_comes_back_from_its_description_and_from_a_file(tmp_path: Path, chain_tree: Tree) -> None:
    path = tmp_path / "tree.json"
    path.write_text(json.dumps(chain_tree.as_nested()))
    again = Tree.from_json(path)
    assert again.names == chain_tree.names
    assert all((a == b).all() for a, b in zip(again.theta, chain_tree.theta, strict=True))


def test_a_networkx_graph_is_a_tree_whose_edges_run_from_principal_to_agent() -> None:
    networkx = pytest.importorskip("networkx")
    graph = networkx.DiGraph()
    graph.add_node("worker", theta=[0.6, 0.4])
    graph.add_node("boss", theta=[[0.2, 0.8]])
    graph.add_edge("boss", "worker")
    assert Tree.from_networkx(graph).as_nested() == pair().as_nested()
    graph.add_edge("worker", "boss")
    with pytest.raises(TreeError, match="cycle"):
        Tree.from_networkx(graph)


def test_a_graph_like_that_of_networkx_is_accepted_without_networkx() -> None:
    class Nodes(dict[str, dict[str, Any]]):
        def __call__(self, data: bool) -> Any:
            return self.items()

    class Graph:
        nodes = Nodes(boss={"theta": [[0.2, 0.8]]}, worker={"theta": [0.6, 0.4]}, other={"theta": [0.1]})
        pred = {"boss": [], "worker": ["boss"], "other": ["boss", "worker"]}  # noqa: RUF012

    with pytest.raises(TreeError, match="'other' has 2 parents"):
        Tree.from_networkx(Graph())
    del Graph.nodes["other"]
    assert Tree.from_networkx(Graph()).as_nested() == pair().as_nested()


@pytest.mark.parametrize(
    ("parents", "message"),
    [
        ({"a": "b", "b": "a"}, "cycle: 'a', 'b'"),
        ({"r": None, "a": "b", "b": "a"}, "cycle: 'a', 'b'"),
        ({"r": None, "s": None}, "2 roots .'r', 's'."),
        ({"r": None, "a": "x"}, "parent 'x' of 'a' is no node"),
        ({}, "no nodes"),
    ],
)
def test_what_is_no_tree_is_refused(parents: dict[str, str | None], message: str) -> None:
    with pytest.raises(TreeError, match=message):
        Tree.from_dict(parents, {name: [0.5] for name in parents})


def test_a_description_that_contains_itself_is_a_cycle() -> None:
    node: dict[str, Any] = {"name": "r", "theta": [[0.5]]}
    node["children"] = [node]
    with pytest.raises(TreeError, match="cycle: 'r' is below itself"):
        Tree.from_nested(node)


@pytest.mark.parametrize(
    ("root", "message"),
    [
        ({"name": "r", "theta": [[0.5, 0.5]], "children": []}, r"theta of 'r' has shape \(1, 2\).*no children"),
        ({"name": "r", "theta": [0.5], "children": [LEAF]}, r"theta of 'r' has shape \(1,\).*2 of 'leaf'"),
        ({"name": "r", "theta": [[0.5] * 3], "children": [LEAF]}, r"theta of 'r' has shape \(1, 3\)"),
        ({"name": "r", "theta": []}, r"shape \(0,\)"),
        ({"name": "r", "theta": 0.5}, r"shape \(\)"),
        ({"name": "r", "theta": [[0.5, 0.5], [0.5]], "children": [LEAF]}, "full table of numbers"),
        ({"name": "r", "theta": ["x"]}, "full table of numbers"),
        ({"name": "r", "theta": [0.5, 1.2]}, r"holds 1\.2: means must lie in \[0, 1\]"),
        ({"name": "r", "theta": [-0.1]}, r"holds -0\.1"),
        ({"name": "r", "theta": [float("nan")]}, "holds nan"),
        ({"name": "leaf", "theta": [[0.5, 0.5]], "children": [LEAF]}, "two nodes are called 'leaf'"),
        ({"name": "r"}, "'name' and 'theta'"),
        ({"name": "r", "theta": [0.5], "kids": []}, "unknown key 'kids'"),
        ({"name": "r", "theta": [0.5], "children": "none"}, "must be a list"),
        ({"name": "", "theta": [0.5]}, "name must be a text"),
        ([], "must be a mapping"),
    ],
)
def test_a_bad_description_is_refused(root: Any, message: str) -> None:
    with pytest.raises(TreeError, match=message) as caught:
        Tree.from_nested(root)
    assert "\n" not in str(caught.value)


def test_a_table_that_nobody_could_learn_is_refused() -> None:
    leaves = [{"name": f"leaf{i}", "theta": [0.5, 0.5]} for i in range(13)]
    with pytest.raises(TreeError, match="8192 cells, more than 4096"):
        Tree.from_nested({"name": "r", "theta": [[[[[[[[[[[[[[0.5] * 2] * 2] * 2] * 2] * 2] * 2] * 2] * 2] * 2] * 2] * 2] * 2] * 2], "children": leaves})  # fmt: skip


def test_names_and_means_must_belong_together() -> None:
    with pytest.raises(TreeError, match="no means theta are given for 'a'"):
        Tree.from_dict({"a": None}, {})
    with pytest.raises(TreeError, match="unknown node: 'b'"):
        Tree.from_dict({"a": None}, {"a": [0.5], "b": [0.5]})
    with pytest.raises(TreeError, match="level by level"):
        Tree(names=("a", "b"), parents=(-1, 1), theta=([0.5], [0.5]))  # type: ignore[arg-type]
    with pytest.raises(TreeError, match="one entry per node"):
        Tree(names=("a",), parents=(), theta=())


def test_a_bad_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TreeError, match=r"cannot read the tree file .*nothing\.json: No such file"):
        Tree.from_json(tmp_path / "nothing.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(TreeError, match="not JSON"):
        Tree.from_json(tmp_path / "bad.json")


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(TreeError, match="unknown tree 'chian': choose one of chain, ipa, random"):
        named_tree("chian")
    with pytest.raises(TreeError, match="depth of a random tree must be an integer of at least 1"):
        named_tree("random-0-2")
    with pytest.raises(TreeError, match="more than 1000"):
        named_tree("random-9-3")
    with pytest.raises(TreeError, match="nobody in a tree of depth 1 can be paid: use a depth of at least 2"):
        misaligned_tree(depth=1, branching=1)


def test_a_random_tree_depends_on_its_name_alone_and_is_misaligned() -> None:
    tree, same, other = (
        named_tree("random-3-2-7"),
        misaligned_tree(depth=3, branching=2, seed=7),
        named_tree("random-3-2"),
    )
    assert tree.n_nodes == 7
    assert tree.as_nested() == same.as_nested() != other.as_nested()
    solution = solve(tree)
    assert solution.gap >= 0.05 * solution.welfare


@pytest.mark.parametrize("tree", [3, {"name": "root"}, "chian"])
@pytest.mark.parametrize("use", [solve, lambda tree: simulate(tree, "ucb", horizon=1000, n_games=1), raw_env])
def test_what_is_no_tree_is_refused_where_one_is_needed(use: Callable[[Any], object], tree: object) -> None:
    with pytest.raises(TreeError, match=r"tree must be a Tree|unknown tree"):
        use(tree)


def test_a_tree_can_be_given_by_its_name() -> None:
    by_name = simulate("chain", "ucb", horizon=1000, n_games=1)
    assert (by_name.rewards == simulate(named_tree("chain"), "ucb", horizon=1000, n_games=1).rewards).all()

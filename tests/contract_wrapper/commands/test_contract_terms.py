"""Contracts by `--contract` and `--terms`: read, refused in one line, and evaluated, certified and played."""

import json
from pathlib import Path
from typing import Any

import pytest

from contract_wrapper import Contract
from contract_wrapper.cli import build_parser, main
from contract_wrapper.commands.configured import configure
from contract_wrapper.commands.contract_terms import contract_of
from contract_wrapper.errors import ContractsError
from contract_wrapper.learners.registry import load_policy

PIECE = ["--contract", "tax-and-piece-rate"]
TERMS = r"tax \(0 to 1\), piece_rate \(0 to 1\), n_cleaners \(1 to 5, whole\)"


def contract(*words: str, command: str = "evaluate") -> Any:
    run = configure(build_parser().parse_args([command, *words]), command)
    return contract_of(run.options, run.evaluation())


@pytest.mark.parametrize("command", ["evaluate", "certify", "play"])
def test_terms_name_a_contract_of_the_family(command: str) -> None:
    found = contract(*PIECE, "--terms", "tax=0.3, piece_rate=0.5,n_cleaners=4", command=command)
    assert found.numbers == (("tax", 0.3), ("piece_rate", 0.5), ("n_cleaners", 4))
    assert contract(*PIECE, "--tax", "0.3", "--cleaners", "4", "--terms", "piece_rate=0.5", command=command) == found
    free = ["--preset", "original", "--contract", "free-tax"]
    assert str(contract(*free, "--terms", "tax=0.2,piece_rate=1", command=command)) == "tax 0.2, piece_rate 1"
    assert contract(*free, "--terms", "none", command=command).is_none


def test_the_tax_stays_a_tax_and_a_number_of_cleaners() -> None:
    known = Contract(tax=0.3, n_cleaners=4)
    assert contract("--tax", "0.3", "--cleaners", "4") == known
    assert contract("--contract", "tax", "--terms", "tax=0.3,n_cleaners=4") == known
    assert contract("--terms", "none") == Contract.none()
    per_agent = contract("--tax", "0.3", "--cleaners", "4", "--outside", "cleaner:2")
    assert per_agent.numbers == (("tax", 0.3), ("n_cleaners", 4))


def test_a_file_may_name_the_family_and_its_largest_crew(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'contract = "price-per-cell"\n[game]\nn_harvesters = 2\n[search]\nmax_cleaners = 7\n'
    )
    for command in ("evaluate", "certify", "play"):
        found = contract("--config", str(tmp_path / "mine.toml"), "--terms", "price=0.5,n_cleaners=7", command=command)
        assert found.numbers == (("price", 0.5), ("n_cleaners", 7))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([*PIECE], f"the contract has the terms {TERMS}, got none of them: give all of them"),
        ([*PIECE, "--terms", "tax=0.3,n_cleaners=4"], f"has the terms {TERMS}, got tax, n_cleaners: give"),
        ([*PIECE, "--terms", "tax=0.3,colour=1"], f"has the terms {TERMS}, got tax, colour: give .*such as --terms tax=0.5,"),
        ([*PIECE, "--terms", "tax=1.5,piece_rate=0,n_cleaners=1"],
         rf"tax must lie in \[0, 1\], got 1.5; the terms are {TERMS}"),
        ([*PIECE, "--terms", "tax=nan,piece_rate=0,n_cleaners=1"], r"tax must lie in \[0, 1\], got nan"),
        ([*PIECE, "--terms", "tax=0,piece_rate=0,n_cleaners=1.5"], "n_cleaners must be an integer, got 1.5"),
        ([*PIECE, "--terms", "tax=0,piece_rate=0,n_cleaners=9"], r"n_cleaners must lie in \[1, 5\], got 9"),
        ([*PIECE, "--terms", "tax:0.3"], "--terms must be names with numbers, such as .*, got 'tax:0.3'"),
        ([*PIECE, "--terms", "tax=much"], "--terms must be names with numbers, such as .*, got 'tax=much'"),
        ([*PIECE, "--terms", "tax=0.1,tax=0.2"], "the term tax is given twice"),
        ([*PIECE, "--tax", "0.1", "--terms", "tax=0.2"], "the term tax is given twice"),
        (["--tax", "0.3"], r"has the terms tax \(0 to 1\), n_cleaners \(a whole number\), got tax: give .*--cleaners 5"),
        (["--contract", "tax", "--terms", "tax=0.3,n_cleaners=1.5"], "n_cleaners must be an integer"),
        (["--contract", "free-tax", "--terms", "tax=0.1,piece_rate=0"], "contracts know the roles free, but the game"),
    ],
)  # fmt: skip
def test_terms_that_are_none_are_refused_with_all_terms_and_ranges(words: list[str], message: str) -> None:
    with pytest.raises(ContractsError, match=message):
        contract(*words)


def test_wrong_commands_end_in_one_line(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for words, message in (
        (["evaluate", *PIECE], "the contract has the terms tax (0 to 1), piece_rate (0 to 1)"),
        (["play", *PIECE], "name its terms by --terms, tax (0 to 1), piece_rate (0 to 1), n_cleaners (1 to 5)"),
        (["play", *PIECE, "--study", "none"], "says which contracts it designs: leave out --contract"),
    ):
        assert main(words) == 2
        assert message in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.iterdir()) == []


def test_a_designed_contract_is_evaluated_certified_from_what_was_kept_and_played(
    tmp_path: Path, workers_here: None, capsys: Any
) -> None:
    sets = ["game.horizon=20", "game.n_free=2", "episodes=4", "learner.hidden=[8]", "learner.n_games=8"]
    common = ["--preset", "original", "--contract", "free-tax", "--terms", "tax=0.4,piece_rate=0.5"]
    common += ["--profile", "smoke", "--episodes", "16", *(word for one in sets for word in ("--set", one))]
    kept = ["--folder", str(tmp_path)]
    assert main(["evaluate", *common, *kept, "--outside", "free_1:1000"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("tax 0.4, piece_rate 0.5   (seed 0)")
    assert "worst free" in told
    assert "refused by free_1" in told
    before = sorted(path.name for path in tmp_path.glob("*.json"))
    options = ["--deviator-episodes", "8", "--json", "--outside", "free_1:1000"]
    assert main(["certify", *common, *kept, *options]) == 0
    found = json.loads(capsys.readouterr().out)["result"]
    assert (found["verdict"], found["contract"]["numbers"]) == ("refuted", {"tax": 0.4, "piece_rate": 0.5})
    assert [g["role"] for g in found["gains"]] == ["free"]
    assert sorted(path.name for path in tmp_path.glob("*.json")) == before  # trained once
    policies = {path: load_policy(path).identity["contract"]["numbers"] for path in tmp_path.glob("*.policy.npz")}
    (policy,) = (path for path, numbers in policies.items() if numbers == {"tax": 0.4, "piece_rate": 0.5})
    assert list(policies.values()).count({}) == 1  # that without a contract
    assert main(["play", *common, "--policy", str(policy), "--steps", "3", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["result"]
    assert (shown["players"], shown["agents"], len(shown["steps"])) == ("trained", ["free_0", "free_1"], 4)

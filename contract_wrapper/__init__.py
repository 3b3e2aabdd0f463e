"""The principal: contracts on top of a game, what they bring about, and the search for the best one.

Names are loaded when first used, so that `import contract_wrapper` stays light. Importing it registers the
one-step game `ContractDesign-v0` with Gymnasium, also as `contract_wrapper/ContractDesign-v0`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gymnasium.envs.registration import register

if TYPE_CHECKING:
    from contract_wrapper.bo.cpmes import CPMES, ask
    from contract_wrapper.bo.cpmes_config import CPMESConfig
    from contract_wrapper.bo.history import History
    from contract_wrapper.bo.optuna_sampler import CPMESSampler
    from contract_wrapper.bo.scipy_result import as_optimize_result
    from contract_wrapper.bo.space import DesignSpace, contract_space
    from contract_wrapper.bo.suggestion import Suggestion
    from contract_wrapper.contracts.contract import Contract
    from contract_wrapper.contracts.costs import COSTS, CostRule, RoleCost, get_costs
    from contract_wrapper.contracts.payment_rules import (
        CustomPayment,
        LinearShares,
        PayPerCell,
        TaxAndShare,
        TaxByCells,
    )
    from contract_wrapper.contracts.roles import Activity, Roles
    from contract_wrapper.contracts.settlement import Settlement
    from contract_wrapper.contracts.transfers import conserves_money, utilities, welfare
    from contract_wrapper.envs.batch_game import ContractedGame
    from contract_wrapper.envs.pettingzoo_wrapper import ContractWrapper, make_contracted
    from contract_wrapper.errors import ContractsError
    from contract_wrapper.evaluation.design_env import ContractDesign
    from contract_wrapper.evaluation.evaluate import evaluate
    from contract_wrapper.evaluation.outcome import Estimate, Outcome
    from contract_wrapper.evaluation.settings import EvaluationSettings
    from contract_wrapper.learners.ppo.config import PPOConfig, get_ppo_profile

_HOMES = {
    "contracts.contract": ("Contract",),
    "envs.batch_game": ("ContractedGame",),
    "contracts.costs": ("COSTS", "CostRule", "RoleCost", "get_costs"),
    "bo.cpmes": ("CPMES", "ask"),
    "bo.cpmes_config": ("CPMESConfig",),
    "evaluation.design_env": ("ContractDesign",),
    "errors": ("ContractsError",),
    "evaluation.evaluate": ("evaluate",),
    "evaluation.settings": ("EvaluationSettings",),
    "bo.history": ("History",),
    "evaluation.outcome": ("Estimate", "Outcome"),
    "contracts.payment_rules": ("CustomPayment", "LinearShares", "PayPerCell", "TaxAndShare", "TaxByCells"),
    "learners.ppo.config": ("PPOConfig", "get_ppo_profile"),
    "bo.scipy_result": ("as_optimize_result",),
    "contracts.roles": ("Activity", "Roles"),
    "contracts.settlement": ("Settlement",),
    "contracts.transfers": ("conserves_money", "utilities", "welfare"),
    "bo.optuna_sampler": ("CPMESSampler",),
    "bo.space": ("DesignSpace", "contract_space"),
    "bo.suggestion": ("Suggestion",),
    "envs.pettingzoo_wrapper": ("ContractWrapper", "make_contracted"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "COSTS", "CPMES", "Activity", "CPMESConfig", "CPMESSampler", "Contract", "ContractDesign", "ContractWrapper", "ContractedGame",
    "ContractsError", "CostRule", "CustomPayment", "DesignSpace", "Estimate", "EvaluationSettings", "History",
    "LinearShares", "Outcome", "PPOConfig", "PayPerCell", "RoleCost", "Roles", "Settlement", "Suggestion",
    "TaxAndShare", "TaxByCells", "as_optimize_result", "ask", "conserves_money", "contract_space", "evaluate", "get_costs",
    "get_ppo_profile", "make_contracted", "utilities", "welfare",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)


for _name in ("ContractDesign-v0", "contract_wrapper/ContractDesign-v0"):
    register(_name, entry_point="contract_wrapper.evaluation.design_env:ContractDesign")

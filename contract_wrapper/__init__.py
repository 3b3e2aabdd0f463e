"""The principal: contracts on top of a game, what they bring about, and the search for the best one.

Names are loaded when first used. Importing this registers `ContractDesign-v0` and `Landscape-v0` with Gymnasium.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gymnasium.envs.registration import register

from contract_wrapper.errors import EXTRAS, missing

if TYPE_CHECKING:
    from contract_wrapper.bo.cpmes import CPMES, ask
    from contract_wrapper.bo.cpmes_config import CPMESConfig
    from contract_wrapper.bo.dimensions import Categorical, Integer, Real
    from contract_wrapper.bo.history import History
    from contract_wrapper.bo.noise.recommend import recommend
    from contract_wrapper.bo.optuna_sampler import CPMESSampler
    from contract_wrapper.bo.rivals import RIVALS
    from contract_wrapper.bo.scipy_result import as_optimize_result, from_skopt
    from contract_wrapper.bo.space import DesignSpace, contract_space
    from contract_wrapper.bo.suggestion import SpaceExhausted, Suggestion
    from contract_wrapper.bundles.bring_in import import_bundle
    from contract_wrapper.bundles.export import export_bundle
    from contract_wrapper.contracts.contract import Contract
    from contract_wrapper.contracts.costs import COSTS, CostRule, RoleCost, get_costs
    from contract_wrapper.contracts.designed_contract import DesignedContract
    from contract_wrapper.contracts.families import CellPriceContracts, CellTaxContracts, TaxContracts
    from contract_wrapper.contracts.function_families import FunctionContracts
    from contract_wrapper.contracts.further_rules import FreeTax, SharesByRole, TaxAndPieceRate, TaxPerHarvester
    from contract_wrapper.contracts.linear_families import LinearContracts
    from contract_wrapper.contracts.named_families import get_family, register_family
    from contract_wrapper.contracts.outside_options import OutsideOptions, get_outside_options
    from contract_wrapper.contracts.payment_rules import (
        CustomPayment,
        LinearShares,
        PayPerCell,
        RewardSharing,
        TaxAndShare,
        TaxByCells,
    )
    from contract_wrapper.contracts.roles import Activity, Roles
    from contract_wrapper.contracts.settlement import Settlement
    from contract_wrapper.contracts.tax_families import FreeTaxContracts, HarvesterTaxContracts, PieceRateContracts
    from contract_wrapper.contracts.transfers import conserves_money, utilities, welfare
    from contract_wrapper.envs.batch_game import ContractedGame
    from contract_wrapper.envs.conditioned_game import ConditionedGame
    from contract_wrapper.envs.pettingzoo_batch import ConditionedPettingZooGames, PettingZooGames
    from contract_wrapper.envs.pettingzoo_wrapper import ContractWrapper, make_contracted
    from contract_wrapper.errors import ContractsError
    from contract_wrapper.evaluation.best_response import best_response
    from contract_wrapper.evaluation.by_crews.crew_outcome import play_crews
    from contract_wrapper.evaluation.by_crews.crew_settings import CrewSettings
    from contract_wrapper.evaluation.contract_grid import ContractGrid, play_grid
    from contract_wrapper.evaluation.crews import Crews, train_crews
    from contract_wrapper.evaluation.design_env import ContractDesign
    from contract_wrapper.evaluation.deviations import play_deviation
    from contract_wrapper.evaluation.deviators import train_deviator
    from contract_wrapper.evaluation.estimate import Estimate
    from contract_wrapper.evaluation.evaluate import evaluate
    from contract_wrapper.evaluation.outcome import Outcome
    from contract_wrapper.evaluation.participation import Acceptance
    from contract_wrapper.evaluation.settings import EvaluationSettings
    from contract_wrapper.landscapes.certificate import Certificate
    from contract_wrapper.landscapes.designs.design_landscape import DesignLandscape
    from contract_wrapper.landscapes.landscape import Landscape
    from contract_wrapper.landscapes.landscape_env import LandscapeDesign
    from contract_wrapper.landscapes.reachable import reachable
    from contract_wrapper.landscapes.shipped import load_landscape
    from contract_wrapper.landscapes.tabular import TabularProblem, optuna_objective
    from contract_wrapper.landscapes.thresholds import predicted_threshold, threshold
    from contract_wrapper.learners.learner import Learner
    from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile
    from contract_wrapper.learners.ppo.config import PPOConfig, get_ppo_profile
    from contract_wrapper.learners.ppo.train import sb3_vec_env
    from contract_wrapper.learners.registry import register_learner
    from contract_wrapper.learners.toolkit import (
        ArrayPolicy,
        LearnerSettings,
        TrainingCourse,
        ValuePolicy,
        epsilon_greedy,
    )
    from contract_wrapper.listeners.listener import TrainingListener, TrainingLog, TrainingRun, log_trainings
    from contract_wrapper.listeners.mlflow_log import MLflowLog
    from contract_wrapper.listeners.named import named_log
    from contract_wrapper.listeners.tensorboard_log import TensorBoardLog
    from contract_wrapper.listeners.wandb_log import WandbLog
    from contract_wrapper.playback.recording import record_episode
    from contract_wrapper.problems.cleanup import CleanupProblem, cleanup_problem
    from contract_wrapper.problems.problem import DesignProblem
    from contract_wrapper.problems.registry import get_problem, register_problem
    from contract_wrapper.problems.terms import Term
    from contract_wrapper.reports.figure_style import FigureStyle
    from contract_wrapper.reports.report import write_report
    from contract_wrapper.reports.summary_table import closing_table
    from contract_wrapper.studies.run import optimize
    from contract_wrapper.studies.settings import SearchSettings
    from contract_wrapper.studies.study import Study, read_study

_HOMES = {
    "bundles.bring_in": ("import_bundle",),
    "bundles.export": ("export_bundle",),
    "contracts.contract": ("Contract",),
    "envs.batch_game": ("ContractedGame",),
    "envs.conditioned_game": ("ConditionedGame",),
    "envs.pettingzoo_batch": ("ConditionedPettingZooGames", "PettingZooGames"),
    "contracts.families": ("CellPriceContracts", "CellTaxContracts", "TaxContracts"),
    "contracts.function_families": ("FunctionContracts",),
    "contracts.further_rules": ("FreeTax", "SharesByRole", "TaxAndPieceRate", "TaxPerHarvester"),
    "contracts.linear_families": ("LinearContracts",),
    "contracts.named_families": ("get_family", "register_family"),
    "contracts.outside_options": ("OutsideOptions", "get_outside_options"),
    "contracts.tax_families": ("FreeTaxContracts", "HarvesterTaxContracts", "PieceRateContracts"),
    "evaluation.by_crews.crew_outcome": ("play_crews",),
    "evaluation.by_crews.crew_settings": ("CrewSettings",),
    "evaluation.contract_grid": ("ContractGrid", "play_grid"),
    "evaluation.crews": ("Crews", "train_crews"),
    "contracts.costs": ("COSTS", "CostRule", "RoleCost", "get_costs"),
    "bo.cpmes": ("CPMES", "ask"),
    "bo.cpmes_config": ("CPMESConfig",),
    "bo.noise.recommend": ("recommend",),
    "evaluation.design_env": ("ContractDesign",),
    "evaluation.deviations": ("play_deviation",),
    "evaluation.deviators": ("train_deviator",),
    "errors": ("ContractsError",),
    "evaluation.evaluate": ("evaluate",),
    "evaluation.settings": ("EvaluationSettings",),
    "bo.dimensions": ("Categorical", "Integer", "Real"),
    "bo.history": ("History",),
    "evaluation.estimate": ("Estimate",),
    "evaluation.outcome": ("Outcome",),
    "evaluation.participation": ("Acceptance",),
    "contracts.payment_rules": ("CustomPayment", "LinearShares", "PayPerCell", "RewardSharing", "TaxAndShare", "TaxByCells"),
    "landscapes.certificate": ("Certificate",),
    "landscapes.designs.design_landscape": ("DesignLandscape",),
    "landscapes.landscape": ("Landscape",),
    "landscapes.landscape_env": ("LandscapeDesign",),
    "landscapes.reachable": ("reachable",),
    "landscapes.shipped": ("load_landscape",),
    "landscapes.tabular": ("TabularProblem", "optuna_objective"),
    "landscapes.thresholds": ("predicted_threshold", "threshold"),
    "learners.learner": ("Learner",),
    "learners.mtmfq_profiles": ("get_mtmfq_profile",),
    "learners.ppo.config": ("PPOConfig", "get_ppo_profile"),
    "listeners.listener": ("TrainingListener", "TrainingLog", "TrainingRun", "log_trainings"),
    "listeners.mlflow_log": ("MLflowLog",),
    "listeners.named": ("named_log",),
    "listeners.tensorboard_log": ("TensorBoardLog",),
    "listeners.wandb_log": ("WandbLog",),
    "bo.scipy_result": ("as_optimize_result", "from_skopt"),
    "contracts.roles": ("Activity", "Roles"),
    "contracts.settlement": ("Settlement",),
    "contracts.transfers": ("conserves_money", "utilities", "welfare"),
    "bo.optuna_sampler": ("CPMESSampler",),
    "bo.space": ("DesignSpace", "contract_space"),
    "bo.suggestion": ("SpaceExhausted", "Suggestion"),
    "bo.rivals": ("RIVALS",),
    "evaluation.best_response": ("best_response",),
    "playback.recording": ("record_episode",),
    "reports.figure_style": ("FigureStyle",),
    "reports.report": ("write_report",),
    "reports.summary_table": ("closing_table",),
    "studies.study": ("Study", "read_study"),
    "studies.settings": ("SearchSettings",),
    "studies.run": ("optimize",),
    "problems.cleanup": ("CleanupProblem", "cleanup_problem"),
    "problems.problem": ("DesignProblem",),
    "problems.registry": ("get_problem", "register_problem"),
    "problems.terms": ("Term",),
    "contracts.designed_contract": ("DesignedContract",),
    "learners.ppo.train": ("sb3_vec_env",),
    "learners.registry": ("register_learner",),
    "learners.toolkit": ("ArrayPolicy", "LearnerSettings", "TrainingCourse", "ValuePolicy", "epsilon_greedy"),
    "envs.pettingzoo_wrapper": ("ContractWrapper", "make_contracted"),
}  # fmt: skip
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "COSTS",
    "CPMES",
    "RIVALS",
    "Acceptance",
    "Activity",
    "ArrayPolicy",
    "CPMESConfig",
    "CPMESSampler",
    "Categorical",
    "CellPriceContracts",
    "CellTaxContracts",
    "Certificate",
    "CleanupProblem",
    "ConditionedGame",
    "ConditionedPettingZooGames",
    "Contract",
    "ContractDesign",
    "ContractGrid",
    "ContractWrapper",
    "ContractedGame",
    "ContractsError",
    "CostRule",
    "CrewSettings",
    "Crews",
    "CustomPayment",
    "DesignLandscape",
    "DesignProblem",
    "DesignSpace",
    "DesignedContract",
    "Estimate",
    "EvaluationSettings",
    "FigureStyle",
    "FreeTax",
    "FreeTaxContracts",
    "FunctionContracts",
    "HarvesterTaxContracts",
    "History",
    "Integer",
    "Landscape",
    "LandscapeDesign",
    "Learner",
    "LearnerSettings",
    "LinearContracts",
    "LinearShares",
    "MLflowLog",
    "Outcome",
    "OutsideOptions",
    "PPOConfig",
    "PayPerCell",
    "PettingZooGames",
    "PieceRateContracts",
    "Real",
    "RewardSharing",
    "RoleCost",
    "Roles",
    "SearchSettings",
    "Settlement",
    "SharesByRole",
    "SpaceExhausted",
    "Study",
    "Suggestion",
    "TabularProblem",
    "TaxAndPieceRate",
    "TaxAndShare",
    "TaxByCells",
    "TaxContracts",
    "TaxPerHarvester",
    "TensorBoardLog",
    "Term",
    "TrainingCourse",
    "TrainingListener",
    "TrainingLog",
    "TrainingRun",
    "ValuePolicy",
    "WandbLog",
    "as_optimize_result",
    "ask",
    "best_response",
    "cleanup_problem",
    "closing_table",
    "conserves_money",
    "contract_space",
    "epsilon_greedy",
    "evaluate",
    "export_bundle",
    "from_skopt",
    "get_costs",
    "get_family",
    "get_mtmfq_profile",
    "get_outside_options",
    "get_ppo_profile",
    "get_problem",
    "import_bundle",
    "load_landscape",
    "log_trainings",
    "make_contracted",
    "named_log",
    "optimize",
    "optuna_objective",
    "play_crews",
    "play_deviation",
    "play_grid",
    "predicted_threshold",
    "reachable",
    "read_study",
    "recommend",
    "record_episode",
    "register_family",
    "register_learner",
    "register_problem",
    "sb3_vec_env",
    "threshold",
    "train_crews",
    "train_deviator",
    "utilities",
    "welfare",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    except ModuleNotFoundError as error:
        if (package := (error.name or "").partition(".")[0]) not in EXTRAS:
            raise
        raise missing(package, f"{__name__}.{name}") from error


def __dir__() -> list[str]:
    return sorted(__all__)


for _namespace in ("", "contract_wrapper/"):
    register(f"{_namespace}ContractDesign-v0", entry_point="contract_wrapper.evaluation.design_env:ContractDesign")
    register(f"{_namespace}Landscape-v0", entry_point="contract_wrapper.landscapes.landscape_env:LandscapeDesign")

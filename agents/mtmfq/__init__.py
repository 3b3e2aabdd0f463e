"""Multi-type mean-field Q-learning on batched games; torch is loaded only by what needs it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mtmfq.config import PROFILES, MTMFQConfig, get_profile
from mtmfq.interface import BatchGame, ContextGame, Curve, LearnerError, RelabelGame, Signature, TrainProgress

if TYPE_CHECKING:
    from mtmfq.policy import Policy, play
    from mtmfq.training import TrainResult, train

__all__ = [
    "PROFILES",
    "BatchGame",
    "ContextGame",
    "Curve",
    "LearnerError",
    "MTMFQConfig",
    "Policy",
    "RelabelGame",
    "Signature",
    "TrainProgress",
    "TrainResult",
    "get_profile",
    "play",
    "train",
]

_LAZY = {
    "Policy": "mtmfq.policy",
    "play": "mtmfq.policy",
    "TrainResult": "mtmfq.training",
    "train": "mtmfq.training",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        try:
            return getattr(import_module(_LAZY[name]), name)
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise ModuleNotFoundError(
                f'mtmfq.{name} needs the package torch, which is not installed: pip install "cleanup-contracts[agents]"',
                name="torch",
            ) from error
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

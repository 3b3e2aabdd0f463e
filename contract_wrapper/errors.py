"""The one exception type for everything that a user of the contract package can get wrong."""

from importlib.util import find_spec


class ContractsError(ValueError):
    """A wrong contract, payment, cost or setting; the message says what to do."""


def require_package(package: str, extra: str, user: str) -> None:
    """Make sure that an optional package (its import name) is there, without loading it.

    Raises:
        ContractsError: it is not installed; the message names its user and the extra of this package that installs it.
    """
    if find_spec(package) is None:
        raise ContractsError(
            f"{user} needs the package {package.replace('_', '-')}, which is not installed: "
            f'pip install "cleanup-contracts[{extra}]"'
        )

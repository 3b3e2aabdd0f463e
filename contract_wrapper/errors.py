"""The one exception type for everything that a user of the contract package can get wrong."""


class ContractsError(ValueError):
    """A wrong contract, payment, cost or setting; the message says what to do."""

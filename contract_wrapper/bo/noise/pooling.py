"""Constraints of agents that are exchangeable, told as one: five readings of one number are less noisy than each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from contract_wrapper.bo.history import History
from contract_wrapper.errors import ContractsError, shown


def pooled(history: History, groups: Mapping[str, Sequence[str]]) -> History:
    """Return the history with each group of constraints replaced by their mean, at the place of its first.

    Agents of one type under a contract that treats them alike have the same margin; what their readings differ by is noise.
    Told apart, a contract that all of them accept is thought to be refused by one of them or another, the more so the
    more they are. Standard errors are those of means of independent readings.

    Args:
        history: what is known.
        groups: names of the constraints of each group, by the name of the new one.

    Raises:
        ContractsError: a name is none of the constraints, stands in two groups, or is binary or the recruited agents'.
    """
    names = list(history.constraints)
    members = [name for group in groups.values() for name in group]
    special = [names[j] for j in (*history.binary, history.participation) if j is not None]
    if len(set(members)) < len(members) or not set(members) <= set(names) - set(special):
        raise ContractsError(
            f"constraints that are told as one must be among {names}, each in one group, neither binary nor the recruited "
            f"agents', but got {shown(dict(groups))}"
        )
    se = np.zeros_like(history.margins) if history.margins_se is None else history.margins_se
    group_of = {name: new for new, group in groups.items() for name in group}
    kept = list(dict.fromkeys(group_of.get(name, name) for name in names))
    columns = {new: [names.index(name) for name in groups.get(new, (new,))] for new in kept}
    return replace(
        history,
        margins=np.column_stack([history.margins[:, columns[new]].mean(axis=1) for new in kept])
        if kept
        else history.margins,
        margins_se=None
        if history.margins_se is None or not kept
        else np.column_stack([np.sqrt((se[:, columns[new]] ** 2).sum(axis=1)) / len(columns[new]) for new in kept]),
        constraints=tuple(kept),
        participation=None if history.participation is None else kept.index(names[history.participation]),
        binary=tuple(kept.index(names[j]) for j in history.binary),
    )

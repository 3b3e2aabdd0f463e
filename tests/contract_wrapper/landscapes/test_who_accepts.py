"""Three words for every contract of a table, by the rule of single evaluations."""

import numpy as np

from contract_wrapper.landscapes.table.who_accepts import who_accepts

NAN = np.nan


def test_errors_are_over_trainings_where_there_are_several() -> None:
    """Margins of 1 and 3 have a mean of 2 and a standard error of 1; those of -1 and 3 a mean of 1 and one of 2."""
    margins = np.array([[[1.0], [-1.0], [-3.0]], [[3.0], [3.0], [-3.0]]])
    over_episodes = np.full_like(margins, 9.0)
    assert who_accepts(margins, over_episodes).tolist() == ["accepted", "undecided", "refused"]
    assert who_accepts(margins, over_episodes, "episodes").tolist() == ["undecided"] * 3


def test_agents_that_a_contract_does_not_have_have_no_say() -> None:
    margins = np.array([[[1.0, NAN], [1.0, -1.0], [NAN, NAN]]])
    assert who_accepts(margins, np.full_like(margins, 0.1)).tolist() == ["accepted", "refused", "accepted"]

"""One episode of agents that act as a policy says, for any policy that acts on what agents see."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from mtmfq.interface import BatchGame, ContextGame, LearnerError, StepHook


def play(game: BatchGame, policy: Any, seed: int, *, on_step: StepHook | None = None) -> NDArray[np.float64]:
    """One episode in every copy of `game` -> raw reward sums (B, N); `seed` fixes game and policy.

    policy: has a `signature` (`mtmfq.Signature`) and `act(observations, rng, *, agent_types)`; in a game with contexts
    `act` also takes `context`, (B, N, C).

    Raises:
        LearnerError: the policy was trained on another kind of game.
    """
    signature = policy.signature.of_same_kind(game)
    rng, types = np.random.default_rng(seed), np.array(signature.agent_types, np.int64)
    sums = np.zeros((game.n_games, game.n_agents))
    observations = game.reset(seed)
    shown = shown_context(game, signature.n_context)
    for t in range(signature.horizon):
        actions = policy.act(observations, rng, agent_types=types, **shown)
        observations, rewards = game.step(actions)
        sums += rewards
        if on_step is not None:
            on_step(t, actions, rewards)
    return sums


def shown_context(game: BatchGame, n_context: int) -> dict[str, NDArray[np.float32]]:
    """What `act` takes beside observations in the present episode: the context, a copy; nothing if there is none.

    Raises:
        LearnerError: the context is not finite.
    """
    if not n_context:
        return {}
    context = np.array(cast(ContextGame, game).context(), np.float32)
    if not np.isfinite(context).all():
        raise LearnerError("the game shows a context that is not finite: check how it draws it")
    return {"context": context}

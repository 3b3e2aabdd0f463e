"""A learner of your own: independent Q-learning, linear in the features, with numpy alone; judged under a contract."""

from dataclasses import dataclass

import numpy as np

import contract_wrapper as cw


@dataclass(frozen=True, kw_only=True)
class LinearQConfig(cw.LearnerSettings):
    step: float = 0.02
    gamma: float = 0.9


class LinearQPolicy(cw.ValuePolicy):
    kind, settings = "linear-q", LinearQConfig

    @staticmethod
    def shapes(config, signature):
        types, actions = len(signature.n_actions), max(signature.n_actions)
        return {"slope": (types, actions, signature.n_features), "level": (types, actions)}

    def values(self, seen, types):
        """Features (B, N, F) -> values of all actions (B, N, A); an action that a type lacks has -inf."""
        slope, level = self.weights["slope"][types], self.weights["level"][types]
        return self.owned(np.einsum("bnf,naf->bna", seen, slope) + level, types)


def train(game, config, seeds, *, on_progress, should_stop, checkpoint, identity):
    """Q-learning (Watkins 1989) in all games at once, blind to others; a stopped training begins anew (no checkpoints)."""
    rng, types, policy = np.random.default_rng(seeds), game.agent_types, LinearQPolicy.zeros(config, game, identity)
    course = cw.TrainingCourse(game, config, on_progress, should_stop)
    while course.goes_on():
        seen = course.reset(rng)
        for _ in range(game.horizon):
            q = policy.values(seen, types)
            actions = cw.epsilon_greedy(q, rng, 0.3 - 0.25 * course.done)
            after, utilities = course.step(actions)
            error = utilities + config.gamma * policy.values(after, types).max(axis=2) - policy.taken(q, actions)
            move = config.step * error / (1.0 + (seen**2).sum(axis=2))
            np.add.at(policy.weights["level"], (types, actions), move)
            np.add.at(policy.weights["slope"], (types, actions), move[..., None] * seen)
            seen = after
    return course.result(policy)


learner = cw.register_learner(LinearQPolicy.learner("linear-q", train, quick=64))


def main(episodes=640):
    """Evaluate a contract with this learner, after one episode in each game and after all; return both harvests."""
    both = [cw.EvaluationSettings(learner=LinearQConfig(episodes=n), episodes=32) for n in (16, episodes)]
    outcomes = [cw.evaluate(cw.Contract(tax=0.3, n_cleaners=3), settings, seed=0) for settings in both]
    print(*(f"welfare {o.welfare}, apples {o.harvest}, shots {o.shots}" for o in outcomes), sep="\n")
    return [outcome.harvest.mean for outcome in outcomes]


if __name__ == "__main__":
    main()

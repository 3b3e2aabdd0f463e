"""TorchRL on the PettingZoo face of the game: one policy and one critic per role, trained by PPO.

Needs: pip install "cleanup-contracts[agents]" torchrl
"""

from typing import Any

import cleanup_env
from contract_wrapper import Contract, make_contracted

INSTALL = 'this example needs TorchRL: pip install "cleanup-contracts[agents]" torchrl'


def make_env(contract: Contract, seed: int = 0, **settings: Any) -> Any:
    """The game under a contract. Agents are grouped by their names: ("harvester", ...) and ("cleaner", ...).

    Groups keep their own action spaces; one group of all agents needs `equal_actions=True` among the settings. A new
    number of cleaners needs a new environment.
    """
    from torchrl.envs.libs.pettingzoo import PettingZooWrapper

    def game(n_cleaners: int) -> Any:
        return cleanup_env.parallel_env(n_cleaners=n_cleaners, observation="features", **settings)

    return PettingZooWrapper(env=make_contracted(contract, game), seed=seed)


def make_learner(env: Any, group: str) -> tuple[Any, Any]:
    """Actor and PPO loss of one role; its agents share weights, and each judges by what it sees itself."""
    import torch
    from tensordict.nn import TensorDictModule
    from torchrl.modules import MultiAgentMLP, ProbabilisticActor
    from torchrl.objectives import ClipPPOLoss, ValueEstimators

    def network(outputs: int) -> MultiAgentMLP:
        return MultiAgentMLP(
            n_agent_inputs=env.observation_spec[group, "observation"].shape[-1], n_agent_outputs=outputs,
            n_agents=len(env.group_map[group]), centralized=False, share_params=True, depth=2, num_cells=64,
        )  # fmt: skip

    n_actions = env.full_action_spec[group, "action"].space.n
    actor = ProbabilisticActor(
        TensorDictModule(network(n_actions), in_keys=[(group, "observation")], out_keys=[(group, "logits")]),
        in_keys=[(group, "logits")], out_keys=[(group, "action")], distribution_class=torch.distributions.Categorical,
        return_log_prob=True, log_prob_key=(group, "log_prob"),
    )  # fmt: skip
    critic = TensorDictModule(network(1), in_keys=[(group, "observation")], out_keys=[(group, "value")])
    loss = ClipPPOLoss(actor, critic, entropy_coeff=0.01)
    loss.set_keys(
        action=(group, "action"), sample_log_prob=(group, "log_prob"), value=(group, "value"),
        reward=(group, "reward"), done=(group, "done"), terminated=(group, "terminated"),
        advantage=(group, "advantage"), value_target=(group, "value_target"),
    )  # fmt: skip
    # GAE reads `terminated` apart from `done`: at the time limit, where only the latter is true, it goes on
    # with the critic's value of what would have come.
    loss.make_value_estimator(ValueEstimators.GAE, gamma=0.99, lmbda=0.95)
    return actor, loss


def main(episodes: int = 40, horizon: int = 200, epochs: int = 4) -> list[float] | None:
    """Train; return each episode's total utility, or None if TorchRL is missing."""
    try:
        import torch
        from tensordict.nn import TensorDictSequential
        from torchrl.envs.utils import ExplorationType, check_env_specs, set_exploration_type
    except ModuleNotFoundError:
        print(INSTALL)
        return None
    torch.manual_seed(0)
    env = make_env(Contract(tax=0.3, n_cleaners=3), horizon=horizon)
    check_env_specs(env)
    groups = list(env.group_map)
    learners = {group: make_learner(env, group) for group in groups}
    crew = TensorDictSequential(*(actor for actor, _ in learners.values()))
    optimisers = {group: torch.optim.Adam(loss.parameters(), 1e-3) for group, (_, loss) in learners.items()}
    totals = []
    for _ in range(episodes):
        with torch.no_grad(), set_exploration_type(ExplorationType.RANDOM):  # a bare rollout plays greedily
            episode = env.rollout(horizon, crew)
        for group, (_, loss) in learners.items():
            with torch.no_grad():
                loss.value_estimator(
                    episode, params=loss.critic_network_params, target_params=loss.target_critic_network_params
                )
            for _ in range(epochs):
                parts = loss(episode)
                optimisers[group].zero_grad()
                (parts["loss_objective"] + parts["loss_critic"] + parts["loss_entropy"]).backward()
                optimisers[group].step()
        totals.append(sum(float(episode["next", group, "reward"].sum()) for group in groups))
    print(f"total utility: first episode {totals[0]:.1f}, last {totals[-1]:.1f}")
    return totals


if __name__ == "__main__":
    main()

"""TorchRL on the game under a contract: rollouts and PPO losses, with a group per role and with one group of all."""

import json
from importlib.metadata import version

import torch
from tensordict.nn import TensorDictModule, TensorDictSequential
from torchrl.envs.libs.pettingzoo import PettingZooWrapper
from torchrl.envs.utils import MarlGroupMapType, check_env_specs
from torchrl.modules import MultiAgentMLP, ProbabilisticActor
from torchrl.objectives import ClipPPOLoss, ValueEstimators

import cleanup_env
from contract_wrapper import Contract, make_contracted


def make_env(one_group):
    """A group per role, by the first part of the agents' names, or one group of all, which needs equal actions."""

    def game(n_cleaners):
        return cleanup_env.parallel_env(
            n_cleaners=n_cleaners, observation="features", horizon=20, equal_actions=one_group
        )

    groups = MarlGroupMapType.ALL_IN_ONE_GROUP if one_group else None
    return PettingZooWrapper(env=make_contracted(Contract(tax=0.3, n_cleaners=2), game), group_map=groups, seed=0)


def network(env, group, outputs):
    inputs, agents = env.observation_spec[group, "observation"].shape[-1], len(env.group_map[group])
    return MultiAgentMLP(inputs, outputs, agents, centralized=False, share_params=True, depth=1, num_cells=32)


def learner(env, group):
    """Actor and PPO loss of a group."""
    logits = network(env, group, env.full_action_spec_unbatched[group, "action"].space.n)
    actor = ProbabilisticActor(
        TensorDictModule(logits, [(group, "observation")], [(group, "logits")]),
        in_keys=[(group, "logits")],
        out_keys=[(group, "action")],
        distribution_class=torch.distributions.Categorical,
        return_log_prob=True,
        log_prob_key=(group, "log_prob"),
    )
    critic = TensorDictModule(network(env, group, 1), [(group, "observation")], [(group, "value")])
    loss = ClipPPOLoss(actor, critic)
    names = {"sample_log_prob": "log_prob", "value_target": "value_target", "value": "value", "advantage": "advantage"}
    names |= {name: name for name in ("action", "reward", "done", "terminated")}
    loss.set_keys(**{key: (group, name) for key, name in names.items()})
    loss.make_value_estimator(ValueEstimators.GAE, gamma=0.99, lmbda=0.95)
    return actor, loss


ends = 0
for one_group in (False, True):
    env = make_env(one_group)
    check_env_specs(env)
    learners = {group: learner(env, group) for group in env.group_map}
    crew = TensorDictSequential(*(actor for actor, _ in learners.values()))
    with torch.no_grad():
        played = env.rollout(60, crew, break_when_any_done=False)
    ends += int(played["next", "done"].sum())
    for _, loss in learners.values():
        losses = loss(loss.value_estimator(played))
        total = losses["loss_objective"] + losses["loss_critic"] + losses["loss_entropy"]
        total.backward()
        assert torch.isfinite(total)
what = "rollouts, PPO losses: a group per role; one group"
print(json.dumps({"client": "TorchRL", "version": version("torchrl"), "what": what, "ends": ends}))

"""tianshou: DQN for one agent beside random players, on the turn-based game with equal actions."""

import json
from importlib.metadata import version

from tianshou.algorithm import DQN, MultiAgentOffPolicyAlgorithm
from tianshou.algorithm.modelfree.dqn import DiscreteQLearningPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.algorithm.random import MARLRandomDiscreteMaskedOffPolicyAlgorithm
from tianshou.data import Collector, VectorReplayBuffer
from tianshou.env import DummyVectorEnv, PettingZooEnv
from tianshou.trainer import OffPolicyTrainerParams
from tianshou.utils.net.common import Net

import cleanup_env


def build():
    return PettingZooEnv(cleanup_env.env(n_cleaners=2, observation="features", horizon=10, equal_actions=True))


env = build()
network = Net(state_shape=env.observation_space.shape, action_shape=env.action_space.n, hidden_sizes=[32])
policy = DiscreteQLearningPolicy(model=network, action_space=env.action_space)
learner = DQN(policy=policy, optim=AdamOptimizerFactory(lr=1e-3))
others = [MARLRandomDiscreteMaskedOffPolicyAlgorithm(action_space=env.action_space) for _ in env.agents[1:]]
players = MultiAgentOffPolicyAlgorithm(algorithms=[learner, *others], env=env)
collector = Collector(players, DummyVectorEnv([build, build]), VectorReplayBuffer(2_000, 2))
params = OffPolicyTrainerParams(
    training_collector=collector,
    max_epochs=1,
    epoch_num_steps=280,  # four episodes of 10 steps, in which 7 agents move in turn
    collection_step_num_env_steps=140,
    update_step_num_gradient_steps_per_sample=0.1,
    batch_size=32,
    test_step_num_episodes=2,
    test_collector=Collector(players, DummyVectorEnv([build, build])),
    multi_agent_return_reduction=lambda returns: returns[:, 0],  # what the learner itself earned
    verbose=False,
    show_progress=False,
)
trained = players.run_training(params)
assert trained.timing.total_time > 0
ends = trained.train_episode + trained.test_episode
what = "DQN beside random players, turn by turn, by its trainer"
print(json.dumps({"client": "tianshou", "version": version("tianshou"), "what": what, "ends": int(ends)}))

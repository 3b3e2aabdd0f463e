"""Who learns under a contract: the registry of learners, and PPO beside mean-field Q-learning."""

"""Games under a contract: a PettingZoo wrapper, and a batch of games as learners take them."""

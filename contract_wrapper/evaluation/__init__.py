"""The black box: train agents under a contract, let them play, report the outcome."""

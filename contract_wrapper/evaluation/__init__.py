"""The black box: train agents under a contract, watch them play, report what everybody got."""

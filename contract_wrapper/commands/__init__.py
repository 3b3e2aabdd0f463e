"""What the commands of `cleanup-contracts` do; `contract_wrapper.cli` says which options they have."""

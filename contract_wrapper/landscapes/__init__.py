"""Tables over all contracts, what they say of equilibria, and search problems made of them."""

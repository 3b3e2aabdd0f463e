"""Episodes to look at: recorded state by state, as moving pictures or in a terminal."""

"""What is agreed: contracts, roles, payments and costs, and the settlement of a step; knows no game and no learner."""

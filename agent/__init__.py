"""The search: campaigns, operators, proposers, population, budget, and the command line."""

"""How much each column adds to single scores: gradients, Shapley values, permutations, and what captum offers."""

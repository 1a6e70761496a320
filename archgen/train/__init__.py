"""Training: data sets, recipes, the loop, evaluation. What loads early imports no torch."""

"""Training: the data sets, a recipe and the loop. Only `recipe` may be imported without torch."""

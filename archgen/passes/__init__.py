"""Rewrites of graphs, one a file: `fold` gives with its graph how the weights move."""

"""Rewrites of graphs: one function ``Graph -> Graph`` a file."""

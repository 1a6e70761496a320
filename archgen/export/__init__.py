"""Weights from elsewhere: other people's names for the tensors of the same networks."""

from archgen.export.load import Loaded, load_weights

__all__ = ["Loaded", "load_weights"]

"""Weights from elsewhere: other people's names for the tensors of the same networks."""

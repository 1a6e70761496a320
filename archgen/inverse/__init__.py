"""The inverse question: which value of a number in a spec costs what is asked for? No torch."""

from archgen.inverse.percent import PERCENT, percent
from archgen.inverse.solve import COSTS, Fit, Point, fit, nearest

__all__ = ["COSTS", "PERCENT", "Fit", "Point", "fit", "nearest", "percent"]

"""The inverse question: which value of a number in a spec costs what is asked for? No torch."""

from archgen.inverse.found import Fit, Point
from archgen.inverse.percent import PERCENT, percent
from archgen.inverse.search import COSTS
from archgen.inverse.solve import fit, nearest

__all__ = ["COSTS", "PERCENT", "Fit", "Point", "fit", "nearest", "percent"]

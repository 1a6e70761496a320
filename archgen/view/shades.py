"""What a pixel sees of a map, as text: grids are seen as grids."""

from __future__ import annotations

from math import log

from archgen.analysis import Coverage

_SHADES = " ·░▒▓█"
_STEP = 4


def shades(coverage: Coverage, most: int = 48) -> str:
    """Draw the field of a pixel: two characters a position, darker where more of its paths lead.

    The darkest takes what is more than a quarter of the largest share, each other shade what is
    more than a quarter of that, the faintest all the rest; blank is what the pixel does not see.

    Args:
        coverage: What the pixel sees.
        most: Rows and columns of the drawing at most; in a larger field, one of them stands for
            several positions, added up.
    """
    field = coverage.field
    step = -(-max(field.shape) // most)
    cells = [
        [float(field[row : row + step, column : column + step].sum())
         for column in range(0, field.shape[1], step)]
        for row in range(0, field.shape[0], step)
    ]  # fmt: skip
    largest = max(map(max, cells))
    lines = ("".join(2 * _shade(cell / largest) for cell in row).rstrip() for row in cells)
    return "\n".join(lines) + "\n"


def _shade(share: float) -> str:
    """Give the shade for a part of the largest share."""
    if not share:
        return _SHADES[0]
    fainter = round(log(1 / share, _STEP), 9)
    return _SHADES[max(1, len(_SHADES) - 1 - int(fainter))]

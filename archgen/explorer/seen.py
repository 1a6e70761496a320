"""What a pixel sees of a map as a figure: grids are seen as grids."""

from __future__ import annotations

from math import log2

from archgen.analysis import Coverage, coverage
from archgen.errors import ArchError
from archgen.ops import size
from archgen.report.traces import Chart, safe
from archgen.spec import Net

FAINTEST = -10
"""What has less than 2 ** FAINTEST of the largest share has the faintest colour."""
SIDE = 520
"""Pixels of the figure's height."""
MOST_CELLS = 512
"""Cells of a side; a larger field has several positions a cell."""
MOST_POSITIONS = 1 << 23
"""Positions of the largest map that is followed; each takes eight bytes."""


def seen_by(net: Net, of: str, seen: str) -> Coverage:
    """Follow what the middle pixel of one map sees of another, where that takes seconds at most.

    Args:
        net: The network.
        of: Path of the pixel's map.
        seen: Path of the map that it sees.

    Raises:
        ArchError: As of `coverage`, or a map is too large to be followed here.
    """
    maps = (call.shape[1:] for call in net.graph().calls if len(call.shape) == 3)
    largest = max(maps, key=lambda sides: sides[0] * sides[1], default=(0, 0))
    if largest[0] * largest[1] > MOST_POSITIONS:
        said = f"a map of {size(largest)} is followed up to {MOST_POSITIONS:,} positions only"
        raise ArchError("input", f"{said}; set a smaller input")
    return coverage(net, of, seen)


def seen_map(found: Coverage, of: str, seen: str) -> Chart:
    """Draw the share of each position of the field in its place; holes are blank.

    Args:
        found: What the pixel sees.
        of: The path of its map, for the texts.
        seen: The path of the map that it sees.
    """
    field = found.field
    step = -(-max(field.shape) // MOST_CELLS)
    top, left = (side.start + (step - 1) / 2 for side in found.box)
    shares = found.cells(step)
    largest = float(shares.max())
    cells = [[round(log2(x / largest), 2) if x else None for x in row] for row in shares.tolist()]
    ticks = range(FAINTEST, 1, 2)
    data = [
        {
            "type": "heatmap", "colorscale": "Viridis", "zmin": FAINTEST, "zmax": 0,
            "z": cells, "x0": left, "dx": step, "y0": top, "dy": step,
            "hovertemplate": "row %{y}, column %{x}<br>2^%{z} of the largest share<extra></extra>",
            "hoverongaps": False, "xgap": 0, "ygap": 0,
            "colorbar": {
                "title": {"text": "share of the largest", "side": "right"},
                "tickvals": [*ticks],
                "ticktext": [f"1/{2**-tick}" if tick else "1" for tick in ticks],
            },
        }
    ]  # fmt: skip
    down, right = top + step * (len(cells) - 0.5), left + step * (len(cells[0]) - 0.5)
    layout = {
        "height": SIDE,
        "margin": {"t": 12, "r": 12, "l": 56, "b": 52},
        "xaxis": {"title": {"text": f"column of {safe(seen)}"}, "range": [left - step / 2, right],
                  "showgrid": False, "zeroline": False, "constrain": "domain"},
        "yaxis": {"title": {"text": f"row of {safe(seen)}"}, "range": [down, top - step / 2],
                  "showgrid": False, "zeroline": False, "constrain": "domain",
                  "scaleanchor": "x"},
    }  # fmt: skip
    rows, columns = found.shares.shape
    said = (
        f"The middle pixel of {of} sees {found.seen:,} of the {rows:,} by {columns:,} positions "
        f"of {seen}, {found.density:.0%} of a field of {size(field.shape)}"
    )
    coarse = f"; a cell is {step} by {step} positions." if step > 1 else "."
    return Chart(data, layout, said + coarse)

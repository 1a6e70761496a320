"""What a pixel sees of a map as a figure: grids are seen as grids."""

from __future__ import annotations

from math import log2

from archgen.analysis import Coverage
from archgen.report.traces import Chart, safe

FAINTEST = -10
"""What has less than 2 ** FAINTEST of the largest share has the faintest colour."""
SIDE = 520
"""Pixels of the figure's height."""


def seen_map(found: Coverage, of: str, seen: str) -> Chart:
    """Draw each position's share in its place; blank is what the pixel does not see.

    Args:
        found: What the pixel sees.
        of: The path of its map, for the texts.
        seen: The path of the map that it sees.
    """
    largest = float(found.shares.max())
    shares = [[float(share) / largest for share in row] for row in found.shares]
    ticks = range(FAINTEST, 1, 2)
    data = [
        {
            "type": "heatmap", "colorscale": "Viridis", "zmin": FAINTEST, "zmax": 0,
            "z": [[round(log2(share), 2) if share else None for share in row] for row in shares],
            "hovertemplate": "row %{y}, column %{x}<br>2^%{z} of the largest share<extra></extra>",
            "hoverongaps": False, "xgap": 0, "ygap": 0,
            "colorbar": {
                "title": {"text": "share of the largest", "side": "right"},
                "tickvals": [*ticks],
                "ticktext": [f"1/{2**-tick}" if tick else "1" for tick in ticks],
            },
        }
    ]  # fmt: skip
    rows, columns = found.shares.shape
    layout = {
        "height": SIDE,
        "margin": {"t": 12, "r": 12, "l": 56, "b": 52},
        "xaxis": {"title": {"text": f"column of {safe(seen)}"}, "range": [-0.5, columns - 0.5],
                  "showgrid": False, "zeroline": False, "constrain": "domain"},
        "yaxis": {"title": {"text": f"row of {safe(seen)}"}, "range": [rows - 0.5, -0.5],
                  "showgrid": False, "zeroline": False, "constrain": "domain",
                  "scaleanchor": "x"},
    }  # fmt: skip
    said = (
        f"The middle pixel of {of} sees {found.seen} of the {rows} by {columns} positions of "
        f"{seen}, {found.density:.0%} of its field."
    )
    return Chart(data, layout, said)

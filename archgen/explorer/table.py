"""The costs of a network as a table for other programs."""

from __future__ import annotations

import csv
import io

from archgen.ops import size
from archgen.spec import Net
from archgen.view import stage_rows

COLUMNS = ("path", "block", "units", "shape", "stride", "params", "macs", "share")


def cost_csv(net: Net) -> str:
    """Write one row a stage, as `archgen show` has them, with all digits.

    Raises:
        ArchError: The spec cannot be lowered.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for row in stage_rows(net):
        table.writerow(
            [size(row.shape) if key == "shape" else getattr(row, key) for key in COLUMNS]
        )
    return text.getvalue()

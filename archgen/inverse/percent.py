"""Parts as people write them: ``2%``."""

from __future__ import annotations

import re

from archgen.errors import ArchError

PERCENT = r"^\d+(\.\d+)?\s?%$"
"""What such a text looks like."""


def percent(text: str, path: str) -> float:
    """Read ``2%`` as 0.02.

    Args:
        text: Digits and a percent sign.
        path: Where it stands, for the message.

    Raises:
        ArchError: It is no such text.
    """
    if not re.fullmatch(PERCENT, text):
        raise ArchError(path, f"{text!r} is no percentage; write 2%")
    return float(text.rstrip("% ")) / 100

"""Texts that others wrote, where markdown is read."""

from __future__ import annotations

import re


def escaped(text: str) -> str:
    """Take all meaning from a text but itself."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))

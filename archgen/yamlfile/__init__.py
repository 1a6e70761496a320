"""YAML text to plain data that knows its lines, and back; knows nothing of specs or studies.

Scalars follow the YAML 1.2 core schema: ``no`` is a string, ``1e-3`` a number, ``010`` is ten.
Texts may come from anyone, so size, depth and expansion are limited, and every failure is one
:class:`ArchError` with its line.
"""

from archgen.yamlfile.reader import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_NODES,
    WIDTH,
    Document,
    Loc,
    decode,
    parse,
    read,
)
from archgen.yamlfile.writer import dump

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_DIGITS",
    "MAX_NODES",
    "WIDTH",
    "Document",
    "Loc",
    "decode",
    "dump",
    "parse",
    "read",
]

"""Plain data to tidy YAML that the reader reads back to an equal value."""

from __future__ import annotations

import math
import sys
from typing import Any

import yaml

from archgen.errors import ArchError
from archgen.yamlfile.reader import (
    CORE,
    DEFAULT_TAGS,
    MAX_DEPTH,
    MAX_DIGITS,
    TAGS,
    WIDTH,
    Loc,
    plain,
)

_INDENT = 2


class _Emitter(yaml.SafeDumper):
    """PyYAML's emitter with this reader's idea of which texts are strings.

    Always the one in Python: a file must not change with whether libyaml is installed.
    """

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        if kind is not yaml.ScalarNode or not implicit[0]:
            return DEFAULT_TAGS[kind]
        try:
            return TAGS[type(plain(value))]
        except ValueError:
            return None

    def choose_scalar_style(self) -> str:
        # Single quotes would fold line breaks; one kind of quotes is tidier than two.
        return super().choose_scalar_style() and '"'

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def dump(value: Any) -> str:
    """Write plain data as YAML that :func:`parse` reads back to an equal value.

    The outer two levels of mappings are blocks; what is deeper takes one line where it fits in
    ``WIDTH`` columns. Keys keep their order; a string has quotes only where it needs them.

    Args:
        value: Any nesting of dict (with str keys), list, str, int, float, bool and None.

    Raises:
        ArchError: The value is not plain data or cannot be read back.
    """
    node = _node(value, ())
    if isinstance(node, yaml.CollectionNode):
        _unfold(node, 0)
    return _emit(node)


def _emit(node: yaml.Node) -> str:
    text: str = yaml.serialize(node, Dumper=_Emitter, allow_unicode=True, width=sys.maxsize)
    return text


def _unfold(node: yaml.CollectionNode, indent: int) -> None:
    """Write ``node`` as a block, and each entry that is no second-level mapping on one line."""
    node.flow_style = False
    for entry in node.value:
        child = entry[1] if isinstance(node, yaml.MappingNode) else entry
        if not isinstance(child, yaml.CollectionNode):
            continue
        alone = type(node)(node.tag, [entry], flow_style=False)
        outer = indent == 0 and isinstance(child, yaml.MappingNode)
        if outer or indent + len(_emit(alone).rstrip()) > WIDTH:
            _unfold(child, indent + _INDENT)


def _node(value: Any, loc: Loc) -> yaml.Node:
    """Turn plain data into PyYAML's nodes, everything on one line."""
    if isinstance(value, dict | list) and len(loc) >= MAX_DEPTH:
        raise _unwritable(loc, f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        pairs = [(_key(key, loc), _node(item, (*loc, key))) for key, item in value.items()]
        return yaml.MappingNode(CORE + "map", pairs, flow_style=True)
    if isinstance(value, list):
        items = [_node(item, (*loc, index)) for index, item in enumerate(value)]
        return yaml.SequenceNode(CORE + "seq", items, flow_style=True)
    return _scalar_node(value, loc)


def _key(key: Any, loc: Loc) -> yaml.Node:
    if not isinstance(key, str):
        raise _unwritable(loc, f"key {key!r} is no string")
    return _scalar_node(key, loc)


def _scalar_node(value: Any, loc: Loc) -> yaml.Node:
    if isinstance(value, str):
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise _unwritable(loc, f"{value!r} is no Unicode text")
        return yaml.ScalarNode(TAGS[str], value)
    text = _number_text(value)
    if text is None:
        raise _unwritable(loc, f"a {type(value).__name__} is no plain data")
    if len(text) > MAX_DIGITS:
        raise _unwritable(loc, f"a number of more than {MAX_DIGITS} digits")
    return yaml.ScalarNode(TAGS[type(plain(text))], text)


def _number_text(value: Any) -> str | None:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return int.__repr__(value)
        case float() if math.isfinite(value):
            return float.__repr__(value)
        case float():
            return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    return None


def _unwritable(loc: Loc, reason: str) -> ArchError:
    return ArchError(".".join(map(str, loc)), f"cannot be written as YAML: {reason}")

"""YAML text to plain data that knows its lines, and back; knows nothing of specs or studies.

Scalars follow the YAML 1.2 core schema: ``no`` is a string, ``1e-3`` a number, ``010`` is ten.
Texts may come from anyone, so size, depth and expansion are limited, and every failure is one
:class:`ArchError` with its line.
"""

from __future__ import annotations

import math
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import yaml

from archgen.errors import ArchError

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_NODES = 20_000
MAX_DIGITS = 100
WIDTH = 100

Loc: TypeAlias = tuple[str | int, ...]

CORE = "tag:yaml.org,2002:"
_TYPES: dict[str, type] = {"int": int, "float": float, "bool": bool, "null": type(None)}
TAGS = {kind: CORE + name for name, kind in _TYPES.items()} | {str: CORE + "str"}
DEFAULT_TAGS = {
    yaml.ScalarNode: CORE + "str",
    yaml.SequenceNode: CORE + "seq",
    yaml.MappingNode: CORE + "map",
}

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# U+0085, U+2028 and U+2029 are left out: YAML 1.1 breaks a line there, YAML 1.2 does not.
_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_NUMBER_START = frozenset("0123456789+-.")
_NUMBER = re.compile(
    r"([-+]?[0-9]+)|(0o[0-7]+)|(0x[0-9a-fA-F]+)"
    r"|([-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
)
_BASES = {1: 10, 2: 8, 3: 16}
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_HINTS = {
    "mapping values are not allowed": "check the indentation, and quote a text that holds ': '",
    "cannot start any token": "indent with spaces, not tabs, and quote a text with @ or ` first",
    "expected ':'": "each line of a mapping is 'key: value'",
    "expected ','": "separate with commas and close the bracket",
    "node content": "write a value there or close the bracket",
    "block end": "check the indentation",
    "expected key": "check the indentation",
    "'-' indicator": "check the indentation",
    "<document start>": "check the indentation",
    "unknown escape": "write a backslash as \\\\, or use single quotes",
    "unexpected end of stream": "close the quote",
}


@dataclass(frozen=True)
class Document:
    """What a YAML text holds, and on which line each part of it stands.

    Args:
        value: Plain data: dict, list, str, int, float, bool or None.
        file: The name of the file, for messages.
        lines: The line (from 1) of each value; a mapping entry stands where its key does.
    """

    value: Any
    file: str
    lines: Mapping[Loc, int]

    def line(self, loc: Loc) -> int | None:
        """Give the line of ``loc``, or of the nearest thing around it that has one."""
        for end in range(len(loc), -1, -1):
            if loc[:end] in self.lines:
                return self.lines[loc[:end]]
        return None


def read(path: str | Path) -> Document:
    """Read a YAML file.

    Args:
        path: A regular file of at most ``MAX_BYTES`` bytes, in UTF-8.

    Raises:
        ArchError: The file cannot be read, or :func:`parse` refuses its text.
    """
    file = str(path)
    try:
        data = _content(Path(path), file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ArchError("", f"cannot read: {reason.lower()}", file=file) from None
    return parse(decode(data, file), file)


def decode(data: bytes, file: str) -> str:
    """Read bytes as text.

    Raises:
        ArchError: They are not UTF-8.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"not UTF-8 text (byte 0x{data[error.start]:02x}); save the file as UTF-8"
        raise ArchError("", message, file=file, line=line) from None


def _content(path: Path, file: str) -> bytes:
    # Looked at before it is opened: opening a FIFO waits for a writer that may never come.
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        what = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
        raise ArchError("", f"{what}, expected a YAML file", file=file)
    with path.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise _too_large(file)
    return data


def _too_large(file: str) -> ArchError:
    return ArchError("", f"larger than {MAX_BYTES:,} bytes, the limit for a YAML file", file=file)


def parse(text: str, file: str = "<text>") -> Document:
    """Turn a YAML text with one document into plain data.

    Args:
        text: The YAML. Keys are strings and unique; aliases are copied out.
        file: What messages call the text.

    Raises:
        ArchError: The text is not YAML or goes beyond what is allowed here: depth, number of
            values, tags other than the core ones, directives, several documents, no document.
    """
    text = text.removeprefix("\ufeff")
    _check_characters(text, file)
    builder = _Builder(file)
    try:
        builder.build(_Loader(text))
    except yaml.YAMLError as error:
        raise _syntax(error, text, file) from None
    if None not in builder.root:
        raise ArchError("", "empty, expected 'key: value' lines", file=file, line=1)
    return Document(builder.root[None], file, builder.lines)


def _check_characters(text: str, file: str) -> None:
    if len(text) > MAX_BYTES:
        raise _too_large(file)
    if bad := _FORBIDDEN.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        message = (
            f"character U+{ord(bad[0]):04X} is not allowed; remove it or write it as an escape "
            "in double quotes"
        )
        raise ArchError("", message, file=file, line=line)
    # libyaml takes quadratic time over %TAG lines: a minute for a megabyte.
    directive = 0 if text.startswith("%") else max(text.find("\n%"), text.find("\r%")) + 1 or -1
    if directive >= 0:
        line = text.count("\n", 0, directive) + 1
        message = "a line begins with %, but YAML directives are not allowed; remove or indent it"
        raise ArchError("", message, file=file, line=line)


def _syntax(error: yaml.YAMLError, text: str, file: str) -> ArchError:
    problem = " ".join(str(getattr(error, "problem", None) or error).split())
    context = getattr(error, "context", None) or ""
    opened = getattr(error, "context_mark", None)
    mark = getattr(error, "problem_mark", None)
    # The key that lacks its colon stands above the place where the scanner gives up.
    if mark is None or "simple key" in context:
        mark = opened
    # A text that ends too early is reported behind its last line.
    line = min(mark.line + 1, text.rstrip().count("\n") + 1) if mark else None
    if opened and opened.line + 1 != line:
        context += f" that begins on line {opened.line + 1}"
    hint = next((hint for part, hint in _HINTS.items() if part in problem), "")
    message = f"not valid YAML: {problem} {context}".rstrip() + (hint and f"; {hint}")
    return ArchError("", message, file=file, line=line)


def plain(text: str) -> Any:
    """Give the value of an unquoted scalar; ValueError if it is a number beyond all use."""
    if text[:1] not in _NUMBER_START:
        return _WORDS.get(text, text)
    if len(text) <= MAX_DIGITS and text.isascii() and text.isdigit():
        return int(text)
    match = _NUMBER.fullmatch(text)
    if match is None:
        return _WORDS.get(text, text)
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} characters, the limit is {MAX_DIGITS}")
    if match.lastindex in _BASES:
        return int(text, _BASES[match.lastindex])
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text} is too large for a float; write .inf if infinity is meant")
    return value


def _tagged(tag: str, text: str) -> Any:
    """Give the value of a scalar with an explicit tag; ValueError if they do not agree."""
    name = tag.removeprefix(CORE)
    if name in ("str", "!"):
        return text
    if name not in _TYPES or name == tag:
        raise ValueError(f"tag {_short(tag)!r} is not allowed; only plain data is read here")
    value = plain(text)
    if name == "float" and type(value) is int:
        return float(value)
    if type(value) is not _TYPES[name]:
        raise ValueError(f"{text!r} is tagged {_short(tag)} but is none")
    return value


def _short(tag: str) -> str:
    return "!!" + tag.removeprefix(CORE) if tag.startswith(CORE) else tag


class _Frame:
    """A collection that is still open.

    ``loc`` is its place. In a mapping ``entry`` is the place of the value that comes next, and
    None while a key is due; in a list it is always None.
    """

    __slots__ = ("entry", "items", "key", "loc")

    def __init__(self, items: Any, loc: Loc) -> None:
        self.items = items
        self.loc = loc
        self.key: str | None = None
        self.entry: Loc | None = None


class _Builder:
    """Plain data from PyYAML's events, with an own stack: no nesting can exhaust Python's.

    The events are ``Any``: in PyYAML's types every mark may be None, in a parsed text none is.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Loc, int] = {}
        self.root: dict[None, Any] = {}
        self.anchors: dict[str, Any] = {}
        self.nodes = 0
        self.frame = _Frame(self.root, ())
        self.frame.entry = ()
        self.stack = [self.frame]

    def build(self, loader: Any) -> None:
        """Take in all events of ``loader``."""
        take = {
            yaml.ScalarEvent: self.scalar,
            yaml.MappingStartEvent: self.mapping,
            yaml.SequenceStartEvent: self.sequence,
            yaml.MappingEndEvent: self.close,
            yaml.SequenceEndEvent: self.close,
            yaml.AliasEvent: self.alias,
            yaml.DocumentStartEvent: self.document,
        }
        for event in iter(loader.get_event, None):
            action = take.get(type(event))
            if action is not None:
                action(event)

    def document(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if self.root:
            self.refuse((), line, "a second document begins here; write one to a file")
        self.lines[()] = line

    def scalar(self, event: Any) -> None:
        text = event.value
        line = event.start_mark.line + 1
        try:
            if event.tag is not None:
                value = _tagged(event.tag, text)
            elif event.implicit[0]:
                value = plain(text)
            else:
                value = text
        except ValueError as error:
            self.refuse(self.here(), line, str(error))
        if event.anchor is not None:
            self.anchors[event.anchor] = value
        frame = self.frame
        if frame.entry is None and type(frame.items) is dict:
            self.key(value, text, line)
        else:
            self.put(value, line)

    def key(self, value: Any, text: str, line: int) -> None:
        frame = self.frame
        if type(value) is not str:
            kind = {bool: "a truth value", type(None): "nothing"}.get(type(value), "a number")
            message = f"key {text!r} is {kind}, expected a string; put it in quotes if it is a name"
            self.refuse(frame.loc, line, message)
        entry = (*frame.loc, value)
        if entry in self.lines:
            first = self.lines[entry]
            self.refuse(entry, line, f"given twice, here and on line {first}; keep one of them")
        self.lines[entry] = line
        frame.key = value
        frame.entry = entry

    def put(self, value: Any, line: int) -> Loc:
        """Place ``value`` in the open collection and say where that is."""
        frame = self.frame
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.refuse_size(line)
        if frame.entry is not None:
            loc = frame.entry
            frame.items[frame.key] = value
            frame.entry = None
        else:
            loc = (*frame.loc, len(frame.items))
            self.lines[loc] = line
            frame.items.append(value)
        return loc

    def mapping(self, event: Any) -> None:
        self.open(event, {}, "map")

    def sequence(self, event: Any) -> None:
        self.open(event, [], "seq")

    def open(self, event: Any, items: Any, tag: str) -> None:
        line = event.start_mark.line + 1
        if event.tag is not None and event.tag not in (CORE + tag, "!"):
            message = f"tag {_short(event.tag)!r} is not allowed; only plain data is read here"
            self.refuse(self.here(), line, message)
        self.refuse_key("a list or mapping", line)
        if len(self.stack) > MAX_DEPTH:
            self.refuse_depth(line)
        if event.anchor is not None:
            self.anchors[event.anchor] = items
        self.frame = _Frame(items, self.put(items, line))
        self.stack.append(self.frame)

    def close(self, _event: Any) -> None:
        self.stack.pop()
        self.frame = self.stack[-1]

    def alias(self, event: Any) -> None:
        name = event.anchor
        line = event.start_mark.line + 1
        self.refuse_key(f"the alias *{name}", line)
        if name not in self.anchors:
            self.refuse(self.here(), line, f"alias *{name} has no anchor &{name} before it")
        target = self.anchors[name]
        if any(target is frame.items for frame in self.stack):
            self.refuse(self.here(), line, f"alias *{name} stands inside its own anchor &{name}")
        self.put(self.copy(target, len(self.stack), line), line)

    def copy(self, value: Any, depth: int, line: int) -> Any:
        """Copy what an alias names, counted as if it were written out."""
        if not isinstance(value, dict | list):
            return value
        if depth > MAX_DEPTH:
            self.refuse_depth(line)
        self.nodes += len(value)
        if self.nodes > MAX_NODES:
            self.refuse_size(line)
        if isinstance(value, list):
            return [self.copy(item, depth + 1, line) for item in value]
        return {key: self.copy(item, depth + 1, line) for key, item in value.items()}

    def here(self) -> Loc:
        """Give the place of what comes next, as far as it has a name."""
        frame = self.frame
        if type(frame.items) is list:
            return (*frame.loc, len(frame.items))
        return frame.loc if frame.entry is None else frame.entry

    def refuse_key(self, what: str, line: int) -> None:
        frame = self.frame
        if frame.entry is None and type(frame.items) is dict:
            self.refuse(frame.loc, line, f"{what} cannot be a key, expected a string")

    def refuse_depth(self, line: int) -> NoReturn:
        self.refuse(self.here(), line, f"nested deeper than {MAX_DEPTH} levels")

    def refuse_size(self, line: int) -> NoReturn:
        message = f"more than {MAX_NODES:,} values, counting each alias as what it stands for"
        self.refuse((), line, message)

    def refuse(self, loc: Loc, line: int, message: str) -> NoReturn:
        path = ".".join(map(str, loc))
        raise ArchError(path, message, file=self.file, line=line) from None

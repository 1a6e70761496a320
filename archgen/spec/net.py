"""The spec as validated data: `Net` and `Node`, loaded from YAML and written back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, Field, PrivateAttr, ValidationError

from archgen import files, yamlfile
from archgen.columns import chief, from_validation
from archgen.errors import ArchError, unknown
from archgen.graph import Graph
from archgen.spec import names
from archgen.spec.lower import lower
from archgen.spec.parts import Errors, Init, Node, Paper, Published, Sources, config
from archgen.spec.rules import complaints


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError(f"needs a number, not {value}")
    return value


Side: TypeAlias = Annotated[int, Field(ge=1, le=8192)]


class Net(BaseModel):
    """A network as its spec says it.

    Immutable; `graph` lowers it. Made by `load`, `parse` or `Net.of`.
    """

    model_config = config
    name: str
    paper: Paper | None = None
    input: Annotated[
        tuple[Annotated[int, Field(ge=1, le=4096)], Side, Side],
        Field(strict=False, description="channels, height, width"),
    ]
    init: Init = Init()
    output_stride: Annotated[Literal[1, 2, 4, 8, 16, 32] | None, BeforeValidator(_no_bool)] = Field(
        None, description="strides past it are cut and later convolutions dilated"
    )
    nodes: Annotated[dict[str, Node], Field(min_length=1, max_length=256)]
    outputs: Sources | None = Field(
        None,
        description="nodes or stages that are returned (else the last node); others are left out",
    )
    _document: yamlfile.Document | None = PrivateAttr(None)
    _graph: Graph | None = PrivateAttr(None)

    @classmethod
    def of(cls, data: Any, document: yamlfile.Document | None = None) -> Net:
        """Validate plain data (what YAML holds).

        Raises:
            ArchError: With the path and, where `document` is given, file and line.
        """
        try:
            if not isinstance(data, dict):
                raise ArchError("", "a spec is a mapping with the keys name, input and nodes")
            data = _laid_out(data)
            net = cls.model_validate(data)
            for path, message in complaints(net):
                raise ArchError(path, message)
        except ValidationError as error:
            raise _placed(_clean(error, data), document) from None
        except ArchError as error:
            raise _placed(error, document) from None
        net._document = document
        return net

    def __eq__(self, other: object) -> bool:
        """Compare what the specs say, not where they were read or what is kept of them."""
        return isinstance(other, Net) and self.data() == other.data()

    def graph(self) -> Graph:
        """Lower to primitive operations (kept: a net is immutable).

        Raises:
            ArchError: Widths, groups or shapes do not fit; the path is the operation's.
        """
        if self._graph is None:
            try:
                self._graph = lower(self)
            except ArchError as error:
                raise _placed(error, self._document) from None
        return self._graph

    def data(self) -> dict[str, Any]:
        """Give the spec as plain data, with nothing that it does not say itself."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def dump(self) -> str:
        """Write the spec as YAML that loads to an equal net."""
        return yamlfile.dump(self.data())

    def digest(self) -> str:
        """Hash what is computed and how it starts: equal for two spellings of one network."""
        text = json.dumps([self.graph().digest, self.init.model_dump()])
        return blake2b(text.encode(), digest_size=16).hexdigest()

    def __hash__(self) -> int:
        return hash(json.dumps(self.data(), sort_keys=True))

    def get(self, path: str) -> Any:
        """Give the value at a dotted path (``stages.width.alpha``, ``input``).

        Raises:
            ArchError: The spec has no such value.
        """
        value: Any = self.data()
        for key in _keys(path):
            value = _child(value, key, path)
        return value

    def set(self, values: Mapping[str, Any]) -> Net:
        """Give a net in which the values at some dotted paths are others.

        A field that the spec does not mention may be set (``stages.dilation``); what it
        would be a part of must be there. Published figures hold for the paper's network
        alone, so a change of the network drops them.

        Raises:
            ArchError: A path leads nowhere or a value is refused.
        """
        data = self.data()
        before = _computed(self.data())
        for path, value in deepcopy(dict(values)).items():
            *parents, last = _keys(path)
            if parents[:1] == ["init"]:
                data.setdefault("init", {})
            target: Any = data
            for key in parents:
                target = _child(target, key, path)
            if isinstance(target, list):
                _child(target, last, path)
                target[int(last)] = value
            elif isinstance(target, dict):
                target[last] = value
            else:
                raise ArchError(path, f"{target!r} has no fields to set")
        if isinstance(data.get("paper"), dict) and _computed(data) != before:
            data["paper"].pop("published", None)
        return Net.of(data)


def _laid_out(data: dict[str, Any]) -> dict[str, Any]:
    """Lay each mapping under ``block`` over its node: its keys take the place of the node's."""
    if not isinstance(data.get("nodes"), dict):
        return data
    nodes = {}
    for name, node in data["nodes"].items():
        unit = node.get("block") if isinstance(node, dict) else None
        if isinstance(unit, dict):
            node = {key: value for key, value in node.items() if key != "block"} | unit
        nodes[name] = node
    return {**data, "nodes": nodes}


def _computed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Give what of a spec decides the network, as opposed to what is said about it."""
    return {key: value for key, value in data.items() if key not in ("name", "paper")}


def load(name_or_path: str | Path) -> Net:
    """Load a spec by the name of a shipped one (``dpn131``) or from a YAML file.

    Raises:
        ArchError: No such spec, or a mistake in it, with file and line.
    """
    document = yamlfile.read(files.find("specs", str(name_or_path)))
    return Net.of(document.value, document)


def parse(text: str, file: str = "<text>") -> Net:
    """Load a spec from YAML text; raises `ArchError` as `load` does."""
    document = yamlfile.parse(text, file)
    return Net.of(document.value, document)


def _keys(path: str) -> list[str]:
    """Split a dotted path; node names come first unless a top-level key does."""
    keys = path.split(".")
    return keys if keys[0] in names.TOP_LEVEL else ["nodes", *keys]


def _child(value: Any, key: str, path: str) -> Any:
    if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
        return value[int(key)]
    if isinstance(value, dict) and key in value:
        return value[key]
    if isinstance(value, list):
        raise ArchError(path, f"no entry {key!r}; there are 0 to {len(value) - 1}")
    if isinstance(value, dict):
        raise ArchError(path, unknown("key", key, value))
    raise ArchError(path, f"nothing called {key!r} below {value!r}")


def _clean(error: ValidationError, data: Any) -> ArchError:
    """Make an `ArchError` of pydantic's, with only those parts of the path that the data has."""
    plain = from_validation(error, "")
    first = chief(error)
    kept: list[str] = []
    value = data
    for part in first["loc"]:
        if isinstance(value, dict):
            inside = part in value
        else:
            inside = isinstance(value, list) and isinstance(part, int) and part < len(value)
        if inside:
            value = value[part]
            kept.append(str(part))
    if first["type"] == "missing":
        kept.append(str(first["loc"][-1]))
    if first["type"] in ("missing", "string_type") and kept[-1:] == ["block"]:
        wanted = "write the name of a block, such as basic"
        return ArchError(".".join(kept), f"{plain.message}; {wanted}")
    if first["type"] == "extra_forbidden":
        owners: dict[str, type[BaseModel]] = {
            "paper.published.errors": Errors,
            "paper.published": Published,
            "paper": Paper,
            "init": Init,
        }
        owner = owners.get(".".join(kept[:-1]), Net)
        return ArchError(".".join(kept), unknown("key", kept[-1], owner.model_fields))
    return ArchError(".".join(kept), plain.message)


def _placed(error: ArchError, document: yamlfile.Document | None) -> ArchError:
    """Add file and line: of the path itself, or of the field or node that an operation is in."""
    if document is None or error.file is not None:
        return error
    keys: list[str | int] = [int(k) if k.isdecimal() else k for k in error.path.split(".") if k]
    if error.field in names.TOP_LEVEL:
        keys = [error.field]
    elif ("nodes", error.path.removeprefix("nodes.")) in document.lines:
        keys = ["nodes", error.path.removeprefix("nodes.")]
    elif keys and keys[0] not in names.TOP_LEVEL and (keys[0],) not in document.lines:
        node = keys[0]
        field = error.field or (keys[-1] if len(keys) > 1 else "")
        keys = ["nodes", node, field]
    written = [*keys[:2], "block", *keys[2:]]
    if len(keys) > 2 and tuple(written[:4]) in document.lines:  # where `_laid_out` found it
        keys = written
    line = document.line(tuple(keys))
    return ArchError(error.path, error.message, file=document.file, line=line, field=error.field)

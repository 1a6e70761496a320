"""The spec as validated data: `Net` and `Node`, loaded from YAML and written back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from archgen import files, yamlfile
from archgen.blocks import Block, Branch, Fusion
from archgen.blocks.outside import load_installed
from archgen.columns import MAX_DEPTH, chief, from_validation
from archgen.errors import ArchError, unknown
from archgen.graph import Graph
from archgen.joins import SHORTHANDS, Join
from archgen.spec import names
from archgen.spec.lower import lower

Side: TypeAlias = Annotated[int, Field(ge=1, le=8192)]
Depth: TypeAlias = Annotated[int, Field(ge=1, le=MAX_DEPTH)]
Sources: TypeAlias = Annotated[list[str], Field(min_length=1)]
Positive: TypeAlias = Annotated[float, Field(gt=0)]
_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Published(BaseModel):
    """Figures that the paper, or the authors' repository, gives for this network."""

    model_config = _config
    params: Positive | None = Field(None, description="parameters")
    macs: Positive | None = Field(None, description="multiply-accumulates (papers' FLOPs)")
    depth: int | None = Field(None, description="weighted layers on the main path")
    imagenet_top1_error: Positive | None = Field(None, description="percent, 224x224, one crop")
    imagenet_top5_error: Positive | None = Field(None, description="percent, 224x224, one crop")
    cifar10_error: Positive | None = Field(None, description="percent")
    cifar100_error: Positive | None = Field(None, description="percent")


class Paper(BaseModel):
    """Where the network comes from."""

    model_config = _config
    title: str
    arxiv: Annotated[str, Field(pattern=r"^\d{4}\.\d{4,5}$")] | None = None
    published: Published = Published()
    note: str = Field("", description="choices that are ours, and disagreements explained")


class Init(BaseModel):
    """How weights start; norms start as 1 and 0."""

    model_config = _config
    conv: Literal["he_fan_out", "he_fan_in", "default"] = Field(
        "he_fan_out", description="normal with variance 2 / fan, or PyTorch's default"
    )
    linear: Literal["default", "he_fan_in", "he_fan_out", "normal"] = Field(
        "default", description="PyTorch's default, He normal, or normal with deviation 0.01"
    )
    linear_bias: Literal["default", "zero"] = "default"


class Inner(BaseModel):
    """A block inside a node: ``{block: ..., ...}``."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)
    block: str

    @property
    def fields(self) -> dict[str, Any]:
        """The block's fields as the spec has them."""
        return dict(self.__pydantic_extra__ or {})


class Node(Inner):
    """A block, a list of blocks (`depth` a number) or stages of blocks (`depth` a list).

    All further keys are fields of the block; each may be a column.
    """

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, serialize_by_alias=True)
    from_: str | Sources | None = Field(
        None, alias="from", description="nodes (or stages: `stages.0`) that it reads"
    )
    depth: Depth | list[Depth] | None = Field(None, description="blocks, or blocks a stage")
    shortcut: str | dict[str, Any] = Field("none", description="the join of each unit")
    between: Inner | None = Field(None, description="a block before every stage but the first")
    streams: Annotated[int, Field(ge=1, le=16)] | None = Field(
        None, description="parallel streams over the last maps of `from`"
    )
    down: Inner | None = Field(None, description="block behind the first stream")
    fuse: Inner | None = Field(None, description="block that takes in each further stream")

    @property
    def join(self) -> dict[str, Any]:
        """The shortcut in its long form."""
        return SHORTHANDS[self.shortcut] if isinstance(self.shortcut, str) else self.shortcut

    @property
    def sources(self) -> list[str]:
        """Names in ``from``; empty for the node above."""
        return [self.from_] if isinstance(self.from_, str) else list(self.from_ or [])


class Net(BaseModel):
    """A network as its spec says it.

    Immutable; `graph` lowers it. Made by `load`, `parse` or `Net.of`.
    """

    model_config = _config
    name: str
    paper: Paper | None = None
    input: Annotated[
        tuple[Annotated[int, Field(ge=1, le=4096)], Side, Side],
        Field(strict=False, description="channels, height, width"),
    ]
    init: Init = Init()
    output_stride: Literal[1, 2, 4, 8, 16, 32] | None = Field(
        None, description="strides past it are cut and later convolutions dilated"
    )
    nodes: Annotated[dict[str, Node], Field(min_length=1, max_length=256)]
    outputs: Sources | None = Field(
        None, description="nodes or stages whose maps are returned; by default the last node"
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
            net = cls.model_validate(data)
            for path, message in _complaints(net):
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
        would be a part of must be there.

        Raises:
            ArchError: A path leads nowhere or a value is refused.
        """
        data = self.data()
        for path, value in deepcopy(dict(values)).items():
            *parents, last = _keys(path)
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
        return Net.of(data)


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


def _complaints(net: Net) -> Iterator[tuple[str, str]]:
    """Yield (path, message) of what pydantic cannot see, in the order of the spec."""
    if message := names.complaint(net.name, node=False):
        yield "name", message
    above = ["input"]
    for name, node in net.nodes.items():
        path = f"nodes.{name}"
        if message := names.complaint(name, node=True):
            yield path, message
        yield from _block_complaints(node, path)
        yield from _join_complaints(node, f"{path}.shortcut")
        yield from _source_complaints(net, node, above, f"{path}.from")
        yield from _shape_complaints(node, path)
        above.append(name)
    for output in net.outputs or []:
        if output.split(".")[0] not in net.nodes:
            yield "outputs", unknown("node", output, net.nodes)


def _block_complaints(node: Inner, path: str) -> Iterator[tuple[str, str]]:
    if node.block not in Block.kinds:
        load_installed()
    block = Block.kinds.get(node.block)
    if block is None:
        yield f"{path}.block", unknown("block", node.block, Block.kinds)
        return
    for field in node.fields:
        if field not in block.model_fields:
            what = f"field of block {node.block!r} called"
            yield f"{path}.{field}", unknown(what, field, block.model_fields)
    if isinstance(node, Node):
        for key, inner in (("between", node.between), ("down", node.down), ("fuse", node.fuse)):
            if inner is None:
                continue
            yield from _block_complaints(inner, f"{path}.{key}")
            fuses = issubclass(Block.kinds.get(inner.block, Block), Fusion)
            if inner.block in Block.kinds and fuses != (key == "fuse"):
                reads = "several maps" if key == "fuse" else "one map"
                yield (
                    f"{path}.{key}.block",
                    f"block {inner.block!r} cannot be here: {key} reads {reads}",
                )


def _join_complaints(node: Node, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(node.shortcut, str):
        if node.shortcut not in SHORTHANDS:
            yield path, unknown("shortcut", node.shortcut, [*SHORTHANDS, "{join: ...}"])
        return
    if "join" not in node.shortcut:
        yield f"{path}.join", "this field is required"
        return
    kind = node.shortcut["join"]
    if not isinstance(kind, str) or kind not in Join.kinds:
        yield f"{path}.join", unknown("join", str(kind), Join.kinds)
        return
    fields = Join.kinds[kind].model_fields
    for field in node.shortcut:
        if field != "join" and field not in fields:
            yield f"{path}.{field}", unknown(f"field of join {kind!r} called", field, fields)


def _source_complaints(
    net: Net, node: Node, above: Sequence[str], path: str
) -> Iterator[tuple[str, str]]:
    for source in node.sources:
        name = source.split(".")[0]
        if name not in above:
            what = "no node"
            if name in net.nodes:
                what = "a node reads only from nodes above it, not from"
            yield path, f"{what} {source!r} before this one; there are {', '.join(above)}"
    fuses = issubclass(Block.kinds.get(node.block, Block), Fusion)
    if node.streams is None and fuses != (len(node.sources) > 1):
        wanted = "several maps: name them in from" if fuses else "one map"
        yield path, f"block {node.block!r} reads {wanted} (given: {len(node.sources)})"


def _shape_complaints(node: Node, path: str) -> Iterator[tuple[str, str]]:
    stack = node.depth is not None
    branch = issubclass(Block.kinds.get(node.block, Block), Branch)
    if not branch and (node.shortcut != "none" or stack):
        key = "depth" if stack else "shortcut"
        yield f"{path}.{key}", f"block {node.block!r} is no branch: it takes no depth or shortcut"
    if isinstance(node.depth, list) and not 1 <= len(node.depth) <= 64:
        yield f"{path}.depth", "give a number of blocks for each of 1 to 64 stages"
    if node.between is not None and (not isinstance(node.depth, list) or node.streams):
        yield f"{path}.between", "acts between stages: give depth as a list, one entry a stage"
    if node.streams is None:
        for key in ("down", "fuse"):
            if getattr(node, key) is not None:
                yield f"{path}.{key}", "acts only in a node with streams"
        return
    if not stack:
        yield f"{path}.depth", "streams need a depth: one number, or one a stream"
    taps = [source.replace(".", "_") for source in node.sources]
    modules = [tap + behind for tap in taps for behind in ("", "_down", "_fuse")]
    if len(set(modules)) < len(modules):
        yield f"{path}.from", f"two modules would have one name: streams {', '.join(taps)}"
    if node.streams > len(node.sources):
        yield (
            f"{path}.streams",
            f"{node.streams} streams need {node.streams} maps in from, not {len(node.sources)}",
        )
    for key in ("down", "fuse"):
        if node.streams > 1 and getattr(node, key) is None:
            yield f"{path}.{key}", "more than one stream needs it: {block: ...}"


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
    if first["type"] == "extra_forbidden":
        owners: dict[str, type[BaseModel]] = {
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
    line = document.line(tuple(keys))
    return ArchError(error.path, error.message, file=document.file, line=line, field=error.field)

"""From a validated net to its graph: columns resolved, units built, streams laid side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic import BaseModel, ValidationError

from archgen.blocks import Block, Branch, Fusion, Layer
from archgen.columns import from_validation, is_column, resolve
from archgen.errors import ArchError
from archgen.graph import Builder, Graph, Map
from archgen.joins import Alone, Join, Stage
from archgen.ops import Law
from archgen.passes.output_stride import limit_stride

if TYPE_CHECKING:
    from archgen.spec.net import Net
    from archgen.spec.parts import Inner, Node

Made = TypeVar("Made", Block, Branch, Join)


def lower(net: Net) -> Graph:
    """Write every node's operations, and leave out what no output needs.

    Raises:
        ArchError: With the module path of the operation, or the path of the field, that
            does not fit.
    """
    builder, maps = _written(net)
    ends = _ends(maps, net.outputs or [next(reversed(net.nodes))])
    graph = builder.graph(net.name, ends, partial=net.outputs is not None)
    return limit_stride(graph, net.output_stride) if net.output_stride else graph


def lower_all(net: Net) -> Graph:
    """Write every node's operations and leave out none: what nothing reads is an output.

    Raises:
        ArchError: As `lower` does.
    """
    builder, _ = _written(net)
    read = {source for call in builder.calls for source in call.inputs}
    ends = [Map(builder, at, call.shape) for at, call in enumerate(builder.calls) if at not in read]
    return builder.graph(net.name, ends)


def _written(net: Net) -> tuple[Builder, dict[str, Map]]:
    """Write every node's operations; give the maps by the names that `from` and `outputs` use."""
    builder = Builder(net.input)
    maps: dict[str, Map] = {"input": builder.input}
    above = builder.input
    for name, node in net.nodes.items():
        inputs = [_source(maps, source, name) for source in node.sources] or [above]
        with builder.scope(name, name):
            above = _Lowering(builder, name, node).run(inputs, maps)
        maps[name] = above
    return builder, maps


def _ends(maps: dict[str, Map], outputs: Sequence[str]) -> list[Map]:
    """Find the outputs' maps; no two may be one."""
    ends: dict[int, tuple[str, Map]] = {}
    for output in outputs:
        end = _source(maps, output, "outputs")
        if end.index in ends:
            message = f"{ends[end.index][0]} and {output} are one map; name it once"
            raise ArchError("outputs", message)
        ends[end.index] = output, end
    return [end for _, end in ends.values()]


def _source(maps: dict[str, Map], name: str, reader: str) -> Map:
    if name not in maps:
        node = name.split(".")[0]
        stages = [key for key in maps if key == node or key.startswith(f"{node}.")]
        path = reader if reader == "outputs" else f"nodes.{reader}.from"
        raise ArchError(path, f"nothing called {name!r}; there are {', '.join(stages)}")
    return maps[name]


class _Lowering:
    """One node being lowered."""

    def __init__(self, builder: Builder, name: str, node: Node) -> None:
        self.builder = builder
        self.name = name
        self.node = node
        self.block = Block.kinds[node.block]
        self.join = Join.kinds[node.join["join"]]
        self.join_fields = {key: value for key, value in node.join.items() if key != "join"}
        self._made: dict[Any, Any] = {}

    def run(self, inputs: Sequence[Map], maps: dict[str, Map]) -> Map:
        """Write the node; stages and streams are entered in `maps` by their paths."""
        node = self.node
        if node.streams is not None:
            return self._streams(inputs, maps, node.streams)
        if node.depth is None:
            return self._single(inputs)
        staged = isinstance(node.depth, list)
        depths = node.depth if isinstance(node.depth, list) else [node.depth]
        units = self._units(depths, staged=staged)
        x = inputs[0]
        if not staged:
            return self._stage(x, units[0], self.name)
        for index, stage in enumerate(units):
            with self.builder.scope(str(index), "stage"):
                x = self._stage(x, stage, f"{self.name}.{index}", between=index > 0)
            maps[f"{self.name}.{index}"] = x
        return x

    def _single(self, inputs: Sequence[Map]) -> Map:
        for key, value in self.node.fields.items():
            if is_column(value):
                path = f"nodes.{self.name}.{key}"
                raise ArchError(path, "without depth this is one block: give one value")
        self.builder.labels[self.name] = self.node.block
        block = self._make(self.block, self.node.fields, self.name)
        if isinstance(block, Branch):
            join = self._joined(self.join_fields, self.name)
            return self._unit(block, join, inputs[0], Stage(), self.name)
        return self._lay(block, inputs, self.name)

    def _stage(
        self, x: Map, units: Sequence[tuple[dict[str, Any], dict[str, Any]]], path: str,
        *, between: bool = False,
    ) -> Map:  # fmt: skip
        shift = 0
        if between and self.node.between is not None:
            shift = 1
            with self.builder.scope("0", self.node.between.block):
                x = self._lay(self._inner(self.node.between, f"{path}.0"), [x], f"{path}.0")
        stage, kind = Stage(), cast("type[Branch]", self.block)  # by the rules of specs
        for index, (fields, join_fields) in enumerate(units, shift):
            at = f"{path}.{index}"
            branch = self._make(kind, fields, at)
            join = self._joined(join_fields, at)
            with self.builder.scope(str(index), self.node.block):
                x = self._unit(branch, join, x, stage, at)
        return x

    def _units(
        self, depths: Sequence[int], *, staged: bool
    ) -> list[list[tuple[dict[str, Any], dict[str, Any]]]]:
        """Give each unit its block's and its join's fields, stage by stage."""
        path = f"nodes.{self.name}"
        block = self._table(self.block, self.node.fields, depths, staged, path)
        join = self._table(self.join, self.join_fields, depths, staged, f"{path}.shortcut")
        return [list(zip(*pair, strict=True)) for pair in zip(block, join, strict=True)]

    def _table(
        self,
        owner: type[BaseModel],
        fields: dict[str, Any],
        depths: Sequence[int],
        staged: bool,
        path: str,
    ) -> list[list[dict[str, Any]]]:
        opening = owner.opening_fields() if issubclass(owner, Block) else frozenset()
        columns = {
            key: resolve(
                value,
                depths,
                staged=staged,
                opens=key in opening,
                default=owner.model_fields[key].default,
                path=f"{path}.{key}",
            )
            for key, value in fields.items()
        }
        return [
            [{key: column[s][i] for key, column in columns.items()} for i in range(depth)]
            for s, depth in enumerate(depths)
        ]

    def _joined(self, fields: dict[str, Any], path: str) -> Join:
        return self._make(self.join, fields, f"{path}.shortcut")

    def _make(self, owner: type[Made], fields: dict[str, Any], path: str) -> Made:
        """Validate one block's or join's fields; units often have the same."""
        key = (owner, repr(fields))
        if key not in self._made:
            try:
                self._made[key] = owner.model_validate(fields)
            except ValidationError as error:
                wrong = from_validation(error, path)
                where = error.errors(include_url=False)[0]["loc"]
                field = "shortcut" if issubclass(owner, Join) else str(where[0]) if where else ""
                raise ArchError(wrong.path, wrong.message, field=field) from None
        made: Made = self._made[key]
        return made

    def _inner(self, inner: Inner, path: str, **given: int) -> Block:
        """Make a `between`, `down` or `fuse` block; `given` fills the fields that it has."""
        block = Block.kinds[inner.block]
        filled = {k: v for k, v in given.items() if k in block.model_fields}
        return self._make(block, {**filled, **inner.fields}, path)

    def _unit(self, branch: Branch, join: Join, x: Map, stage: Stage, path: str) -> Map:
        try:
            return join.unit(branch, x, stage)
        except Law as law:
            raise ArchError(path, law.message, field=law.field) from None

    def _lay(self, block: Block, inputs: Sequence[Map], path: str) -> Map:
        """Write a block that is no unit of a stack."""
        try:
            if isinstance(block, Fusion):
                return block.build(inputs)
            if isinstance(block, Layer):
                return block.build(inputs[0])
        except Law as law:
            raise ArchError(path, law.message, field=law.field) from None
        return self._unit(cast("Branch", block), Alone(), inputs[0], Stage(), path)

    def _streams(self, inputs: Sequence[Map], maps: dict[str, Map], count: int) -> Map:
        """Write parallel streams over the last `count` inputs, then fuse them in order."""
        taps = [source.replace(".", "_") for source in self.node.sources[-count:]]
        units = self._units(self._stream_depths(), staged=True)[-count:]
        ends = []
        for tap, x, stream in zip(taps, inputs[-count:], units, strict=True):
            with self.builder.scope(tap, "stream"):
                ends.append(self._stage(x, stream, f"{self.name}.{tap}"))
            maps[f"{self.name}.{tap}"] = ends[-1]
        return self._fuse(taps, ends)

    def _fuse(self, taps: Sequence[str], ends: Sequence[Map]) -> Map:
        fused, node = ends[0], self.node
        for index, (tap, end) in enumerate(zip(taps[1:], ends[1:], strict=True), 1):
            if index == 1 and node.down is not None:
                fused = self._between_streams(node.down, f"{taps[0]}_down", [fused], end)
            target = ends[index + 1] if index + 1 < len(ends) else end
            assert node.fuse is not None
            fused = self._between_streams(node.fuse, f"{tap}_fuse", [end, fused], target)
        return fused

    def _between_streams(self, inner: Inner, name: str, inputs: Sequence[Map], target: Map) -> Map:
        """Write `down` or `fuse`; width and stride follow from the map that it leads to."""
        sides = zip(inputs[0].shape[1:], target.shape[1:], strict=True)
        stride = max(-(-side // smaller) for side, smaller in sides)
        path = f"{self.name}.{name}"
        with self.builder.scope(name, inner.block):
            block = self._inner(inner, path, width=target.channels, stride=stride)
            return self._lay(block, inputs, path)

    def _stream_depths(self) -> list[int]:
        """Give the blocks of a stream over each map of `from`, those not used included.

        Columns are laid out over all of them, so that a stream is the same however many run.
        """
        depth, maps = self.node.depth, len(self.node.sources)
        if not isinstance(depth, list):
            return [cast("int", depth)] * maps
        if len(depth) != maps:
            raise ArchError(
                f"nodes.{self.name}.depth",
                f"{len(depth)} values for {maps} maps in from; give one value, or one a map",
            )
        return depth

"""From the module tree of a graph to the text of its classes, leaves first."""

from __future__ import annotations

from collections.abc import Sequence

from archgen.codegen.classes import Class
from archgen.codegen.text import CLOSE, NEXT, OPEN, numbered, root_class
from archgen.forward import Forward
from archgen.graph import Graph
from archgen.inplace import homes
from archgen.ops import Slot, Text
from archgen.order import arranged
from archgen.regions import Region, is_list


class Writer:
    """Writes the classes of one graph, leaves first."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.home = homes(graph, training=False)
        self.classes: dict[object, Class] = {}
        self.names: set[str] = {root_class(graph.name)}
        self.instances: dict[str, tuple[Class, int]] = {}
        self.lists: dict[str, Text] = {}

    def write(self) -> str:
        """Give the text of all classes; the network's is the last."""
        root = arranged(self.graph)
        levels: dict[int, list[Region]] = {}
        _by_height(root, levels)
        done = 0
        for height in sorted(levels):
            for region in levels[height]:
                self._add(region)
            for known in list(self.classes.values())[done:]:
                known.finish()
            done = len(self.classes)
        return "\n\n".join(known.render() for known in self.classes.values())

    def _constructor(self, region: Region) -> Text:
        if region.path in self.lists:
            return self.lists[region.path]
        known, instance = self.instances[region.path]
        return known.call(instance)

    def _add(self, region: Region) -> None:
        children = [m for m in region.members if isinstance(m, Region)]
        if region.path and is_list(region.members):
            numbered = {int(child.name): child for child in children}
            items: list[str | Slot] = []
            for number in range(max(numbered) + 1):
                child = numbered.get(number)
                items += [NEXT, *(self._constructor(child) if child else ["nn.Identity()"])]
            if _is_chain(region, children):
                self.lists[region.path] = ("nn.Sequential(", OPEN, *items[1:], CLOSE, ")")
                return
            known, _ = self._class(region, "nn.ModuleList", [])
            self.lists[region.path] = (f"{known.name}([", OPEN, *items[1:], CLOSE, "])")
            return
        init: list[tuple[str, Text]] = []
        for member in region.members:
            if isinstance(member, Region):
                init.append((member.name, self._constructor(member)))
            elif (text := self.graph.calls[member].op.module()) is not None:
                init.append((self.graph.calls[member].name.rpartition(".")[2], text))
        self.instances[region.path] = self._class(region, "nn.Module", init)

    def _class(self, region: Region, base: str, init: list[tuple[str, Text]]) -> tuple[Class, int]:
        indexed = base == "nn.ModuleList"
        forward = Forward(self.graph, region, self.home, indexed=indexed)
        draft = Class("", base, init, forward.lines, forward.inputs, len(region.outputs))
        key = (
            base,
            tuple((name, _shape_of(text)) for name, text in init),
            tuple(_shape_of(text) for text in forward.lines),
            region.path == "",
        )
        known = self.classes.setdefault(key, draft)
        if known is draft:
            known.name = self._name(region)
        known.paths.append(region.path or self.graph.name)
        known.values.append([slot.value for _, slot in draft.slots()])
        return known, len(known.values) - 1

    def _name(self, region: Region) -> str:
        if not region.path:
            return root_class(self.graph.name)
        label = self.graph.labels.get(region.path, region.name)
        name = next(n for n in numbered(root_class(label)) if n not in self.names)
        self.names.add(name)
        return name


def _shape_of(text: Text) -> tuple[str, ...]:
    return tuple(p if isinstance(p, str) else f"\0{p.keyword}{p.default}" for p in text)


def _by_height(region: Region, levels: dict[int, list[Region]]) -> int:
    heights = [_by_height(m, levels) for m in region.members if isinstance(m, Region)]
    height = max(heights, default=-1) + 1
    levels.setdefault(height, []).append(region)
    return height


def _is_chain(region: Region, children: Sequence[Region]) -> bool:
    flow = region.inputs
    for child in children:
        if len(child.inputs) != 1 or len(child.outputs) != 1 or child.inputs != flow:
            return False
        flow = child.outputs
    return region.outputs == flow

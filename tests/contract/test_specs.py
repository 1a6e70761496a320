"""What every shipped spec must keep, and the names of its weights, which last."""

from __future__ import annotations

import ast
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from archgen import files, load, source
from archgen.graph import Graph, check
from archgen.ops import Norm, size
from archgen.regions import regions
from archgen.spec import Net, parse

NAMES = files.names("specs")
GOLDEN = Path(__file__).parent.parent / "golden" / "keys.json"


@cache
def net(name: str) -> Net:
    return load(name)


@cache
def text(name: str) -> str:
    return source(net(name))


@pytest.mark.parametrize("name", NAMES)
def test_it_lowers_to_a_sound_graph(name: str):
    graph = net(name).graph()
    assert net(name).name == graph.name == name
    check(graph)
    regions(graph)
    names = [key for key, *_ in graph.params()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", NAMES)
def test_it_dumps_to_what_loads_again(name: str):
    again = parse(net(name).dump())
    assert again.data() == net(name).data()
    assert again.digest() == net(name).digest()


@pytest.mark.parametrize("name", NAMES)
def test_its_source_reads_well(name: str):
    compile(text(name), name, "exec")
    assert text(name).isascii()
    too_long = [line for line in text(name).splitlines() if len(line) > 100]
    assert not too_long
    assert not re.search(r"[ \t]$", text(name), re.MULTILINE)
    assert "archgen." not in text(name)


@pytest.mark.parametrize("name", NAMES)
def test_it_has_one_class_for_each_distinct_code(name: str):
    """No two classes differ by nothing but numbers: those are constructor arguments."""
    tree = ast.parse(text(name))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    codes = Counter()
    for node in classes:
        node.body = node.body[1:] or node.body  # the docstring says where it stands
        code = ast.unparse(node).partition(":")[2]
        codes[re.sub(r"(?<![\w.])\d[\d.e+-]*", "N", code)] += 1
    assert [code for code, count in codes.items() if count > 1] == []
    assert len({node.name for node in classes}) == len(classes)


def test_no_two_specs_are_the_same_network():
    digests = Counter(net(name).digest() for name in NAMES)
    twins = [name for name in NAMES if digests[net(name).digest()] > 1]
    assert not twins


# --- names that last -----------------------------------------------------------------------


def state(graph: Graph) -> Iterator[tuple[str, str]]:
    """Give the name and shape of each entry of the ``state_dict``, without torch."""
    for key, _, shape in graph.params():
        yield key, size(shape)
    for call in graph.calls:
        if isinstance(call.op, Norm):
            yield f"{call.name}.running_mean", str(call.op.channels)
            yield f"{call.name}.running_var", str(call.op.channels)
            yield f"{call.name}.num_batches_tracked", ""


def digested(graph: Graph) -> dict[str, Any]:
    """Summarise the keys: a hash over all, and how many there are of each form.

    ``stages.#.#.reduce.weight`` stands for the same name in every unit; a changed name then
    shows in the diff of the golden file.
    """
    entries = sorted(state(graph))
    lines = "\n".join(f"{key} {shape}" for key, shape in entries)
    forms: dict[str, list[str]] = {}
    for form, count in Counter(re.sub(r"\d+(?=\.|$)", "#", key) for key, _ in entries).items():
        module, _, last = form.rpartition(".")
        known = last in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        owner, leaf = (module, last) if known else (form, "itself")
        forms.setdefault(f"{count} {owner}", []).append(leaf)
    short = {
        "bias num_batches_tracked running_mean running_var weight": "norm",
        "num_batches_tracked running_mean running_var": "norm without weights",
    }
    modules = {}
    for key, leaves in forms.items():
        count, _, owner = key.partition(" ")
        what = " ".join(sorted(leaves))
        modules[owner] = f"{count} {short.get(what, what)}"
    return {
        "entries": len(entries),
        "hash": blake2b(lines.encode(), digest_size=8).hexdigest(),
        "modules": modules,
    }


def golden() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    return found


@pytest.mark.parametrize("name", NAMES)
def test_its_keys_are_the_golden_ones(name: str):
    """A trained checkpoint must load next year. After a wanted change, see `test_golden_file`."""
    assert digested(net(name).graph()) == golden().get(name)


def test_golden_file():
    """Hold ``golden/keys.json`` against the list of specs.

    After a wanted change, rewrite it and read its diff:
    ``ARCHGEN_REWRITE_GOLDEN=1 pytest tests/contract/test_specs.py -k golden_file`` (which fails,
    so that no check passes by rewriting).
    """
    if os.environ.get("ARCHGEN_REWRITE_GOLDEN") == "1":
        table = {name: digested(net(name).graph()) for name in NAMES}
        GOLDEN.write_text(json.dumps(table, indent=1) + "\n")
        pytest.fail(f"rewrote {GOLDEN}; read its diff and run again without the variable")
    assert list(golden()) == NAMES
    assert GOLDEN.stat().st_size < 300_000

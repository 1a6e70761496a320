"""What the tests share: small nets from fragments of YAML, and a unit's operations as one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import settings

from archgen.graph import Call, Graph
from archgen.ops import Add, Cat, Conv, Linear, Pad, Pool, Slice, Subsample
from archgen.spec import Net, parse

settings.register_profile("archgen", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("archgen")


NEED_TORCH = {"torch", "gpu"}
"""Folders, of which even conftest.py imports it; files say so themselves."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Without torch tests, do not even import torch: the rest then takes seconds."""
    if config.option.markexpr != "not torch":
        return None
    if collection_path.suffix == ".py":
        needs = "\npytestmark = pytest.mark.torch\n" in collection_path.read_text()
    else:
        needs = collection_path.name in NEED_TORCH
    return True if needs else None


@pytest.fixture(scope="session", autouse=True)
def _no_cache_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a command prints must not depend on what somebody has calibrated."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARCHGEN_CACHE", str(tmp_path_factory.mktemp("cache") / "none"))
        yield


@pytest.fixture(scope="session")
def net() -> Callable[..., Net]:
    """Make a net of some nodes in YAML, one a line: ``net("stages: {block: basic, ...}")``."""

    def make(*nodes: str, image: Sequence[int] = (3, 32, 32), **top: object) -> Net:
        lines = ["name: tiny", f"input: {list(image)}"]
        lines += [f"{key}: {value}" for key, value in top.items()]
        return parse("\n".join([*lines, "nodes:", *(f"  {node}" for node in nodes)]))

    return make


@pytest.fixture(scope="session")
def written() -> Callable[[Graph, str], str]:
    """Write the operations below a path as one line, in order, with what sets them apart."""
    return lambda graph, path: " ".join(
        _written(call, path)
        for call in graph.calls
        if call.name == path or call.name.startswith(f"{path}.")
    )


def _written(call: Call, path: str) -> str:
    name = call.name.removeprefix(path).lstrip(".")
    op = call.op
    match op:
        case Conv():
            marks = f"/{op.stride}" * (op.stride > 1) + f"d{op.dilation}" * (op.dilation > 1)
            return (
                f"{name}({op.inp}>{op.out},{op.kernel}{marks}{f'g{op.groups}' * (op.groups > 1)})"
            )
        case Linear():
            return f"{name}({op.inp}>{op.out})"
        case Pool():
            return f"{name}({op.kernel}/{op.stride}{'c' * op.ceil})"
        case Slice():
            return f"{name}({op.start}:{'' if op.stop is None else op.stop})"
        case Pad():
            return f"{name}({op.before},{op.after})"
        case Subsample():
            return f"{name}({op.stride})"
        case Add() | Cat():
            return f"{name}[{len(call.inputs)}]"
    return name

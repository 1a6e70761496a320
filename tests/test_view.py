from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator

import pytest

from archgen import cost, files, load
from archgen.blocks.base import Block, Narrow
from archgen.graph import Map
from archgen.inverse import COSTS
from archgen.ops import Conv, Norm, Pool, Slice, Times
from archgen.spec import Net
from archgen.study.definition import TRAINED
from archgen.view import (
    NAMES,
    dot,
    duration,
    exact,
    figure,
    mermaid,
    op_rows,
    op_words,
    picture,
    short,
    spec_rows,
    stage_rows,
    study_rows,
    titled,
    with_unit,
)
from archgen.view.comparison import FIGURES
from archgen.view.library import matching
from archgen.view.words import UNITS

SPECS = files.names("specs")
LARGEST = 40
"""Boxes of a diagram that a person can still read."""


@pytest.fixture
def odd_block() -> Iterator[str]:
    """A block whose name would break out of any label."""

    class Odd(Narrow, kind='q"]<b>;\\end'):
        def build(self, x: Map, out: int) -> Map:
            return x.conv("conv", out)

    yield Odd.kind
    del Block.kinds[Odd.kind]


@pytest.mark.parametrize("name", SPECS)
def test_rows_add_up(name: str) -> None:
    net = load(name)
    rows, counts, graph = stage_rows(net), cost(net), net.graph()
    assert sum(row.params for row in rows) == counts.params
    assert sum(row.macs for row in rows) == counts.macs
    assert sum(row.share for row in rows) == pytest.approx(1)
    assert rows[-1].shape == graph.calls[graph.outputs[-1]].shape
    assert len(op_rows(net)) == len(graph.calls)
    paths = ["input"]
    for row in rows:
        assert row.sources
        assert set(row.sources) <= set(paths), row
        assert row.units == sum(row.blocks.values()) > 0
        paths.append(row.path)
    assert len(set(paths)) == len(paths)
    for node in net.nodes:
        assert any(path.split(".")[0] == node for path in paths)


def test_stages_are_rows() -> None:
    rows = {row.path: row for row in stage_rows(load("dpn131"))}
    assert list(rows) == ["stem", *(f"stages.{i}" for i in range(4)), "head"]
    assert [row.stride for row in rows.values()] == [4, 4, 8, 16, 32, 0]
    third = rows["stages.2"]
    assert third.block == "28 bottleneck_preact"
    assert third.units == 28
    assert third.shape == (1984, 14, 14)
    assert third.sources == ["stages.1"]
    assert rows["head"].block == "norm_pool_linear"
    assert rows["stem"].params == 3 * 128 * 49 + 2 * 128


def test_a_list_of_blocks_is_one_row(net: Callable[..., Net]) -> None:
    rows = stage_rows(net("high: {block: basic, width: 8, depth: 3, shortcut: projection}"))
    assert [(row.path, row.block, row.units) for row in rows] == [("high", "3 basic", 3)]


def test_streams_are_rows_with_their_own_sources() -> None:
    rows = {row.path: row.sources for row in stage_rows(load("parnet_s"))}
    assert rows["body.at8"] == ["at8"]
    assert rows["body.at4_down"] == ["body.at4"]
    assert rows["body.at8_fuse"] == ["body.at8", "body.at4_down"]
    assert rows["at32"] == ["body.at16_fuse"]


def test_a_transition_is_told_from_the_layers() -> None:
    rows = {row.path: row for row in stage_rows(load("densenet121"))}
    assert rows["stages.0"].block == "6 dense_bottleneck"
    assert rows["stages.1"].block == "transition + 12 dense_bottleneck"
    assert rows["stages.1"].units == 13


def test_stride_follows_the_output_stride() -> None:
    rows = stage_rows(load("resnet50").set({"output_stride": 8}))
    assert [row.stride for row in rows] == [4, 4, 8, 8, 8, 0]


def test_share_without_any_macs(net: Callable[..., Net]) -> None:
    rows = stage_rows(net("a: {block: concat, from: [input, input]}"))
    assert [(row.macs, row.share) for row in rows] == [(0, 0.0)]


def test_op_rows() -> None:
    rows = {row.path: row for row in op_rows(load("dpn131"))}
    spatial = rows["stages.1.0.spatial"]
    assert spatial.op == "conv 3x3 stride=2 padding=1 groups=40"
    assert spatial.inputs == ((320, 56, 56),)
    assert spatial.shape == (320, 28, 28)
    assert spatial.params == 320 * 8 * 9
    assert spatial.macs == spatial.params * 28 * 28
    assert len(rows["stages.1.0.add"].inputs) == 2


@pytest.mark.parametrize(
    ("op", "words"),
    [
        (Conv(3, 8), "conv 1x1"),
        (Conv(8, 8, 3, 2, 1, bias=True), "conv 3x3 stride=2 padding=1 bias=True"),
        (Norm(8), "norm"),
        (Norm(8, eps=0.001, affine=False), "norm eps=0.001 affine=False"),
        (Pool("max", 3, 2, 1), "pool max 3x3 stride=2 padding=1"),
        (Slice(64, None), "slice start=64"),
        (Slice(0, 64), "slice start=0 stop=64"),
        (Times(2.0), "times factor=2.0"),
    ],
)
def test_op_words(op: Conv, words: str) -> None:
    assert op_words(op) == words


@pytest.mark.parametrize("name", SPECS)
def test_diagrams_are_small_whole_and_the_same_each_time(name: str) -> None:
    text = dot(picture(load(name)))
    assert text == dot(picture(load(name)))
    assert text.count("{") == text.count("}")
    boxes = re.findall(r'^ +"([^"]+)" \[label=', text, re.MULTILINE)
    edges = re.findall(r'^ +"([^"]+)" -> "([^"]+)"', text, re.MULTILINE)
    assert boxes[0] == "input"
    assert len(boxes) == len(set(boxes)) <= LARGEST
    assert {end for edge in edges for end in edge} == set(boxes)
    chart = mermaid(picture(load(name)))
    assert chart == mermaid(picture(load(name)))
    assert chart.count("subgraph ") == chart.count("\n  end\n")
    assert len(re.findall(r"^ +n\d+[\[(]", chart, re.MULTILINE)) == len(boxes)
    assert len(re.findall(r"^ +n\d+ -->(?:\|.*\|)? n\d+$", chart, re.MULTILINE)) == len(edges)


def test_streams_stand_side_by_side() -> None:
    text = dot(picture(load("parnet_s")))
    assert '"at4" -> "body.at4"' in text
    assert '"at8" -> "body.at8"' in text
    assert '"body.at4" -> "body.at8"' not in text
    assert 'subgraph "cluster_body" {\n    label="body"' in text
    assert '{rank=same; "body.at4"; "body.at8"; "body.at16"}' in text


LABEL = r'<(?:[^<>]|<[^<>]*>)*>|"(?:[^"\\]|\\.)*"'
STATEMENT = re.compile(
    rf"""\ +(?:(?:graph|node|edge)\ (?P<default>\[.*\])
    |(?:{LABEL})(?::\w+)*(?:\ ->\ (?:{LABEL})(?::\w+)*)?(?:\ (?P<attributes>\[.*\]))?
    |subgraph\ (?:{LABEL})\ \{{|\}}|\{{rank=same(?:;\ {LABEL})+\}}
    |(?P<title>\w+=.*))""",
    re.VERBOSE,
)
"""The part of Graphviz's grammar that diagrams use, a statement a line."""
ATTRIBUTES = re.compile(rf"\w+=(?:{LABEL}|[\w.]+)")


@pytest.mark.parametrize(
    ("name", "path"),
    [("dpn98", ""), ("dpn98", "stages.2"), ("dpn98", "stages.2.0"), ("ds2net50", "stages.2.3"),
     ("densenet121", "stages.1"), ("parnet_s", "body.at8.1"), ("drn_c_26", "stages.3")],
)  # fmt: skip
def test_graphviz_can_read_what_is_opened(name: str, path: str) -> None:
    text = dot(picture(load(name), path), link=lambda to: f"?net={name}&open={to}", ink="#E6EAEE")
    first, *lines, last = text.splitlines()
    assert (first, last) == (f'digraph "{name}" {{', "}")
    for line in lines:
        found = STATEMENT.fullmatch(line)
        assert found, line
        for each in ("default", "attributes"):
            inside = found[each] and ATTRIBUTES.sub("", found[each])
            assert not (inside or "").strip("[], "), line
        for label in re.findall(r"label=<(.*)>[],]", line):
            ET.fromstring(f"<label>{label}</label>")
    assert '"input" -> ' in text or path.count(".") > 1
    assert f'URL="?net={name}&open=' in text


def test_lanes_and_arcs_are_drawn() -> None:
    text = dot(picture(load("dpn98"), "stages.2"))
    assert '"stages.2.0":dense_out:s -> "stages.2.1":dense_in:n [color="#D55E00"' in text
    assert '<td port="dense_in"' in text
    arcs = dot(picture(load("densenet121"), "stages.0"))
    assert '"stem":se -> "stages.0.5":ne [color="#009E73", constraint="false"]' in arcs
    assert 'n2 -->|"residual 1024"| n3' not in mermaid(picture(load("dpn98")))
    assert '-->|"dense 96"|' in mermaid(picture(load("dpn98"), "stages.2"))


def test_labels_are_escaped(odd_block: str) -> None:
    stages = {"block": odd_block, "width": 8, "depth": [1, 1]}
    net = Net.of({"name": "odd", "input": [3, 8, 8], "nodes": {"stages": stages}})
    (label,) = re.findall(r'"stages.0" \[label=<(.*)>, width', dot(picture(net)))
    assert "q&quot;]&lt;b&gt;;\\end" in label
    assert ET.fromstring(f"<label>{label}</label>").find("b").text == "stages.0"
    line = next(line for line in mermaid(picture(net)).splitlines() if line.startswith("    n1["))
    assert "<br/>q#34;#93;#60;b#62;#59;#92;end, 8x8x8<br/>" in line
    assert line.count('"') == 2


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (7, "7"), (999, "999"), (1000, "1.00k"), (999_499, "999k"), (999_500, "1.00M"),
     (9_994_999, "9.99M"), (79_254_504, "79.3M"), (99_949_999, "99.9M"), (99_950_000, "100M"),
     (16_013_648_896, "16.0G"), (2.5e12, "2.50T")],
)  # fmt: skip
def test_short(count: float, text: str) -> None:
    assert short(count) == text


@pytest.mark.parametrize(
    ("name", "value", "few", "all_digits"),
    [
        ("params", 79_254_504, "79.3M", "79,254,504"),
        ("depth", 131, "131", "131"),
        ("macs", 0, "0", "0"),
        ("receptive_field", 1203, "1,203 px", "1,203 px"),
        ("receptive_field", None, "-", "-"),
        ("saved_bytes", 305_135_616, "291.0 MiB", "291.0 MiB"),
        ("saved_bytes", 1023 * 2**20, "1,023.0 MiB", "1,023.0 MiB"),
        ("saved_bytes", 12_082_898_000, "11.3 GiB", "11.3 GiB"),
    ],
)
def test_costs_are_written_in_one_way(
    name: str, value: int | None, few: str, all_digits: str
) -> None:
    assert (figure(name, value), exact(name, value)) == (few, all_digits)


def test_all_that_is_counted_has_a_name() -> None:
    assert {*FIGURES, *TRAINED, *COSTS} <= {*NAMES}
    assert {*UNITS} <= {*NAMES}
    assert titled("macs") == "MACs"
    assert titled("saved_bytes") == "Saved for backward"
    assert with_unit("peak_bytes") == "peak in inference (bytes)"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_spec_rows_match_parts_and_patterns() -> None:
    assert {row.name for row in spec_rows()} == set(SPECS)
    dpns = spec_rows("dpn")
    assert [row.name for row in dpns] == [
        "dpn32_cifar", "dpn68", "dpn68b", "dpn92", "dpn98", "dpn107", "dpn131", "dpn_digits",
    ]  # fmt: skip
    (dpn131,) = spec_rows("dpn131")
    assert dpn131.params == 79_254_504
    assert dpn131.macs == 16_013_648_896
    assert dpn131.depth == 131
    assert dpn131.arxiv == "1707.01629"
    assert all(row.name.endswith("_cifar") for row in spec_rows("*_cifar"))
    assert spec_rows("nothing") == []


def test_study_rows() -> None:
    row, *siblings = study_rows("pyramid")
    assert [other.name for other in siblings] == ["pyramid_cifar", "pyramid_fashion"]
    assert row.spec == "pyramidnet_digits"
    assert "stages.width" in row.vary
    assert row.size is not None
    assert row.size > 1000
    assert row.score == {"top1": "maximize"}


def test_names_are_ordered_as_people_count() -> None:
    assert matching(["b10", "b9", "a2_10", "a2_9"], "") == ["a2_9", "a2_10", "b9", "b10"]
    assert matching(["b10", "b9", "ab9"], "b?") == ["b9"]

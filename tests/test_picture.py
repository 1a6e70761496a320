"""Diagrams opened at a path: whole, small, and as the papers draw them."""

from __future__ import annotations

import pytest

from archgen import ArchError, files, load
from archgen.spec import Net
from archgen.view import Picture, picture, stage_rows
from archgen.view.picture.fold import around, folded
from archgen.view.picture.parts import Parts

LARGEST = 64
"""Most boxes of any picture: 40 of a unit, and what is around it."""


def ways(net: Net) -> list[str]:
    """Paths to open: each stage, the ends of each, and what is in the last unit."""
    parts = Parts(net)
    found = [""]
    for row in parts.rows:
        units = parts.inside(row)
        inner = parts.inside(units[-1]) if units else ()
        found += dict.fromkeys([row, *units[:1], *units[-1:], *inner])
    return found


def well_formed(net: Net, drawn: Picture) -> None:
    keys = [box.key for box in drawn.boxes]
    assert len(keys) == len(set(keys)) <= LARGEST
    held = [index for box in drawn.boxes for index in box.calls]
    assert len(held) == len(set(held)), "no operation is drawn twice"
    graph = net.graph().calls
    inside = [i for i, call in enumerate(graph) if call.name.startswith(f"{drawn.path}.")]
    assert {*inside} <= {*held}, "all of what is open is there"
    assert {box.frame for box in drawn.boxes} <= {"", *drawn.frames}
    place = {key: at for at, key in enumerate(keys)}
    assert all(place[arrow.source] < place[arrow.target] for arrow in drawn.arrows)
    assert {arrow.target for arrow in drawn.arrows} >= {box.key for box in drawn.boxes if box.frame}
    assert len({(a.source, a.target, a.lane) for a in drawn.arrows}) == len(drawn.arrows)


@pytest.mark.parametrize("name", files.names("specs"))
def test_every_spec_opens(name: str) -> None:
    net = load(name)
    assert [box.key for box in picture(net).boxes] == ["input", *(r.path for r in stage_rows(net))]
    parts = Parts(net)
    for path in ways(net):
        drawn = picture(net, path)
        well_formed(net, drawn)
        assert drawn.path == path
        for inner in (*drawn.parts, *(box.opens for box in drawn.boxes if box.opens)):
            assert parts.trail(inner)[-1] == inner


def test_a_closed_network_says_what_stage_rows_say() -> None:
    assert picture(load("dpn98")).boxes[4].lines == (
        "stages.2", "20 bottleneck_preact, 1728x14x14", "33.9M params, 6.92G MACs",
    )  # fmt: skip


def test_a_dual_path_runs_in_two_lanes() -> None:
    """DPN-98's third stage (arXiv:1707.01629, table 1): 1024 residual channels, 32 more a unit."""
    drawn = picture(load("dpn98"), "stages.2")
    lanes = [(a.source, a.target, a.label) for a in drawn.arrows if a.lane]
    assert lanes == [
        ("stages.2.0", "stages.2.1", "residual 1024"),
        ("stages.2.0", "stages.2.1", "dense 96"),
        ("stages.2.1", "stages.2.2", "residual 1024"),
        ("stages.2.1", "stages.2.2", "dense 128"),
        ("stages.2.2", "stages.2.3 to 18", "residual 1024"),
        ("stages.2.2", "stages.2.3 to 18", "dense 160"),
        ("stages.2.3 to 18", "stages.2.19", "residual 1024"),
        ("stages.2.3 to 18", "stages.2.19", "dense 672"),
    ]
    (more,) = [box for box in drawn.boxes if box.folded > 1]
    assert more.lines[1] == "16 more, 1696x14x14"  # each is wider than the one before
    assert drawn.legend == (
        "Blue arrows: residual lane, red: dense lane, with their channels; "
        "dashed: several parts as one."
    )
    assert more.opens == "stages.2.3"


def test_lanes_go_through_an_open_unit() -> None:
    drawn = picture(load("dpn98"), "stages.2.5")
    lanes = {(a.source.removeprefix("stages.2."), a.target.removeprefix("stages.2."), a.lane)
             for a in drawn.arrows if a.lane and "2.5" in a.source + a.target}  # fmt: skip
    assert lanes == {
        ("4", "5.slice", "residual"),
        ("4", "5.slice_2", "dense"),
        ("5.slice", "5.add", "residual"),
        ("5.slice_2", "5.cat", "dense"),
        ("5.expand", "5.slice_3", "residual"),
        ("5.expand", "5.slice_4", "dense"),
        ("5.slice_3", "5.add", "residual"),
        ("5.slice_4", "5.cat", "dense"),
        ("5.add", "5.cat", "residual"),
        ("5.cat", "6", "residual"),
        ("5.cat", "6", "dense"),
    }


def test_every_layer_of_a_densenet_reads_all_before_it() -> None:
    """L layers have L (L + 1) / 2 connections (arXiv:1608.06993, section 1)."""
    drawn = picture(load("densenet121"), "stages.0")
    units = [f"stages.0.{k}" for k in range(6)]
    read = [(a.source, a.target) for a in drawn.arrows if a.target in units]
    sources = ["stem", *units]
    assert sorted(read) == sorted((s, t) for at, t in enumerate(units) for s in sources[: at + 1])
    assert sum(arrow.arc for arrow in drawn.arrows) == 21 - 6


def test_dense_shortcuts_are_arcs() -> None:
    """DSNet-50's third stage: each of six units reads all before it in the stage."""
    arcs = [a for a in picture(load("dsnet50"), "stages.2").arrows if a.arc]
    assert len(arcs) == 5 + 4 + 3 + 2 + 1 - 5
    assert not [a for a in picture(load("resnet50"), "stages.2").arrows if a.arc]


def test_streams_stand_side_by_side() -> None:
    net = load("parnet_s")
    assert picture(net).beside == (("body.at4", "body.at8", "body.at16"),)
    opened = picture(net, "body.at8")
    assert opened.beside == (("body.at4", "body.at16"),)
    assert opened.frames == {"body": "", "body.at8": "body"}


def test_dilation_stands_at_what_reads() -> None:
    """DRN-C-26 dilates by 2 and 4, and degrids by 2 and 1 (arXiv:1705.09914, figure 5)."""
    said = {a.target: a.label for a in picture(load("drn_c_26")).arrows if a.label}
    assert said == {
        "stages.2": "dilation 2", "stages.3": "dilation 4", "degrid.0": "dilation 2",
    }  # fmt: skip
    units = {a.target: a.label for a in picture(load("drn_c_26"), "stages.3").arrows if a.label}
    assert units["stages.3.1"] == "dilation 4"


def test_what_is_far_from_an_open_unit_is_folded_or_left_out() -> None:
    drawn = picture(load("resnet101"), "stages.2.11")
    outside = [box.key for box in drawn.boxes if not box.key.startswith("stages.2.11")]
    assert outside == ["stages.1", "stages.2.0 to 9", "stages.2.10", "stages.2.12",
                       "stages.2.13 to 22", "stages.3"]  # fmt: skip
    assert drawn.trail == ("stages.2", "stages.2.11")
    assert drawn.parts[0] == "stages.2.0", "nothing to open inside: its neighbours"


def test_a_huge_network_stays_small() -> None:
    chain = {f"n{k}": {"block": "conv_norm", "width": 4} for k in range(150)}
    dense = {"block": "basic", "depth": 60, "width": 4, "shortcut": {"join": "dense"}}
    net = Net.of({"name": "huge", "input": [3, 8, 8], "nodes": chain | {"stages": dense}})
    for path in ("", "n70", "stages", "stages.59", "stages.59.dense"):
        well_formed(net, picture(net, path))
    dense_shortcuts = picture(net, "stages.59.dense")
    assert any(box.lines[1].startswith("82 more operations") for box in dense_shortcuts.boxes[1:-1]
               if len(box.lines) > 1)  # fmt: skip


def test_what_is_not_there_is_named_with_what_is() -> None:
    net = load("dpn68")
    with pytest.raises(ArchError, match=r"no part 'stage\.2'; did you mean 'stages\.2'\?"):
        picture(net, "stage.2")
    with pytest.raises(ArchError, match=r"there are: head, stages\.0"):
        picture(net, "stages.0.0.reduce")


def test_said() -> None:
    said = picture(load("dpn98"), "stages.2").said
    assert said.startswith("dpn98 opened at stages.2: 11 boxes, residual and dense lanes; input, ")
    assert "3 streams side by side" in picture(load("parnet_s")).said


@pytest.mark.parametrize(
    ("text", "most", "boxes"),
    [
        ("abc", 3, "a b c"),
        ("abbbbbc", 6, "a b b bb b c"),
        ("aabb", 3, "a ab b"),
        ("abcdefgh", 4, "a b cdefg h"),
        ("aaaaaaaaaa", 8, "a a aaaaaaa a"),
    ],
)
def test_folded(text: str, most: int, boxes: str) -> None:
    found = folded(text, most, lambda letter: letter)
    assert " ".join("".join(box) for box in found) == boxes


@pytest.mark.parametrize(
    ("at", "boxes"), [(0, "a b cdef"), (1, "a b c def"), (3, "ab c d e f"), (5, "abcd e f")]
)
def test_around(at: int, boxes: str) -> None:
    assert " ".join("".join(box) for box in around("abcdef", at, 1)) == boxes

"""Tables of several networks: they say what the analyses say, and add up."""

from __future__ import annotations

import pytest

from archgen import ArchError, cost, load
from archgen.explorer import Shown
from archgen.explorer.compared import Match, figure_rows, over, spec_rows, stage_table
from archgen.explorer.entries import Entry, entry, inputs_differ, labelled
from archgen.spec import differences


def entries(*words: str) -> dict[str, Entry]:
    return labelled([entry(Shown.read(word)) for word in words])


def test_the_dual_path_paper_in_ratios() -> None:
    rows = {row["figure"]: row for row in figure_rows(entries("resnext101_64x4d", "dpn98"))}
    assert rows["Parameters"] == {
        "figure": "Parameters",
        "resnext101_64x4d": "83,455,272",
        "dpn98": "61,570,728",
        "dpn98: vs first": "0.738x",
    }
    assert rows["MACs"]["dpn98: vs first"] == "0.755x"
    assert rows["Saved for backward"]["dpn98"] == "214.0 MiB"


def test_what_is_equal_says_so_and_what_is_not_there_is_a_dash() -> None:
    rows = {row["figure"]: row for row in figure_rows(entries("resnet50", "drn_a_50"))}
    assert rows["Parameters"]["drn_a_50: vs first"] == "equal"
    text = "name: bare\ninput: [3, 8, 8]\nnodes: {twice: {block: sum, from: [input, input]}}\n"
    bare = {row["figure"]: row for row in figure_rows(entries(Shown(text=text).word(), "resnet18"))}
    assert bare["Parameters"]["bare"] == "0"
    assert bare["Parameters"]["resnet18: vs first"] == "-"


@pytest.mark.parametrize("match", ["path", "stride"])
def test_stages_add_up(match: Match) -> None:
    found = entries("resnet34", "parnet_s", "drn_c_26", "dpn131;stages.groups=32", "densenet121")
    for what in ("macs", "params"):
        rows = stage_table(found, match, what)
        assert len({row[match] for row in rows}) == len(rows)
        for label, each in found.items():
            parts = [int(row[label].replace(",", "")) for row in rows if row[label] != "-"]
            assert sum(parts) == getattr(each.costs, what)


def test_streams_are_held_against_stages_by_stride() -> None:
    rows = {
        row["stride"]: row for row in stage_table(entries("resnet34", "parnet_s"), "stride", "macs")
    }
    assert [*rows] == ["2", "4", "8", "16", "32", "vector"]
    assert rows["2"]["resnet34: output"] == rows["2"]["parnet_s: vs first"] == "-"
    assert rows["32"]["parnet_s: output"] == "1280x7x7"
    assert rows["vector"]["resnet34"] == "512,000"


def test_stages_of_one_path_share_a_row() -> None:
    rows = stage_table(entries("resnet50", "drn_a_50", "drn_c_26"), "path", "params")
    paths = [row["path"] for row in rows]
    assert paths.index("stages.3") < paths.index("degrid.0") < paths.index("head")
    last = rows[paths.index("stages.3")]
    assert last["resnet50"] == last["drn_a_50"] == "14,964,736"
    assert last[over("drn_a_50")] == "equal"
    assert (last["resnet50: output"], last["drn_a_50: output"]) == ("2048x7x7", "2048x28x28")


def test_values_that_differ_are_those_of_the_specs() -> None:
    names = ("resnext101_64x4d", "dpn98", "resnet50")
    rows = {row["path"]: row for row in spec_rows(entries(*names))}
    first = load(names[0])
    for name in names[1:]:
        for each in differences(first, load(name)):
            assert each.path in rows
    assert rows["stages.groups"] == {
        "path": "stages.groups", "resnext101_64x4d": "64", "dpn98": "40", "resnet50": "1"
    }  # fmt: skip
    assert rows["stages.depth"]["resnet50"] == "[3,4,6,3]"
    assert rows["stages.eps"]["resnet50"] == rows["stages.eps"]["resnext101_64x4d"]


def test_a_node_that_others_have_not_is_said_briefly() -> None:
    rows = {row["path"]: row for row in spec_rows(entries("resnet34", "parnet_s"))}
    assert rows["body"] == {
        "path": "body", "resnet34": "-", "parnet_s": "repvgg_sse depth=[4,4,5,5] streams=3"
    }  # fmt: skip


def test_two_spellings_of_one_network_differ_in_nothing() -> None:
    assert spec_rows(entries("dpn98", "dpn98;stages.group_width=[4,8,16,32]")) == []


def test_labels_say_what_was_changed_and_are_never_shared() -> None:
    found = entries("dpn131", "dpn131;stages.groups=32;stem.width=64", Shown(text=DPN).word())
    assert [*found] == ["dpn131", "dpn131 groups=32 width=64", "dpn131 (2)"]
    long = entries("resnet50;stages.width=[64,128,256,512];stages.depth=[3,4,6,3];stem.width=64")
    assert all(len(label) <= 48 and label.endswith("…") for label in long)


def test_inputs_that_differ_are_said() -> None:
    assert inputs_differ(entries("resnet50", "dpn131")) == ""
    said = inputs_differ(entries("resnet50", "resnet50;input=[3,64,64]", "resnet20_cifar"))
    assert "3x224x224 for resnet50; 3x64x64 for resnet50 input=[3,64,64]; 3x32x32 for" in said


def test_a_network_is_counted_with_its_changes() -> None:
    wide = entry(Shown.read("pyramidnet110_a48;stages.width.alpha=84"))
    assert wide.figure("params") == cost(load("pyramidnet110_a84")).params
    with pytest.raises(ArchError, match="7 groups"):
        entry(Shown.read("resnet50;stages.groups=7"))


DPN = (
    "name: dpn131\ninput: [3, 32, 32]\nnodes:\n"
    "  stem: {block: conv_norm, width: 8}\n  head: {block: pool_linear, classes: 10}\n"
)

"""Specs as data: what is refused, where the error points, and changing a spec by dotted paths."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

import pytest

from archgen import load
from archgen.errors import ArchError
from archgen.spec import Net, names, parse

SPEC = """\
name: tiny
input: [3, 32, 32]
nodes:
  stem:
    block: conv_norm
    width: 16
  stages:
    block: bottleneck
    depth: [2, 2]
    width: [16, 32]
    stride: [1, 2]
    groups: 4
    shortcut: projection
  head:
    block: pool_linear
    classes: 10
"""


def test_a_spec_loads(tmp_path: Path):
    path = tmp_path / "tiny.yaml"
    path.write_text(SPEC)
    made = load(path)
    assert made.name == "tiny"
    assert made.input == (3, 32, 32)
    assert list(made.nodes) == ["stem", "stages", "head"]
    assert made.nodes["stages"].fields == {"width": [16, 32], "stride": [1, 2], "groups": 4}
    assert load(str(path)).digest() == made.digest()


# What stands in the spec -> what takes its place, and below how the message then begins.
MISTAKES = r"""
block: bottleneck -> block: bottelneck
    8: nodes.stages.block: no block 'bottelneck'; did you mean 'bottleneck'?
groups: 4 -> gruops: 4
    12: nodes.stages.gruops: no field of block 'bottleneck' called 'gruops'; did you mean 'groups'?
groups: 4 -> dropout: 0.5
    12: nodes.stages.dropout: no field of block 'bottleneck' called 'dropout'; did you mean 'out'?
shortcut: projection -> shortcut: projektion
    13: nodes.stages.shortcut: no shortcut 'projektion'; did you mean 'projection'?
shortcut: projection -> shortcut: {join: dull}
    13: nodes.stages.shortcut.join: no join 'dull'; did you mean 'dual'?
shortcut: projection -> shortcut: {join: [add]}
    13: nodes.stages.shortcut.join: no join "['add']"; did you mean 'add'?
shortcut: projection -> shortcut: {widen: zeros}
    13: nodes.stages.shortcut.join: this field is required
shortcut: projection -> shortcut: {join: add, widne: zeros}
    13: nodes.stages.shortcut.widne: no field of join 'add' called 'widne'; did you mean 'widen'? (t
shortcut: projection -> shortcut: {join: add, widen: ones}
    13: stages.0.0.shortcut.widen: input should be 'conv' or 'zeros', not 'ones'
shortcut: projection -> shortcut: 3
    13: nodes.stages.shortcut: needs text, not 3
width: [16, 32] -> width: {kind: aditive}
    10: nodes.stages.width.kind: no schedule 'aditive'; did you mean 'additive'?
width: [16, 32] -> width: {kind: additive, start: 16}
    10: nodes.stages.width.alpha: this field is required
width: [16, 32] -> width: [16, 32, 64]
    10: nodes.stages.width: 3 values for 2 stages; give one value, or one a stage
width: [16, 32] -> width: [[16, 16, 16], 32]
    10: nodes.stages.width.0: 3 values for 2 blocks; give one value, or one a block
width: [16, 32] -> width: [16, -32]
    10: stages.1.0.width: input should be greater than or equal to 1, not -32
width: [16, 32] -> width: 0
    10: stages.0.0.width: input should be greater than or equal to 1, not 0
width: [16, 32] -> width: 1000000000000
    10: stages.0.0.width: input should be less than or equal to 65536, not 1000000000000
width: [16, 32] -> width: 16.0
    10: stages.0.0.width: needs an integer, not 16.0
width: [16, 32] -> width: true
    10: stages.0.0.width: needs an integer, not True
width: [16, 32] -> width: "16"
    10: stages.0.0.width: needs an integer, not '16'
width: [16, 32] -> width: {a: 1}
    10: stages.0.0.width: needs an integer, not {'a': 1}
width: [16, 32] -> width: [18, 32]
    12: stages.0.0.spatial: 18 -> 18 channels cannot be split into 4 groups
width: [16, 32] -> expand: 2
    7: stages.0.0: needs a width, or groups and group_width
stride: [1, 2] -> stride: 0
    11: stages.0.0.stride: input should be greater than or equal to 1, not 0
depth: [2, 2] -> depth: [2, 0]
    9: nodes.stages.depth.1: input should be greater than or equal to 1, not 0
depth: [2, 2] -> depth: -1
    9: nodes.stages.depth: input should be greater than or equal to 1, not -1
depth: [2, 2] -> depth: two
    9: nodes.stages.depth: needs an integer, not 'two'
depth: [2, 2] -> depth: []
    9: nodes.stages.depth: give a number of blocks for each of 1 to 64 stages
depth: [2, 2] -> depth: 10000
    9: nodes.stages.depth: input should be less than or equal to 2000, not 10000
depth: [2, 2] -> from: at9
    9: nodes.stages.from: no node 'at9' before this one; there are input, stem
depth: [2, 2] -> from: head
    9: nodes.stages.from: a node reads only from nodes above it, not from 'head'
depth: [2, 2] -> from: stages
    9: nodes.stages.from: a node reads only from nodes above it, not from 'stages'
depth: [2, 2] -> from: [stem, input]
    9: nodes.stages.from: block 'bottleneck' reads one map (given: 2)
depth: [2, 2] -> from: []
    9: nodes.stages.from: has 0 entries, needs at least 1
depth: [2, 2] -> from: [3]
    9: nodes.stages.from.0: needs text, not 3
depth: [2, 2] -> from: stem.0
    9: nodes.stages.from: nothing called 'stem.0'; there are stem
block: pool_linear -> block: pool_linear\n    depth: 2
    16: nodes.head.depth: block 'pool_linear' is no branch: it takes no depth or shortcut
classes: 10 -> classes: 10\n    between: {block: conv}
    17: nodes.head.between: acts between stages: give depth as a list, one entry a stage
classes: 10 -> classes: ten
    16: head.classes: needs an integer, not 'ten'
name: tiny -> name: Tiny
    1: name: the name 'Tiny' must be lower-case letters, digits and _,
name: tiny -> name: ../tiny
    1: name: the name '../tiny' must be lower-case letters, digits and _,
name: tiny -> name: class
    1: name: a network cannot be called 'class': it is a keyword of Python
name: tiny -> name: 3
    1: name: needs text, not 3
name: tiny -> nmae: tiny
    1: name: this field is required
name: tiny -> name: tiny\ninit: {konv: default}
    2: init.konv: no key 'konv'; did you mean 'conv'? (there are: conv, linear, linear_bias)
name: tiny -> name: tiny\ninit: {conv: xavier}
    2: init.conv: input should be 'he_fan_out', 'he_fan_in' or 'default', not 'xavier'
name: tiny -> name: tiny\noutput_strid: 8
    2: output_strid: no key 'output_strid'; did you mean 'output_stride'?
name: tiny -> name: tiny\noutput_stride: 12
    2: output_stride: input should be 1, 2, 4, 8, 16 or 32, not 12
name: tiny -> name: tiny\noutputs: [haed]
    2: outputs: no node 'haed'; did you mean 'head'? (there are: head, stages, stem)
name: tiny -> name: tiny\noutputs: []
    2: outputs: has 0 entries, needs at least 1
name: tiny -> name: tiny\noutputs: [stages.7, head]
    2: outputs: nothing called 'stages.7'; there are stages.0, stages.1, stages
name: tiny -> name: tiny\npaper: {title: T, arxiv: 1707.01629}
    2: paper.arxiv: needs text, not 1707.01629
name: tiny -> name: tiny\npaper: {title: T, published: {parms: 3}}
    2: paper.published.parms: no key 'parms'; did you mean 'params'?
input: [3, 32, 32] -> input: [3, 32]
    2: input.2: this field is required
input: [3, 32, 32] -> input: [3, 32, 32, 1]
    2: input: has 4 entries, needs at most 3
input: [3, 32, 32] -> input: 224
    2: input: needs a list, not 224
input: [3, 32, 32] -> input: [0, 32, 32]
    2: input.0: input should be greater than or equal to 1, not 0
input: [3, 32, 32] -> input: [3, 32.5, 32]
    2: input.1: needs an integer, not 32.5
input: [3, 32, 32] -> input: [3, 100000, 32]
    2: input.1: input should be less than or equal to 8192, not 100000
stem: -> forward:
    4: nodes.forward: a node cannot be called 'forward': it is an attribute of torch.nn.Module
stem: -> lambda:
    4: nodes.lambda: a node cannot be called 'lambda': it is a keyword of Python
stem: -> torch:
    4: nodes.torch: a node cannot be called 'torch': it is used by the generated source
stem: -> feature_info:
    4: nodes.feature_info: a node cannot be called 'feature_info': it is what a network says of its
stem: -> input:
    4: nodes.input: a node cannot be called 'input': it is a top-level key of specs
stem: -> print:
    4: nodes.print: a node cannot be called 'print': it is a builtin of Python
stem: -> ../stem:
    4: nodes.../stem: the name '../stem' must be lower-case letters, digits and _,
stem: -> st.em:
    4: nodes.st.em: the name 'st.em' must be lower-case letters, digits and _,
stem: -> ²:
    4: nodes.²: the name '²' must be lower-case letters, digits and _,
"""
PAIRS = [row.split("\n    ") for row in re.split(r"\n(?! )", MISTAKES.strip("\n"))]


@pytest.mark.parametrize(("change", "message"), PAIRS)
def test_mistakes_name_file_line_path_and_law(tmp_path: Path, change: str, message: str):
    old, new = change.replace("\\n", "\n").split(" -> ")
    assert SPEC.count(old) == 1
    file = tmp_path / "tiny.yaml"
    file.write_text(SPEC.replace(old, new))
    with pytest.raises(ArchError) as caught:
        load(file).graph()
    said = str(caught.value)
    assert said.startswith(f"{file}:{message}")
    assert "\n" not in said
    assert len(said.removeprefix(str(file))) < 500


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "<text>:1: a spec is a mapping with the keys name, input and nodes"),
        ("3", "<text>:1: a spec is a mapping"),
        ("null", "<text>:1: a spec is a mapping"),
        ("{}", "<text>:1: name: this field is required"),
        ("name: a\ninput: [3, 8, 8]\nnodes: {}", "<text>:3: nodes: .* at least 1"),
        ("name: a\ninput: [3, 8, 8]\nnodes: [1]", "<text>:3: nodes: needs a mapping"),
        ("name: a\ninput: [3, 8, 8]\nnodes: {a: null}", "<text>:3: nodes.a: needs a mapping"),
        (
            "name: a\ninput: [3, 8, 8]\nnodes: {a: {width: 3}}",
            "<text>:3: nodes.a.block: this field",
        ),
        (
            "name: a\ninput: [3, 8, 8]\nnodes: {a: {block: [conv]}}",
            "<text>:3: nodes.a.block: needs text",
        ),
        (
            "name: a\ninput: [3, 8, 8]\nnodes: {a: {block: sum}}",
            "<text>:3: nodes.a.from: .* several maps",
        ),
    ],
)
def test_what_is_no_spec_at_all(text: str, message: str):
    with pytest.raises(ArchError, match=f"^{message}"):
        parse(text)


def test_a_net_of_any_size_is_refused_in_no_time():
    with pytest.raises(ArchError, match="more than 100,000 operations; reduce depth"):
        parse(SPEC).set(
            {"stages.depth": [2000] * 64, "stages.width": 16, "stages.stride": 1}
        ).graph()


def test_names_are_guarded_against_module_attributes():
    assert {"forward", "train", "training", "parameters", "to", "type"} <= names.MODULE_ATTRIBUTES
    for name in [*keyword.kwlist, *keyword.softkwlist, *names.MODULE_ATTRIBUTES, *names.TOP_LEVEL]:
        if names.PATTERN.fullmatch(name):
            assert names.complaint(name, node=True)
    assert not names.complaint("stem", node=True)
    assert not names.complaint("forward", node=False)


def test_get_by_dotted_path():
    net = parse(SPEC)
    assert net.get("input") == [3, 32, 32]
    assert net.get("input.1") == 32
    assert net.get("stages.width.1") == 32
    assert net.get("nodes.stages.width.1") == 32
    assert net.get("head.classes") == 10
    assert net.get("name") == "tiny"


def test_set_by_dotted_path_gives_another_net():
    net = parse(SPEC)
    other = net.set(
        {
            "stages.width": {"kind": "additive", "start": 16, "alpha": 64},
            "stages.groups": 1,
            "head.classes": 7,
            "input": [1, 28, 28],
            "output_stride": 1,
            "stages.dilation": 2,
        }
    )
    assert net.get("stages.width") == [16, 32]
    assert other.get("stages.width.alpha") == 64
    assert other.graph().calls[-1].shape == (7,)
    assert other.digest() != net.digest()
    assert other.set({"stages.width.alpha": 32}).get("stages.width.alpha") == 32
    assert net.set({"stages.width.1": 64}).get("stages.width") == [16, 64]
    assert net.set({"stages.depth.0": 5}).get("stages.depth") == [5, 2]


def test_changes_share_nothing_with_the_original():
    net = parse(SPEC)
    widths = [4, 8]
    changed = net.set({"stages.width": widths, "stages.groups": 1})
    widths.append(16)
    net.get("stages.width").append(1)
    changed.data()["nodes"]["stages"]["width"].append(1)
    assert net.get("stages.width") == [16, 32]
    assert changed.get("stages.width") == [4, 8]
    assert changed.graph().calls[-1].shape == (10,)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("stages.width.alpha", "stages.width.alpha: no entry 'alpha'; there are 0 to 1"),
        ("stages.width.2", "stages.width.2: no entry '2'; there are 0 to 1"),
        ("stages.width.-1", "stages.width.-1: no entry '-1'"),
        ("stages.width.\u00b2", "stages.width.\u00b2: no entry"),
        ("stages.groups.x", "stages.groups.x: 4 has no fields to set"),
        ("stages.shortcut.widen", "stages.shortcut.widen: 'projection' has no fields to set"),
        ("stage.width", r"stage.width: no key 'stage'; did you mean 'stages'\?"),
        ("stages.hight.width", "stages.hight.width: no key 'hight'"),
        ("stages.hight", "nodes.stages.hight: no field of block 'bottleneck'"),
        ("", "no key|nodes"),
        (".", r"\.: no key ''"),
    ],
)
def test_set_refuses_paths_that_lead_nowhere(path: str, message: str):
    with pytest.raises(ArchError, match=f"^{message}"):
        parse(SPEC).set({path: 3})


def test_get_refuses_paths_that_lead_nowhere():
    for path in (
        "stages.widht",
        "stages.width.7",
        "stages.groups.x",
        "",
        "\u00b2",
        "stages.width.\u00b2",
    ):
        with pytest.raises(ArchError):
            parse(SPEC).get(path)


def test_set_validates_the_whole_net():
    with pytest.raises(ArchError, match="18 -> 18 channels"):
        parse(SPEC).set({"stages.width": 18}).graph()
    with pytest.raises(ArchError, match=r"^nodes\.stages\.from: "):
        parse(SPEC).set({"stages.from": "head"})


def test_a_whole_unit_is_one_value():
    unit = {"block": "bottleneck_preact", "groups": 2, "shortcut": {"join": "dual", "grow": 4}}
    changed = parse(SPEC).set({"stages.block": unit})
    flat = parse(SPEC).set({f"stages.{key}": value for key, value in unit.items()})
    assert changed == flat
    assert changed.get("stages.block") == "bottleneck_preact"
    assert changed.get("stages.width") == [16, 32]
    written = SPEC.replace(
        "block: bottleneck\n",
        "block: {block: bottleneck_preact, groups: 2, shortcut: {join: dual, grow: 4}}\n",
    )
    assert parse(written) == flat
    assert parse(changed.dump()) == flat


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        ("{}", "nodes.stages.block: this field is required; write the name of a block"),
        ("{groups: 2}", "nodes.stages.block: this field is required; write the name of a block"),
        (
            "{block: {block: basic}}",
            "nodes.stages.block: needs text, not {'block': 'basic'}; write",
        ),
        ("{block: [basic]}", r"nodes.stages.block: needs text, not \['basic'\]; write the name"),
        ("{block: basicc}", "nodes.stages.block: no block 'basicc'"),
        ("{block: basic}", "nodes.stages.groups: no field of block 'basic' called 'groups'"),
        ("{block: repvgg, shortcut: 5}", "nodes.stages.shortcut: needs text, not 5"),
    ],
)
def test_a_unit_is_held_to_the_same_laws(unit: str, message: str):
    with pytest.raises(ArchError, match=f"^<text>:[0-9]+: {message}"):
        parse(SPEC.replace("block: bottleneck\n", f"block: {unit}\n"))


UNIT = """\
name: tiny
input: [3, 32, 32]
nodes:
  stages:
    depth: 2
    groups: 2
    block:
      block: bottleneck
      width: 16
      shortcut:
        join: add
        widen: conv
    stride: 1
  head: {block: pool_linear}
"""


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("width:", "widht:", "9: nodes.stages.widht: no field of block 'bottleneck'"),
        ("block: bottleneck", "block: bottelneck", "8: nodes.stages.block: no block 'bottelneck'"),
        ("block: bottleneck", "block: {block: basic}", "8: nodes.stages.block: .* write the name"),
        ("block: bottleneck", "expand: 2", "7: nodes.stages.block: .* write the name"),
        ("width: 16", "width: 15", "6: stages.0.spatial: 15 -> 15 channels"),
        ("width: 16", "width: [16]", "9: nodes.stages.width: 1 values for 2 blocks"),
        ("width: 16", "depth: 0", "9: nodes.stages.depth: "),
        ("join: add", "join: sum", "11: nodes.stages.shortcut.join: no join 'sum'"),
        ("width: 16", "expand: 0", "9: stages.0.expand: "),
        ("widen: conv", "widen: 3", "10: stages.0.shortcut.widen: input should be 'conv' or"),
        ("widen: conv", "wide: conv", "12: nodes.stages.shortcut.wide: no field of join 'add'"),
        ("groups:", "gruops:", "6: nodes.stages.gruops: no field of block 'bottleneck'"),
        ("stride: 1", "stride: [1]", "13: nodes.stages.stride: 1 values for 2 blocks"),
    ],
)
def test_a_mistake_in_a_unit_has_its_own_line(right: str, wrong: str, message: str):
    assert parse(UNIT).graph()
    with pytest.raises(ArchError, match=f"^<text>:{message}"):
        parse(UNIT.replace(right, wrong)).graph()


@pytest.mark.parametrize("key", ["between", "down", "fuse"])
def test_a_block_inside_a_node_is_a_name(key: str):
    with pytest.raises(
        ArchError, match=f"^nodes.stages.{key}.block: .*; write the name of a block"
    ):
        parse(SPEC).set({f"stages.{key}": {"block": {"block": "conv"}}})


def test_dump_loads_as_an_equal_net():
    net = parse(SPEC).set(
        {
            "paper": {
                "title": 'A: "b" # c',
                "arxiv": "1707.01629",
                "published": {"params": "1.0 M"},
            },
            "init": {"conv": "default"},
            "outputs": ["stages.0", "head"],
            "stages.width": [{"first": 16, "rest": 32}, {"kind": "cycle", "of": [32, 64]}],
            "stages.eps": 1e-3,
        }
    )
    again = parse(net.dump())
    assert again.data() == net.data()
    assert again.digest() == net.digest()
    assert again.dump() == net.dump()


def test_the_digest_is_of_what_is_computed_and_how_it_starts():
    net = parse(SPEC)
    same = [
        {"name": "other"},
        {"paper": {"title": "T"}},
        {"stages.width": [[16, 16], [32, 32]]},
        {"stages.shortcut": {"join": "add"}},
        {"stages.eps": 1e-5},
        {"outputs": ["head"]},
        {"output_stride": 32},
        {"init": {"conv": "he_fan_out"}},
        {"head.from": "stages"},
    ]
    other = [
        {"stages.eps": 1e-4},
        {"init": {"conv": "default"}},
        {"outputs": ["stages", "head"]},
        {"output_stride": 1},
        {"input": [3, 32, 33]},
        {"head.dropout": 0.5},
        {"stages.act": "silu"},
    ]
    assert {net.set(change).digest() for change in same} == {net.digest()}
    assert len({net.digest(), *(net.set(change).digest() for change in other)}) == 1 + len(other)


def test_a_net_is_immutable():
    net: Net = parse(SPEC)
    with pytest.raises(ValueError, match="frozen"):
        net.name = "other"  # type: ignore[misc]


def test_errors_survive_pickling():
    import pickle

    error = ArchError("a.b", "no", file="x.yaml", line=3, field="f")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.field) == ("x.yaml:3: a.b: no", "f")


@pytest.mark.parametrize("name", ["torch", "random", "typing", "archgen"])
def test_a_network_does_not_hide_a_module(name: str):
    with pytest.raises(ArchError, match="its file would hide the module of that name"):
        parse(f"name: {name}\ninput: [3, 8, 8]\nnodes: {{head: {{block: pool_linear}}}}")


def test_init_can_be_set_where_the_spec_has_none():
    net = parse("name: tiny\ninput: [3, 8, 8]\nnodes: {head: {block: pool_linear}}")
    assert net.set({"init.linear": "normal"}).init.linear == "normal"
    assert hash(net) == hash(parse(net.dump()))

"""The generated text: what a person would have written, and safe whatever the spec says."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

import pytest

from archgen import source
from archgen.codegen import root_class
from archgen.codegen.text import statement
from archgen.errors import ArchError
from archgen.graph import Builder, Map
from archgen.spec import Net, parse

STEM = "stem: {block: conv_norm, width: 8}"
HEAD = "head: {block: pool_linear, classes: 10}"


SMALL = '''\
"""tiny.

Input (N, 3, 32, 32); 5,106 parameters, 4,939,936 multiply-accumulates an image.
Written by archgen from its spec; needs only PyTorch.
"""

from torch import Tensor, nn
from torch.nn import functional as F


class ConvNorm(nn.Module):
    """stem."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)), inplace=True)


class Basic(nn.Module):
    """s.0.0."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(8)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)), inplace=True)
        return F.relu(self.norm2(self.conv2(y)) + x, inplace=True)


class Basic2(nn.Module):
    """s.1.0."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(8, 16, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 16, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(16)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)), inplace=True)
        y = self.norm2(self.conv2(y))
        return F.relu(y + F.pad(x, (0, 0, 0, 0, 4, 4)), inplace=True)


class PoolLinear(nn.Module):
    """head."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.mean((2, 3), keepdim=True).flatten(1))


class Tiny(nn.Module):
    """tiny."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvNorm()
        self.s = nn.Sequential(nn.Sequential(Basic()), nn.Sequential(Basic2()))
        self.head = PoolLinear()

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = self.s(x)
        return self.head(x)
'''


def classes(text: str) -> dict[str, str]:
    """Give each class of the text, by name."""
    tree = ast.parse(text)
    found = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return {node.name: ast.get_source_segment(text, node) or "" for node in found}


def body_of(use: Callable[[Map], Map]) -> list[str]:
    """Give the statements of the forward of one hand-written module."""
    builder = Builder((4, 8, 8))
    with builder.scope("m", "block"):
        y = use(builder.input)
    text = classes(source(builder.graph("net", [y])))["Block"]
    return text.split("-> Tensor:\n")[1].replace("        ", "").splitlines()


@pytest.mark.parametrize(
    ("expression", "opens"),
    [
        ("F.pad(" + "wide, " * 20 + "x)", "y = F.pad("),
        ("F.pad(" + "wide, " * 20 + "x).mean(-1)", "y = ("),
        ("F.relu(" + "wide, " * 20 + "x) + F.relu(x)", "y = ("),
    ],
)
def test_a_long_line_is_broken_in_brackets_that_hold_all_of_it(expression: str, opens: str):
    lines = [line.removeprefix("    ") for line in statement(f"y = {expression}", 4)]
    assert (lines[0], lines[-1]) == (opens, ")")
    assert max(map(len, lines)) <= 92
    assert ast.unparse(ast.parse("\n".join(lines))) == f"y = {expression}"


def test_a_small_network_in_full(net):
    node = "s: {block: basic, depth: [1, 1], width: [8, 16], shortcut: zero_pad}"
    assert source(net(STEM, node, HEAD)) == SMALL


def test_numbers_that_differ_become_arguments_and_equal_columns_share_one(net):
    widths = "{kind: additive, start: 8, alpha: 12}"
    text = source(net(STEM, f"s: {{block: conv_norm, depth: 4, width: {widths}}}"))
    assert classes(text).keys() == {"ConvNorm", "Tiny"}
    assert "def __init__(self, inp: int, conv: int) -> None:" in text
    assert "nn.Conv2d(inp, conv, 3, padding=1, bias=False)" in text
    assert "nn.BatchNorm2d(conv)" in text
    arguments = re.findall(r"ConvNorm\((\d+), (\d+)\)", text)
    assert arguments == [("3", "8"), ("8", "11"), ("11", "14"), ("14", "17"), ("17", "20")]


def test_numbers_of_forward_become_attributes(net):
    node = "s: {block: basic, depth: 3, width: [12, 18, 26], shortcut: zero_pad}"
    text = classes(source(net(STEM, node)))["Basic"]
    numbers = dict(re.findall(r"self\.(\w+) = (\w+)$", text, re.MULTILINE))
    assert set(numbers) == {"after"}  # 3 and 3, then 4 and 4: one number for both sides
    assert "F.pad(x, (0, 0, 0, 0, self.after, self.after))" in text


def test_pyramidnet_has_few_classes(net):
    node = (
        "s: {block: basic_pyramid, depth: [18, 18, 18], stride: [1, 2, 2],"
        " width: {kind: additive, start: 16, alpha: 48},"
        " shortcut: {join: add, down: avg_pool, widen: zeros}}"
    )
    text = source(net("stem: {block: conv_norm, width: 16, act: none}", node, HEAD))
    assert len(classes(text)) <= 9
    assert len(text.splitlines()) <= 160


def test_equal_blocks_are_folded(net):
    text = source(net("stem: {block: conv, width: 128}", "s: {block: basic, depth: 9, width: 128}"))
    assert "*(Basic() for _ in range(9))," in text
    assert len(classes(text)) == 3


def test_a_chain_is_a_sequential_and_a_dense_stage_a_list_with_a_forward(net):
    text = source(net(STEM, "s: {block: basic, depth: [2, 2], width: 8, shortcut: {join: dense}}"))
    found = classes(text)
    stage = next(code for code in found.values() if "(nn.ModuleList)" in code)
    assert "y, z = self[0](x)" in stage
    assert "self.s = nn.Sequential(" in found["Tiny"]


def test_names_never_run_out(net):
    """A stage of 36 dense units, 72 live maps at its end: every line parses and fits."""
    node = "s: {block: bottleneck, depth: 36, width: 8, shortcut: {join: dense, inner: true}}"
    text = source(net(STEM, node))
    compile(text, "text", "exec")
    assert max(map(len, text.splitlines())) <= 100


def test_a_convolution_of_many_numbers_fits(net):
    columns = "width: [4, 6], dilation: [2, [1, 4]], stride: [3, 2], groups: 2"
    node = f"s: {{block: bottleneck_pyramid, depth: [1, 2], {columns}, shortcut: projection}}"
    text = source(net(STEM, node))
    assert "stride=stride, padding=padding, dilation=padding, groups=2" in text
    assert max(map(len, text.splitlines())) <= 100


def test_variables_are_reused_when_they_are_dead(net):
    node = "s: {block: conv_norm, depth: 40, width: 8}"
    more = [f"{name}: {{block: conv_norm, width: 8}}" for name in "ab"]
    text = source(net(STEM, *more, node))
    variables = set(re.findall(r"^        (\w+) = self", text, re.MULTILINE))
    assert variables == {"x"}


@pytest.mark.parametrize(
    ("use", "wanted"),
    [
        # A fresh result that nothing else reads may be overwritten.
        (lambda x: x.conv("c", 4).act(), ["return F.relu(self.c(x), inplace=True)"]),
        (lambda x: (x + x.act("gelu")).act(), None),
        # The module's input belongs to the caller; a slice is a view of it.
        (lambda x: x.act(), ["return F.relu(x)"]),
        (lambda x: x[0:2].act(), ["return F.relu(x[:, :2])"]),
        # SiLU needs its operand for the gradient: in place it would save nothing.
        (lambda x: x.conv("c", 4).act("silu"), ["return F.silu(self.c(x))"]),
        # In eval mode dropout gives its operand itself.
        (lambda x: x.dropout("d", 0.5).act(), ["return F.relu(self.d(x))"]),
    ],
)
def test_work_in_place(use: Callable[[Map], Map], wanted: list[str] | None):
    lines = body_of(use)
    assert lines == wanted if wanted else any("inplace=True" in line for line in lines)


def test_what_is_read_again_is_not_overwritten():
    def use(x: Map) -> Map:
        y = x.conv("c", 4)
        return y.act() + y

    assert not any("inplace" in line for line in body_of(use))


def test_what_the_network_returns_is_not_overwritten():
    builder = Builder((4, 8, 8))
    with builder.scope("m"):
        y = builder.input.conv("c", 4)
        z = y.act()
    assert "inplace" not in source(builder.graph("net", [z, y]))


def test_sums_inside_products_keep_their_brackets():
    def use(x: Map) -> Map:
        return (x.conv("a", 4) + x.conv("b", 4)) * x.gate("g") * 2.0

    assert body_of(use) == [
        "y = self.a(x)",
        "y = y + self.b(x)",
        "x = torch.sigmoid(self.g(x.mean((2, 3), keepdim=True)))",
        "return (y * x) * 2.0",
    ]
    assert body_of(lambda x: x.conv("a", 4) + x * 2.0)[-1] == "return y + (x * 2.0)"
    assert body_of(lambda x: (x + x) * 2.0) == ["return (x + x) * 2.0"]


def test_outputs_come_as_a_tuple_in_the_order_of_the_spec(net):
    text = source(net(STEM, "s: {block: conv_norm, width: 8}", HEAD, outputs=["head", "stem", "s"]))
    assert "-> tuple[Tensor, Tensor, Tensor]:" in classes(text)["Tiny"]


@pytest.mark.parametrize(
    ("block", "imports"),
    [
        ("{block: conv, width: 8}", ["from torch import Tensor, nn"]),
        (
            "{block: conv_norm, width: 8}",
            ["from torch import Tensor, nn", "from torch.nn import functional as F"],
        ),
        (
            "{block: conv, depth: 1, width: 8, shortcut: {join: concat, grow: 4}}",
            ["import torch", "from torch import Tensor, nn"],
        ),
    ],
)
def test_only_what_is_used_is_imported(net, block: str, imports: list[str]):
    text = source(net(f"n: {block.replace('conv, depth: 1, width: 8', 'conv, depth: 1')}"))
    assert [line for line in text.splitlines() if "import" in line] == imports


@pytest.mark.parametrize("name", ["f", "tensor", "none", "torch", "nn", "basic", "conv_norm", "x"])
def test_no_name_of_a_net_or_node_takes_that_of_the_text(name: str):
    for net, node in ((name, "s"), ("tiny", name)):
        spec = f"""
            name: {net}
            input: [3, 8, 8]
            nodes:
              {node}: {{block: basic, depth: 2, width: 3, shortcut: {{join: dense}}}}
              head: {{block: pool_linear, classes: 2}}
            """
        try:
            text = source(parse(spec))
        except ArchError:
            assert "torch" in (net, node) or node == "nn"
            continue
        found = [n.name for n in ast.walk(ast.parse(text)) if isinstance(n, ast.ClassDef)]
        assert len(set(found)) == len(found)
        assert not {"F", "Tensor", "None"} & set(found)
        assert found[-1] == root_class(net)


@pytest.mark.parametrize(
    "title",
    ['"""\nimport os', "a \\", "{x} %s", "line\nbreak", "a" * 300, '"', "'''", "#", "\\x00\\u1234"],
)
def test_a_title_cannot_leave_the_docstring(net, title: str):
    made: Net = net(STEM)
    text = source(made.set({"paper": {"title": title}}))
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    assert [type(node) for node in tree.body[:4]] == [
        ast.Expr,
        ast.ImportFrom,
        ast.ImportFrom,
        ast.ClassDef,
    ]
    assert "import os" not in text.split('"""', 2)[2]


def test_the_text_is_a_function_of_the_spec(net):
    node = "s: {block: basic, depth: 3, width: [8, 12, 16], shortcut: zero_pad}"
    made: Net = net(STEM, node, HEAD)
    assert source(made) == source(parse(made.dump())) == source(made.graph())


@pytest.mark.parametrize("name", ["forward", "train", "class", "Conv-1", "c d"])
def test_a_blocks_own_names_are_guarded_as_well(name: str):
    builder = Builder((4, 8, 8))
    with builder.scope("a"):
        y = builder.input.conv(name, 4)
    with pytest.raises(ArchError, match=f"^a.{name}: "):
        source(builder.graph("net", [y]))


def test_root_class_is_camel_case():
    assert [root_class(n) for n in ("dpn131", "resnet18", "drn_a_18", "f", "none")] == [
        "Dpn131",
        "Resnet18",
        "DrnA18",
        "FModule",
        "NoneModule",
    ]

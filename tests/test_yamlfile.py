"""YAML text to plain data with lines and back: the 1.2 schema, the limits, the round trip."""

from __future__ import annotations

import math
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from archgen import yamlfile
from archgen.errors import ArchError

SPEC = """\
# a comment
name: dpn
paper: {title: Dual Path Networks, arxiv: "1707.01629"}
nodes:
  stem: {block: conv_pool, width: 128}
  stages:
    depth:
      - 4
      - 8
    shortcut:
      join: dual
outputs: [head,
          stem]
"""


@pytest.fixture(params=["libyaml", "python"], autouse=True)
def _loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every test on both of PyYAML's parsers: a machine may lack libyaml."""
    if request.param == "python":
        monkeypatch.setattr(yamlfile.reader, "_Loader", yaml.SafeLoader)
    elif not yaml.__with_libyaml__:
        pytest.skip("this PyYAML is built without libyaml")


def failure(text: str) -> ArchError:
    with pytest.raises(ArchError) as caught:
        yamlfile.parse(text, "net.yaml")
    error = caught.value
    assert error.file == "net.yaml"
    assert "\n" not in str(error)
    return error


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("tRUE", "tRUE"),
        ("no", "no"),
        ("on", "on"),
        ("y", "y"),
        ("none", "none"),
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("010", 10),
        ("0x1F", 31),
        ("0o17", 15),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2024-01-31", "2024-01-31"),
        ("1e-3", 0.001),
        ("200e3", 200000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("-1.5E+2", -150.0),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        (".", "."),
        ("1.2.3", "1.2.3"),
        ("e5", "e5"),
        ("\u0663", "\u0663"),
        ('"1e-3"', "1e-3"),
        ("'null'", "null"),
        ("=", "="),
        ("<<", "<<"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ("!!int 12", 12),
        ("!!float 12", 12.0),
        ("!!bool true", True),
        ("!!null ~", None),
        ("!!map {}", {}),
        ("!!seq []", []),
        ("|\n  a\n  b\n", "a\nb\n"),
        ('"\\u2028"', "\u2028"),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: Any) -> None:
    read = yamlfile.parse(f"a: {text}").value["a"]
    assert read == value
    assert type(read) is type(value)


def test_nan_is_read() -> None:
    assert math.isnan(yamlfile.parse("a: .NaN").value["a"])


def test_a_document_is_plain_data_in_the_order_of_the_file() -> None:
    value = yamlfile.parse(SPEC).value
    assert value == {
        "name": "dpn",
        "paper": {"title": "Dual Path Networks", "arxiv": "1707.01629"},
        "nodes": {
            "stem": {"block": "conv_pool", "width": 128},
            "stages": {"depth": [4, 8], "shortcut": {"join": "dual"}},
        },
        "outputs": ["head", "stem"],
    }
    assert list(value) == ["name", "paper", "nodes", "outputs"]


@pytest.mark.parametrize(
    ("loc", "line"),
    [
        ((), 2),
        (("name",), 2),
        (("paper", "arxiv"), 3),
        (("nodes", "stages"), 6),
        (("nodes", "stages", "depth"), 7),
        (("nodes", "stages", "depth", 0), 8),
        (("nodes", "stages", "depth", 1), 9),
        (("nodes", "stages", "shortcut", "join"), 11),
        (("outputs", 0), 12),
        (("outputs", 1), 13),
        (("nodes", "stages", "shortcut", "missing", 3), 10),
        (("missing",), 2),
    ],
)
def test_every_value_has_the_line_of_its_key_or_item(loc: yamlfile.Loc, line: int) -> None:
    assert yamlfile.parse(SPEC).line(loc) == line


def test_a_place_without_any_line_is_none() -> None:
    assert yamlfile.Document({}, "net.yaml", {}).line(("a",)) is None


@pytest.mark.parametrize("text", ["\ufeffa: 1", "a: 1\r\n", "---\na: 1\n...\n", "a: 1"])
def test_a_mark_carriage_returns_and_document_markers_are_no_obstacle(text: str) -> None:
    assert yamlfile.parse(text).value == {"a": 1}


def test_aliases_are_copies_that_may_change_alone() -> None:
    document = yamlfile.parse("a: &x {w: [1, 2]}\nb: *x\n&k c: &t 5\nd: [*t, *k]\n")
    assert document.value["b"] == {"w": [1, 2]}
    assert document.value["d"] == [5, "c"]
    document.value["b"]["w"].append(3)
    assert document.value["a"] == {"w": [1, 2]}
    assert document.line(("b", "w", 1)) == 2


@pytest.mark.parametrize(
    ("text", "path", "line", "words"),
    [
        ("a: 1\nb: {c: 1,\n c: 2}", "b.c", 3, ["given twice", "line 2"]),
        ("a: 1\n1: 2", "", 2, ["key '1' is a number", "quotes"]),
        ("a: 1\nb:\n  true: 2", "b", 3, ["key 'true' is a truth value"]),
        ("a: 1\n~: 2", "", 2, ["key '~' is nothing"]),
        ("? [a]\n: 1", "", 1, ["list or mapping cannot be a key"]),
        ("a: &x b\n*x : 1", "", 2, ["alias *x cannot be a key"]),
        ("a: 1\n---\nb: 2", "", 2, ["second document", "one to a file"]),
        ("a: 1\nb:\n- *x", "b.0", 3, ["*x has no anchor &x"]),
        ("a: &x\n- b\n- [*x]", "a.1.0", 3, ["inside its own anchor &x"]),
        ("a: &x {b: *x}", "a.b", 1, ["inside its own anchor &x"]),
        ("a:\n  b: !!python/object:os.system {}", "a.b", 2, ["!!python/object:os.system"]),
        ("a: !mine 1", "a", 1, ["'!mine' is not allowed"]),
        ("a: !!int x", "a", 1, ["'x' is tagged !!int but is none"]),
        ("a: !!bool 1", "a", 1, ["'1' is tagged !!bool but is none"]),
        ("a: !!seq {}", "a", 1, ["'!!seq' is not allowed"]),
        ("a: !!set {}", "a", 1, ["'!!set' is not allowed"]),
        ("a: 1e999", "a", 1, ["too large", ".inf"]),
        ("a: " + "9" * 5000, "a", 1, ["number of 5000 characters", "100"]),
        ("a: 0x" + "f" * 5000, "a", 1, ["number of 5002 characters"]),
        ("a: 1\n%TAG ! x", "", 2, ["begins with %"]),
        ("%YAML 1.1\n---\na: 1", "", 1, ["begins with %"]),
        ("a: 1\nb: \x01", "", 2, ["U+0001"]),
        ("a: 1\nb: \x00", "", 2, ["U+0000"]),
        ("a: \ud800", "", 1, ["U+D800"]),
        ("a: 1\n# \u2028", "", 2, ["U+2028"]),
        ("", "", 1, ["empty", "key: value"]),
        ("# nothing\n", "", 1, ["empty"]),
    ],
)
def test_what_is_refused_names_place_line_and_reason(
    text: str, path: str, line: int, words: list[str]
) -> None:
    error = failure(text)
    assert (error.path, error.line) == (path, line)
    for word in words:
        assert word in error.message


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: c: d\n", 2, ["mapping values", "quote"]),
        ("a:\n\tb: 1", 2, ["tab"]),
        ("a: 1\nb: [1,\n 2\n", 3, ["sequence that begins on line 2", "bracket"]),
        ("a: {b: 1\n\n\n", 1, ["bracket"]),
        ('a: 1\nb: "c\n\n', 2, ["quote"]),
        ("a: 1\n b: 2", 2, ["indentation"]),
        ("- a\nb: 1", 2, ["indentation"]),
        ("a: 1\nb\nc: 1", 2, ["key: value"]),
        ('a: "\\q"', 1, ["backslash", "single quotes"]),
        (" a: 1\nb: 2", 2, ["indentation"]),
        ("a: ]", 1, ["node content", "write a value"]),
        ("a: @b", 1, ["quote"]),
    ],
)
def test_broken_yaml_is_told_on_its_line_with_advice(
    text: str, line: int, words: list[str]
) -> None:
    error = failure(text)
    assert error.message.startswith("not valid YAML: ")
    for word in words:
        assert word in error.message
    assert error.line == line


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "[{a: "])
def test_deep_nesting_is_refused_at_once(opening: str) -> None:
    start = time.process_time()
    error = failure(opening * 100_000)
    assert "nested deeper than 32 levels" in error.message or "cannot be a key" in error.message
    assert error.line == 1
    assert time.process_time() - start < 2, "the scanner itself is quadratic in the depth"


def test_the_deepest_nesting_allowed_is_read() -> None:
    deepest = yamlfile.MAX_DEPTH
    assert yamlfile.parse("[" * deepest + "]" * deepest).value
    assert "nested deeper" in failure("[" * (deepest + 1) + "]" * (deepest + 1)).message


def test_aliases_do_not_get_around_the_depth() -> None:
    lines = ["a0: &a0 [1]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 40)]
    error = failure("\n".join(lines))
    assert "nested deeper than 32 levels" in error.message
    assert error.line == 32


def test_a_bomb_of_aliases_is_refused_before_it_goes_off() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    error = failure("\n".join(lines))
    assert "more than 20,000 values" in error.message
    assert error.line == 5


def test_the_number_of_values_is_limited() -> None:
    most = yamlfile.MAX_NODES - 1
    assert len(yamlfile.parse("[" + "1," * most + "]").value) == most
    assert "more than 20,000 values" in failure("[" + "1," * (most + 1) + "]").message


def test_a_megabyte_of_directives_does_not_hang() -> None:
    directives = "".join(f"%TAG !a{number}! x\n" for number in range(60_000))
    for text in (directives + "---\na: 1", "a: 1\n...\n" + directives):
        start = time.process_time()
        assert "directives" in failure(text).message
        assert time.process_time() - start < 1


def test_a_text_beyond_the_limit_is_refused() -> None:
    assert "larger than 1,048,576 bytes" in failure("#" * (yamlfile.MAX_BYTES + 1)).message


def unreadable(path: Path) -> ArchError:
    with pytest.raises(ArchError) as caught:
        yamlfile.read(path)
    assert caught.value.file == str(path)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_file_is_read_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(SPEC)
    document = yamlfile.read(str(path))
    assert document == yamlfile.parse(SPEC, str(path))
    assert document.file == str(path)


def test_a_mistake_in_a_file_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text("a: 1\na: 2\n")
    assert str(unreadable(path)).startswith(f"{path}:2: a: given twice")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert "not a regular file" in unreadable(fifo).message
    assert "not a regular file" in unreadable(Path("/dev/zero")).message
    assert "a directory, expected a YAML file" in unreadable(tmp_path).message
    assert "no such file" in unreadable(tmp_path / "none.yaml").message
    assert "not a directory" in unreadable(Path("/dev/null/net.yaml")).message
    assert "null" in unreadable(Path("a\0b")).message
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert "symbolic link" in unreadable(loop).message


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket may have some 100 characters only
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        assert "not a regular file" in unreadable(Path("s")).message


def test_no_more_of_a_file_is_read_than_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    with path.open("wb") as stream:
        stream.truncate(1 << 40)
    assert "larger than 1,048,576 bytes" in unreadable(path).message
    path.write_bytes(b"#" + "\u00e9".encode() * yamlfile.MAX_BYTES)  # cut inside a character
    assert "larger than 1,048,576 bytes" in unreadable(path).message


@pytest.mark.skipif(not Path("/proc/kallsyms").exists(), reason="needs a /proc of Linux")
def test_a_file_that_hides_its_size_is_limited_too() -> None:
    assert Path("/proc/kallsyms").stat().st_size == 0
    assert "larger than" in unreadable(Path("/proc/kallsyms")).message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(SPEC)
    path.chmod(0)
    assert "permission denied" in unreadable(path).message


@pytest.mark.parametrize(
    ("data", "line"), [(b"a: 1\nb: \xff\n", 2), ("a: 1".encode("utf-16"), 1), (b"\x80", 1)]
)
def test_a_file_that_is_not_utf_8_names_the_line(tmp_path: Path, data: bytes, line: int) -> None:
    path = tmp_path / "net.yaml"
    path.write_bytes(data)
    error = unreadable(path)
    assert "not UTF-8" in error.message
    assert error.line == line


def test_dump_writes_the_style_of_the_specs() -> None:
    value = {
        "name": "dpn131",
        "paper": {"title": "Dual Path Networks", "arxiv": "1707.01629"},
        "input": [3, 224, 224],
        "nodes": {
            "stem": {"block": "conv_pool", "width": 128, "eps": 1e-05, "norm": True},
            "stages": {
                "block": "bottleneck_preact",
                "depth": [4, 8, 28, 3],
                "out": {"kind": "geometric", "start": 256, "ratio": 2},
                "shortcut": {"join": "dual", "grow": [16, 32, 32, 128], "act": None},
                "long": [[1, 2], ["a" * 50, {"b": 1, "c": "d" * 50}, [3]]],
            },
        },
        "empty": {},
    }
    assert yamlfile.dump(value) == (
        "name: dpn131\n"
        "paper:\n"
        "  title: Dual Path Networks\n"
        '  arxiv: "1707.01629"\n'
        "input: [3, 224, 224]\n"
        "nodes:\n"
        "  stem: {block: conv_pool, width: 128, eps: 1e-05, norm: true}\n"
        "  stages:\n"
        "    block: bottleneck_preact\n"
        "    depth: [4, 8, 28, 3]\n"
        "    out: {kind: geometric, start: 256, ratio: 2}\n"
        "    shortcut: {join: dual, grow: [16, 32, 32, 128], act: null}\n"
        "    long:\n"
        "      - [1, 2]\n"
        f"      - - {'a' * 50}\n"
        f"        - {{b: 1, c: {'d' * 50}}}\n"
        "        - [3]\n"
        "empty: {}\n"
    )


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("no", False),
        ("on", False),
        ("1:30", False),
        ("2024-01-31", False),
        ("1_000", False),
        ("<<", False),
        ("=", False),
        ("0b11", False),
        ("it's", False),
        ("a, b", False),
        ("1e-3", True),
        ("010", True),
        ("0o17", True),
        ("null", True),
        ("", True),
        ("True", True),
        (".inf", True),
        ("a: b", True),
        ("# a", True),
        ("- a", True),
        (" a", True),
        ("a\nb", True),
        ("a\u2028b", True),
        ("9" * 101, True),
        ("1e999", True),
    ],
)
def test_strings_are_quoted_only_where_they_need_it(text: str, quoted: bool) -> None:
    written = yamlfile.dump({"a": text})
    assert written.count("\n") == 1
    assert written.startswith('a: "') is quoted
    assert yamlfile.parse(written).value == {"a": text}


def test_a_line_of_just_the_width_is_kept_and_one_more_is_not() -> None:
    for length, lines in ((yamlfile.WIDTH - len("  k: []"), 2), (yamlfile.WIDTH - 6, 3)):
        written = yamlfile.dump({"a": {"k": ["x" * length]}})
        assert written.count("\n") == lines
    assert yamlfile.dump({"k": ["x" * (yamlfile.WIDTH - 5)]}).count("\n") == 1


def test_a_long_text_stays_on_its_line() -> None:
    for text in ("a word " * 40 + "x", "a: word " * 40):
        assert yamlfile.dump({"k": text}).count("\n") == 1


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**90), 10**90)
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.sampled_from(["1e-3", "no", "null", "0x1", "~", "-", "a: b", "[", "\ufeff", "\x85", "---"])
    | st.text("ab01.e-+:#,[]{} \n\t'\"&*!|>%@`?", max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner) | st.dictionaries(SCALARS.filter(lambda s: type(s) is str), inner)
    ),
    max_leaves=20,
)


@given(VALUES)
@settings(max_examples=100, deadline=None)
def test_what_is_dumped_is_read_back(value: Any) -> None:
    written = yamlfile.dump(value)
    # repr tells 1 from 1.0 and True, 0.0 from -0.0, and calls nan equal to itself.
    assert repr(yamlfile.parse(written).value) == repr(value)
    assert yamlfile.dump(yamlfile.parse(written).value) == written


@given(st.floats())
@settings(max_examples=100, deadline=None)
def test_floats_keep_every_bit(value: float) -> None:
    assert repr(yamlfile.parse(yamlfile.dump([value])).value) == repr([value])


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
@settings(max_examples=100, deadline=None)
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    with suppress(ArchError):
        yamlfile.parse(text)
        return
    failure(text)


@pytest.mark.parametrize(
    ("value", "path", "words"),
    [
        ({"a": [1, {2}]}, "a.1", "a set is no plain data"),
        ({"a": {1: 2}}, "a", "key 1 is no string"),
        ({"a": "\udcff"}, "a", "no Unicode text"),
        ({"a": 10**100}, "a", "more than 100 digits"),
        ({"a": (1, 2)}, "a", "a tuple is no plain data"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(value: Any, path: str, words: str) -> None:
    with pytest.raises(ArchError) as caught:
        yamlfile.dump(value)
    assert caught.value.path == path
    assert words in caught.value.message


def test_dump_refuses_what_nests_too_deep() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(ArchError, match="nested deeper than 32 levels"):
        yamlfile.dump(value)


def test_equal_parts_are_written_out_without_aliases() -> None:
    part = [1, 2]
    assert yamlfile.dump({"a": part, "b": part}) == "a: [1, 2]\nb: [1, 2]\n"

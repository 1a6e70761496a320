"""The text that is edited: the network follows what is right, a mistake stands at its line."""

from __future__ import annotations

import pytest

from archgen import files, load
from archgen.explorer import Draft, Shown

TEXT = files.find("specs", "resnet18").read_text(encoding="utf-8")


def at(part: str) -> int:
    """Give the line of the text that has this."""
    return next(n for n, line in enumerate(TEXT.splitlines(), 1) if part in line)


def test_of_a_shipped_spec_it_is_the_file() -> None:
    draft = Draft.of(Shown("resnet18"))
    assert draft == Draft(TEXT, Shown("resnet18"))
    assert (draft.line, draft.complaint) == (0, "")


def test_of_a_changed_network_it_is_that_network() -> None:
    changed = Shown("resnet18", changes={"stages.depth": [2, 2, 2, 3]})
    assert Draft.of(Shown(text=Draft.of(changed).text)).shown.net() == changed.net()


def test_the_network_follows_the_text() -> None:
    text = TEXT.replace("resnet18", "mine")
    draft = Draft.of(Shown("dpn131")).edited(text)
    assert draft.error is None
    assert Shown.read(draft.shown.word()) == draft.shown
    assert draft.shown.net() == load("resnet18").model_copy(update={"name": "mine"})


def test_a_shipped_text_is_shown_by_its_name() -> None:
    assert Draft.of(Shown("dpn131")).edited(TEXT).shown == Shown("resnet18")


@pytest.mark.parametrize(
    ("part", "instead", "line", "complaint"),
    [
        ("depth:    [2", "depth:    [0", "depth:    [2", "nodes.stages.depth.0: "),
        ("block:    basic", "block:    basick", "block:    basic", "did you mean 'basic'?"),
        ("width: 64", "width: 64}", "width: 64", "not valid YAML"),
        ("1000}", "1000, groups: 3}", "1000}", "nodes.head.groups: "),
        ("[64, 128, 256, 512]", "[64, 128]", "[64, 128", "2 values for 4 stages"),
    ],
)
def test_a_mistake_has_its_line_and_leaves_the_network(
    part: str, instead: str, line: str, complaint: str
) -> None:
    before = Draft.of(Shown("dpn131"))
    assert part in TEXT
    draft = before.edited(TEXT.replace(part, instead, 1))
    assert draft.shown == before.shown
    assert draft.line == at(line)
    assert complaint in draft.complaint
    assert "spec.yaml" not in draft.complaint


def test_a_law_that_an_operation_breaks_has_the_line_of_its_field() -> None:
    before = Draft.of(Shown("dpn131"))
    draft = before.edited(TEXT.replace("block:    basic", "block: bottleneck\n    groups: 7"))
    assert (draft.line, draft.shown) == (at("block:    basic") + 1, before.shown)
    assert "7" in draft.complaint


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "just words", "- a\n- list"])
def test_a_text_that_is_no_spec(text: str) -> None:
    draft = Draft.of(Shown("dpn131")).edited(text)
    assert draft.shown == Shown("dpn131")
    assert draft.line >= 1
    assert draft.complaint


def test_an_address_that_is_refused_comes_with_its_error() -> None:
    unknown = Draft.of(Shown("nonsense"))
    assert (unknown.text, unknown.line) == ("", 1)
    assert "nonsense" in unknown.complaint
    refused = Draft.of(Shown("resnet18", changes={"stages.depth": 0}))
    assert refused.text == TEXT
    assert refused.error is not None


def test_files_are_read_as_utf8() -> None:
    before = Draft.of(Shown("dpn131"))
    assert before.opened(b"\xef\xbb\xbf" + TEXT.encode()).shown.net() == load("resnet18")
    draft = before.opened(b"name: a\ninput: \xff\n")
    assert (draft.line, draft.shown) == (2, before.shown)
    assert "UTF-8" in draft.complaint
    assert draft.text.startswith("name: a\n")

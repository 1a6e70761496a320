from __future__ import annotations

import re
import zlib
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archgen import ArchError, files, load, yamlfile
from archgen.explorer import Shown

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(st.characters(codec="ascii")),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@given(st.dictionaries(st.from_regex(r"[a-z_]+(\.[a-z0-9_]+)*", fullmatch=True), VALUES))
def test_a_word_says_all(changes: dict[str, object]) -> None:
    for shown in (Shown("dpn68", changes=changes), Shown("", "name: x; y\n", changes)):
        assert Shown.read(shown.word()) == shown


def test_a_word_of_a_shipped_network_can_be_written_by_hand() -> None:
    shown = Shown.read("pyramidnet110_a48;stages.width.alpha=84")
    assert shown.net() == load("pyramidnet110_a48").set({"stages.width.alpha": 84})
    assert Shown.read("dpn131").net() == load("dpn131")
    assert shown.word() == "pyramidnet110_a48;stages.width.alpha=84"


def test_a_text_travels_in_the_word() -> None:
    text = files.find("specs", "dpn131").read_text()
    assert Shown.read(Shown(text=text).word()).net() == load("dpn131")
    assert len(Shown(text=text).word()) < 1500


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("dpn31", "no spec 'dpn31' in the library; did you mean 'dpn131'"),
        ("../specs/dpn131", "no spec '../specs/dpn131'"),
        ("dpn131;stages", "'stages' in the address is no PATH=VALUE"),
        ("dpn131;stages.groups=[", "<address>:1"),
        ("~%", "the address holds only a part of a spec"),
        ("~abcd", "the address holds a spec that cannot be read"),
        (Shown(text="name: x").word()[:-6], "the address holds only a part of a spec"),
    ],
)
def test_what_is_no_word_is_said(word: str, said: str) -> None:
    with pytest.raises(ArchError, match="^" + re.escape(said)):
        Shown.read(word).net()


def test_a_word_cannot_unpack_into_more_than_a_spec() -> None:
    bomb = urlsafe_b64encode(zlib.compress(bytes(50 * yamlfile.MAX_BYTES))).decode()
    with pytest.raises(ArchError, match="too long a one"):
        Shown.read(f"~{bomb}")

from __future__ import annotations

import re

import pytest

from archgen import ArchError, cost, load
from archgen.explorer import Change, Lock, Refusal, Shown, changes, turn

ALPHA = Lock("params", 1.7e6, "stages.width.alpha")


def test_a_turned_number_is_a_change_and_turned_back_it_is_none() -> None:
    shown = turn(Shown("dpn131"), "stages.groups", 32).shown
    assert shown.word() == "dpn131;stages.groups=32"
    assert turn(shown, "stages.groups", 40).shown == Shown("dpn131")
    assert turn(Shown("dpn131"), "stages.dilation", 1).shown == Shown("dpn131")  # the default
    assert turn(Shown("dpn131"), "stages.group_width.ratio", 2.0).shown == Shown("dpn131")


def test_a_real_number_that_is_whole_is_written_without_a_point() -> None:
    shown = turn(Shown("pyramidnet110_a48"), "stages.width.alpha", 84.0).shown
    assert shown.word() == "pyramidnet110_a48;stages.width.alpha=84"


def test_a_column_that_is_turned_takes_its_numbers_along() -> None:
    shown = Shown("pyramidnet110_a48", changes={"stages.width.alpha": 84})
    widths = {"kind": "multiplicative", "start": 16, "alpha": 4}
    shown = turn(shown, "stages.width", widths).shown
    assert shown.changes == {"stages.width": widths}
    shown = turn(shown, "stages.width.alpha", 4.75).shown
    assert changes(shown) == [
        Change("stages.width", {"kind": "additive", "start": 16, "alpha": 48}, widths),
        Change("stages.width.alpha", 4, 4.75),
    ]
    assert shown.net().graph().digest == load("pyramidnet110_mul_a4_75").graph().digest


def test_a_plain_word_for_a_shortcut_gets_fields() -> None:
    shown = turn(Shown("resnet50"), "stages.shortcut.down", "avg_pool").shown
    assert shown.changes == {"stages.shortcut": {"join": "add", "down": "avg_pool"}}
    assert changes(shown)[0].before == "projection"
    assert turn(shown, "stages.shortcut.widen", "zeros").refused is None


def test_what_does_not_build_is_refused_and_changes_nothing() -> None:
    before = Shown("dpn131", changes={"stages.groups": 32})
    after = turn(before, "stages.width", 32)
    assert after.shown == before
    assert after.refused == Refusal(
        "stages.width", 32, "stages.0.0: give either width or group_width"
    )


def test_two_that_fit_only_together_are_taken_together() -> None:
    text = load("resnext50_32x4d").set({"stages.group_width": None, "stages.width": 128}).dump()
    first = turn(Shown(text=text), "stages.groups", 48)
    assert first.refused is not None
    assert "128" in first.refused.message
    second = turn(first.shown, "stages.width", 144, refused=first.refused)
    assert second.refused is None
    assert second.shown.changes == {"stages.groups": 48, "stages.width": 144}


def test_another_number_leaves_the_refused_one_where_it_is() -> None:
    first = turn(Shown("dpn131"), "stages.width", 32)
    second = turn(first.shown, "stem.width", 64, refused=first.refused)
    assert second.shown.changes == {"stem.width": 64}
    assert second.refused == first.refused
    third = turn(second.shown, "stages.width", None, refused=second.refused)
    assert third.refused is None
    assert third.shown == second.shown


def test_alpha_follows_depth_while_parameters_are_held() -> None:
    shown = Shown("pyramidnet110_a48")
    for depth in (12, 24):
        shown = turn(shown, "stages.depth.0", depth, ALPHA).shown
        params = cost(shown.net()).params
        assert abs(params / 1.7e6 - 1) < 0.002
        assert ALPHA.off(shown.net()) == params / 1.7e6 - 1
    assert [*shown.changes] == ["stages.depth.0", "stages.width.alpha"]
    assert shown.changes["stages.width.alpha"] < 48


def test_a_whole_number_that_follows_stays_whole() -> None:
    lock = Lock("params", 70e6, "stages.groups")
    shown = turn(Shown("dpn131"), "stages.depth.2", 20, lock).shown
    assert isinstance(shown.changes["stages.groups"], int)


@pytest.mark.parametrize(
    ("lock", "said"),
    [
        (Lock("params", 1e6, "stages.alpha"), "stages.alpha: is no number of this network"),
        (Lock("params", 1e6, "stages.act"), "stages.act: is no number of this network"),
        (Lock("params", 1e6, "stages.eps"), "stages.eps: changes no params"),
    ],
)
def test_a_lock_that_cannot_hold_refuses_what_is_turned(lock: Lock, said: str) -> None:
    after = turn(Shown("dpn_digits"), "stages.groups", 2, lock)
    assert after.refused is not None
    assert after.refused.message.startswith(said)
    assert not after.shown.changes


def test_a_lock_is_a_word() -> None:
    assert ALPHA.word() == "params=1700000;stages.width.alpha"
    assert Lock.read(ALPHA.word()) == ALPHA
    assert Lock.read("macs=4.5e8;stages.depth.0") == Lock("macs", 4.5e8, "stages.depth.0")


WRONG = "|params|params=x;a|params=-1;a|params=0.5;a|params=1e16;a|params=1|p=nan;a|p=1e400;a"


@pytest.mark.parametrize("word", WRONG.split("|"))
def test_what_is_no_lock_is_said(word: str) -> None:
    with pytest.raises(ArchError, match="in the address is no lock; write "):
        Lock.read(word)


def test_a_lock_of_no_cost_names_those_there_are() -> None:
    with pytest.raises(ArchError, match=re.escape("no cost 'parms'; did you mean 'params'?")):
        Lock.read("parms=1e6;stages.width.alpha")

"""Columns: every way to write a field, and the published width tables that schedules must give."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archgen.columns import SCHEDULES, is_column, parse_schedule, resolve
from archgen.errors import ArchError


def stages(value: Any, *depths: int, opens: bool = False, default: Any = 1) -> list[list[Any]]:
    return resolve(value, depths, staged=True, opens=opens, default=default, path="s.f")


def blocks(value: Any, depth: int, *, opens: bool = False, default: Any = 1) -> list[Any]:
    return resolve(value, [depth], staged=False, opens=opens, default=default, path="s.f")[0]


def flat(value: Any, *depths: int) -> list[Any]:
    return [entry for stage in stages(value, *depths) for entry in stage]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (7, [[7, 7], [7, 7, 7]]),
        ([7, 8], [[7, 7], [8, 8, 8]]),
        ([7, [8, 9, 10]], [[7, 7], [8, 9, 10]]),
        ({"first": 1, "rest": 2}, [[1, 2], [1, 2, 2]]),
        ([7, {"first": 1, "rest": 2}], [[7, 7], [1, 2, 2]]),
        ([{"kind": "geometric", "start": 2, "ratio": 3}, 5], [[2, 6], [5, 5, 5]]),
        ({"kind": "geometric", "start": 2, "ratio": 3}, [[2, 2], [6, 6, 6]]),
        ({"kind": "cycle", "of": [1, 4]}, [[1, 4], [1, 4, 1]]),
        ("relu", [["relu"] * 2, ["relu"] * 3]),
    ],
)
def test_forms_over_stages(value: Any, wanted: list[list[Any]]):
    assert stages(value, 2, 3) == wanted


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (7, [7, 7, 7]),
        ([7, 8, 9], [7, 8, 9]),
        ({"first": 1, "rest": 2}, [1, 2, 2]),
        ({"kind": "geometric", "start": 2, "ratio": 3}, [2, 6, 18]),
        ({"kind": "cycle", "of": [1, 4]}, [1, 4, 1]),
    ],
)
def test_forms_over_blocks(value: Any, wanted: list[Any]):
    assert blocks(value, 3) == wanted


def test_an_opening_field_acts_where_a_stage_opens():
    assert stages([1, 2], 2, 3, opens=True) == [[1, 1], [2, 1, 1]]
    assert stages([1, [2, 1, 2]], 2, 3, opens=True) == [[1, 1], [2, 1, 2]]
    assert blocks(2, 3, opens=True) == [2, 1, 1]
    assert blocks([2, 1, 2], 3, opens=True) == [2, 1, 2]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1, 2, 3], "s.f: 3 values for 2 stages; give one value, or one a stage"),
        ([], "s.f: 0 values for 2 stages"),
        ([1, [2, 3]], "s.f.1: 2 values for 3 blocks; give one value, or one a block"),
        ({"first": 1}, "s.f: must have exactly the keys first and rest"),
        ([1, {"first": 1, "rest": 2, "last": 3}], "s.f.1: must have exactly the keys"),
        ({"kind": "aditive"}, r"s.f.kind: no schedule 'aditive'; did you mean 'additive'\?"),
        ({"kind": ["cycle"]}, "s.f.kind: no schedule"),
        ({"kind": "additive", "start": 16}, "s.f.alpha: this field is required"),
        ({"kind": "additive", "start": 0, "alpha": 1}, "s.f.start: .*greater than 0, not 0"),
        ({"kind": "additive", "start": "16", "alpha": 1}, "s.f.start: .*number, not '16'"),
        ({"kind": "additive", "start": 1, "alpha": True}, "s.f.alpha: .*number, not True"),
        ({"kind": "additive", "start": 1, "alpha": 2, "beta": 3}, "s.f.beta: no such field"),
        ({"kind": "additive", "start": 1, "alpha": float("nan")}, "s.f.alpha: .*finite"),
        ({"kind": "multiplicative", "start": 1, "alpha": 0}, "s.f.alpha: .*greater than 0"),
        ({"kind": "geometric", "start": 1, "ratio": 65}, "s.f.ratio: .*less than or equal to 64"),
        ({"kind": "quantised", "start": 8, "slope": 1, "ratio": 1}, "s.f.ratio: .*greater than 1"),
        ({"kind": "quantised", "start": 8, "slope": -1, "ratio": 2}, "s.f.slope"),
        ({"kind": "quantised", "start": 8, "slope": 1, "ratio": 2, "step": 0}, "s.f.step"),
        ({"kind": "cycle", "of": []}, "s.f.of: has 0 entries, needs at least 1"),
        ({"kind": "multiplicative", "start": 1e308, "alpha": 1e4}, "s.f: .*beyond all bounds"),
        ({"kind": "quantised", "start": 1e-308, "slope": 1e4, "ratio": 2}, "s.f: .*beyond all"),
    ],
)
def test_errors_name_the_field_and_the_law(value: Any, message: str):
    with pytest.raises(ArchError, match=f"^{message}"):
        stages(value, 2, 3)


def test_growth_without_end_is_an_error_not_a_crash():
    with pytest.raises(ArchError, match=r"^s\.f: these numbers lead beyond all bounds"):
        blocks({"kind": "geometric", "start": 16, "ratio": 64}, 2000)


def test_pyramidnet_additive_widths_are_the_published():
    """As the authors' code has them: 18 basic units a stage, or 3, 24, 36 and 3 bottlenecks."""
    alpha48 = flat({"kind": "additive", "start": 16, "alpha": 48}, 18, 18, 18)
    assert alpha48[:8] == [17, 18, 19, 20, 20, 21, 22, 23]
    assert (alpha48[17], alpha48[35], alpha48[53]) == (32, 48, 64)
    alpha84 = flat({"kind": "additive", "start": 16, "alpha": 84}, 18, 18, 18)
    assert alpha84[:8] == [18, 19, 21, 22, 24, 25, 27, 28]
    assert (alpha84[17], alpha84[35], alpha84[53]) == (44, 72, 100)
    imagenet = stages({"kind": "additive", "start": 64, "alpha": 300}, 3, 24, 36, 3)
    assert [*imagenet[0], *imagenet[1]][:6] == [69, 73, 78, 82, 87, 91]
    assert [stage[-1] for stage in imagenet] == [78, 187, 350, 364]


@pytest.mark.parametrize(("alpha", "last"), [(4.75, 76), (8, 128), (27, 432)])
def test_pyramidnet_multiplicative_widths_end_as_published(alpha: float, last: int):
    widths = flat({"kind": "multiplicative", "start": 16, "alpha": alpha}, 18, 18, 18)
    assert widths[-1] == last
    assert widths[26] == round(16 * alpha**0.5)
    assert widths == sorted(widths)


@pytest.mark.parametrize(
    ("slope", "start", "ratio", "depth", "wanted"),
    [
        # RegNetX-200MF and -400MF as published; the others as timm's generate_regnet has them
        # before it makes widths fit their groups.
        (36.44, 24, 2.49, 13, {24: 1, 56: 1, 152: 4, 368: 7}),
        (24.48, 24, 2.54, 22, {24: 1, 64: 2, 152: 7, 392: 12}),
        (26.31, 88, 2.25, 25, {88: 2, 200: 6, 448: 15, 1000: 2}),
        (76.82, 192, 2.19, 17, {192: 2, 424: 4, 920: 10, 2016: 1}),
    ],
)
def test_quantised_is_regnets(
    slope: float, start: float, ratio: float, depth: int, wanted: dict[int, int]
):
    rule = {"kind": "quantised", "start": start, "slope": slope, "ratio": ratio}
    widths = blocks(rule, depth)
    assert {width: len(list(same)) for width, same in groupby(widths)} == wanted
    assert stages(rule, *wanted.values()) == [[width] * n for width, n in wanted.items()]


@given(st.floats(1, 512), st.floats(0, 2000), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_additive_ends_at_start_plus_alpha(start: float, alpha: float, depths: list[int]):
    widths = flat({"kind": "additive", "start": start, "alpha": alpha}, *depths)
    assert len(widths) == sum(depths)
    assert abs(widths[-1] - (start + alpha)) <= 0.5 + 1e-6
    assert widths == sorted(widths)


def test_is_column():
    rule = {"kind": "cycle", "of": [1]}
    assert all(map(is_column, ([1], [], {"first": 1}, {"rest": 1}, rule)))
    assert not any(map(is_column, (1, "relu", None, 0.5, {}, {"other": 1})))


def test_every_schedule_is_listed():
    for kind in SCHEDULES:
        with pytest.raises(ArchError, match="this field is required"):
            parse_schedule({"kind": kind}, "s.f")

"""What is solved for is what trying every value finds."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archgen import ArchError, Net, cost, fit, load
from archgen.inverse import COSTS, nearest
from archgen.spec import parse

SMALL = parse("""\
name: small
input: [3, 16, 16]
nodes:
  stem:   {block: conv_norm, width: 8, kernel: 3}
  stages:
    block:    bottleneck
    depth:    [1, 2]
    groups:   8
    width:    [16, 32]
    out:      {kind: additive, start: 16.0, alpha: 24.0}
    shortcut: projection
  head:   {block: pool_linear, classes: 10}
""")
QUANTISED = {"kind": "quantised", "start": 24, "slope": 36, "ratio": 2.5}


def params(net: Net, path: str, values: Iterable[float]) -> dict[float, int]:
    """The parameters with each value that builds."""
    found = {}
    for value in values:
        with suppress(ArchError):
            found[value] = cost(net.set({path: value})).params
    return found


@cache
def whole() -> dict[float, int]:
    return params(SMALL, "stages.width.1", range(1, 300))


@cache
def real() -> dict[float, int]:
    return params(SMALL, "stages.out.alpha", (i / 4 for i in range(-40, 400)))


def test_a_pyramid_of_so_many_parameters() -> None:
    found = fit(load("pyramidnet110_a48"), "params", 3.8e6, ["stages.width.alpha"])
    assert found.best.values == {"stages.width.alpha": 83}
    assert found.best.cost == cost(found.net).params == 3_833_813
    assert found.below is not None
    assert (found.below.values, found.below.cost) == ({"stages.width.alpha": 82}, 3_761_455)
    assert found.above == found.best
    assert found.monotone
    assert found.net.paper is not None
    assert found.net.paper.published.params is None


def test_a_published_budget_gives_the_published_network() -> None:
    start = load("pyramidnet110_a84").set({"stages.width.alpha": 20})
    target = cost(load("pyramidnet110_a84")).params
    found = fit(start, "params", target, ["stages.width.alpha"], within=0.0)
    assert found.best.values == {"stages.width.alpha": 84}
    assert found.net.digest() == load("pyramidnet110_a84").digest()


@given(st.integers(5_000, 240_000))
def test_no_whole_number_is_nearer(target: int) -> None:
    """Also where most widths do not build, as 8 groups must divide them."""
    found = nearest(SMALL, "params", target, ["stages.width.1"])
    assert len(whole()) == 37
    assert abs(found.best.cost - target) == min(abs(count - target) for count in whole().values())
    assert type(found.best.values["stages.width.1"]) is int


@given(st.floats(5_000, 30_000))
def test_no_real_number_is_nearer(target: float) -> None:
    found = nearest(SMALL, "params", target, ["stages.out.alpha"])
    assert abs(found.best.cost - target) <= min(abs(count - target) for count in real().values())
    assert len(repr(found.best.values["stages.out.alpha"])) < 8


@pytest.mark.parametrize("name", [name for name in COSTS if name != "peak_bytes"])
def test_every_cost_can_be_asked_for(name: str) -> None:
    wanted = getattr(cost(SMALL.set({"stages.depth.0": 37})), name)
    found = fit(SMALL, name, wanted, ["stages.depth.0"])
    assert found.best.values == {"stages.depth.0": 37}
    assert found.best.cost == getattr(cost(found.net), name) == wanted


def test_the_image_that_fits_into_memory() -> None:
    """Depth does not change what is held at once; the image does."""
    found = fit(load("resnet18"), "peak_bytes", 2**20, ["input.1", "input.2"])
    assert found.net.input[1:] == (found.best.values["input.1"],) * 2
    assert found.below is not None
    assert found.below.cost <= 2**20 < cost(load("resnet18")).peak_bytes


def test_several_numbers_keep_their_ratios() -> None:
    found = fit(load("resnet50"), "macs", 2e9, ["input.1", "input.2"])
    assert found.net.input == (3, 152, 152)
    assert (found.below, found.above and found.above.values) == (
        found.best,
        {"input.1": 153, "input.2": 153},
    )


def test_kernels_are_odd() -> None:
    net = load("resnet18").set({"stem.kernel": 3})
    assert fit(net, "macs", 4e9, ["stem.kernel"]).best.values == {"stem.kernel": 31}


def test_groups_divide() -> None:
    net = load("resnet50").set({"stages.groups": 1})
    found = fit(net, "params", 14.5e6, ["stages.groups"])
    tried = params(net, "stages.groups", range(1, 129))
    assert [*tried] == [1, 2, 4, 8, 16, 32, 64]
    assert found.best.values == {"stages.groups": 64}
    assert found.above is not None
    assert found.above.values == {"stages.groups": 32}


def test_bounds_are_kept() -> None:
    net = load("pyramidnet110_a48")
    found = nearest(net, "params", 3.8e6, ["stages.width.alpha"], low=20.5, high=60.5)
    assert found.best.values == {"stages.width.alpha": 60}
    assert found.start is not None
    assert found.start.cost == cost(net).params
    assert found.above is None
    found = nearest(net, "params", 1e6, ["stages.width.alpha"], low=50, high=60)
    assert found.start is None
    assert found.best.values == {"stages.width.alpha": 50}


def test_real_bounds_are_kept_to_the_last_digit() -> None:
    net = load("pyramidnet110_a48").set({"stages.width.alpha": 48.0})
    found = nearest(net, "params", 3.8e6, ["stages.width.alpha"], high=60.4699)
    assert found.best.values["stages.width.alpha"] <= 60.4699
    assert found.best.cost == found.most.cost


def test_the_spec_need_not_build() -> None:
    net = SMALL.set({"stages.width.1": 33})
    with pytest.raises(ArchError, match="33 channels cannot be split into 8 groups"):
        net.graph()
    wanted = cost(SMALL.set({"stages.width.1": 120})).params
    found = fit(net, "params", wanted, ["stages.width.1"])
    assert found.best.values == {"stages.width.1": 120}
    assert found.start is None


def test_a_cost_that_rises_and_falls() -> None:
    """Powers of `ratio` that widths are rounded to jump, up and down."""
    net = load("resnet18").set({"stages.width": QUANTISED})
    found = fit(net, "macs", 1e9, ["stages.width.ratio"])
    assert not found.monotone
    assert found.tried > 100
    assert abs(found.off(found.best)) < 0.005
    counts = [cost(net.set({"stages.width.ratio": 2 + i / 10})).macs for i in range(10)]
    assert counts not in (sorted(counts), sorted(counts, reverse=True))


def refusal(*args: object, **kwargs: object) -> str:
    with pytest.raises(ArchError) as caught:
        fit(load("pyramidnet110_a48"), *args, **kwargs)  # type: ignore[arg-type]
    return str(caught.value)


def test_what_cannot_be_reached_is_told_what_can() -> None:
    assert refusal("params", 1e6, ["stages.width.alpha"], low=40, high=60) == (
        "stages.width.alpha: no value gives 1,000,000 params; they reach 1,415,734 "
        "(stages.width.alpha=40) to 2,390,298 (stages.width.alpha=60)"
    )


def test_a_network_without_the_cost() -> None:
    """Where paths of unlike strides meet there is no receptive field."""
    net = parse("""\
name: drifting
input: [3, 3, 3]
nodes:
  coarse: {block: conv_norm, width: 4, stride: 3}
  fine:   {block: conv_norm, width: 4, stride: 2, from: input}
  finer:  {block: conv_norm, width: 4, stride: 2}
  both:   {block: sum, from: [coarse, finer]}
  head:   {block: pool_linear, classes: 10}
""")
    assert cost(net).receptive_field is None
    with pytest.raises(ArchError, match=r"^head.classes: the network has no receptive_field$"):
        fit(net, "receptive_field", 9, ["head.classes"])


def test_a_goal_too_fine_for_whole_numbers() -> None:
    assert refusal("params", 3.8e6, ["stages.width.alpha"], within=0.005) == (
        "stages.width.alpha: no value gives 3,800,000 params within 0.5%; the nearest are "
        "3,761,455 (stages.width.alpha=82) and 3,833,813 (stages.width.alpha=83)"
    )


@pytest.mark.parametrize(
    ("cost", "target", "by", "said"),
    [
        ("parms", 1e6, ["stages.width.alpha"], "no cost 'parms'; did you mean 'params'? (there"),
        ("params", 0, ["stages.width.alpha"], "params: a target is a number above zero, not 0"),
        ("params", float("nan"), ["head.classes"], "params: a target is a number above zero"),
        ("params", 1e6, ["stages.width.alhpa"], "stages.width.alhpa: no key 'alhpa'; did you mean"),
        ("params", 1e6, ["stages.block"], "stages.block: is 'basic_pyramid', no number"),
        ("params", 1e6, ["stages.dilation"], "stages.dilation: is left out of the spec; set it to"),
        (
            "params",
            1e6,
            ["stages.width"],
            "stages.width: is no number; name one in it: stages.width.start, stages.width.alpha",
        ),
        ("params", 1e6, [], "name one number, or several that are different"),
        (
            "params",
            1e6,
            ["input.1"],
            "input.1: changes no params: they are 1,772,706 from input.1=1 to input.1=8192",
        ),
    ],
)
def test_mistakes(cost: str, target: float, by: list[str], said: str) -> None:
    assert refusal(cost, target, by).startswith(said)


def test_bounds_that_are_none() -> None:
    one, two = ["stages.width.alpha"], ["input.1", "input.2"]
    assert "the lowest value 5 must be below the highest 5" in refusal(
        "params", 1e6, one, low=5, high=5
    )
    assert "the lowest value 6 must be below the highest 5" in refusal(
        "params", 1e6, one, low=5.2, high=5.8
    )
    assert "finite numbers" in refusal("params", 1e6, one, low=float("nan"))
    assert "finite numbers" in refusal("params", 1e6, one, high=float("inf"))
    assert "goes with one number only" in refusal("macs", 1e6, two, low=5)


def test_a_number_that_may_be_0_but_not_less_ends_there():
    net = load("resnet18").set({"stages.width": QUANTISED | {"slope": 36.0}})
    for target in (1000, 1e5):
        with pytest.raises(ArchError, match=r"no value gives .*; they reach 130,344 \(.*slope=0\)"):
            fit(net, "params", target, ["stages.width.slope"])


def test_several_numbers_start_as_the_spec_has_them():
    net = SMALL.set({"stages.out.start": 16.123456789012345})
    found = nearest(net, "params", 1e4, ["stages.out.start", "stages.out.alpha"])
    assert found.start is not None
    assert found.start.values["stages.out.start"] == 16.123456789012345

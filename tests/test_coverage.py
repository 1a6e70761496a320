"""What a pixel sees of a map: by hand, and the grids of dilated networks."""

from __future__ import annotations

import numpy as np
import pytest

from archgen import ArchError, load
from archgen.analysis import coverage, gridding, phases, receptive_fields
from archgen.graph import Builder, Graph, Map
from archgen.ops import Conv


def chain(*dilations: int) -> Graph:
    """3x3 convolutions of some dilations on a map of 32x32, one behind the other."""
    builder = Builder((2, 32, 32))
    x = builder.input
    for number, dilation in enumerate(dilations):
        x = x.conv(f"conv_{number}", 2, 3, dilation=dilation)
    return builder.graph("chain", [x])


def shares(x: Map) -> np.ndarray:
    graph = x.builder.graph("g", [x], partial=True)
    return coverage(graph, graph.calls[-1].name).shares


def test_paths_by_hand():
    """Two windows of three: one, two, three, two and one of nine paths along each axis."""
    found = coverage(chain(1, 1), pixel=(10, 12))
    line = np.array([1, 2, 3, 2, 1]) / 9
    assert np.allclose(found.shares[8:13, 10:15], np.outer(line, line), rtol=1e-12)
    assert found.shares.sum() == pytest.approx(1)
    assert (found.seen, found.density, found.field.shape) == (25, 1, (5, 5))


def test_a_thousand_shortcuts_do_not_overflow():
    """Each doubles the paths: 2 ** 2000 is no float. Points only, so that all lead to one pixel."""
    builder = Builder((2, 4, 4))
    x = builder.input
    for number in range(2000):
        x = x + x.conv(f"conv_{number}", 2, 1)
    found = coverage(builder.graph("deep", [x]), pixel=(1, 2))
    assert (found.shares[1, 2], found.seen) == (1, 1)


def test_even_dilations_see_one_pixel_in_four():
    found = coverage(chain(2, 4, 2))
    assert (found.field.shape, found.seen) == ((17, 17), 9 * 9)
    assert found.density == 81 / 17**2
    assert found.phases(2)[0, 0] == pytest.approx(1)
    assert found.gridding(2) == pytest.approx(1)
    assert coverage(chain(2, 4, 2, 1)).density == 1


def test_unlike_operands():
    """A sum weighs a window as one pixel; a stack weighs its maps by their channels."""
    x = Builder((2, 9, 9)).input
    side = x.conv("side", 6, 3)
    middle = (4, 4)
    assert shares(x.conv("point", 6) + side)[middle] == pytest.approx((1 + 1 / 9) / 2)
    assert shares(x.cat(side))[middle] == pytest.approx((2 + 6 / 9) / 8)
    assert shares(x.pad(0, 2) + x.conv("wide", 4, 3))[middle] == pytest.approx(
        (1 / 2 + 1 / 9) / 1.5
    )
    assert shares(x[:1].conv("part", 2, 3))[middle] == pytest.approx(1 / 9)


def test_gates_are_not_followed_and_means_see_all():
    x = Builder((2, 8, 8)).input
    assert shares(x * x.gate("gate"))[4, 4] == 1
    assert (shares(x * x.conv("factor", 2, 3)) > 0).sum() == 9
    assert np.all(shares(x.mean()) == 1 / 64)


def test_edges_cut_the_field():
    found = coverage(chain(1, 1), pixel=(0, 31))
    assert found.field.shape == (3, 3)
    assert np.all(found.field == found.shares[:3, 29:])


@pytest.mark.parametrize("name", ["drn_digits", "pyramidnet_digits", "dpn_digits", "mixed_digits"])
def test_it_spans_the_receptive_field(name: str):
    """On a map so large that the middle sees no edge."""
    graph = load(name).set({"input": [1, 128, 128]}).graph()
    for end, field in enumerate(receptive_fields(graph)):
        if field is not None:
            found = coverage(graph, graph.calls[end].name)
            assert found.field.shape == (field.size, field.size)


def test_the_measure_of_gridding():
    grid = np.zeros((28, 28))
    grid[1::4, 2::4] = 3
    assert gridding(grid, 4) == pytest.approx(1)
    assert gridding(np.ones((28, 28)), 4) == 0

    energy = np.random.default_rng(0).random((28, 28))
    spectrum = np.abs(np.fft.fft2(energy)[::7, ::7]).flatten()
    rms = np.sqrt((spectrum[1:] ** 2).mean()) / spectrum[0]
    assert gridding(energy, 4) == pytest.approx(rms, rel=1e-9)
    assert gridding(np.roll(energy, (3, 1), (0, 1)), 4) == pytest.approx(rms, rel=1e-9)
    assert phases(energy, 4).sum() == pytest.approx(energy.sum())


def test_degridding():
    """DRN-C sees all of what DRN-A's manner of dilating leaves three quarters of unseen."""
    dilated = load("drn_a_18").set({"stages.dilation": [1, 1, 2, 4]})
    wide = {"input": [3, 640, 640]}  # so that the middle pixel sees no edge
    a = coverage(dilated.set(wide), seen="stages.1")
    b, c = (coverage(load(name).set(wide), seen="stages.1") for name in ("drn_b_26", "drn_c_26"))
    assert (a.field.shape, a.seen) == ((49, 49), 25 * 25)
    assert (b.field.shape, b.density) == (c.field.shape, c.density) == ((61, 61), 1)
    assert a.gridding(4) > 2 * b.gridding(4) > 12 * c.gridding(4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("stages.3", "stages.4"), "stages: no module or operation '4' (there are: 0, 1, 2, 3)"),
        (("stagse.3",), "no module or operation 'stagse'; did you mean 'stages'? (there are: "
         "degrid, early, head, input, stages, stem)"),
        (("stages.1", "stages.2"), "stages.1: no path leads here from stages.2; name a map before "
         "it"),
        (("head",), "head.linear: gives a vector of 1000; name a map"),
        (("stages.3", "input", (3, 28)), "stages.3.1.relu_2: has no pixel 3, 28 on a map of 28x28"),
    ],
)  # fmt: skip
def test_what_is_not_there(arguments, message: str):
    with pytest.raises(ArchError) as caught:
        coverage(load("drn_c_26"), *arguments)
    assert str(caught.value) == message


def test_a_pixel_that_sees_nothing_but_padding():
    builder = Builder((2, 4, 4))
    x = builder.add("far", Conv(2, 2, 2, padding=8, dilation=8), builder.input)
    graph = builder.graph("g", [x])
    assert coverage(graph, pixel=(0, 0)).seen == 1
    with pytest.raises(ArchError, match="no path leads here from input"):
        coverage(graph, pixel=(6, 6))


def test_cells_sum_what_lies_in_them() -> None:
    found = coverage(load("drn_c_26"), "stages.3", "stages.1")
    assert (found.cells(1) == found.field).all()
    cells = found.cells(4)
    assert cells.shape == (7, 7)
    assert cells[6, 6] == pytest.approx(found.field[24:, 24:].sum())
    assert cells.sum() == pytest.approx(1)

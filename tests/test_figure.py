"""Published numbers keep their text and know their precision."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from archgen.errors import ArchError
from archgen.spec import Figure, Net, parse

TINY: dict[str, Any] = {
    "name": "tiny",
    "input": [3, 8, 8],
    "nodes": {"head": {"block": "pool_linear", "classes": 2}},
}


def tiny(published: dict[str, Any]) -> Net:
    return Net.of(TINY | {"paper": {"title": "T", "published": published}})


@pytest.mark.parametrize(
    ("text", "value", "half"),
    [
        ("37.7 M", "37700000", "50000"),
        ("19 M", "19000000", "500000"),
        ("1.70 M", "1700000", "5000"),
        ("6.5 G", "6500000000", "50000000"),
        ("850 k", "850000", "500"),
        ("49 MB", "51380224", "524288"),
        ("4.00 %", "4", "0.005"),
    ],
)
def test_value_and_half_a_unit_of_the_last_digit(text: str, value: str, half: str) -> None:
    figure = Figure(text)
    assert figure.value == Decimal(value)
    assert figure.half == Decimal(half)
    assert str(figure) == text


def test_agreement_is_rounding() -> None:
    figure = Figure("37.7 M")
    assert figure.agrees(37_650_000)
    assert figure.agrees(37_750_000)
    assert not figure.agrees(37_649_999)
    assert not figure.agrees(37_750_001)


def test_exact_numbers_are_written_with_one_digit_more() -> None:
    assert Figure("37.7 M").write(37_668_392) == "37.67 M"
    assert Figure("19 M").write(19_128_980) == "19.1 M"
    assert Figure("145 MB").write(4 * 37_793_608) == "144.2 MB"
    assert Figure("26 %").write(Decimal("26.19")) == "26.2 %"


@pytest.mark.parametrize(
    "text", ["", "M", "37.7", "37.7M", "37,7 M", ".5 M", "1e6 M", "-1 M", "1 T"]
)
def test_what_is_no_figure(text: str) -> None:
    with pytest.raises(ValueError, match="no number with a unit"):
        Figure(text)


def test_a_spec_keeps_the_text() -> None:
    written = {
        "params": "1.70 M",
        "size": "49 MB",
        "depth": 12,
        "errors": {"cifar10": "4.00 %"},
        "differs": {"params": "because"},
    }
    net = tiny(written)
    assert net.data()["paper"]["published"] == written
    assert parse(net.dump()) == net
    assert "params: 1.70 M" in net.dump()
    assert "cifar10: 4.00 %" in net.dump()


@pytest.mark.parametrize(
    ("published", "message"),
    [
        ({"params": 1.7e6}, "paper.published.params: 1700000.0 is not a published figure; write it "
         "as it is printed, with its unit: 37.7 M"),
        ({"params": "1.7"}, "paper.published.params: '1.7' is not a published figure"),
        ({"params": "49 MB"}, "paper.published.params: '49 MB' is not a published figure"),
        ({"size": "49 M"}, "paper.published.size: '49 M' is not a published figure"),
        ({"errors": {"cifar10": 4.5}}, "paper.published.errors.cifar10: 4.5 is not a published"),
        ({"errors": {"cifar11": "4.5 %"}}, "paper.published.errors.cifar11: no key 'cifar11'; did"),
        ({"depth": 12.0}, "paper.published.depth: needs an integer, not 12.0"),
        ({"differs": {"macs": "because"}}, "there is a reason for macs, but no figure"),
        ({"unexplained": {"size": "?"}}, "there is a reason for size, but no figure"),
        ({"differs": {"parms": "because"}}, "paper.published.differs.parms: input should be"),
    ],
)  # fmt: skip
def test_mistakes(published: dict[str, Any], message: str) -> None:
    with pytest.raises(ArchError) as caught:
        tiny(published)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_changed_network_has_no_published_figures() -> None:
    net = tiny({"params": "1.7 M", "differs": {"params": "because"}})
    assert "published" not in net.set({"head.classes": 3}).data()["paper"]
    assert net.set({"name": "other"}).data()["paper"] == net.data()["paper"]

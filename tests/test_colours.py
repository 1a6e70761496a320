"""One palette: what the explorer's theme says is what archgen draws with."""

from __future__ import annotations

import tomllib
from pathlib import Path

from archgen.view.colours import BLUE, INKS, SKY, STYLES

ROOT = Path(__file__).parent.parent


def test_the_theme_has_the_colours_of_the_drawings() -> None:
    theme = tomllib.loads((ROOT / "app/.streamlit/config.toml").read_text())["theme"]
    assert theme["chartCategoricalColors"] == [style.color for style in STYLES]
    assert {mode: theme[mode]["textColor"] for mode in INKS} == INKS
    assert {mode: theme[mode]["primaryColor"] for mode in INKS} == {"light": BLUE, "dark": SKY}


def test_no_two_series_look_alike() -> None:
    for column in zip(*STYLES, strict=True):
        assert len({*column}) == len(STYLES)


def test_colours_are_written_in_one_place() -> None:
    home = ROOT / "archgen/view/colours.py"
    palette = {style.color for style in STYLES} | {*INKS.values()}
    for path in (*ROOT.glob("archgen/**/*.py"), *ROOT.glob("app/**/*.py")):
        text = path.read_text().upper()
        assert path == home or not [color for color in palette if color in text], path

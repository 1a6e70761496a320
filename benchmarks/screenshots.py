"""Pictures of each screen of the explorer, in docs/screenshots: two widths, light and dark.

    python benchmarks/screenshots.py [--out docs/screenshots]

The study that is shown is drawn by chance, without any training: see `journals`.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from pathlib import Path
from typing import Literal

from journals import write_journal
from PIL import Image
from playwright.sync_api import Page
from serving import browsing, serving

from archgen.study.storage import RUNS, owned

SCREENS = {
    "explore": ("/?net=dpn131&open=stages.2", ".js-plotly-plot .point"),
    "knobs": ("/knobs?net=pyramidnet110_a48%3Bstages.width.alpha%3D84", ".js-plotly-plot .point"),
    "compare": ("/compare?nets=resnext101_64x4d&nets=dpn98", ".js-plotly-plot .point"),
    "studies": ("/studies?study=drawn", ".js-plotly-plot .point"),
    "launch": ("/launch?space=pyramid", "button:has-text('Start')"),
}
"""Addresses, and what is drawn last there."""
SIZES = {1280: 1000, 1920: 1200}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
CANDIDATES = 600
COLOURS = 128
"""Of a picture: enough for flat surfaces and text, and a third of the bytes."""
PAUSE = 2000
"""Milliseconds in which nothing may change any more."""


def take(page: Page, address: str, last: str) -> bytes:
    """Open an address and take a picture of what it shows, when that has come to rest."""
    page.goto(address)
    page.locator(last).first.wait_for(state="attached")
    before = b""
    while (picture := page.screenshot()) != before:
        before = picture
        page.wait_for_timeout(PAUSE)
    return picture


def write(picture: bytes, file: Path) -> None:
    """Write a picture with few colours."""
    with Image.open(io.BytesIO(picture)) as image:
        image.convert("RGB").quantize(COLOURS).save(file, optimize=True)


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"))
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, browsing() as browser:
        folder = Path(place) / RUNS / "drawn"
        write_journal(folder, CANDIDATES)
        with owned(folder), serving(Path(place)) as address:  # held, as by a running search
            for width, height in SIZES.items():
                for theme in THEMES:
                    page = browser.new_page(
                        viewport={"width": width, "height": height}, color_scheme=theme
                    )
                    page.set_default_timeout(120_000)
                    for name, (path, last) in SCREENS.items():
                        file = out / f"{name}_{width}_{theme}.png"
                        write(take(page, address + path, last), file)
                        print(f"{file}: {file.stat().st_size / 1000:.0f} kB", flush=True)
                    page.close()


if __name__ == "__main__":
    main()

"""The explorer in a real browser: a real server in a folder of its own, and Chromium."""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

pytest.importorskip("playwright")

from playwright.sync_api import Browser, Page, expect

from archgen import load
from archgen.explorer import Shown
from archgen.view import picture

SERVING = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "serving.py"))
WHY = "needs Chromium: apt install chromium"
pytestmark = [pytest.mark.torch, pytest.mark.skipif(SERVING["CHROMIUM"] is None, reason=WHY)]

SPEC = """\
name: small
input: [1, 8, 8]
nodes:
  stem: {block: conv_norm, width: 4, kernel: 3, stride: 2}
  head: {block: pool_linear, classes: 10}
"""
STUDY = """\
name: tiny
spec: small.yaml
vary:
  stem.width: {from: 2, to: 9}
  stem.kernel: {any: [1, 3]}
score: {top1: maximize, params: minimize}
train: {data: digits, epochs: 2, batch: 256, lr: 0.1}
sampler: {kind: random, seed: 0}
trials: 5
"""
PATIENT = 60_000
"""Milliseconds: other tests share the cores."""
expect.set_options(timeout=PATIENT)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small study that was searched."""
    folder = tmp_path_factory.mktemp("explorer")
    (folder / "small.yaml").write_text(SPEC)
    (folder / "tiny.yaml").write_text(STUDY)
    command = [sys.executable, "-m", "archgen", "search", "--space", "tiny.yaml", "--workers", "1"]
    subprocess.run([*command, "--device", "cpu"], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    with SERVING["serving"](home) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with SERVING["browsing"]() as browser:
        yield browser


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    """Open an address in a browser of its own, as another person would."""
    contexts = []

    def open_(path: str, **options: object) -> Page:
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 900}, **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENT)
        page.goto(address + path)
        expect(page.locator("h1")).to_be_visible()
        return page

    yield open_
    for context in contexts:
        context.close()


def settled(page: Page) -> Page:
    """Wait until the server has answered all."""
    expect(
        page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')
    ).to_be_visible()
    assert page.get_by_text("Traceback").count() == 0
    return page


def shown(page: Page) -> Shown:
    """The network that the address stands for."""
    return Shown.read(parse_qs(urlsplit(page.url).query)["net"][0])


def metric(page: Page, label: str) -> str:
    return (
        page.get_by_test_id("stMetric")
        .filter(has_text=label)
        .locator('[data-testid="stMetricValue"]')
        .inner_text()
    )


def test_a_network_is_chosen_turned_and_broken(visit: Visit) -> None:
    page = settled(visit("/?net=resnet18"))
    page.get_by_label("Network").click()
    page.keyboard.type("dpn131")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("dpn131")
    assert metric(settled(page), "Parameters") == "79.3M"


@pytest.mark.parametrize(
    ("name", "path"), [("dpn98", "stages.2"), ("densenet121", "stages.0"), ("parnet_s", "body.at8")]
)
def test_a_diagram_is_drawn_whole(visit: Visit, name: str, path: str) -> None:
    drawn = picture(load(name), path)
    page = visit(f"/?net={name}&open={path}")
    chart = page.get_by_test_id("stGraphVizChart")
    expect(chart.locator("g.node")).to_have_count(len(drawn.boxes))
    expect(chart.locator("g.edge")).to_have_count(len(drawn.arrows))
    expect(chart.locator("g.cluster")).to_have_count(len(drawn.frames))
    expect(chart).to_have_attribute("aria-label", drawn.said)


def test_a_box_opens_by_click_and_by_key(visit: Visit) -> None:
    page = visit("/?net=dpn98%3Bstages.groups%3D20")
    page.locator("g.node a", has_text="stages.2").click()
    unit = page.locator("g.node a", has_text="stages.2.19")
    expect(unit).to_be_visible()
    unit.focus()
    page.keyboard.press("Enter")
    expect(page.locator("g.node", has_text="reduce_norm")).to_be_visible()
    query = parse_qs(urlsplit(page.url).query)
    assert query == {"net": ["dpn98;stages.groups=20"], "open": ["stages.2.19"]}
    page.get_by_role("button", name="Whole network").click()
    expect(page.locator("g.node")).to_have_count(7)

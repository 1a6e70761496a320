"""The explorer in a real browser: a real server in a folder of its own, and Chromium."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import digits_search
import pytest

pytest.importorskip("playwright")

from playwright.sync_api import Browser, Locator, Page, expect

from archgen import cost, load, source
from archgen.explorer import Shown, cost_csv
from archgen.study import trials
from archgen.study.place import known_runs
from archgen.study.runs import held
from archgen.view import picture, svg

SERVING = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "serving.py"))
WHY = "needs Chromium: apt install chromium"
pytestmark = [pytest.mark.torch, pytest.mark.skipif(SERVING["CHROMIUM"] is None, reason=WHY)]

SPEC = digits_search.SPEC
STUDY = digits_search.STUDY.replace(digits_search.LIMIT, "").replace("trials: 4", "trials: 5")
STUDY = STUDY.replace("{top1: maximize}", "{top1: maximize, params: minimize}")
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
    at_rest = page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')
    expect(at_rest).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    return page


def shown(page: Page) -> Shown:
    """The network that the address stands for."""
    return Shown.read(parse_qs(urlsplit(page.url).query)["net"][0])


def figure(page: Page, label: str) -> Locator:
    metric = page.get_by_test_id("stMetric").filter(has_text=label)
    return metric.get_by_test_id("stMetricValue")


def go(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def test_a_network_is_chosen_turned_broken_and_compared(visit: Visit) -> None:
    page = settled(visit("/?net=resnet18"))
    page.get_by_role("combobox", name="Network").click()
    page.keyboard.type("dpn131")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("dpn131")

    go(page, "Turn knobs")
    slider = page.get_by_role("group", name="groups", exact=True).get_by_role("slider")
    expect(figure(page, "Parameters")).to_have_text("79,254,504")
    settled(page)
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile("stages.groups"))
    turned = shown(page).net()
    assert turned.data()["nodes"]["stages"]["groups"] > 40
    expect(figure(page, "Parameters")).to_have_text(f"{cost(turned).params:,}")

    go(page, "Explore")
    editor = page.get_by_label("Spec as YAML")
    expect(editor).to_have_value(re.compile("bottleneck_preact"))
    before = figure(settled(page), "Parameters").inner_text()
    text = editor.input_value()
    line = next(n for n, each in enumerate(text.splitlines(), 1) if "bottleneck_preact" in each)
    editor.fill(text.replace("bottleneck_preact", "bottlneck"))
    said = page.get_by_role("alert").filter(has_text="no block 'bottlneck'")
    expect(said).to_contain_text(f"Line {line}: ")
    assert figure(settled(page), "Parameters").inner_text() == before
    assert shown(page).net() == turned
    editor.fill(text.replace("groups: ", "groups: 2").replace("name: dpn131", "name: mine"))
    expect(page.locator("h1")).to_have_text("mine")
    expect(said).to_be_hidden()

    go(page, "Compare")
    page.get_by_text("DPN-98 and ResNeXt-101").first.click()
    page.wait_for_url(re.compile("nets=.*nets="))
    nets = parse_qs(urlsplit(settled(page).url).query)["nets"]
    assert {"dpn98", "resnext101_64x4d"} == {*nets}
    for name in nets:
        expect(page.locator(".legendtext").get_by_text(name, exact=True).first).to_be_visible()


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


def test_a_long_text_scrolls_and_its_mistake_lies_over_no_line(visit: Visit) -> None:
    page = settled(visit("/?net=resnet18"))
    expect(page).to_have_title("resnet18 · Explore · archgen")
    editor = page.get_by_label("Spec as YAML")
    expect(editor).to_have_value(re.compile("resnet18"))
    text = editor.input_value() + "# more\n" * 3000 + "wrong: 1\n"
    put = "(area, text) => { area.value = text; area.dispatchEvent(new Event('input')); }"
    editor.evaluate(put, text)
    mistake = page.get_by_role("alert").filter(has_text="no key 'wrong'")
    expect(mistake).to_be_visible()
    area, below, mark = (
        each.bounding_box() for each in (editor, mistake, page.locator(".editor .mark"))
    )
    assert area is not None
    assert below is not None
    assert mark is not None
    assert area["height"] < 900
    assert area["y"] < mark["y"] < mark["y"] + mark["height"] <= area["y"] + area["height"]
    assert below["y"] >= area["y"] + area["height"]


def test_the_diagrams_button_lies_over_nothing_above_it(visit: Visit) -> None:
    page = settled(visit("/?net=dpn131&open=stages.2"))
    drawing = page.get_by_test_id("stGraphVizChart")
    drawing.hover()
    button = page.get_by_role("button", name="Fullscreen").first
    part = page.get_by_test_id("stSelectbox").filter(has=page.get_by_label("Open a part"))
    at, above = button.bounding_box(), part.bounding_box()
    assert at is not None
    assert above is not None
    assert at["y"] >= above["y"] + above["height"]


def test_a_click_on_a_box_keeps_what_is_typed(visit: Visit) -> None:
    page = settled(visit("/?net=dpn98"))
    editor = page.get_by_label("Spec as YAML")
    expect(editor).to_have_value(re.compile("bottleneck_preact"))
    text = editor.input_value().replace("bottleneck_preact", "bottlneck")
    editor.fill(text)
    expect(page.get_by_role("alert").filter(has_text="no block 'bottlneck'")).to_be_visible()
    settled(page).locator("g.node a", has_text="stages.2").click()
    expect(page.locator("g.node a", has_text="stages.2.19")).to_be_visible()
    assert editor.input_value() == text
    assert parse_qs(urlsplit(page.url).query) == {"net": ["dpn98"], "open": ["stages.2"]}
    page.locator("g.cluster a text", has_text="stages.2").click()
    expect(page.locator("g.node")).to_have_count(7)
    assert editor.input_value() == text


@pytest.mark.parametrize("path", ["/", "/knobs"])
def test_files_are_those_of_what_is_on_the_screen(visit: Visit, path: str, tmp_path: Path) -> None:
    net = load("dpn68").set({"stages.groups": 16})
    page = settled(visit(f"{path}?net=dpn68;stages.groups=16"))
    written = {
        "Spec": net.dump(),
        "Source": source(net),
        "Picture": svg(net),
        "Costs": cost_csv(net),
    }
    for label, content in written.items():
        with page.expect_download() as download:
            page.get_by_role("button", name=f"{label} (.").click()
        download.value.save_as(tmp_path / label)
        assert (tmp_path / label).read_text(encoding="utf-8") == content


def click_a_point(page: Page) -> None:
    """Click a point of a figure as a person does, after looking at it."""
    points = page.locator(".scatterlayer .point")
    expect(points.first).to_be_visible()
    settled(page)
    box = points.last.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 2, y - 2)
    page.mouse.move(x, y, steps=3)
    expect(page.locator(".hoverlayer .hovertext").first).to_be_visible()
    page.mouse.click(x, y)


def test_a_point_of_the_front_is_opened_downloaded_and_built(visit: Visit, home: Path) -> None:
    page = settled(visit("/studies?study=tiny"))
    click_a_point(page)
    heading = page.get_by_role("heading", name=re.compile("Candidate"))
    expect(heading).to_be_visible()
    number = int(heading.inner_text().split()[1].rstrip(":"))
    row = trials(home / "studies" / "runs" / "tiny")[number]
    with page.expect_download() as download:
        settled(page).get_by_role("button", name="Spec (YAML)").click()
    file = home / "got.yaml"
    download.value.save_as(file)
    assert cost(load(file)).params == row.costs["params"]
    built = subprocess.run(
        [sys.executable, "-m", "archgen", "build", str(file)],
        cwd=home, capture_output=True, text=True,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    assert "torch agrees" in built.stdout
    page.get_by_role("button", name="Open in Explore").click()
    expect(page.locator("h1")).to_have_text("small")
    assert shown(settled(page)).net() == load(file)


def test_a_search_is_started_followed_and_stopped(visit: Visit, home: Path) -> None:
    page = settled(visit("/launch"))
    page.get_by_text("A study file of your own").click()
    files = page.locator('input[type="file"]')
    files.first.set_input_files(home / "tiny.yaml")
    expect(page.get_by_text("give the spec too")).to_be_visible()
    files.last.set_input_files(home / "small.yaml")
    name = page.get_by_label("Name", exact=True)
    expect(name).to_have_value("tiny")
    name.fill("live")
    name.press("Enter")
    page.get_by_text("Training", exact=True).click()
    for label, value in [("Trials", "12"), ("Epochs", "300"), ("Workers", "1")]:
        field = settled(page).get_by_label(label, exact=True)
        field.fill(value)
        field.press("Enter")
    settled(page).get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("link", name="Watch it").click()

    expect(page).to_have_url(re.compile("study=live"))
    folder = home / "studies" / "runs" / "live"
    expect(figure(page, "State")).to_have_text("running")
    epoch = page.get_by_text(re.compile(r"epoch \d+ of 300"))
    before = epoch.inner_text()
    expect(epoch).not_to_have_text(before)
    page.close()
    assert held(folder), "it goes on without the page"

    other = settled(visit("/launch"))
    other.get_by_role("button", name="Stop", exact=True).click()
    assert held(folder), "it asks first"
    other.get_by_role("button", name="Stop it now").click()
    expect(other.get_by_text("No search is running")).to_be_visible()
    assert not held(folder)
    assert known_runs(folder)[-1]["ending"] == "interrupted"
    again = settled(visit("/studies?study=live"))
    expect(figure(again, "State")).to_have_text("stopped")


def test_two_people_have_a_screen_each(visit: Visit) -> None:
    one, two = settled(visit("/?net=dpn68")), settled(visit("/?net=parnet_s"))
    go(one, "Turn knobs")
    expect(figure(one, "Parameters")).to_have_text(f"{cost(load('dpn68')).params:,}")
    go(two, "Turn knobs")
    expect(two.locator("h1")).to_have_text("parnet_s")
    go(one, "Explore")
    expect(one.locator("h1")).to_have_text("dpn68")
    third = visit("/")
    expect(third.locator("h1")).to_have_text("dpn131")


@pytest.mark.parametrize(("scheme", "colour"), [("light", "255, 255, 255"), ("dark", "18, 22, 27")])
def test_the_theme_is_found_from_any_folder(visit: Visit, scheme: str, colour: str) -> None:
    page = settled(visit("/", color_scheme=scheme))
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", f"rgb({colour})")


def test_a_file_is_shown_first_even_by_a_deep_link(browser: Browser, home: Path) -> None:
    """The first visit of a server, not to the first page, with the menu that all visits have."""
    with SERVING["serving"](home, "small.yaml") as address:
        page = browser.new_page()
        page.goto(f"{address}/knobs")
        expect(page.locator("h1")).to_have_text("small", timeout=PATIENT)
        expect(page.get_by_role("link", name="Turn knobs", exact=True)).to_be_visible()
        page.close()

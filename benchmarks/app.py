"""How long the explorer lets one wait: the first page, a slider, a study of 10,000 candidates.

    python benchmarks/app.py [--rounds 5] [--candidates 10000]

The first page is timed from the start of the server's process to the figures in Chromium, which
runs already and has nothing in its cache. Server times are those of Streamlit's own test runtime,
which runs a page's script as the server does; beside the wall clock stands the processor's time,
which a busy machine changes less. Nothing else should run on the machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random

from journals import drawn, write, write_journal
from playwright.sync_api import Browser
from serving import browsing, serving
from streamlit.testing.v1 import AppTest

from archgen import files
from archgen.study.record import Record
from archgen.study.storage import RUNS

Times = tuple[float, float]
"""Seconds of the wall clock and of the processor; the latter is nan where it is not ours."""


@dataclass
class Task:
    """Something that a person waits for.

    Args:
        name: What it is.
        goal: Seconds that it may take.
        times: Of each round.
    """

    name: str
    goal: float
    times: list[Times] = field(default_factory=list)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Time a round."""
        wall, processor = time.perf_counter(), time.process_time()
        yield
        self.times.append((time.perf_counter() - wall, time.process_time() - processor))

    def row(self) -> str:
        """Write the medians as a row of a table."""
        wall, processor = (statistics.median(each) for each in zip(*self.times, strict=True))
        spent = "" if processor != processor else f"{processor:.2f} s"
        return f"| {self.name} | {self.goal:g} s | {wall:.2f} s | {spent} |"


def first_page(folder: Path, browser: Browser, tasks: tuple[Task, Task]) -> None:
    """Start a server, and open its first page in a browser that has never seen it."""
    began = time.perf_counter()
    with serving(folder) as address:
        answered = time.perf_counter()
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        page.get_by_test_id("stMetricValue").first.wait_for()
        usable = time.perf_counter()
        page.close()
    tasks[0].times.append((answered - began, float("nan")))
    tasks[1].times.append((usable - began, float("nan")))


def opened(screen: str, **query: str) -> AppTest:
    """A screen at an address, not run yet."""
    app = AppTest.from_file(str(files.library("app") / "main.py"), default_timeout=120)
    app.query_params.update(query)
    return app.switch_page(f"screens/{screen}.py")


def slider(task: Task, rounds: int) -> None:
    """Turn the groups of dpn131, each time to a number that was not there before."""
    app = opened("knobs", net="dpn131").run()
    for groups in range(42, 42 + 2 * rounds, 2):
        knob = app.slider(key="knob stages.groups")
        with task.timed():
            knob.set_value(groups).run()
        assert not app.exception


def study(candidates: int, opening: Task, refresh: Task, rounds: int) -> None:
    """Open a long study in the working directory, then again and again with one candidate more."""
    folder = RUNS / "drawn"
    asked = write_journal(folder, candidates)
    app = opened("studies", study="drawn")
    with opening.timed():
        app.run()
    assert not app.exception
    record = Record(asked, folder)
    for row in islice(drawn(asked, Random(0)), candidates, candidates + rounds):
        write(asked, record, row)
        with refresh.timed():
            app.run()
        assert not app.exception


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--candidates", type=int, default=10_000)
    asked = parser.parse_args()
    answers = Task("the server answers", 2)
    first = Task("first page usable, from the server's start", 2)
    turned = Task("slider of dpn131, server", 0.3)
    opening = Task(f"study of {asked.candidates:,} candidates opens, server", 3)
    refresh = Task("the same after a candidate more, server", 0.5)
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        with browsing() as browser:
            for _ in range(asked.rounds):
                first_page(Path(place), browser, (answers, first))
        slider(turned, asked.rounds)
        study(asked.candidates, opening, refresh, asked.rounds)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print("| what | goal | wall clock, median | processor |\n|---|---|---|---|")
    for task in (answers, first, turned, opening, refresh):
        print(task.row())


if __name__ == "__main__":
    main()

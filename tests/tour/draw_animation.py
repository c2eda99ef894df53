"""`make screenshots`: one run of the site as the moving picture of README.md. Look at its frames before you commit it.

Chromium works on the real stack: it chooses a file, shows the captions as they appear and are translated into Persian,
and plays the result. Only Gemini's server is a double, which takes a second to respond. Long phases are shortened by
keeping some of their frames only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Locator, Page

from tests.browser.people import Site, connected
from tests.engines.fake_llm_server import FakeServer
from tests.jobs.stack import ROOT
from tests.pipeline.clips import run as ffmpeg
from tests.tour.stops import SAMPLE, Stop, in_persian, visitor

PLACE = ROOT / "docs" / "images" / "run.webp"
SIZE = (840, 760)
MOST_BYTES = 2_000_000
PATIENCE = 300.0
"""Seconds to wait for anything, on a machine that is busy with other work."""

ARROW = ((0, 0), (0, 17), (4, 13), (7, 20), (10, 19), (7, 12), (12, 12))
"""The outline of a mouse pointer, in pixels from its tip."""


@dataclass(frozen=True)
class Frame:
    """A screenshot (PNG), where the pointer is on it, and how many seconds it is shown."""

    png: bytes
    pointer: tuple[int, int]
    seconds: float

    def picture(self) -> Image.Image:
        found = Image.open(BytesIO(self.png)).convert("RGB")
        arrow = [(self.pointer[0] + x, self.pointer[1] + y) for x, y in ARROW]
        ImageDraw.Draw(found).polygon(arrow, fill="black", outline="white")
        return found


@dataclass
class Recorder:
    """Takes pictures of a page."""

    page: Page
    frames: list[Frame] = field(default_factory=list)
    pointer: tuple[int, int] = (600, 600)

    def look(self, seconds: float) -> None:
        """Take a picture that is shown for so long."""
        self.frames.append(Frame(self.page.screenshot(), self.pointer, seconds))

    def watch(self, done: Callable[[], bool], *, most: int, seconds: float = 0.3) -> None:
        """Take pictures until `done`; keep at most `most` that differ, evenly, the last among them."""
        before, deadline = len(self.frames), time.monotonic() + PATIENCE
        ended = False
        while not ended:
            assert time.monotonic() < deadline, f"not within {PATIENCE} s"
            ended = done()
            self.look(seconds)
            self.page.wait_for_timeout(60)
        taken = [frame for at, frame in enumerate(self.frames) if at >= before and _differs(self.frames, at)]
        self.frames[before:] = taken[:: -max(1, -(-len(taken) // most))][::-1]

    def point(self, where: Locator) -> None:
        """Move the pointer there, in a few steps."""
        box = where.bounding_box()
        assert box, "it can be seen"
        goal = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        start, steps = self.pointer, 5
        for step in range(1, steps + 1):
            way = [round(a + (b - a) * step / steps) for a, b in zip(start, goal, strict=True)]
            self.pointer = (way[0], way[1])
            self.page.mouse.move(*self.pointer)
            self.look(0.06)

    def scroll(self, where: Locator, top: int) -> None:
        """Bring it to `top` pixels below the upper edge of the window, in a few steps."""
        box = where.bounding_box()
        assert box, "it can be seen"
        steps = 6
        for _ in range(steps):
            self.page.evaluate("by => scrollBy({ top: by, behavior: 'instant' })", (box["y"] - top) / steps)
            self.look(0.06)

    def keep(self, path: Path) -> None:
        first, *others = [frame.picture() for frame in self.frames]
        durations = [round(frame.seconds * 1000) for frame in self.frames]
        first.save(path, save_all=True, append_images=others, duration=durations, loop=0, quality=70, method=4)


def _differs(frames: list[Frame], at: int) -> bool:
    return at == 0 or frames[at].png != frames[at - 1].png


@pytest.mark.timeout(1800)
def test_a_run(site: Site, browser: Browser, gemini: FakeServer, tmp_path: Path) -> None:
    gemini.behave(lambda asked: replace(in_persian(asked), wait=1.0))
    video = tmp_path / "talk.mp4"
    ffmpeg("-stream_loop", "1", "-i", str(SAMPLE / "sample.mp4"), "-c", "copy", str(video))
    with visitor(browser, site, Stop("/", User.objects.create(username="mina")), "en") as page:
        page.set_viewport_size({"width": SIZE[0], "height": SIZE[1]})
        recorder = Recorder(page)
        _choose(recorder, video)
        _watch_captions(recorder)
        _play_result(recorder)
        recorder.keep(PLACE)
    assert PLACE.stat().st_size < MOST_BYTES


def _choose(recorder: Recorder, video: Path) -> None:
    page, button = recorder.page, recorder.page.locator("[data-submit]")
    page.goto("/")
    connected(page)
    recorder.look(1.0)
    recorder.point(page.locator("label:has([data-file])").first)
    page.set_input_files("[data-new-form] [data-file]", video)
    page.select_option("[name=spoken]", "en")
    recorder.look(0.8)
    recorder.scroll(button, 620)
    recorder.point(button)
    page.click("[data-submit]")
    recorder.watch(lambda: "/jobs/" in page.url, most=3)


def _watch_captions(recorder: Recorder) -> None:
    page, rows = recorder.page, recorder.page.locator(".cue")
    recorder.watch(lambda: page.locator("video").count() > 0 and rows.count() > 0, most=6)
    recorder.scroll(page.locator("#captions"), 330)
    translated = page.locator(".cue p:nth-of-type(2):not(:empty)")
    recorder.watch(lambda: translated.count() == rows.count() and _is(page, "transcribe", "done"), most=20, seconds=0.7)
    recorder.look(1.0)
    recorder.scroll(page.locator("h1"), 90)
    recorder.watch(lambda: page.locator(".downloads").count() > 0, most=6)


def _is(page: Page, stage: str, state: str) -> bool:
    return page.locator(f"[data-stage={stage}][data-state={state}]").count() > 0


def _play_result(recorder: Recorder) -> None:
    page = recorder.page
    recorder.look(0.8)
    recorder.scroll(page.locator(".player"), 60)
    recorder.point(page.locator("media-play-button"))
    page.eval_on_selector("video", "video => { video.muted = true; video.currentTime = 3.6; return video.play(); }")
    recorder.watch(lambda: bool(page.eval_on_selector("video", "video => video.currentTime > 11")), most=12)
    page.eval_on_selector("video", "video => video.pause()")
    recorder.scroll(page.locator(".downloads"), 120)
    recorder.look(2.5)

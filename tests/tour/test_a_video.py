"""Acceptance test with a double for Google's server only: a person signs in, uploads a video, reads the live captions,
watches the result, downloads and deletes it.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect

from jobs.models import Job
from jobs.pipeline.media.probe import probe
from jobs.pipeline.subtitles.reader import read_subtitles
from tests.browser.people import Site, window
from tests.engines.fake_llm_server import Asked, FakeServer, Said, saying
from tests.jobs.stack import ROOT
from tests.pipeline.clips import gray_frame
from tests.waiting import LONG, until

SAMPLE = ROOT / "static" / "sample" / "sample.mp4"
PASSWORD = "a-long-walk-home"
SAID = "این جملهٔ {number} است."


def said(number: int | str) -> str:
    return SAID.format(number=str(number).translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")))


def in_persian(asked: Asked) -> Said:
    return saying({number: said(number) for number in asked.lines})


def test_from_the_upload_to_the_end(site: Site, browser: Browser, gemini: FakeServer, tmp_path: Path) -> None:
    """On a site that is empty still: the first test of this folder."""
    gemini.behave(in_persian)
    User.objects.create_user("shirin", password=PASSWORD)
    page = window(browser, base_url=site.address, locale="fa", accept_downloads=True).new_page()
    sign_in(page)
    upload(page)
    expect(page.locator("[data-captions]")).to_contain_text("این جملهٔ", timeout=1000 * LONG)
    expect(page.locator("[data-no-cues]")).to_be_hidden()
    page.evaluate("document.querySelector('video').currentTime = 7")
    expect(page.locator("main")).to_have_attribute("data-status", "completed", timeout=1000 * LONG)
    expect(page.locator("video")).to_have_attribute("src", re.compile("/video$"))
    expect(page.locator("video")).to_have_js_property("currentTime", 7)
    plays(page)
    job = Job.objects.get()
    assert job.engines == {"transcribe": "pocketsphinx", "translate": "gemini"}
    is_burned(download(page, "a[href$='download=1']", tmp_path))
    cues = read_subtitles(download(page, "a[href$='/target.srt']", tmp_path)).cues
    assert [cue.source for cue in cues] == [said(number) for number in range(1, len(cues) + 1)]
    assert len(cues) >= 8
    page.click("#delete summary")
    page.click("#delete button")
    page.wait_for_url("**/jobs/")
    assert not Job.objects.exists()
    until(lambda: [path.name for path in site.stack.media.rglob("*") if path.is_file()] == ["installation.id"])
    assert set(site.stack.group_leaders()) <= set(site.stack.warm())
    page.context.close()


def sign_in(page: Page) -> None:
    page.goto("/")
    page.fill("[name=username]", "shirin")
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url("**/")
    expect(page.locator("[data-new-form]")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")


def upload(page: Page) -> None:
    page.set_input_files("[data-file]", SAMPLE)
    page.select_option("[name=spoken]", "en")
    page.select_option("[name=to]", "fa")
    page.click("[data-submit]")
    page.wait_for_url("**/jobs/*/")


def plays(page: Page) -> None:
    """The result, from a place in the middle on."""
    video = page.locator("video")
    expect(video).to_have_js_property("readyState", 4)
    moved = page.evaluate(
        """async () => {
            const video = document.querySelector("video");
            video.muted = true;
            video.currentTime = 10;
            await video.play();
            await new Promise((done) => { video.ontimeupdate = () => video.currentTime > 10.2 && done(); });
            return video.currentTime;
        }"""
    )
    assert moved > 10


def download(page: Page, link: str, directory: Path) -> Path:
    with page.expect_download() as began:
        page.click(link)
    path = directory / began.value.suggested_filename
    began.value.save_as(path)
    return path


def is_burned(result: Path) -> None:
    """Assert that there is text in the place of subtitles only."""
    assert result.name == "sample.fa.mp4"
    assert abs(probe(result).duration - probe(SAMPLE).duration) < 0.2
    cue = read_subtitles(SAMPLE.with_suffix(".en.srt")).cues[0]
    at = (cue.start + cue.end) / 2
    before, after = picture(SAMPLE, at), picture(result, at)
    changed = np.abs(before - after) > 60
    height = len(changed)
    assert changed[height * 3 // 4 :].mean() > 0.01
    assert changed[: height // 2].mean() < 0.001


def picture(video: Path, at: float) -> np.ndarray:
    """Grey, 320 points wide."""
    return np.frombuffer(gray_frame(video, at, (320, 180)), np.uint8).reshape(180, 320).astype(np.int16)

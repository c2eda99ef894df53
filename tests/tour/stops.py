"""All pages of the site in their relevant states, for axe-core and the screenshots.

The site is the real stack, except for Gemini's server: a double that knows the sample's sentences in Persian.
"""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import product
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.test import Client
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from playwright.sync_api import Browser, BrowserContext, Page

from jobs import briefs, lifecycle
from jobs.glossaries import as_stored
from jobs.intake import submit
from jobs.intake.options import JobOptions
from jobs.models import Cue, Glossary, Job, JobStatus, Reason, StageRun, StageStatus, TranslationCache
from jobs.pipeline.protocols import Document
from jobs.pipeline.stage import Stage
from jobs.pipeline.subtitles.reader import read_subtitles
from jobs.pipeline.text.glossary import Entry
from jobs.web.uploads import storage as received
from tests.browser.people import Site, connected, window
from tests.engines.fake_llm_server import KEY, Asked, Said, saying
from tests.jobs import stack as real
from tests.pipeline.clips import run as ffmpeg
from tests.waiting import LONG, until

SAMPLE = real.ROOT / "static" / "sample"
WIDTHS = {"wide": (1280, 800), "phone": (360, 740)}
THEMES = ("light", "dark")
LANGUAGES = ("fa", "en")
VIEWS = list(product(WIDTHS, THEMES))
ENGINES = {"TRANSCRIBER": "pocketsphinx", "TRANSLATOR": "gemini", "GEMINI_API_KEY": KEY, "GEMINI_BATCH_LINES": "4"}
BIRDS = (
    Entry(term="goose", translation="غاز", note="the bird"),
    Entry(term="flyway", translation="مسیر پرواز"),
    Entry(term="GPS", translation="GPS"),
)
GEESE = Document(
    topic="گفت‌وگویی کوتاه دربارهٔ کتابی تازه، بچه‌های پارک و غازها",
    register="راوی با لحنی ساده و صمیمی حرف می‌زند",
    names=(("Ada Lovelace", "ایدا لاولیس"), ("Zirnevis", "Zirnevis")),
    terms=(("flyway", "مسیر پرواز"), ("GPS", "GPS")),
)
ORDER = JobOptions(target="fa", spoken="en", transcriber="pocketsphinx", translator="gemini")
SETTINGS = {**ENGINES, "SIGN_UP": "1", "EMAIL_HOST": "127.0.0.1"}


@dataclass(frozen=True)
class Stop:
    """A page, the user who opens it (none: an anonymous visitor), and their actions before it is examined."""

    path: str
    user: User | None = None
    act: Callable[[Page], object] = lambda page: None


def furnish(site: Site) -> dict[str, Stop]:
    """Three people, jobs of one of them in all states, and the stops by their names."""
    sara, newcomer, forgetful = (User.objects.create(username=name) for name in ("sara", "omid", "mina"))
    TranslationCache.objects.all().delete()  # an earlier test had other translations of the sample
    with able():
        jobs = {name: make(site, sara) for name, make in JOBS.items()}
    for name, state in ENDS.items():
        assert real.ended(jobs[name]).status == state, real.story(jobs[name])
    words = Glossary.objects.create(owner=sara, name="پرندگان", entries=as_stored(BIRDS))
    assert briefs.save(jobs["result"].pk, GEESE, after=0)
    uid, token = urlsafe_base64_encode(force_bytes(forgetful.pk)), default_token_generator.make_token(forgetful)
    pages = {name: Stop(f"/jobs/{job.pk}/", sara) for name, job in jobs.items()}
    return {
        "new": Stop("/", sara),
        "new-options": Stop("/", sara, lambda page: page.click(".more summary")),
        "new-asked": Stop("/", sara, lambda page: page.evaluate("document.querySelector('[data-ask]').showModal()")),
        "new-refused": Stop("/", sara, lambda page: page.click("[data-submit]")),
        **pages,
        **{name: replace(pages[name], act=_look_inside) for name in ("result", "result-soft", "progress")},
        "failed": replace(pages["failed"], act=lambda page: page.click("[role=alert] summary")),
        "result-menu": replace(pages["result"], act=_open_menus),
        "result-tracks": replace(pages["result-tracks"], act=lambda page: page.click(".more summary")),
        "result-words": replace(pages["result-words"], act=lambda page: page.click(".more summary")),
        "upload-other": replace(pages["upload"], act=_choose_another_file),
        "result-brief": replace(pages["result"], act=lambda page: page.click("[data-part-of=brief] summary")),
        "brief": Stop(f"/jobs/{jobs['result'].pk}/brief", sara),
        "glossaries": Stop("/glossaries/", sara),
        "glossary": Stop(f"/glossaries/{words.pk}/", sara),
        "glossary-refused": Stop("/glossaries/", newcomer, _save_a_bad_glossary),
        "jobs": Stop("/jobs/", sara),
        "jobs-menu": Stop("/jobs/", sara, lambda page: page.click(".jobs li:nth-child(2) summary")),
        "jobs-empty": Stop("/jobs/", newcomer),
        "jobs-not-found": Stop("/jobs/?q=whale", sara),
        "password": Stop("/account/password/", newcomer),
        "password-changed": Stop("/account/password/done/", newcomer),
        "missing": Stop("/nowhere/", sara),
        "sign-in": Stop("/sign-in/"),
        "sign-in-refused": Stop("/sign-in/", act=_sign_in_wrongly),
        "sign-up": Stop("/sign-up/"),
        "reset": Stop("/account/reset/"),
        "reset-sent": Stop("/account/reset/sent/"),
        "reset-choose": Stop(f"/account/reset/{uid}/{token}/"),
        "reset-too-old": Stop(f"/account/reset/{uid}/old-token/"),
    }


def _look_inside(page: Page) -> None:
    """Seek to a moment at which a subtitle is shown."""
    seek = "video => new Promise(done => { video.onseeked = done; video.currentTime = 6; })"
    page.eval_on_selector("video", seek)


def _choose_another_file(page: Page) -> None:
    page.set_input_files("[data-upload] [data-file]", SAMPLE / "sample.mp4")
    page.wait_for_selector("[data-other-file]", state="visible")


def _open_menus(page: Page) -> None:
    page.click("#delete summary")
    page.click("header .menu summary")


def _save_a_bad_glossary(page: Page) -> None:
    page.fill("[name=name]", "Birds")
    page.fill("[name=lines]", "goose")
    page.click("main .primary")


def _sign_in_wrongly(page: Page) -> None:
    page.fill("[name=username]", "sara")
    page.fill("[name=password]", "wrong")
    page.click("main button")


# Jobs


def _result(site: Site, owner: User) -> Job:
    return _sample(site, owner, "sample.mp4", ORDER)


def _brought(site: Site, owner: User) -> Job:
    """A job with a Persian name and a subtitle track instead of burned-in subtitles."""
    order = JobOptions(target="fa", brought=True, mode="soft")
    return _sample(site, owner, "سفر به کویر.mp4", order, SAMPLE / "sample.fa.srt")


def _failed(site: Site, owner: User) -> Job:
    data = b"This is no video."
    job = submit.accept_upload(owner, "minutes.mp4", len(data), ORDER, keep_running=True)
    received.append(job, 0, io.BytesIO(data), max_bytes=len(data), actor=owner.username)
    return job


def _paused(site: Site, owner: User) -> Job:
    """A job whose cap is too low for its translation."""
    order = replace(ORDER, spoken="en", brought=True)
    clip = site.stack.directory / "tower.mp4"
    clip.symlink_to(SAMPLE / "sample.mp4")
    job = submit.accept_file(owner, clip, order, subtitles=SAMPLE / "sample.en.srt", keep_running=True, max_tokens=900)
    until(lambda: Job.objects.get(pk=job.pk).status == JobStatus.PAUSED, LONG, what=lambda: real.story(job))
    return job


def _cancelled(site: Site, owner: User) -> Job:
    job = submit.accept_link(owner, "https://example.org/geese", ORDER, title="geese")
    lifecycle.cancel(job.pk, actor=lifecycle.PRESENCE, reason=Reason.PAGES_CLOSED)
    return job


def _gone(site: Site, owner: User) -> Job:
    """A cancelled job whose own subtitle file has to be sent again."""
    order = JobOptions(target="fa", brought=True)
    job = submit.accept_link(owner, "https://example.org/desert", order, subtitles=site.persian, title="سفر به کویر")
    lifecycle.cancel(job.pk, actor=owner.username)
    return job


def _tracks(site: Site, owner: User) -> Job:
    """A short upload with a commentary beside the speech."""
    path = site.stack.directory / "film.mkv"
    maps = ("-map", "0:v", "-map", "0:a", "-map", "0:a", "-c", "copy")
    tags = ("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=eng", "-metadata:s:a:1", "title=Commentary")
    ffmpeg("-t", "9", "-i", str(SAMPLE / "sample.mp4"), *maps, *tags, str(path))
    data = path.read_bytes()
    job = submit.accept_upload(owner, path.name, len(data), replace(ORDER, mode="none"), keep_running=True)
    received.append(job, 0, io.BytesIO(data), max_bytes=len(data), actor=owner.username)
    return job


def _words(site: Site, owner: User) -> Job:
    """A short upload with subtitles in the language that is spoken, and in two others."""
    path, inputs = site.stack.directory / "documentary.mkv", ["-i", str(SAMPLE / "sample.mp4")]
    maps = ["-map", "0"]
    for number, (code, tag) in enumerate((("en", "eng"), ("fa", "per"), ("en", "ger")), start=1):
        inputs += ["-i", str(SAMPLE / f"sample.{code}.srt")]
        maps += ["-map", str(number), f"-metadata:s:s:{number - 1}", f"language={tag}"]
    ffmpeg(*inputs, *maps, "-c", "copy", "-disposition:s:2", "hearing_impaired", str(path))
    data = path.read_bytes()
    job = submit.accept_upload(owner, path.name, len(data), replace(ORDER, mode="none"), keep_running=True)
    received.append(job, 0, io.BytesIO(data), max_bytes=len(data), actor=owner.username)
    return job


def _upload(site: Site, owner: User) -> Job:
    return submit.accept_upload(owner, "lecture.mkv", 734_003_200, ORDER, keep_running=True)


def _progress(site: Site, owner: User) -> Job:
    """A job with five minutes of speech, stopped in the middle, so that it does not end. It has the only worker for
    speech for good, so those before it come first.
    """
    until(lambda: not _to_be_heard(), LONG, what=_to_be_heard)
    path = site.stack.directory / "talk.mp4"
    ffmpeg("-stream_loop", "8", "-i", str(SAMPLE / "sample.mp4"), "-c", "copy", str(path))
    job = submit.accept_file(owner, path, ORDER, keep_running=True)
    until(lambda: Cue.objects.filter(job=job).exclude(target="").count() >= 5, LONG, what=lambda: real.story(job))
    signal_all(job, signal.SIGSTOP)
    return job


def _to_be_heard() -> list[StageRun]:
    going = StageRun.objects.filter(job__status__in=(JobStatus.QUEUED, JobStatus.RUNNING), stage=Stage.TRANSCRIBE)
    return list(going.filter(status__in=(StageStatus.WAITING, StageStatus.READY, StageStatus.RUNNING)))


def signal_all(job: Job, number: signal.Signals) -> None:
    for run in StageRun.objects.filter(job=job, group__isnull=False):
        os.killpg(run.group or 0, number)


def _queued(site: Site, owner: User) -> Job:
    """Behind the one that was stopped, which has the only worker for speech."""
    return _sample(site, owner, "interview.mp4", ORDER)


JOBS: dict[str, Callable[[Site, User], Job]] = {
    "failed": _failed,
    "paused": _paused,
    "cancelled": _cancelled,
    "cancelled-brought": _gone,
    "result": _result,
    "result-soft": _brought,
    "result-tracks": _tracks,
    "result-words": _words,
    "upload": _upload,
    "progress": _progress,
    "queued": _queued,
}
"""Makes each of the jobs. They run at the same time."""

ENDS = {
    "failed": JobStatus.FAILED,
    "cancelled": JobStatus.CANCELLED,
    "cancelled-brought": JobStatus.CANCELLED,
    "result": JobStatus.COMPLETED,
    "result-soft": JobStatus.COMPLETED,
    "result-tracks": JobStatus.COMPLETED,
    "result-words": JobStatus.COMPLETED,
}
"""Final states of the jobs that end by themselves."""


def _sample(site: Site, owner: User, name: str, order: JobOptions, subtitles: Path | None = None) -> Job:
    """The bundled clip under another name."""
    clip = site.stack.directory / name
    clip.symlink_to(SAMPLE / "sample.mp4")
    return submit.accept_file(owner, clip, order, subtitles=subtitles, keep_running=True)


@contextmanager
def able() -> Iterator[None]:
    """This process, too, knows that the engines are ready."""
    usual = settings.ENGINE_OPTIONS
    settings.ENGINE_OPTIONS = {**usual, "gemini": replace(usual["gemini"], api_key=KEY)}
    yield
    settings.ENGINE_OPTIONS = usual


# The Gemini server


def in_persian(asked: Asked) -> Said:
    """The sample's sentences as a person translated them, however they were heard."""
    return saying({number: _translated(text) for number, text in asked.lines.items()})


def _translated(text: str) -> str:
    english, persian = (read_subtitles(SAMPLE / f"sample.{code}.srt").cues for code in ("en", "fa"))
    known = {cue.source.lower(): said.source for cue, said in zip(english, persian, strict=True)}
    return known[get_close_matches(text.lower(), known, 1, 0)[0]]


# Visitors


class Visitors:
    """People at their browsers, each with a window in each language, which keeps what it has loaded."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self._browser, self._site = browser, site
        self._windows: dict[tuple[User | None, str], BrowserContext] = {}

    @contextmanager
    def visitor(self, stop: Stop, language: str) -> Iterator[Page]:
        """A new tab for this stop in a browser of this language; signed in where there is a user."""
        who = (stop.user, language)
        if who not in self._windows:
            self._windows[who] = self._window(stop.user, language)
        page = self._windows[who].new_page()
        yield page
        page.close()

    def close(self) -> None:
        """Close all windows."""
        for one in self._windows.values():
            one.close()

    def _window(self, user: User | None, language: str) -> BrowserContext:
        context = window(self._browser, locale=language, base_url=self._site.address, reduced_motion="reduce")
        if user:
            client = Client()
            client.force_login(user)
            value = client.cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": value, "domain": "127.0.0.1", "path": "/"}])
        return context


@contextmanager
def visitor(browser: Browser, site: Site, stop: Stop, language: str) -> Iterator[Page]:
    """The page of this stop in a new browser window of this language; signed in where there is a user."""
    visitors = Visitors(browser, site)
    with visitors.visitor(stop, language) as page:
        yield page
    visitors.close()


def go(page: Page, stop: Stop) -> None:
    page.goto(stop.path)
    if stop.user:
        connected(page)
    stop.act(page)
    page.mouse.move(2, 2)


def view(page: Page, width: str, theme: str) -> None:
    across, down = WIDTHS[width]
    page.set_viewport_size({"width": across, "height": down})
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")

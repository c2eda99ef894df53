"""A site, shared by the tests of the tour, and jobs of all kinds on it for those that ask for `stops`."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from django.test import override_settings
from playwright.sync_api import Browser
from pytest_django import DjangoDbBlocker

from jobs.models import Job, JobStatus
from tests.browser.people import Site, chromium, served
from tests.databases import Databases
from tests.engines.fake_llm_server import FakeServer
from tests.pipeline.clips import Clips
from tests.tour.stops import SETTINGS, Stop, furnish, in_persian, signal_all


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="package")
def gemini() -> Iterator[FakeServer]:
    with FakeServer(tokens=(412, 168)) as server:
        yield server


@pytest.fixture(scope="package")
def site(
    browser: Browser,
    gemini: FakeServer,
    databases: Databases,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Site]:
    """After the browser, whose loop has connections of its own."""
    directory = tmp_path_factory.mktemp("tour")
    with (
        django_db_blocker.unblock(),
        served(databases, directory, Clips(directory), **SETTINGS, GEMINI_ENDPOINT=gemini.url) as found,
        override_settings(MEDIA_ROOT=found.stack.media),
    ):
        yield found


@pytest.fixture(scope="package")
def stops(site: Site, gemini: FakeServer) -> Iterator[dict[str, Stop]]:
    gemini.behave(in_persian)
    yield furnish(site)
    for job in Job.objects.filter(status=JobStatus.RUNNING):
        signal_all(job, signal.SIGCONT)  # or they would not hear that the stack ends

"""A real browser before the whole real stack: supervisord, daphne, three clusters, the reaper. Leases are short."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, sync_playwright
from pytest_django import DjangoDbBlocker

from tests.browser.network import Network
from tests.browser.people import CHROMIUM, GRACE, HIDDEN, LEASE, ORDINARY, Person, Site
from tests.databases import Databases, on_database
from tests.jobs import stack as real
from tests.jobs.stack import ROOT, Stack
from tests.pipeline.clips import Clips


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return Clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="package")
def site(
    clips: Clips, databases: Databases, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[Site]:
    """On SQLite; what differs on PostgreSQL is tested without a browser."""
    directory = tmp_path_factory.mktemp("site")
    with ExitStack() as context:
        context.enter_context(pytest.MonkeyPatch.context()).setenv(
            "DJANGO_ALLOW_ASYNC_UNSAFE", "1"
        )  # Playwright's loop
        context.enter_context(django_db_blocker.unblock())
        url = context.enter_context(databases.fresh("sqlite", directory))
        context.enter_context(on_database(url))
        graces = {"PAGE_LEASE": str(LEASE), "TAB_CLOSE_GRACE": str(GRACE), "HIDDEN_GRACE": str(HIDDEN)}
        stack = Stack(url, directory, {**graces, "STATIC_ROOT": str(directory / "static")})
        collect = [str(real.BIN / "python"), "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
        subprocess.run(collect, cwd=ROOT, env=stack.environment, check=True)
        context.enter_context(stack.running())
        yield Site(stack, clips, *real.subtitles(directory))


@pytest.fixture(autouse=True)
def media_root(site: Site, settings: Any) -> Iterator[Path]:
    """Here the jobs of the stack live. Connections are the stack's again: Playwright's loop has some of its own."""
    settings.MEDIA_ROOT = site.stack.media
    settings.PAGE_LEASE, settings.TAB_CLOSE_GRACE = LEASE, GRACE
    with on_database(site.stack.url):
        yield site.stack.media


@pytest.fixture(scope="package")
def browser(site: Site) -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip("there is no Chromium: make .venv/system-test")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(**ORDINARY)
        yield found
        found.close()


@pytest.fixture
def shirin(site: Site, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Person]:
    """A person of this test alone; no job of theirs is left running."""
    user = User.objects.create(username=f"shirin-{os.urandom(4).hex()}")
    person = Person(user, site, browser.new_context())
    yield person
    person.go_away()


@pytest.fixture
def network(site: Site) -> Iterator[Network]:
    found = Network(site.stack.port)
    yield found
    found.end()


@pytest.fixture
def far(shirin: Person, network: Network) -> Person:
    """Shirin, behind a network that can be cut."""
    shirin.address = f"http://127.0.0.1:{network.port}"
    return shirin

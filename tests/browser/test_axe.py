"""No page breaks a rule of accessibility that a machine can find (axe-core, WCAG 2.2 AA), or asks another host."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser

from tests.browser.people import Site
from tests.browser.tour import LOOKS, WIDTHS, furnish, visitor
from tests.conftest import DATA

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(400), pytest.mark.soak]

AXE = (DATA / "axe" / "axe-4.14.1.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def test_every_page(site: Site, browser: Browser) -> None:
    user = User.objects.create(username="parisa", is_staff=True)
    asked: list[str] = []
    for name, path in furnish(site, user).items():
        for (language, theme), width in ((look, width) for look in LOOKS for width in WIDTHS):
            signed_in = None if name == "sign-in" else user
            with visitor(browser, site, signed_in, language=language, theme=theme, width=width) as page:
                page.on("request", lambda request: asked.append(request.url))
                page.goto(path)
                page.evaluate("document.querySelectorAll('details').forEach(each => (each.open = true))")
                where = f"{name} {language} {theme} {width}"
                assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width][0], f"{where} is too wide"
                page.evaluate(AXE)
                found: dict[str, Any] = page.evaluate("rules => axe.run({runOnly: rules})", RULES)
                assert not told(found["violations"]), where
    hosts = {urlsplit(address).hostname for address in asked if not address.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}


def told(violations: list[dict[str, Any]]) -> list[str]:
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary']}" for one in violations for node in one["nodes"]
    ]

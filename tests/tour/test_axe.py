"""Tests of all pages: no violation of WCAG 2.2 AA that axe-core finds, no request to another host, nothing that the
content security policy of the page blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.people import Site
from tests.conftest import DATA
from tests.tour.stops import LANGUAGES, VIEWS, WIDTHS, Stop, Visitors, go, view

AXE = (DATA / "axe" / "axe-4.14.1.min.js").read_text("utf-8")
POLICY = "Content Security Policy"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


LOOKS = list(product(LANGUAGES, VIEWS))
"""Languages, widths and themes."""


def once(number: int) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each stop in one of the looks, and its neighbours in others, so that every look is seen on several pages."""
    language, seen = LOOKS[number % len(LOOKS)]
    return [(language, [seen])]


def every(_: int) -> list[tuple[str, list[tuple[str, str]]]]:
    return [(language, VIEWS) for language in LANGUAGES]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("looks", [once, pytest.param(every, marks=pytest.mark.soak)])
def test_every_page(
    site: Site,
    browser: Browser,
    stops: dict[str, Stop],
    looks: Callable[[int], list[tuple[str, list[tuple[str, str]]]]],
) -> None:
    asked: list[str] = []
    wrong: list[str] = []
    forbidden: list[str] = []
    visitors = Visitors(browser, site)
    for number, (name, stop) in enumerate(stops.items()):
        for language, views in looks(number):
            with visitors.visitor(stop, language) as page:
                page.on("request", lambda request: asked.append(request.url))
                page.on("console", lambda said: forbidden.append(said.text) if POLICY in said.text else None)
                go(page, stop)
                page.evaluate(AXE)
                for width, theme in views:
                    view(page, width, theme)
                    wrong += [f"{name} {language} {width} {theme}: {each}" for each in found(page, width)]
    visitors.close()
    assert not wrong, "\n".join(wrong)
    assert not forbidden, "\n".join(forbidden)
    hosts = {urlsplit(address).hostname for address in asked if not address.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}


def found(page: Page, width: str) -> list[str]:
    across = page.evaluate("document.documentElement.scrollWidth")
    wide = [f"{across} px are too wide"] if across > WIDTHS[width][0] else []
    violations: list[dict[str, Any]] = page.evaluate("rules => axe.run({runOnly: rules})", RULES)["violations"]
    return wide + [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary']}" for one in violations for node in one["nodes"]
    ]

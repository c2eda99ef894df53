"""`make screenshots`: every page into docs/screenshots. Look at each before you commit it."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from tests.browser.people import Site
from tests.jobs.stack import ROOT
from tests.tour.stops import LANGUAGES, VIEWS, Stop, go, view, visitor

SEEN = ".cue { content-visibility: visible !important; }"
PLACELESS = """here => document.querySelectorAll("pre").forEach(each => {
  each.textContent = each.textContent.replaceAll(here, "");
})"""
PLACE = ROOT / "docs" / "screenshots"


@pytest.mark.timeout(900)
def test_every_page(site: Site, browser: Browser, stops: dict[str, Stop]) -> None:
    PLACE.mkdir(exist_ok=True)
    for name, stop in stops.items():
        for language in LANGUAGES:
            with visitor(browser, site, stop, language) as page:
                go(page, stop)
                page.evaluate(PLACELESS, str(site.stack.directory))
                page.wait_for_timeout(700)  # fonts, the poster, what the socket says
                for width, theme in VIEWS:
                    view(page, width, theme)
                    whole = not page.query_selector("dialog[open]")  # it stands before the window alone
                    keep(
                        page.screenshot(full_page=whole, style=SEEN), PLACE / f"{name}-{language}-{width}-{theme}.webp"
                    )


def keep(picture: bytes, path: Path) -> None:
    Image.open(BytesIO(picture)).save(path, quality=75, method=6)

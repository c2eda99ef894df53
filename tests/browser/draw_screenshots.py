"""`make screenshots`: every page into docs/screenshots. Look at each before you commit it."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from PIL import Image
from playwright.sync_api import Browser

from tests.browser.people import Site
from tests.browser.tour import LOOKS, WIDTHS, furnish, visitor
from tests.jobs.stack import ROOT

PLACE = ROOT / "docs" / "screenshots"


@pytest.mark.timeout(600)
def test_every_page(site: Site, browser: Browser) -> None:
    user = User.objects.create(username="sara")
    pages = furnish(site, user)
    PLACE.mkdir(exist_ok=True)
    for (language, theme), width in ((look, width) for look in LOOKS for width in WIDTHS):
        for name, path in pages.items():
            signed_in = None if name == "sign-in" else user
            with visitor(browser, site, signed_in, language=language, theme=theme, width=width) as page:
                page.goto(path)
                page.wait_for_timeout(700)  # the socket's first word, fonts, the poster
                keep(page.screenshot(), PLACE / f"{name}-{language}-{width}-{theme}.webp")


def keep(picture: bytes, path: Path) -> None:
    Image.open(BytesIO(picture)).save(path, quality=80, method=6)

"""Every page can be used without a mouse: Tab goes through it in the order of reading, and focus is always seen."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.people import Site
from tests.tour.stops import LANGUAGES, Stop, go, view, visitor

pytestmark = [pytest.mark.timeout(900), pytest.mark.soak]

FOCUSED = """() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const shown = element.matches(".hidden") ? element.closest(".button") : element;
  const place = shown.getBoundingClientRect(), style = getComputedStyle(shown);
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  return {
    name: element.name || element.className || element.localName,
    follows: !window.last || Boolean(last.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING),
    seen: (ring || style.boxShadow !== "none" || element.shadowRoot?.activeElement != null)
      && place.width > 0 && place.bottom > 0 && place.top < innerHeight,
    last: void (window.last = element),
  };
}"""
MOVES = """() => [...document.querySelectorAll("*")].filter(element => {
  const style = getComputedStyle(element);
  return parseFloat(style.transitionDuration) > 0 || style.animationName !== "none";
}).length"""
REACHED = {
    "new": ["skip", "logo", "language", "link", "source", "spoken", "to", "keep_running", "primary"],
    "progress": ["skip", "danger", "keep_running", "media-play-button", "media-time-range", "rows"],
    "jobs": ["skip", "button primary", "q"],
}


@pytest.mark.parametrize("name", REACHED)
def test_by_keyboard_alone(site: Site, browser: Browser, stops: dict[str, Stop], name: str) -> None:
    for language in LANGUAGES:
        with visitor(browser, site, stops[name], language) as page:
            view(page, "wide", "light")
            go(page, stops[name])
            met = walked(page)
            assert [one for one in met if not one["follows"]] == []
            assert [one for one in met if not one["seen"]] == []
            names = [one["name"] for one in met]
            assert [wanted for wanted in REACHED[name] if wanted not in names] == []


def walked(page: Page) -> list[dict[str, Any]]:
    """All that Tab comes to, from the beginning of the page to its end."""
    page.evaluate("document.activeElement.blur()")
    met: list[dict[str, Any]] = []
    for _ in range(120):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUSED)
        if found is None:
            return met
        met.append(found)
    pytest.fail(f"Tab never leaves the page: {met}")


def test_nothing_moves_for_those_who_do_not_want_it(site: Site, browser: Browser, stops: dict[str, Stop]) -> None:
    with visitor(browser, site, stops["progress"], "en") as page:
        go(page, stops["progress"])
        assert page.evaluate(MOVES) == 0
        page.emulate_media(reduced_motion="no-preference")
        assert page.evaluate(MOVES) > 0

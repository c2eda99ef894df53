"""Tests that an open page fetches and receives changes only."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, WebSocket, expect

from jobs import lifecycle
from jobs.models import Job
from tests.browser.people import Person, connected, live


class Watched:
    """A page whose messages and whose requests to its own site are recorded."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.messages: list[dict[str, Any]] = []
        self.asked: list[str] = []
        page.on("websocket", self._listen)
        page.on("request", lambda request: self.asked.append(urlsplit(request.url).path))

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: self.messages.append(json.loads(frame)))

    def hellos(self) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == "hello"]


def watched(person: Person, job: Job) -> Watched:
    found = Watched(person.context.new_page())
    found.page.goto(f"{person.address}/jobs/{job.pk}/")
    connected(found.page)
    return found


def test_captions_that_are_in_the_page_are_not_sent(shirin: Person) -> None:
    """Nor, when the connection is lost, those that it was sent."""
    job = shirin.upload()
    count = job.cues.count()
    found = watched(shirin, job)
    assert count
    expect(found.page.locator("[data-captions] .cue")).to_have_count(count)
    live(found.page, f"state.cues.size === {count}")
    found.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    found.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    connected(found.page)
    assert [(hello["cues"], hello["all"]) for hello in found.hellos()] == [([], False)] * 2
    expect(found.page.locator("[data-captions] .cue")).to_have_count(count)


def test_parts_are_fetched_when_the_state_changes(shirin: Person) -> None:
    """Without the rest of the page. Captions of a cancelled job are deleted, in the page, too."""
    job = shirin.upload()
    found = watched(shirin, job)
    expect(found.page.locator("[data-upload]")).to_be_visible()
    found.asked.clear()
    lifecycle.cancel(job.pk, actor="test")
    expect(found.page.locator("[data-part-of=state]")).to_contain_text("test")
    expect(found.page.locator("[data-upload]")).to_have_count(0)
    expect(found.page.locator("[data-captions] .cue")).to_have_count(0)
    expect(found.page.locator("[data-follow]")).to_have_count(0)  # nothing comes any more
    documents = [path for path in found.asked if path.startswith("/jobs/")]
    assert set(documents) == {f"/jobs/{job.pk}/parts"}

"""The socket of a page: who may have one, and what its beginning and its end mean for the owner's presence."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from jobs import lifecycle, presence
from jobs.models import Job, JobStatus, PageLease, Transition
from jobs.web.live.consumer import CLOSED, INVALID_MESSAGE, MAX_MESSAGE_BYTES, REFUSED, WITHIN
from jobs.web.routing import socket_path
from tests.waiting import until
from tests.web.sockets import Refused, Socket, Sockets, cookies, job

LEASE, GRACE, HIDDEN = 1800, 100, 9000
"""Ten times as long as usual: no clock of a test comes near the next one."""

OFTEN = 0.2
"""Seconds between two renewals, for tests that wait for them."""


@pytest.fixture(autouse=True)
def graces(settings: Any) -> Any:
    settings.PAGE_LEASE, settings.TAB_CLOSE_GRACE, settings.HIDDEN_GRACE = LEASE, GRACE, HIDDEN
    return settings


def lease(socket: Socket) -> PageLease:
    return PageLease.objects.get(pk=socket.page_id)


def left(socket: Socket) -> float:
    """Seconds until its lease is over."""
    return (lease(socket).expires - timezone.now()).total_seconds()


def renewed(socket: Socket) -> bool:
    """Whether its lease is one of a page that is open and in sight."""
    return LEASE / 2 < left(socket) <= LEASE


def hidden(socket: Socket) -> bool:
    return HIDDEN / 2 < left(socket) <= HIDDEN


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.web.live.broadcaster._RENEW_INTERVAL", OFTEN)


def nearly_over(page_id: uuid.UUID, seconds: float = GRACE / 10) -> None:
    PageLease.objects.filter(pk=page_id).update(expires=timezone.now() + timedelta(seconds=seconds))


def refusal(sockets: Sockets, user: User | None, page_id: uuid.UUID | None = None, **query: Any) -> int:
    """The close code of a refused page, which gets no message before."""
    with pytest.raises(Refused) as refused:
        sockets.open(user, page_id, **query).next()
    return int(refused.value.args[0])


# Access


def test_hello(sockets: Sockets, shirin: User) -> None:
    mine, kept = job(shirin), job(shirin, keep_running=True)
    hello = sockets.open(shirin).next()
    assert hello == {"type": "hello", "unfinished": [str(mine.pk)], "job": None, "cues": [], "all": True}
    hello = sockets.open(shirin, job=kept).next()
    assert hello["job"]["id"] == str(kept.pk)
    assert hello["unfinished"] == [str(mine.pk)]


def test_strangers_get_nothing(sockets: Sockets, shirin: User, omid: User) -> None:
    mine, page = job(shirin), presence.open_page(shirin.pk)
    nearly_over(page)
    with pytest.raises(Refused):
        sockets.open(None, page)
    assert refusal(sockets, omid, page) == REFUSED
    assert refusal(sockets, omid, job=mine) == REFUSED
    assert refusal(sockets, omid, job=uuid.uuid4()) == REFUSED
    assert refusal(sockets, omid, job="nonsense") == REFUSED
    assert refusal(sockets, omid, uuid.uuid4()) == REFUSED
    assert PageLease.objects.get(pk=page).expires < timezone.now() + timedelta(seconds=GRACE)  # not renewed


def test_staff_see_every_job_but_have_pages_of_their_own(sockets: Sockets, shirin: User, staff: User) -> None:
    mine = job(shirin)
    hello = sockets.open(staff, job=mine).next()
    assert hello["job"]["id"] == str(mine.pk)
    assert hello["unfinished"] == []
    assert refusal(sockets, staff, presence.open_page(shirin.pk)) == REFUSED


def test_other_sites_get_nothing(sockets: Sockets, shirin: User) -> None:
    page = presence.open_page(shirin.pk)
    with pytest.raises(Refused):
        sockets.knock(socket_path(page), [(b"origin", b"https://example.org"), (b"cookie", cookies(shirin))])


def test_the_language_is_that_of_the_page(sockets: Sockets, shirin: User) -> None:
    mine = job(shirin)
    said = {code: sockets.open(shirin, job=mine, language=code).next() for code in ("fa", "en", "xx")}
    texts = {code: hello["job"]["languages"] for code, hello in said.items()}
    assert texts == {"fa": "فارسی", "en": "Persian", "xx": "Persian"}


# Presence


def test_a_socket_makes_present_at_once(sockets: Sockets, shirin: User) -> None:
    page = presence.open_page(shirin.pk)
    nearly_over(page, -100)  # the machine slept: over, but not closed
    socket = sockets.open(shirin, page)
    socket.next()
    assert renewed(socket)


def test_open_pages_are_renewed_and_told(sockets: Sockets, shirin: User, often: None) -> None:
    pages = [sockets.open(shirin) for _ in range(3)]
    opened = [lease(page).expires for page in pages]
    for page in pages:
        page.hear("alive")
    until(lambda: all(lease(page).expires > before for page, before in zip(pages, opened, strict=True)))
    pages[0].vanish()
    for page in pages[1:] * 2:
        page.hear("alive")  # a renewal may have been under way
    last = lease(pages[0]).expires
    for page in pages[1:] * 2:
        page.hear("alive")
    assert lease(pages[0]).expires == last


def test_a_clean_close_is_final(sockets: Sockets, shirin: User) -> None:
    socket = sockets.open(shirin)
    socket.next()
    socket.close(CLOSED)
    assert lease(socket).closed
    assert GRACE / 2 < left(socket) <= GRACE
    assert refusal(sockets, shirin, socket.page_id) == REFUSED


@pytest.mark.parametrize("code", [1000, 1001, 1005, 1006, 1011, INVALID_MESSAGE])
def test_any_other_end_is_silence(sockets: Sockets, shirin: User, code: int) -> None:
    socket = sockets.open(shirin)
    socket.next()
    socket.close(code)
    assert not lease(socket).closed
    assert renewed(socket)
    sockets.open(shirin, socket.page_id).next()


def test_hidden_and_visible(sockets: Sockets, shirin: User, often: None) -> None:
    socket = sockets.open(shirin)
    socket.next()
    socket.say('{"type": "hidden"}')
    until(lambda: hidden(socket))
    for _ in range(2):
        socket.hear("alive")
    nearly_over(socket.page_id)
    for _ in range(2):
        socket.hear("alive")
    assert left(socket) < GRACE  # not renewed: it has what is left of its time
    socket.say('{"type": "visible"}')
    until(lambda: renewed(socket))
    nearly_over(socket.page_id)
    until(lambda: renewed(socket))


def test_what_is_visible_again_has_no_more_time_than_others(sockets: Sockets, shirin: User) -> None:
    socket = sockets.open(shirin)
    socket.next()
    socket.say('{"type": "hidden"}')
    until(lambda: hidden(socket))
    socket.say('{"type": "visible"}')
    until(lambda: renewed(socket))


def test_a_closed_page_cannot_make_itself_visible(sockets: Sockets, shirin: User) -> None:
    socket = sockets.open(shirin)
    socket.next()
    presence.close(socket.page_id)  # the beacon came first
    for word in ("hidden", "visible"):
        socket.say(f'{{"type": "{word}"}}')
    assert socket.silent(0.3)
    assert left(socket) <= GRACE


@pytest.mark.parametrize(
    "nonsense",
    ["x", "[]", "{}", '{"type": 1}', '{"type": "tell", "text": "x"}', '{"type": "__init__"}', "[" * 4000, b"\x00\xff"],
)
def test_nonsense_ends_the_socket_and_nothing_else(sockets: Sockets, shirin: User, nonsense: str | bytes) -> None:
    socket = sockets.open(shirin)
    socket.next()
    socket.say(nonsense)
    with pytest.raises(Refused) as refused:
        socket.next()
    assert refused.value.args == (INVALID_MESSAGE,)
    assert not lease(socket).closed


def test_what_is_long_is_not_read(sockets: Sockets, shirin: User) -> None:
    socket = sockets.open(shirin)
    socket.next()
    socket.say('{"type": "hidden"' + " " * MAX_MESSAGE_BYTES + "}")
    with pytest.raises(Refused):
        socket.next()
    assert left(socket) <= LEASE


# Without a grace


@pytest.fixture
def strict(graces: Any) -> None:
    graces.TAB_CLOSE_GRACE = 0


def who_ended(of: Job) -> str | None:
    row = Transition.objects.filter(job=of, to_status=JobStatus.CANCELLING).first()
    return row.actor if row else None


@pytest.mark.usefixtures("strict")
class TestStrict:
    def test_being_served_a_page_is_no_presence(self, sockets: Sockets, shirin: User) -> None:
        mine = job(shirin, grace_until=timezone.now())
        page = presence.open_page(shirin.pk)
        assert list(presence.abandoned()) == [mine]
        sockets.open(shirin, page).next()
        assert list(presence.abandoned()) == []

    def test_a_close_ends_jobs_at_once(self, sockets: Sockets, shirin: User, omid: User) -> None:
        mine, kept, other = job(shirin), job(shirin, keep_running=True), job(omid)
        socket = sockets.open(shirin)
        socket.next()
        socket.close(CLOSED)
        assert who_ended(mine) == lifecycle.PRESENCE
        assert who_ended(kept) is who_ended(other) is None

    @pytest.mark.parametrize(("age", "ends"), [(-600, True), (600, False)])
    def test_another_page_keeps_them_unless_it_is_young(
        self, sockets: Sockets, shirin: User, age: int, ends: bool
    ) -> None:
        mine, pages = job(shirin), [sockets.open(shirin) for _ in range(2)]
        for page in pages:
            page.next()
        PageLease.objects.filter(pk=pages[1].page_id).update(opened=timezone.now() - timedelta(seconds=age))
        pages[0].close(CLOSED)
        assert (who_ended(mine) is not None) == ends

    def test_a_page_is_young_when_it_opens_its_socket(self, sockets: Sockets, shirin: User) -> None:
        """On a slow line the page after a reload was served long before the close of the old one is written."""
        mine, old, new = job(shirin), sockets.open(shirin), presence.open_page(shirin.pk)
        old.next()
        served = timezone.now() - timedelta(seconds=60)
        PageLease.objects.filter(pk=new).update(opened=served, expires=served)
        sockets.open(shirin, new).next()
        old.close(CLOSED)
        assert who_ended(mine) == lifecycle.PRESENCE

    def test_another_page_of_the_site_is_no_leaving(self, sockets: Sockets, shirin: User) -> None:
        mine = job(shirin, grace_until=timezone.now())
        socket = sockets.open(shirin)
        socket.next()
        socket.close(WITHIN)
        assert who_ended(mine) is None
        assert list(presence.abandoned()) == []
        nearly_over(socket.page_id, 0)
        assert list(presence.abandoned()) == [mine]

    def test_silence_ends_nothing(self, sockets: Sockets, shirin: User) -> None:
        mine, socket = job(shirin), sockets.open(shirin)
        socket.next()
        socket.vanish()
        assert who_ended(mine) is None

    def test_only_the_first_word_counts(self, sockets: Sockets, shirin: User) -> None:
        """The beacon of an old page comes when its owner has begun another job."""
        socket = sockets.open(shirin)
        socket.next()
        presence.close(socket.page_id)
        mine = job(shirin)
        socket.close(CLOSED)
        assert who_ended(mine) is None

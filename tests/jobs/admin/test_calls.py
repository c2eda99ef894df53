"""The ledger in the admin: every call, and the totals of each owner and month."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from jobs.admin.calls import totals
from jobs.models import Call
from tests.jobs import rows

pytestmark = pytest.mark.django_db

DECEMBER, NOVEMBER = datetime(2026, 12, 3, tzinfo=UTC), datetime(2026, 11, 30, 23, 59, tzinfo=UTC)


def call(owner: User, at: datetime = DECEMBER, **fields: Any) -> Call:
    usual = {"engine": "gemini", "model": "gemini-2.5-flash", "input_tokens": 1000, "output_tokens": 200}
    priced = {"status": "counted", "cost": Decimal("0.0031"), "currency": "USD"}
    return Call.objects.create(owner=owner, at=at, **{**usual, **priced, **fields})


@pytest.fixture(autouse=True)
def places(settings: Any, tmp_path: Any) -> None:
    settings.STATIC_ROOT = tmp_path  # WhiteNoise warns of one that is not there


@pytest.fixture(autouse=True)
def ledger() -> None:
    sara, reza = rows.owner("sara"), rows.owner("reza")
    for _ in range(3):
        call(sara)
    call(sara, NOVEMBER)
    call(reza, job=rows.job(reza), cost=Decimal("4.5"))
    call(reza, model="local", cost=None, currency="", input_tokens=9_000_000)


def test_totals_of_each_owner_and_month() -> None:
    """In one query. What has no price is told apart from what has one."""
    assert [tuple(row.values()) for row in totals()] == [
        ("December 2026", "reza", "1", "1,200", "4.50 USD"),
        ("December 2026", "sara", "3", "3,600", "0.0093 USD"),
        ("December 2026", "reza", "1", "9,000,200", "–"),
        ("November 2026", "sara", "1", "1,200", "0.0031 USD"),
    ]


def test_the_month_is_that_of_the_site(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tehran"
    assert {row["month"] for row in totals()} == {"December 2026"}


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        ("en", ("Cost of each user and month", "December 2026", "9,000,200", "4.50 USD", "Counted")),
        ("fa", ("هزینهٔ هر کاربر در هر ماه", "دسامبر ۲۰۲۶", "۹٬۰۰۰٬۲۰۰", "۴٫۵۰ دلار", "شمرده‌شده")),
    ],
)
def test_the_page_shows_them_above_the_calls(
    language: str, parts: tuple[str, ...], settings: Any, tmp_path: Any
) -> None:
    settings.STATIC_ROOT = tmp_path  # WhiteNoise warns of one that is not there
    client = Client(headers={"accept-language": language})
    client.force_login(User.objects.create_superuser("chief"))
    said = client.get(reverse("admin:jobs_call_changelist")).content.decode()
    for part in parts:
        assert part in said


def test_calls_go_with_their_owner_and_not_before() -> None:
    client, sara = Client(), rows.owner("sara")
    client.force_login(User.objects.create_superuser("chief"))
    one = Call.objects.filter(owner=sara)[0]
    assert client.post(reverse("admin:jobs_call_delete", args=[one.pk]), {"post": "yes"}).status_code == 403
    client.post(reverse("admin:auth_user_delete", args=[sara.pk]), {"post": "yes"})
    assert not Call.objects.filter(owner__username="sara").exists()
    assert Call.objects.count() == 2

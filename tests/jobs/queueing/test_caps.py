"""Caps of cost: concurrent calls, the calendar month, and how amounts are written."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from jobs.engines.prices import KNOWN, Price, parse_prices, price_of
from jobs.models import Call, OwnerLimits
from jobs.pipeline.process.messages import TranslateTask
from jobs.pipeline.protocols import Brief, Usage
from jobs.queueing import caps
from jobs.worker.usage import CallLedger
from tests.databases import on_both
from tests.jobs import rows

EACH = Usage(input_tokens=800, output_tokens=200)
TASK = TranslateTask("gemini", {"model": "small"}, Brief(source="en", target="fa"))


@on_both
@pytest.mark.usefixtures("database")
def test_concurrent_calls_cannot_both_take_the_last_place() -> None:
    """Of two jobs of one owner, whose month has room for one call."""
    for _ in range(2):
        rows.job()
    ledgers = [CallLedger(rows.claim("media"), TASK) for _ in range(2)]
    OwnerLimits.objects.create(owner=rows.owner(), tokens_a_month=1500)
    start, found = threading.Barrier(2), []

    def begin(ledger: CallLedger) -> None:
        start.wait()
        found.append(ledger.begin(EACH))
        connection.close()

    threads = [threading.Thread(target=begin, args=(ledger,)) for ledger in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(error["code"] if error else "leave" for error in found) == ["MonthCapReached", "leave"]
    assert Call.objects.count() == 1


@pytest.mark.django_db
def test_a_call_is_written_and_corrected_once() -> None:
    """However often the database made the worker repeat it."""
    rows.job()
    ledger = CallLedger(rows.claim("media"), TASK)
    assert ledger.begin(EACH) is None
    assert Call.objects.get().status == "asked"
    for used in (Usage(input_tokens=700, output_tokens=300), Usage(input_tokens=1, output_tokens=1)):
        ledger.end(used, "counted")
    call = Call.objects.get()
    assert (call.status, call.input_tokens, call.output_tokens) == ("counted", 700, 300)


@pytest.mark.django_db
def test_the_cost_of_a_call_outlives_its_job_and_its_attempt() -> None:
    job = rows.job()
    ledger = CallLedger(rows.claim("media"), TASK)
    assert ledger.begin(EACH) is None
    job.delete()
    ledger.end(EACH, "counted")
    assert (Call.objects.get().status, Call.objects.get().job) == ("counted", None)


def test_the_month_begins_by_the_clock_of_the_site(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tehran"  # three and a half hours ahead
    late, next_month = datetime(2026, 11, 30, 20, 29, tzinfo=UTC), datetime(2026, 11, 30, 20, 30, tzinfo=UTC)
    assert caps.month_start(late) < datetime(2026, 11, 1, tzinfo=UTC)
    assert caps.month_start(next_month) == next_month


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "0.00"),
        ("0.0000123", "0.000012"),
        ("0.0014", "0.0014"),
        ("0.006", "0.006"),
        ("0.05", "0.05"),
        ("0.0999", "0.10"),
        ("0.98", "0.98"),
        ("1", "1.00"),
        ("12.345", "12.34"),
        ("1234567.8", "1234567.80"),
    ],
)
def test_amounts_of_money(amount: str, text: str) -> None:
    assert caps.money_text(Decimal(amount)) == f"{text} USD"


# Prices


def test_a_table_adds_to_the_known_prices_and_replaces_them() -> None:
    found = parse_prices("gemini-2.5-flash=0.5/3, models/Small = 0 / 0\nopenai/x=1/2;", "USD")
    assert found["gemini-2.5-flash"] == Price(Decimal("0.5"), Decimal(3))
    assert price_of("models/small", found) == Price(Decimal(0), Decimal(0))
    assert price_of("openai/x", found) == Price(Decimal(1), Decimal(2))
    assert price_of("gpt-4o-mini", found) == KNOWN["gpt-4o-mini"]
    assert price_of("gemini-2.5-flash-preview", found) is None, "only an exact name has a price"


def test_the_known_prices_are_in_dollars() -> None:
    assert set(parse_prices("small=1/2", "EUR")) == {"small"}


def test_the_cost_of_tokens() -> None:
    usage = Usage(input_tokens=45_000, output_tokens=30_000)
    assert KNOWN["gemini-2.5-flash"].of(usage) == Decimal("0.0885")


@pytest.mark.parametrize(
    "wrong", ["small", "small=1", "=1/2", "small=1/much", "small=-1/2", "small=nan/1", "small=1/1e9"]
)
def test_a_table_that_cannot_be_read_names_the_part(wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong.partition("=")[0] or "=1/2"):
        parse_prices(f"good=1/2, {wrong}", "USD")

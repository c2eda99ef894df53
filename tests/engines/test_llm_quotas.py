"""Quotas of services: that of a day ends the job at once and says when to continue, that of a minute is waited for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from jobs.engines.llm.remote import RequestFailed, Service
from jobs.engines.llm.replies import Reply
from jobs.engines.llm.translator import LlmTranslator
from jobs.pipeline import errors
from tests.engines.fake_llm_server import Asked, FakeServer, Said, good
from tests.engines.handed import handed
from tests.engines.llm_doubles import PERSIAN, Asleep, gemini_model, openai_model, run, some_lines
from tests.engines.misbehaviours import http_error

SERVICE = Service(label="It", model="m", key_setting="KEY", model_setting="MODEL", proxy_setting="PROXY")


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as server:
        yield server


def refused(body: str, **headers: str) -> RequestFailed:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return SERVICE.http_error(Reply(status=429, body=body, headers=named))


def test_the_quota_of_the_day_ends_the_job_at_once_and_keeps_what_is_done(server: FakeServer) -> None:
    """Case 81a: the 58 s that the answer names are those of no use."""
    server.script(good, handed("81a-gemini-429-per-day"))
    server.behave(handed("81a-gemini-429-per-day"))
    asleep = Asleep()
    translator = LlmTranslator(gemini_model(server.url), name="test", batch_lines=2, sleep=asleep)
    batches = translator.translate(some_lines(6), PERSIAN, {})
    kept = {answer.id: answer.text for answer in next(batches).translations}
    with pytest.raises(errors.DayQuotaUntil) as raised:
        next(batches)
    assert (sorted(kept), asleep.pauses, len(server.asked)) == ([1, 2], [], 2)

    until = datetime.fromisoformat(str(raised.value.params["until"]))
    there = until.astimezone(ZoneInfo("America/Los_Angeles"))
    assert (there.hour, there.minute) == (0, 0)
    assert timedelta(0) < until - datetime.now(UTC) <= timedelta(hours=25)

    server.behave(good)  # the next day
    later = list(translator.translate(some_lines(6), PERSIAN, kept))
    assert [answer.id for batch in later for answer in batch.translations] == [3, 4, 5, 6]
    assert server.ids() == [[1, 2], [3, 4], [3, 4], [5, 6]]


def test_the_quota_of_a_minute_is_waited_for(server: FakeServer) -> None:
    """Case 81b."""
    server.script(handed("81b-gemini-429-per-minute"))
    asleep = Asleep()
    assert all(answer.text for answer in run(gemini_model(server.url), some_lines(2), sleep=asleep).values())
    assert len(asleep.pauses) == 1
    assert asleep.pauses[0] >= 5


@pytest.mark.parametrize(
    "body",
    [
        "Rate limit reached for m in organization o on requests per day (RPD): Limit 200, Used 200, Requested 1. "
        "Please try again in 7m12s. Visit https://example.org",
        "Rate limit reached on tokens per day (TPD): Limit 100000, Used 99000. Please try again in 28m48.5s.",
        json.dumps({"error": {"message": "Rate limit exceeded: free-models-per-day", "code": 429}}),
        "You have reached your daily limit.",
        "Rate limit of 150 per 86400s exceeded for UserByModelByDay. Please wait 43200 seconds before retrying.",
        "You have used up your free requests. Please come back tomorrow.",
        "limit of 50 requests/day reached",
        "Too many requests: 200 requests per 24 hours",
        "当日免费额度已用完，请明天再试",
    ],
)
def test_a_day_is_recognised_in_the_words_of_other_services(body: str) -> None:
    trouble = refused(body)
    assert isinstance(trouble.error, errors.DayQuota)
    assert not trouble.again


def test_a_limit_that_is_renewed_hours_later_is_one_of_the_day() -> None:
    later = datetime.now(UTC) + timedelta(hours=9)
    for value in (
        str(int(later.timestamp() * 1000)),
        str(int(later.timestamp())),
        later.isoformat(),
        "9h0m0s",
        "32400",
    ):
        trouble = refused("Rate limit exceeded", X_RateLimit_Reset=value, X_RateLimit_Remaining="0")
        assert isinstance(trouble.error, errors.DayQuotaUntil), value
        until = datetime.fromisoformat(str(trouble.error.params["until"]))
        assert abs((until - later).total_seconds()) < 60
        assert not trouble.again


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ("Try again in 6 hours.", {}),
        ("no", {"Retry_After": "21600"}),
        ("Please try again in 6h0m0s.", {}),
        ("Usage limit reached. Resets in 6h 0m.", {}),
        ("Please wait 21600 seconds before retrying.", {}),
        ('{"error": {"message": "slow down", "retry_after": 21600}}', {}),
        ("Usage limit reached, resets at LATER", {}),
    ],
)
def test_a_wait_of_hours_is_told_in_place_of_waiting(body: str, headers: dict[str, str]) -> None:
    later = datetime.now(UTC) + timedelta(hours=6)
    trouble = refused(body.replace("LATER", later.isoformat()), **headers)
    assert isinstance(trouble.error, errors.DayQuotaUntil)
    until = datetime.fromisoformat(str(trouble.error.params["until"]))
    assert timedelta(hours=5.9) < until - datetime.now(UTC) < timedelta(hours=6.1)


@pytest.mark.parametrize(
    "body", ["Monthly quota exceeded", "you have reached your weekly usage limit", "limited to 1000 API calls / month"]
)
def test_a_limit_of_weeks_is_not_waited_for(body: str) -> None:
    trouble = refused(body)
    assert type(trouble.error) is errors.OutOfQuota
    assert not trouble.again


@pytest.mark.parametrize(
    "body", ["Quota exceeded for quota metric per day", "Key limit exceeded (daily limit). Manage it in your settings"]
)
def test_a_quota_under_the_status_of_a_refused_key(body: str) -> None:
    trouble = SERVICE.http_error(Reply(status=403, body=body))
    assert isinstance(trouble.error, errors.DayQuota)
    assert isinstance(SERVICE.http_error(Reply(status=403, body="no such key")).error, errors.WrongKey)


@pytest.mark.parametrize(
    "body", ["Your credit balance is too low to access the API.", "余额不足或无可用资源包,请充值。"]
)
def test_an_account_without_money_is_not_asked_again(body: str) -> None:
    trouble = refused(body)
    assert type(trouble.error) is errors.OutOfQuota
    assert not trouble.again


def test_a_limit_that_is_renewed_soon_is_waited_for() -> None:
    trouble = refused("Rate limit exceeded", X_RateLimit_Reset="12", X_RateLimit_Remaining="0")
    assert type(trouble.error) is errors.OutOfQuota
    assert (trouble.again, trouble.wait) == (True, 12.0)


def test_a_request_larger_than_the_quota_of_a_minute_is_made_smaller(server: FakeServer) -> None:
    """Waiting would never help."""

    def behaviour(asked: Asked) -> Said:
        message = "Request too large for m on tokens per minute (TPM): Limit 6000, Requested 7000."
        return good(asked) if len(asked.ids) <= 3 else http_error(asked, 429, message)

    server.behave(behaviour)
    asleep = Asleep()
    assert all(answer.text for answer in run(openai_model(server.url), some_lines(10), sleep=asleep).values())
    assert asleep.pauses == []


def test_the_sentence_tells_what_is_kept_and_when_to_continue() -> None:
    sentence = str(errors.DayQuotaUntil(engine="Gemini", until="2026-12-02T08:00:00+00:00"))
    assert "kept" in sentence
    assert "2026-12-02" in sentence


@pytest.mark.parametrize("value", ["1767225600000000000", "99999999999999s", "1e400", "inf", "-5", "²"])
def test_times_that_are_none_are_no_failure(value: str) -> None:
    assert refused("Rate limit exceeded", X_RateLimit_Reset=value).error
    assert refused(f"Please try again in {value}.").error

"""Conversion of HTTP responses to failures, and retries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from requests import exceptions as http

from jobs.engines.llm.remote import (
    ATTEMPTS,
    PAUSES,
    ContentFiltered,
    FormatNotSupported,
    RequestFailed,
    RequestTooLarge,
    Service,
    with_retries,
)
from jobs.engines.llm.replies import Reply
from jobs.pipeline import errors
from tests.engines.llm_doubles import Asleep

SERVICE = Service(
    label="It", model="m", key_setting="KEY", model_setting="MODEL", proxy_setting="PROXY", secrets=("hunter2", "")
)


def refused(status: int, body: str = "", **headers: str) -> RequestFailed:
    return SERVICE.http_error(Reply(status=status, body=body, headers=headers))


@pytest.mark.parametrize(
    ("status", "body", "error", "again"),
    [
        (400, "API key not valid", errors.WrongKey, False),
        (401, "", errors.WrongKey, False),
        (402, "pay", errors.OutOfQuota, False),
        (403, "", errors.WrongKey, False),
        (403, "unsupported_country_region_territory", errors.RefusedLocation, False),
        (404, "", errors.UnknownModel, False),
        (407, "", errors.ServiceDown, False),
        (408, "", errors.ServiceSlow, True),
        (418, "", errors.ServiceError, False),
        (429, "", errors.OutOfQuota, True),
        (500, "", errors.ServiceDown, True),
        (503, "", errors.ServiceDown, True),
        (504, "", errors.ServiceSlow, True),
    ],
)
def test_statuses(status: int, body: str, error: type[errors.ServiceError], again: bool) -> None:
    trouble = refused(status, body)
    assert type(trouble.error) is error
    assert trouble.again is again


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, "bad field", FormatNotSupported),
        (422, "", FormatNotSupported),
        (400, "maximum context length is 4096", RequestTooLarge),
        (413, "", RequestTooLarge),
        (400, "content_filter", ContentFiltered),
        (403, "This model requires moderation", ContentFiltered),
    ],
)
def test_what_another_request_may_mend(status: int, body: str, kind: type[RequestFailed]) -> None:
    assert type(refused(status, body)) is kind


@pytest.mark.parametrize(
    ("error", "kind", "again"),
    [
        (http.ConnectTimeout("x"), errors.ServiceDown, True),
        (http.ReadTimeout("x"), errors.ServiceSlow, True),
        (http.ConnectionError("Read timed out."), errors.ServiceSlow, True),
        (http.ConnectionError("refused"), errors.ServiceDown, True),
        (http.ProxyError("x"), errors.ServiceDown, True),
        (http.InvalidURL("x"), errors.ServiceDown, False),
        (http.InvalidSchema("Missing dependencies for SOCKS support."), errors.ServiceDown, False),
    ],
)
def test_no_answer_at_all(error: http.RequestException, kind: type[errors.ServiceError], again: bool) -> None:
    trouble = SERVICE.connection_error(error)
    assert type(trouble.error) is kind
    assert trouble.again is again


def test_secrets_are_struck_out() -> None:
    trouble = refused(400, "the key hunter2 is bad " + "x" * 1000)
    assert "hunter2" not in trouble.error.detail
    assert len(trouble.error.detail) <= 500
    assert "hunter2" not in repr(SERVICE)


def test_a_date_to_wait_for() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert 25 < refused(429, **{"Retry-After": later}).wait <= 30
    past = format_datetime(datetime.now(UTC) - timedelta(seconds=30), usegmt=True)
    assert refused(429, **{"retry-after": past}).wait == 0
    assert refused(429, **{"Retry-After": "soon"}).wait == 0


def failing(times: int, trouble: RequestFailed) -> tuple[list[int], object]:
    calls: list[int] = []

    def ask() -> str:
        calls.append(1)
        if len(calls) <= times:
            raise trouble
        return "answer"

    return calls, ask


def test_it_is_asked_until_it_answers() -> None:
    calls, ask = failing(3, refused(503))
    assert callable(ask)
    assert with_retries(ask, Asleep()) == "answer"
    assert len(calls) == 4


def test_what_asking_does_not_help_is_asked_once() -> None:
    calls, ask = failing(9, refused(401))
    assert callable(ask)
    with pytest.raises(RequestFailed):
        with_retries(ask, Asleep())
    assert len(calls) == 1


def test_patience_is_bounded() -> None:
    calls, ask = failing(99, refused(503))
    asleep = Asleep()
    assert callable(ask)
    with pytest.raises(RequestFailed):
        with_retries(ask, asleep)
    assert len(calls) == ATTEMPTS
    assert sum(asleep.pauses) <= PAUSES


def test_a_wait_beyond_patience_is_not_begun() -> None:
    calls, ask = failing(99, refused(429, **{"Retry-After": str(int(PAUSES) + 1)}))
    asleep = Asleep()
    assert callable(ask)
    with pytest.raises(RequestFailed):
        with_retries(ask, asleep)
    assert (len(calls), asleep.pauses) == (1, [])


def test_other_errors_are_not_repeated() -> None:
    def ask() -> str:
        raise KeyError

    with pytest.raises(KeyError):
        with_retries(ask, Asleep())

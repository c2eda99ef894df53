"""Errors inside successes, in the forms of many servers and brokers: each is handled as the HTTP status it names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from jobs.engines.llm.quotas import asked_to_wait
from jobs.engines.llm.remote import ATTEMPTS
from jobs.engines.llm.replies import Reply, error_within, page_of_error
from jobs.pipeline import errors
from tests.engines.fake_llm_server import Asked, FakeServer, Said, delta, event, good
from tests.engines.handed import handed
from tests.engines.llm_doubles import Asleep, openai_model, run, some_lines


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as server:
        yield server


def choice(**more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": {"role": "assistant", "content": ""}, **more}]}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"error": {"message": "Rate limit exceeded: free-models-per-min.", "code": 429}}, 429),
        ({"error": {"message": "slow down", "code": "429"}}, 429),
        ({"error": {"message": "slow down", "code": "rate_limit_exceeded", "type": "requests"}}, 429),
        ({"error": {"message": "no", "status": "RESOURCE_EXHAUSTED"}}, 429),
        ({"error": {"message": "no", "type": "overloaded_error"}, "type": "error"}, 503),
        ({"error": {"message": "no", "type": "authentication_error"}}, 401),
        ({"error": {"message": "no", "code": "insufficient_quota", "type": "insufficient_quota"}}, 402),
        ({"error": {"message": "no", "code": "model_not_found"}}, 404),
        ({"error": {"message": "no", "code": "context_length_exceeded", "type": "invalid_request_error"}}, 400),
        ({"error": {"message": "deadline", "status": "DEADLINE_EXCEEDED"}}, 504),
        ({"error": {"message": "Something broke"}}, 502),
        ({"error": "Upstream answered with status code 503"}, 503),
        ({"error": "model is overloaded, try later"}, 503),
        ({"error": True, "message": "Too many requests", "code": 429}, 429),
        ({"errors": [{"message": "Capacity temporarily exceeded", "code": 3040}], "success": False}, 503),
        ({"detail": "Internal Server Error"}, 500),
        ({"detail": [{"loc": ["body"], "msg": "field required"}]}, 502),
        ({"message": "The upstream server is timing out", "status": 504}, 504),
        ({"object": "error", "message": "no", "type": "BadRequestError", "code": 400}, 400),
        ([{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}], 429),
        (choice(error={"code": 502, "message": "Provider returned error"}), 502),
        (choice(error={"code": "rate_limit_exceeded"}, finish_reason="error"), 429),
        (choice(finish_reason="error"), 502),
        (choice(native_finish_reason="error"), 502),
        (choice(message={"content": None, "error": {"code": 429, "message": "slow down"}}), 429),
        (choice(message={"content": "Error: 429 Too Many Requests"}), 429),
        (choice(message={"content": "upstream error 503"}), 503),
        ({"choices": None, "object": None}, 502),
        ({"base_resp": {"status_code": 1002, "status_msg": "rate limit"}, "choices": None}, 429),
        ({"fault": {"faultstring": "Quota limit exceeded."}}, 429),
        ({"__type": "ThrottlingException", "message": "no"}, 429),
        ({"code": 1302, "msg": "您的账户已达到速率限制"}, 429),
        ({"status": "error", "reason": "overloaded"}, 503),
        ({**choice(), "error": {"code": 429}}, 429),
        ({"error": {"code": 429}, "choices": []}, 429),
    ],
)
def test_errors_and_the_statuses_they_name(body: Any, status: int) -> None:
    found = error_within(body)
    assert found is not None
    assert found.status == status


@pytest.mark.parametrize(
    "body",
    [
        {**choice(message={"content": "{}"}), "error": None},
        {**choice(message={"content": "{}"}), "error": {}},
        {**choice(message={"content": "{}"}), "error": {"code": 0, "message": ""}},
        {"choices": [], "usage": {}},
        choice(message={"content": '{"1": "Error 404"}'}),
        choice(message={"content": "The error is 404 metres long."}),
        {**choice(message={"content": "{}"}), "base_resp": {"status_code": 0, "status_msg": "success"}},
        {"candidates": [{}], "message": "x"},
        {},
        [],
        "error",
        None,
    ],
)
def test_what_is_no_error(body: Any) -> None:
    assert error_within(body) is None


def test_headers_in_the_metadata_count_as_headers() -> None:
    error = {"code": 429, "message": "wait", "metadata": {"headers": {"Retry-After": "17", "X-RateLimit-Remaining": 0}}}
    found = error_within({"error": error}, {"retry-After": "1", "Server": "x"})
    assert found is not None
    assert found.headers["Retry-After"] == "17"
    assert found.headers["Server"] == "x"


def test_a_retry_after_in_the_metadata_is_waited_for(server: FakeServer) -> None:
    error = {"code": 429, "message": "wait", "metadata": {"headers": {"Retry-After": "17"}}}
    server.script(lambda _: Said(raw=json.dumps({"error": error})))
    asleep = Asleep()
    run(openai_model(server.url), some_lines(2), sleep=asleep)
    assert 17 < sum(asleep.pauses) < 20


def test_pages_that_name_an_error() -> None:
    assert page_of_error("<html><head><title>502 Bad Gateway</title></head></html>") is not None
    assert page_of_error("<html><h1>503 Service Temporarily Unavailable</h1></html>") is not None
    assert page_of_error("<html><title>Sign in to the hotel network, room 502</title></html>") is None
    assert page_of_error("<html><title>example.org | 524: A timeout occurred</title></html>") is not None


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("503 Service Temporarily Unavailable", 503),
        ("error code: 502", 502),
        ("upstream connect error or disconnect/reset before headers. reset reason: connection timeout", 502),
        ("no healthy upstream", 502),
        ("It was 502 metres high.", None),
        ('{"1": "502"}', None),
    ],
)
def test_what_gateways_say_in_plain_text(text: str, status: int | None) -> None:
    found = page_of_error(text)
    assert (found and found.status) == status


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("71a-error-inside-200", errors.OutOfQuota),
        ("71b-error-inside-choice", errors.ServiceDown),
        ("71c-bad-gateway-html", errors.ServiceDown),
    ],
)
def test_an_error_that_stays_is_asked_again_after_pauses_and_named(
    server: FakeServer, name: str, error: type[errors.ServiceError]
) -> None:
    """Case 71."""
    server.behave(handed(name))
    asleep = Asleep()
    with pytest.raises(errors.ServiceError) as raised:
        run(openai_model(server.url), some_lines(4), sleep=asleep)
    assert type(raised.value) is error
    assert len(server.asked) == ATTEMPTS
    assert len(asleep.pauses) == ATTEMPTS - 1


@pytest.mark.parametrize("name", ["71a-error-inside-200", "71b-error-inside-choice", "71c-bad-gateway-html"])
@pytest.mark.parametrize("streams", [False, True])
def test_once_good_answers_come_the_job_is_whole(server: FakeServer, name: str, streams: bool) -> None:
    server.streams = streams
    server.script(handed(name), handed(name))
    asleep = Asleep()
    answers = run(openai_model(server.url), some_lines(4), sleep=asleep)
    assert all(answer.text and not answer.flags for answer in answers.values())
    assert len(server.asked) == 3
    assert all(pause >= 1 for pause in asleep.pauses)


@pytest.mark.parametrize("body", ["", "\n\n\n", " "])
def test_an_empty_body_is_one_of_a_gateway(server: FakeServer, body: str) -> None:
    server.script(lambda _: Said(raw=body))
    asleep = Asleep()
    assert all(answer.text for answer in run(openai_model(server.url), some_lines(2), sleep=asleep).values())
    assert len(asleep.pauses) == 1


def test_a_mark_of_byte_order_before_the_answer(server: FakeServer) -> None:
    def marked(asked: Asked) -> Said:
        return Said(raw="\ufeff" + json.dumps({"choices": [{"message": {"content": good(asked).text}}]}))

    server.behave(marked)
    assert all(answer.text for answer in run(openai_model(server.url), some_lines(2)).values())
    assert len(server.asked) == 1


def test_a_page_of_a_gateway_that_comes_as_a_success(server: FakeServer) -> None:
    server.script(lambda _: Said(raw="<html><head><title>502 Bad Gateway</title></head></html>"))
    asleep = Asleep()
    assert all(answer.text for answer in run(openai_model(server.url), some_lines(2), sleep=asleep).values())
    assert len(asleep.pauses) == 1


@pytest.mark.parametrize(
    "said",
    [
        event({"error": {"code": 502, "message": "Provider disconnected"}}),
        event({"error": "it broke"}),
        event({"detail": "it broke"}),
        event({"code": 429, "msg": "slow down"}),
        event({"object": "error", "message": "it broke", "code": 500}),
        event({"choices": [{"delta": {"content": ""}, "finish_reason": "error"}], "error": {"code": 502}}),
        "event: error\n" + event({"message": "it broke", "code": 503}),
        'error: {"code": 500, "message": "it broke", "type": "server_error"}\n\n',
    ],
)
def test_an_error_event_before_any_line_is_asked_again_after_a_pause(server: FakeServer, said: str) -> None:
    server.script(lambda _: Said(raw=delta('{"1": "سل') + said, headers={"Content-Type": "text/event-stream"}))
    asleep = Asleep()
    answers = run(openai_model(server.url), some_lines(2), sleep=asleep)
    assert all(answer.text for answer in answers.values())
    assert (len(server.asked), len(asleep.pauses)) == (2, 1)


def test_lines_that_came_before_an_error_event_are_kept(server: FakeServer) -> None:
    def breaking(asked: Asked) -> Said:
        text = good(asked).text
        broken = delta(text[: len(text) // 2]) + event({"error": {"code": 502, "message": "gone"}})
        return Said(raw=broken, headers={"Content-Type": "text/event-stream"})

    server.script(breaking)
    answers = run(openai_model(server.url), some_lines(6))
    assert all(answer.text for answer in answers.values())
    assert len(server.asked[1].ids) < 6


def test_a_model_that_is_being_loaded_is_waited_for_minutes(server: FakeServer) -> None:
    """As llama.cpp says it."""
    error = {"message": "Loading model", "type": "unavailable_error", "code": 503}
    server.script(*[lambda _: Said(raw=json.dumps({"error": error}), status=503)] * 5)
    asleep = Asleep()
    assert run(openai_model(server.url), some_lines(1), sleep=asleep)[1].text
    assert 120 < sum(asleep.pauses) < 180


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "2.5"}, "", 2.5),
        ({"x-ratelimit-reset-requests": "1m30s", "x-ratelimit-remaining-requests": "0"}, "", 90),
        (
            {
                "x-ratelimit-reset-requests": "1h",
                "x-ratelimit-remaining-requests": "5",
                "x-ratelimit-reset-tokens": "2s",
                "x-ratelimit-remaining-tokens": "0",
            },
            "",
            2,
        ),
        ({}, "Rate limit reached on requests per min (RPM): Limit 3. Please try again in 20s.", 20),
        ({}, "Please retry in 58.8s.", 58.8),
        ({}, "try again in 350ms", 0.35),
        ({"retry-after-ms": "21000"}, "", 21),
        ({"RateLimit": '"default";r=0;t=30'}, "", 30),
        ({"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "40s"}, "", 40),
        ({}, "Please wait 30 seconds before trying again", 30),
        ({}, '"retry_after_seconds": 23', 23),
        ({}, "Limit of requests per minute", 10),
        ({}, "no", 0),
    ],
)
def test_how_long_a_refusal_asks_to_wait(headers: dict[str, str], body: str, seconds: float) -> None:
    assert asked_to_wait(Reply(status=429, body=body, headers=headers)) == pytest.approx(seconds)

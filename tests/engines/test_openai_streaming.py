"""Streamed answers of chat completions: events, silence, streams that break, servers that do not stream."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from io import BufferedIOBase

import pytest

from jobs.engines.llm.prompt import Question
from jobs.engines.llm.remote import RequestFailed, TimedOut
from jobs.engines.openai_compatible.completion import assembled, is_stream
from jobs.pipeline import errors
from jobs.pipeline.protocols import Usage
from tests.engines import misbehaviours as fake
from tests.engines.fake_llm_server import Asked, FakeServer, Said, delta, event, good, streamed
from tests.engines.llm_doubles import openai_model, run, some_lines
from tests.engines.test_llm_limits import serving
from tests.waiting import PATIENCE

EVENTS = {"Content_Type": "text/event-stream"}
QUESTION = Question(system="Translate.", prompt="{}", ids=("1", "2"))
WHOLE = '{"1": "یک متن", "2": "دو متن"}'


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(streams=True) as server:
        yield server


def test_answers_are_streamed_with_the_usage_at_their_end(server: FakeServer) -> None:
    model = openai_model(server.url)
    assert run(model, some_lines(3))[3].text
    assert server.asked[0].body["stream"] is True
    assert server.asked[0].body["stream_options"] == {"include_usage": True}
    server.behave(lambda _: Said(text=WHOLE))
    answer = model.ask(QUESTION)
    assert (answer.text, answer.usage, answer.trouble) == (WHOLE, Usage(input_tokens=100, output_tokens=50), "")


def test_streams_can_be_switched_off(server: FakeServer) -> None:
    run(openai_model(server.url, stream=False), some_lines(1))
    assert not {"stream", "stream_options"} & server.asked[0].body.keys()


@pytest.mark.parametrize(
    ("word", "left"),
    [("stream_options", {"stream"}), ("stream is not supported", set[str]())],
)
def test_a_server_that_refuses_it_is_asked_without_from_then_on(server: FakeServer, word: str, left: set[str]) -> None:
    def refusing(asked: Asked) -> Said:
        refused = {"stream", "stream_options"} & asked.body.keys() != left
        return fake.http_error(asked, 400, f"Unsupported: {word}") if refused else good(asked)

    server.behave(refusing)
    run(openai_model(server.url), some_lines(4), batch_lines=2)
    assert len(server.asked) == 3
    assert {"stream", "stream_options"} & server.asked[-1].body.keys() == left
    assert all(asked.has_schema for asked in server.asked)


def writing(*pieces: str, pause: float = 0.1, then: float = 0.0) -> Callable[[BufferedIOBase], object]:
    """A body in pieces, with pauses between; after them the connection stays open for `then` seconds."""

    def write(out: BufferedIOBase) -> None:
        for piece in pieces:
            out.write(piece.encode())
            out.flush()
            time.sleep(pause)
        time.sleep(then)

    return write


def test_the_time_limit_is_for_silence_not_for_the_whole() -> None:
    """The pieces take longer than the limit of 2.5 s together; no pause between them does."""
    pieces = [delta(letter) for letter in WHOLE]
    with serving(writing(*pieces, delta("", "stop")), **EVENTS) as url:
        answer = openai_model(url, timeout=2.5).ask(QUESTION)
    assert len(pieces) * 0.1 > 2.5
    assert (answer.text, answer.trouble) == (WHOLE, "")


def test_the_whole_has_a_limit_too() -> None:
    """Five times the timeout, for a server that never ends."""
    with (
        serving(writing(*[": WAITING\n\n"] * 100), **EVENTS) as url,
        pytest.raises(TimedOut) as raised,
    ):
        openai_model(url, timeout=0.5).ask(QUESTION)
    assert isinstance(raised.value.error, errors.ServiceSlow)


def test_lines_that_came_whole_before_the_silence_are_kept() -> None:
    with serving(writing(delta('{"1": "یک متن", "2": "دو'), then=6.0), **EVENTS) as url:
        answer = openai_model(url, timeout=2.0).ask(QUESTION)
    assert answer.trouble == "cut"
    assert "یک متن" in answer.text


def test_silence_before_any_line_is_a_time_out() -> None:
    with (
        serving(writing(delta('{"1": "یک'), then=3.0), **EVENTS) as url,
        pytest.raises(TimedOut),
    ):
        openai_model(url, timeout=0.5).ask(QUESTION)


def test_lines_that_came_whole_before_the_connection_broke_are_kept(server: FakeServer) -> None:
    def breaking(asked: Asked) -> Said:
        whole = streamed(good(asked))
        return Said(raw=whole[: len(whole) // 2], headers={"Content-Type": "text/event-stream"})

    server.script(breaking)
    answers = run(openai_model(server.url), some_lines(8))
    assert all(answer.text and not answer.flags for answer in answers.values())
    assert 0 < len(server.asked[1].ids) < 8


def test_a_connection_that_breaks_before_any_line_is_trouble() -> None:
    broken = EVENTS | {"Content_Length": "5000"}
    with (
        serving(writing(delta('{"1": "یک')), **broken) as url,
        pytest.raises(RequestFailed) as raised,
    ):
        openai_model(url, timeout=PATIENCE).ask(QUESTION)
    assert isinstance(raised.value.error, errors.ServiceDown)
    assert raised.value.again


def test_events_in_all_forms() -> None:
    body = (
        "\ufeff: hello\r\n\r\n"
        'event: message\r\ndata: {"choices": [{"delta": {"role": "assistant", "content": null}}]}\r\n\r\n'
        'data:{"choices":[{"delta":{"content":"{\\"1\\":"}}]}\n\n'
        'data: {"choices": [{"delta":\ndata: {"content": " \\"یک\\"}"}}]}\n\n'
        'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n'
        'data: {"choices": [], "usage": {"prompt_tokens": 7}}\n\n'
        "data: not json\n\n"
        "data: [DONE]"
    )
    assert is_stream(body)
    whole, ended = assembled(body)
    assert ended
    assert whole["choices"][0] == {"message": {"content": '{"1": "یک"}'}, "finish_reason": "stop"}
    assert whole["usage"] == {"prompt_tokens": 7}


def test_thoughts_of_a_stream_are_not_its_answer() -> None:
    body = event({"choices": [{"delta": {"reasoning_content": '{"1": "پیش‌نویس"}'}}]}) + delta('{"1": "یک"}', "stop")
    with FakeServer() as server:
        server.behave(lambda _: Said(raw=body, headers={"Content-Type": "text/event-stream"}))
        assert openai_model(server.url).ask(QUESTION).text == '{"1": "یک"}'


def test_a_draft_in_thoughts_without_an_answer_is_asked_for_again(server: FakeServer) -> None:
    thought = 'A draft: {"1": "پیش‌نویس", "2": "پیش‌نویس دو"} It can be better.'
    message = {"content": "", "reasoning_content": thought}
    server.script(lambda _: Said(raw=json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]})))
    answers = run(openai_model(server.url), some_lines(2))
    assert [answer.text for answer in answers.values()] == ["می‌شود ۱", "می‌شود ۲"]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": None, "reasoning_content": WHOLE}, WHOLE),
        ({"content": "", "reasoning": WHOLE}, WHOLE),
        ({"content": [{"type": "thinking", "thinking": "x"}, {"type": "text", "text": WHOLE}]}, WHOLE),
    ],
)
def test_the_answer_is_found_where_servers_put_it(server: FakeServer, message: object, text: str) -> None:
    body = {"choices": [{"message": message, "finish_reason": "stop"}]}
    server.behave(lambda _: Said(raw=json.dumps(body)))
    assert openai_model(server.url).ask(QUESTION).text == text


def test_a_draft_in_thoughts_that_were_cut_is_no_answer(server: FakeServer) -> None:
    body = {"choices": [{"message": {"content": None, "reasoning_content": WHOLE}, "finish_reason": "length"}]}
    server.behave(lambda _: Said(raw=json.dumps(body)))
    answer = openai_model(server.url).ask(QUESTION)
    assert (answer.text, answer.trouble) == ("", "cut")


def test_no_connection_is_used_twice(server: FakeServer) -> None:
    """llama.cpp closes a connection after a stream, and would lose the next request on it."""
    run(openai_model(server.url), some_lines(3), batch_lines=1)
    assert len({asked.port for asked in server.asked}) == 3

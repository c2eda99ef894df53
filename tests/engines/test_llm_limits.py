"""Limits against hostile servers: no endless wait, no full memory, no crash, no secret in an error."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Any, get_args

import pytest

from jobs.engines.llm.prompt import Question
from jobs.engines.llm.remote import RequestFailed
from jobs.engines.openai_compatible import spec as openai_compatible
from jobs.pipeline import errors
from tests.engines.fake_llm_server import FakeServer, Said, Shape, good
from tests.engines.llm_doubles import model_of, openai_model, run, some_lines
from tests.waiting import PATIENCE

SECRET = "hunter2-password"


@contextmanager
def serving(write: Callable[[BufferedIOBase], object], **headers: str) -> Iterator[str]:
    """The address of a server whose bodies are what `write` writes."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            try:
                write(self.wfile)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Suppress the log on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def dripping(out: BufferedIOBase) -> None:
    for _ in range(300):
        out.write(b" ")
        out.flush()
        time.sleep(0.1)


def trouble(shape: Shape, url: str, **options: Any) -> errors.ServiceError:
    """The error of one request."""
    model = model_of(shape, url, **options)
    with pytest.raises(RequestFailed) as raised:
        model.ask(Question(system="Translate.", prompt="{}", ids=("1",)))
    return raised.value.error


@pytest.mark.parametrize("shape", get_args(Shape))
def test_the_time_out_is_for_the_whole_answer(shape: Shape) -> None:
    """No single piece of it comes late."""
    with serving(dripping) as url:
        error = trouble(shape, url, timeout=0.4)
    assert isinstance(error, errors.ServiceSlow)


@pytest.mark.parametrize("shape", get_args(Shape))
@pytest.mark.parametrize("packed", [False, True])
def test_an_endless_answer_is_not_read(shape: Shape, packed: bool) -> None:
    body = b" " * 9_000_000
    written = gzip.compress(body, 1) if packed else body
    headers = {"Content_Encoding": "gzip"} if packed else {}
    with serving(lambda out: out.write(written), **headers) as url:
        error = trouble(shape, url, timeout=PATIENCE)
    assert "more than 8000000 bytes" in error.detail


def test_an_answer_cut_off_on_its_way_is_trouble() -> None:
    with serving(lambda out: out.write(b"{}"), Content_Length="100") as url:
        assert isinstance(trouble("openai", url), errors.ServiceDown)


def test_deep_nesting_is_an_unreadable_answer() -> None:
    with FakeServer() as server:
        server.behave(lambda _: Said(raw="[" * 200_000))
        with pytest.raises(errors.ServiceError):
            run(openai_model(server.url), some_lines(20), batch_lines=1)


@pytest.mark.parametrize("count", [float("inf"), float("nan"), "many", [1], {"a": 1}, -5, 10**30])
def test_a_count_that_is_none_costs_no_translation(count: object) -> None:
    def miscounting(asked: Any) -> Said:
        message = {"choices": [{"message": {"content": good(asked).text}}], "usage": {"prompt_tokens": count}}
        return Said(raw=json.dumps(message))

    with FakeServer() as server:
        server.behave(miscounting)
        assert run(openai_model(server.url), some_lines(1))[1].text


@pytest.mark.parametrize("usage", [[1], "much", 7])
def test_a_usage_that_is_none_costs_no_translation(usage: object) -> None:
    with FakeServer() as server:
        server.behave(
            lambda asked: Said(
                raw=json.dumps({"choices": [{"message": {"content": good(asked).text}}], "usage": usage})
            )
        )
        assert run(openai_model(server.url), some_lines(1))[1].text


@pytest.mark.parametrize(
    "proxy",
    [
        f"socks9://user:{SECRET}@h:1",
        f"http://user:{SECRET}@",
        f"http://user:{SECRET}@[bad:80",
        f"http://us er:{SECRET}@h:99999",
        f"http://user:{SECRET}@host:port",
    ],
)
@pytest.mark.parametrize("shape", get_args(Shape))
def test_a_proxy_that_is_none_is_an_error_without_its_password(shape: Shape, proxy: str) -> None:
    with pytest.raises(errors.ServiceError) as raised:
        run(model_of(shape, "http://127.0.0.1:9", proxy=proxy), some_lines(1))
    said = [repr(raised.value), json.dumps(raised.value.record())]
    assert not [text for text in said if SECRET in text]
    assert SECRET not in repr(raised.value.__context__) + repr(raised.value.__cause__)


@pytest.mark.parametrize("address", ["http://[::1/v1", "http://host:port/v1", "http://host:99999/v1"])
def test_an_address_that_cannot_be_read_is_said_to_be_none(address: str) -> None:
    options = openai_compatible.Options(base_url=address, model="small")
    state = openai_compatible.readiness(options)
    assert (state.ready, state.reason) == (False, "The address is invalid.")
    assert "OPENAI_COMPATIBLE_BASE_URL" in state.remedy
    with pytest.raises(errors.NotReady):
        openai_compatible.create(options)

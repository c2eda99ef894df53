"""Chat completions against a local server: requests, key, proxy, servers without some features."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.engines.openai_compatible import spec as openai_compatible
from jobs.pipeline import errors
from tests.engines import misbehaviours as fake
from tests.engines.fake_llm_server import KEY, Asked, Behaviour, FakeServer, Said, closed_port, good
from tests.engines.llm_doubles import openai_model, run, some_lines
from tests.engines.tiny_proxy import TinyProxy
from tests.waiting import PATIENCE


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as server:
        yield server


@pytest.mark.parametrize("ending", ["/v1", "/v1/"])
def test_the_address_is_that_of_chat_completions(server: FakeServer, ending: str) -> None:
    run(openai_model("", base_url=server.url + ending), some_lines(1))
    assert server.asked[0].path == "/v1/chat/completions"
    assert server.asked[0].body["model"] == "small"


def test_the_schema_is_strict_and_has_every_id(server: FakeServer) -> None:
    run(openai_model(server.url), some_lines(12))
    form = server.asked[0].body["response_format"]["json_schema"]
    assert form["strict"] is True
    ids = [name for number in range(1, 13) for name in (f"{number:02}_begins", f"{number:02}")]
    assert list(form["schema"]["properties"]) == form["schema"]["required"] == ids
    assert form["schema"]["additionalProperties"] is False


def test_a_server_without_schemas_is_asked_for_json_from_then_on(server: FakeServer) -> None:
    server.behave(fake.refusing_schemas)
    run(openai_model(server.url), some_lines(4), batch_lines=2)
    forms = [asked.body.get("response_format", {}).get("type") for asked in server.asked]
    assert forms == ["json_schema", "json_object", "json_object"]


def test_a_server_without_any_form_is_asked_in_words(server: FakeServer) -> None:
    server.behave(fake.refusing_forms)
    run(openai_model(server.url), some_lines(1))
    assert "response_format" not in server.asked[-1].body


def test_a_request_refused_in_every_form_is_an_error(server: FakeServer) -> None:
    server.behave(lambda asked: fake.http_error(asked, 400, "No."))
    with pytest.raises(errors.ServiceError) as raised:
        run(openai_model(server.url), some_lines(1))
    assert "No." in raised.value.detail
    assert len(server.asked) == 5


def test_lines_refused_by_a_filter_are_flagged(server: FakeServer) -> None:
    def filtered(asked: Asked) -> Said:
        if 2 in asked.ids:
            return fake.http_error(asked, 400, "The response was filtered.", error={"code": "content_filter"})
        return good(asked)

    server.behave(filtered)
    answers = run(openai_model(server.url), some_lines(3))
    assert {number: answer.flags for number, answer in answers.items()} == {1: (), 2: ("blocked",), 3: ()}


def test_no_key_no_header_not_even_from_netrc(
    server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password something")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    run(openai_model(server.url, api_key=""), some_lines(1))
    assert "authorization" not in server.asked[0].headers


def test_the_key_is_a_bearer_token(server: FakeServer) -> None:
    run(openai_model(server.url), some_lines(1))
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_proxy_is_used_whatever_the_environment_says(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", closed_port())
    monkeypatch.setenv("no_proxy", "")
    with TinyProxy() as proxy:
        run(openai_model(server.url, proxy=proxy.url), some_lines(1))
        assert proxy.targets == [f"{server.url}/v1/chat/completions"]


@pytest.mark.parametrize("behaviour", [fake.wrong_key, fake.garbage, fake.rate_limited, fake.slow, good])
def test_the_key_is_never_said(server: FakeServer, behaviour: Behaviour, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")  # other packages in this process may quiet it
    server.behave(behaviour)
    said = [repr(openai_compatible.Options(api_key=KEY))]
    try:
        run(openai_model(server.url, timeout=0.2 if behaviour is fake.slow else PATIENCE), some_lines(1))
    except errors.PipelineError as error:
        said += [repr(error), json.dumps(error.record()), repr(error.__cause__), repr(error.__context__)]
    said += [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    assert len(said) > 1
    assert not [text for text in said if KEY in text]


@pytest.mark.parametrize("address", ["localhost:1/v1", "http://", "ftp://localhost/v1"])
def test_an_address_that_is_none_is_a_server_that_cannot_be_reached(address: str) -> None:
    with pytest.raises(errors.ServiceDown):
        run(openai_model("", base_url=address), some_lines(1))


@pytest.mark.parametrize(
    ("options", "setting"),
    [({}, "OPENAI_COMPATIBLE_BASE_URL"), ({"base_url": "http://localhost/v1"}, "OPENAI_COMPATIBLE_MODEL")],
)
def test_what_is_missing_is_named(options: dict[str, str], setting: str) -> None:
    settings = openai_compatible.Options(**options)  # type: ignore[arg-type]
    assert setting in openai_compatible.readiness(settings).remedy
    with pytest.raises(errors.NotReady):
        openai_compatible.create(settings)


def test_a_password_in_the_address_is_not_shown() -> None:
    options = openai_compatible.Options(base_url="http://me:secret@localhost:8000/v1", model="small")
    assert openai_compatible.readiness(options).detail == "model small at localhost:8000"


def test_temperature_and_output_are_limited(server: FakeServer) -> None:
    run(openai_model(server.url), some_lines(1))
    assert (server.asked[0].body["temperature"], server.asked[0].body["max_tokens"]) == (0.3, 8192)


def test_both_can_be_left_to_the_server(server: FakeServer) -> None:
    run(openai_model(server.url, temperature=-1.0, answer_tokens=0), some_lines(1))
    assert not {"temperature", "max_tokens", "max_completion_tokens"} & server.asked[0].body.keys()


@pytest.mark.parametrize(
    ("refused", "message", "last"),
    [
        (
            "max_tokens",
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'.",
            {"temperature", "max_completion_tokens"},
        ),
        (
            "temperature",
            "Unsupported value: 'temperature' does not support 0.3 with this model. Only the default (1) is supported.",
            {"max_tokens"},
        ),
        (
            "max_tokens",
            "'max_tokens' or 'max_completion_tokens' is too large: 8192. This model's maximum context length is 4096 "
            "tokens and your request has 816 input tokens (8192 > 4096 - 816).",
            {"temperature"},
        ),
        (
            "max_tokens",
            "This model's maximum context length is 4096 tokens. However, you requested 9008 tokens (816 in the "
            "messages, 8192 in the completion). Please reduce the length of the messages or completion.",
            {"temperature"},
        ),
    ],
)
def test_a_part_that_is_refused_by_name_is_left_out_from_then_on(
    server: FakeServer, refused: str, message: str, last: set[str]
) -> None:
    server.behave(lambda asked: fake.http_error(asked, 400, message) if refused in asked.body else good(asked))
    answers = run(openai_model(server.url), some_lines(4), batch_lines=2)
    assert all(answer.text for answer in answers.values())
    assert len(server.asked) == 3
    assert {"temperature", "max_tokens", "max_completion_tokens"} & server.asked[-1].body.keys() == last
    assert server.asked[-1].has_schema


def test_a_server_that_knows_only_the_bare_request(server: FakeServer) -> None:
    """And does not say what it refuses."""

    def bare(asked: Asked) -> Said:
        known = asked.body.keys() <= {"model", "messages", "response_format"}
        return good(asked) if known else fake.http_error(asked, 422, "Extra inputs.")

    server.behave(bare)
    answers = run(openai_model(server.url), some_lines(6), batch_lines=2)
    assert all(answer.text for answer in answers.values())
    assert len(server.asked) == 4 + 4 + 1, "what two questions needed is kept"
    assert server.asked[-1].has_schema


@pytest.mark.parametrize(
    "message", ["Bad request.", "Invalid schema for response_format 'subtitles': too many properties.", "oops"]
)
def test_one_bad_batch_does_not_cost_the_others_their_schema(server: FakeServer, message: str) -> None:
    server.behave(
        lambda asked: fake.http_error(asked, 400, message) if asked.has_schema and 3 in asked.ids else good(asked)
    )
    answers = run(openai_model(server.url), some_lines(8), batch_lines=2)
    assert all(answer.text for answer in answers.values())
    assert [asked.has_schema for asked in server.asked] == [True, True, False, True, True]


def test_schemas_that_fail_twice_in_a_row_are_given_up(server: FakeServer) -> None:
    server.behave(lambda asked: fake.http_error(asked, 400, "No.") if asked.has_schema else good(asked))
    run(openai_model(server.url), some_lines(8), batch_lines=2)
    assert [asked.has_schema for asked in server.asked] == [True, False, True, False, False, False]


def test_lines_that_a_server_cannot_take_are_flagged_and_the_rest_comes(server: FakeServer) -> None:
    """A 400 in every form for certain lines, after others have passed."""
    server.behave(lambda asked: fake.http_error(asked, 400, "No.") if 5 in asked.ids else good(asked))
    answers = run(openai_model(server.url), some_lines(8), batch_lines=4)
    assert {number: answer.flags for number, answer in answers.items() if answer.flags} == {5: ("untranslated",)}


@pytest.mark.parametrize("usage", [{"prompt_tokens": 100, "completion_tokens": 8192}, None])
def test_a_limit_that_thinking_uses_up_is_not_sent_again(server: FakeServer, usage: object) -> None:
    def thinking(asked: Asked) -> Said:
        if "max_tokens" not in asked.body:
            return good(asked)
        message = {"content": None, "reasoning_content": "Let me think about each of these lines."}
        return Said(raw=json.dumps({"choices": [{"message": message, "finish_reason": "length"}], "usage": usage}))

    server.behave(thinking)
    answers = run(openai_model(server.url), some_lines(4))
    assert all(answer.text for answer in answers.values())
    assert ["max_tokens" in asked.body for asked in server.asked] == [True, False, False]

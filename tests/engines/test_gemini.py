"""The real Google SDK against a local server: requests, key, proxy."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import traceback
from collections.abc import Iterator

import pytest

from jobs.engines.gemini import spec as gemini
from jobs.pipeline import errors
from jobs.pipeline.protocols import Usage
from tests.engines import misbehaviours as fake
from tests.engines.fake_llm_server import KEY, Asked, Behaviour, FakeServer, Said, closed_port, good
from tests.engines.llm_doubles import PERSIAN, Asleep, gemini_model, run, some_lines
from tests.engines.tiny_proxy import TinyProxy
from tests.waiting import PATIENCE


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as server:
        yield server


def test_the_model_is_asked_over_rest(server: FakeServer) -> None:
    run(gemini_model(server.url, model="gemini-x"), some_lines(1))
    assert server.asked[0].path.startswith("/v1beta/models/gemini-x:generateContent")
    assert server.asked[0].headers["x-goog-api-key"] == KEY


def test_the_key_is_in_no_address(server: FakeServer) -> None:
    run(gemini_model(server.url), some_lines(1))
    assert KEY not in server.asked[0].path


def test_the_schema_has_every_id_in_order(server: FakeServer) -> None:
    """The SDK writes them in any order, and a model that answers out of order loses the thread."""
    run(gemini_model(server.url), some_lines(40))
    form = server.asked[0].body["generationConfig"]
    ids = [name for number in range(1, 41) for name in (f"{number:02}_begins", f"{number:02}")]
    assert form["responseMimeType"] == "application/json"
    assert list(form["responseSchema"]["properties"]) == ids
    assert form["responseSchema"]["propertyOrdering"] == ids
    assert form["responseSchema"]["required"] == ids


def test_temperature_and_output_are_limited(server: FakeServer) -> None:
    run(gemini_model(server.url), some_lines(1))
    config = server.asked[0].body["generationConfig"]
    assert (config["temperature"], config["maxOutputTokens"]) == (1.0, 32768)


def test_both_can_be_left_to_the_service(server: FakeServer) -> None:
    run(gemini_model(server.url, temperature=-1.0, answer_tokens=0), some_lines(1))
    assert set(server.asked[0].body["generationConfig"]) == {"responseMimeType", "responseSchema"}


def test_a_temperature_that_the_model_refuses_is_left_out_from_then_on(server: FakeServer) -> None:
    def strict(asked: Asked) -> Said:
        if "temperature" in asked.body["generationConfig"]:
            return fake.http_error(asked, 400, "temperature is not supported by this model.")
        return good(asked)

    server.behave(strict)
    run(gemini_model(server.url), some_lines(4), batch_lines=2)
    assert ["temperature" in asked.body["generationConfig"] for asked in server.asked] == [True, False, False]
    assert all(asked.has_schema for asked in server.asked)


def test_one_schema_that_cannot_be_served_does_not_cost_the_next_batch_its_own(server: FakeServer) -> None:
    server.script(lambda asked: fake.http_error(asked, 400, "The schema produces a constraint with too many states."))
    run(gemini_model(server.url), some_lines(4), batch_lines=2)
    assert [asked.has_schema for asked in server.asked] == [True, False, True]


def test_an_error_inside_a_success_is_an_error(server: FakeServer) -> None:
    """As gateways before Gemini send it; the SDK takes it for an answer without text, that is, for a refusal."""
    server.script(lambda asked: Said(raw='{"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}'))
    asleep = Asleep()
    answers = run(gemini_model(server.url), some_lines(2), sleep=asleep)
    assert all(answer.text for answer in answers.values())
    assert len(asleep.pauses) == 1


def test_the_rules_are_apart_from_the_lines(server: FakeServer) -> None:
    run(gemini_model(server.url), some_lines(1))
    assert "never instructions" in server.asked[0].system
    assert "number 1" not in server.asked[0].system


def test_thinking_counts_as_output(server: FakeServer) -> None:
    server.tokens = (200, 80)
    batches = list(
        gemini.create(gemini.Options(api_key=KEY, endpoint=server.url)).translate(some_lines(1), PERSIAN, {})
    )
    assert batches[0].usage == Usage(input_tokens=200, output_tokens=80)


def test_a_proxy_is_used_whatever_the_environment_says(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", closed_port())
    monkeypatch.setenv("no_proxy", "")
    with TinyProxy() as proxy:
        run(gemini_model(server.url, proxy=proxy.url), some_lines(1))
        assert proxy.targets == [f"{server.url}{server.asked[0].path}"]


def test_a_dead_proxy_is_a_service_that_cannot_be_reached(server: FakeServer) -> None:
    with pytest.raises(errors.ServiceDown):
        run(gemini_model(server.url, proxy=closed_port()), some_lines(1))
    assert server.asked == []


def test_two_models_in_one_process_keep_their_own_keys(server: FakeServer) -> None:
    one, other = gemini_model(server.url), gemini_model(server.url, api_key="another-key")
    run(one, some_lines(1))
    run(other, some_lines(1))
    run(one, some_lines(1))
    assert [asked.headers["x-goog-api-key"] for asked in server.asked] == [KEY, "another-key", KEY]


@pytest.mark.parametrize(
    "behaviour",
    [fake.wrong_key, fake.garbage, fake.rate_limited, fake.overloaded, fake.slow, fake.strange_error, good],
)
def test_the_key_is_never_said(server: FakeServer, behaviour: Behaviour, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")  # other packages in this process may quiet it
    server.behave(behaviour)
    secret = "http://user:secret-password@127.0.0.1"
    said = [repr(gemini.Options(api_key=KEY, proxy=secret))]
    try:
        run(gemini_model(server.url, timeout=0.2 if behaviour is fake.slow else PATIENCE), some_lines(1))
    except errors.PipelineError as error:
        said += [repr(error), json.dumps(error.record()), *_everything(error)]
    said += [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    assert len(said) > 1
    assert not [text for text in said if KEY in text or "secret-password" in text]


def _everything(error: BaseException) -> list[str]:
    """The traceback, and whatever the errors hold that hang on this one."""
    chain = [one for one in (error.__cause__, error.__context__) if one is not None]
    lines = traceback.format_exception(error)
    return [*lines, *(f"{vars(one)} {one}" for one in chain), *(text for one in chain for text in _everything(one))]


def test_without_a_key_it_is_not_ready() -> None:
    state = gemini.readiness(gemini.Options())
    assert not state.ready
    assert "GEMINI_API_KEY" in state.remedy
    with pytest.raises(errors.NotReady):
        gemini.create(gemini.Options())


def test_the_sdk_is_imported_without_its_warnings() -> None:
    code = "from jobs.engines.gemini.client import _sdk; _sdk()"
    assert subprocess.run([sys.executable, "-W", "error", "-c", code], check=False).returncode == 0


def test_a_missing_package_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_spec(name: str) -> None:
        raise ModuleNotFoundError(name)

    for finder in (find_spec, lambda _: None):
        monkeypatch.setattr("importlib.util.find_spec", finder)
        state = gemini.readiness(gemini.Options(api_key=KEY))
        assert (state.ready, state.remedy) == (False, "pip install -r requirements/base.txt")
        assert "not installed" in state.reason

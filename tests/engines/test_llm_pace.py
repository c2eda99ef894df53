"""Sizes of requests: contexts that are too short, questions that are cut, slow servers. What is learned stays."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from jobs.engines.llm import prompt
from jobs.engines.llm.batches import BATCH_LINES
from jobs.engines.llm.pace import Pace, least_tokens
from jobs.engines.llm.remote import RequestTooLarge, Service
from jobs.engines.llm.replies import Reply
from jobs.engines.llm.translator import LlmTranslator
from jobs.pipeline import errors
from jobs.pipeline.protocols import Brief
from tests.engines import misbehaviours as fake
from tests.engines.fake_llm_server import Asked, Behaviour, FakeServer, Said, Shape, good
from tests.engines.handed import handed
from tests.engines.llm_doubles import PERSIAN, Asleep, line, model_of, openai_model, run, some_lines
from tests.engines.slow_server import SlowServer

SERVICE = Service(label="It", model="m", key_setting="KEY", model_setting="MODEL", proxy_setting="PROXY")


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as server:
        yield server


def sizes(server: FakeServer) -> list[int]:
    return [len(ids) for ids in server.ids()]


CUT = handed("70-prompt-truncated")


def cutting(most: int, cut: Behaviour = CUT) -> Behaviour:
    return lambda asked: cut(asked) if len(asked.lines) > most else good(asked)


@pytest.mark.parametrize(
    ("status", "body", "context"),
    [
        (
            400,
            '{"error":{"code":400,"message":"request (740 tokens) exceeds the available context size (512 tokens), try '
            'increasing it","type":"exceed_context_size_error","n_prompt_tokens":740,"n_ctx":512}}',
            512,
        ),
        (500, '{"error":{"message":"the request exceeds the available context size.","n_ctx": 256}}', 256),
        (400, "This model's maximum context length is 4096 tokens. However, you requested 4300 tokens", 4096),
        (400, "Trying to keep the first 6000 tokens when context the overflows. However, the model is loaded with "
              "context length of only 4096 tokens, which is not enough.", 4096),
        (400, "The input token count (1234567) exceeds the maximum number of tokens allowed (1048576).", 1048576),
        (500, "Requested tokens (2285) exceed context window of 2048", 2048),
        (400, "the input length exceeds the context length", 0),
        (400, "prompt is too long: 210000 tokens > 200000 maximum", 0),
        (413, "Payload too large", 0),
        (400, "The decoder prompt (length 5000) is longer than the maximum model length of 4096.", 4096),
        (422, "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 3000 `inputs`", 4096),
        (422, "Input validation error: `inputs` must have less than 4095 tokens. Given: 5000", 4095),
        (500, "context shift is disabled", 0),
        (400, "prompt too long; exceeded max context length by 300 tokens", 0),
        (400, "Prompt contains 40000 tokens, too large for model with 32768 maximum context length", 32768),
        (400, "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000", 0),
        (400, "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000", 0),
        (400, "This model's maximum prompt length is 131072 but the request contains 140000 tokens.", 131072),
        (400, "Prompt length 5000 exceeds max_kv_size 4096", 4096),
        (400, "Prompt length (5000) exceeds maximum input length (4096).", 4096),
        (422, "Prompt length 5000 is greater than max_seq_len 4096", 4096),
        (400, "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 30720]", 0),
    ],
)  # fmt: skip
def test_overflows_in_the_words_of_many_servers(status: int, body: str, context: int) -> None:
    trouble = SERVICE.http_error(Reply(status=status, body=body))
    assert isinstance(trouble, RequestTooLarge)
    assert trouble.context == context


@pytest.mark.parametrize(
    "text", ["Quota exceeded for metric: generate_content_free_tier_input_token_count, limit: 250000", "slow down"]
)
def test_a_quota_of_tokens_is_no_overflow(text: str) -> None:
    assert not isinstance(SERVICE.http_error(Reply(status=429, body=text)), RequestTooLarge)


@pytest.mark.parametrize("shape", [pytest.param("gemini", marks=pytest.mark.soak), "openai"])
def test_requests_stay_small_for_the_rest_of_the_job(server: FakeServer, shape: Shape) -> None:
    """Also for the lines that come later, as the speech is recognised."""
    server.behave(fake.only(9))
    translator = LlmTranslator(model_of(shape, server.url), name="test")
    lines = some_lines(90)
    done: dict[int, str] = {}
    for known in (lines[:60], lines):
        batches = list(translator.translate(known, PERSIAN, done))
        done |= {answer.id: answer.text for batch in batches for answer in batch.translations}
    assert len(done) == 90
    assert all(done.values())
    assert [size for size in sizes(server) if size > 9] == [60, 30, 15]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_question_that_was_cut_silently_is_halved(server: FakeServer, most: int) -> None:
    """Case 70: the count of tokens is round, and the answer is small talk."""
    server.behave(cutting(most))
    answers = run(openai_model(server.url), some_lines(4))
    assert all(answer.text and not answer.flags for answer in answers.values())
    assert sizes(server)[:2] == [4, 2]
    assert sizes(server).count(4) == 1


def test_a_cut_question_is_noticed_early_and_once(server: FakeServer) -> None:
    server.behave(cutting(12))
    answers = run(openai_model(server.url), some_lines(120))
    assert all(answer.text for answer in answers.values())
    assert [size for size in sizes(server) if size > 12] == [60, 30, 15]


def test_when_nothing_helps_the_context_is_named(server: FakeServer) -> None:
    server.behave(CUT)
    with pytest.raises(errors.ContextOf, match="2048") as raised:
        run(openai_model(server.url), some_lines(4))
    assert "OLLAMA_CONTEXT_LENGTH" in str(raised.value)
    assert len(server.asked) == 4


def test_the_context_is_named_for_a_single_line_too(server: FakeServer) -> None:
    server.behave(CUT)
    with pytest.raises(errors.ContextOf, match="2048"):
        run(openai_model(server.url), some_lines(1))


def test_one_unusable_answer_with_a_round_count_does_not_shorten_the_rules(server: FakeServer) -> None:
    server.script(CUT)
    answers = run(openai_model(server.url), some_lines(1))
    assert answers[1].text
    assert "Rules" in server.asked[-1].system


def test_a_line_for_which_the_rules_were_shortened_leaves_them_whole_for_others(server: FakeServer) -> None:
    def limited(asked: Asked) -> Said:
        if any(len(text) > 5000 for text in asked.lines.values()) and "Rules" in asked.system:
            return fake.http_error(asked, 400, "maximum context length is 4096 tokens")
        return fake.echo(asked) if "Rules" not in asked.system else good(asked)

    server.behave(limited)
    answers = run(openai_model(server.url), [line(1, "word " * 2000, budget=0), *some_lines(40)[1:]])
    assert {number: answer.flags for number, answer in answers.items() if answer.flags} == {1: ("untranslated",)}
    assert all("Rules" in asked.system for asked in server.asked if asked.ids != [1])


def test_a_context_whose_length_is_not_told(server: FakeServer) -> None:
    server.behave(lambda asked: fake.http_error(asked, 400, "the input length exceeds the context length"))
    with pytest.raises(errors.ContextTooSmall) as raised:
        run(openai_model(server.url), some_lines(9))
    assert type(raised.value) is errors.ContextTooSmall


def test_a_cut_question_whose_answer_looks_right_is_not_believed(server: FakeServer) -> None:
    """The schema makes a model give a text for each id, also of lines that it has not seen."""
    text = " ".join(f"word{number}" for number in range(60))
    lines = [line(number, f"{number} {text}", budget=0) for number in range(1, 41)]

    def counted(asked: Asked) -> Said:
        cut = len(asked.lines) > 10
        usage = {"prompt_tokens": 1024 if cut else 900, "completion_tokens": 9}
        texts = {number: f"این ترجمهٔ خط {number} است و به همین اندازه " + "دراز " * 40 for number in asked.lines}
        message = {"content": json.dumps(texts, ensure_ascii=False)}
        return Said(raw=json.dumps({"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}))

    server.behave(counted)
    run(openai_model(server.url), lines)
    assert sizes(server)[:2] == [14, 7], "at most 6000 characters, then half of these lines"
    assert max(sizes(server)[1:]) == 7


@pytest.mark.parametrize("count", [0, 1, 30, 100, 500, 900])
def test_counts_of_servers_that_leave_out_their_cache_prove_nothing(server: FakeServer, count: int) -> None:
    server.tokens = (count, 50)
    assert all(answer.text for answer in run(openai_model(server.url), some_lines(120)).values())
    assert sizes(server) == [60, 60]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("en", "The people of the world speak many languages, don't they?"),
        ("fa", "مردم جهان به زبان‌های بسیاری سخن می‌گویند، مگر نه؟"),
        ("zh", "世界上的人们说着许多种语言，不是吗？"),
        ("ja", "世界の人々はたくさんの言語を話しますよね？"),
        ("th", "ผู้คนทั่วโลกพูดภาษาต่างๆ มากมาย"),
    ],
)
def test_the_least_number_of_tokens_is_below_that_of_real_tokenisers(source: str, text: str) -> None:
    """They make at least one token of four letters of such texts, whatever the language."""
    question = prompt.to_translate([line(1, text)], Brief(source=source, target="fa"), prompt.Surroundings())
    letters = len(question.system) + len(question.prompt)
    assert letters / 8 < least_tokens(question) < letters / 4


def test_a_context_into_which_only_short_rules_fit(server: FakeServer) -> None:
    def tiny(asked: Asked) -> Said:
        if len(asked.system) + len(json.dumps(asked.question)) > 700:
            return fake.http_error(asked, 400, "request exceeds the available context size (512 tokens)")
        return good(asked)

    server.behave(tiny)
    answers = run(openai_model(server.url), some_lines(30))
    assert all(answer.text and not answer.flags for answer in answers.values())
    assert sizes(server)[-1] > 1, "with short rules, several lines fit again"


def test_one_enormous_line_does_not_shorten_the_rules_for_others(server: FakeServer) -> None:
    def limited(asked: Asked) -> Said:
        if any(len(text) > 5000 for text in asked.lines.values()):
            return fake.http_error(asked, 400, "maximum context length is 4096 tokens")
        return good(asked)

    server.behave(limited)
    answers = run(openai_model(server.url), [line(1, "word " * 2000, budget=0), *some_lines(40)[1:]])
    assert {number: answer.flags for number, answer in answers.items() if answer.flags} == {1: ("untranslated",)}
    assert "Rules" in server.asked[-1].system


def test_an_answer_that_met_the_limit_of_output_halves(server: FakeServer) -> None:
    def capped(asked: Asked) -> Said:
        return fake.truncated(asked) if len(asked.ids) > 16 else good(asked)

    server.behave(capped)
    answers = run(openai_model(server.url), some_lines(180))
    assert all(answer.text for answer in answers.values())
    assert sizes(server)[0] == 60
    assert sizes(server).count(60) == 1
    assert len([size for size in sizes(server) if size > 16]) <= 3


def test_an_answer_without_end_to_one_line_is_asked_for_once_more(server: FakeServer) -> None:
    server.script(fake.truncated)
    assert run(openai_model(server.url), some_lines(1))[1].text
    server.behave(fake.truncated)
    assert run(openai_model(server.url), some_lines(1))[1].flags == ("untranslated",)
    assert len(server.asked) == 2 + 2


def test_an_answer_without_end_to_a_few_lines_is_an_exception(server: FakeServer) -> None:
    def looping(asked: Asked) -> Said:
        return fake.truncated(asked) if 30 in asked.ids and len(asked.ids) < 20 else good(asked)

    def forgetful(asked: Asked) -> Said:
        said = looping(asked)
        return Said(text=said.text.replace('"30"', '"x30"')) if len(asked.ids) > 20 else said

    server.behave(forgetful)
    run(openai_model(server.url), some_lines(180))
    assert sizes(server).count(60) == 3


@pytest.mark.parametrize("rate", [2.0, 4.0, 10.0])
@pytest.mark.parametrize("streams", [False, True])
def test_all_lines_come_from_a_slow_server(server: FakeServer, rate: float, streams: bool) -> None:
    slow = SlowServer(rate=rate, streams=streams)
    server.behave(slow)
    answers = run(openai_model(server.url), [line(number, budget=80) for number in range(1, 107)])
    assert len(answers) == 106
    assert all(answer.text and not answer.flags for answer in answers.values())
    assert sizes(server).count(BATCH_LINES) <= 1 or not slow.late
    assert slow.late <= 4, "what was learned stays"


@pytest.mark.parametrize("shape", [pytest.param("gemini", marks=pytest.mark.soak), "openai"])
def test_a_time_out_is_not_repeated_unchanged(server: FakeServer, shape: Shape) -> None:
    server.behave(lambda asked: fake.slow(asked) if len(asked.ids) > 4 else good(asked))
    asleep = Asleep()
    answers = run(model_of(shape, server.url, timeout=2.0), some_lines(16), sleep=asleep)
    assert all(answer.text for answer in answers.values())
    assert [size for size in sizes(server) if size > 4] == [16, 8]
    assert asleep.pauses == [2.0, 4.0]


def test_a_gateway_that_times_out_counts_as_a_time_out(server: FakeServer) -> None:
    def behaviour(asked: Asked) -> Said:
        return Said(raw="<html>504 Gateway Time-out</html>", status=504) if len(asked.ids) > 5 else good(asked)

    server.behave(behaviour)
    assert all(answer.text for answer in run(openai_model(server.url), some_lines(20)).values())
    assert [size for size in sizes(server) if size > 5] == [20, 10]


def test_a_gateway_that_times_out_for_a_while_is_waited_for(server: FakeServer) -> None:
    def late(asked: Asked) -> Said:
        return Said(raw="", status=504)

    server.script(late, late, late, late, late)
    assert run(openai_model(server.url), some_lines(1))[1].text
    server.behave(late)
    with pytest.raises(errors.ServiceSlow):
        run(openai_model(server.url), some_lines(1))
    assert len(server.asked) == 6 + 6


def test_a_gateway_that_asks_for_an_hour_is_not_waited_for(server: FakeServer) -> None:
    server.behave(lambda _: Said(raw="", status=504, headers={"Retry-After": "3600"}))
    asleep = Asleep()
    with pytest.raises(errors.ServiceSlow):
        run(openai_model(server.url), some_lines(20), sleep=asleep)
    assert (len(server.asked), asleep.pauses) == (1, [])


def test_a_model_that_is_being_loaded_does_not_make_the_whole_job_small(server: FakeServer) -> None:
    """The first lines of a video come alone, and meet a server that is not ready."""
    server.script(lambda asked: Said(raw="", status=504))
    translator = LlmTranslator(openai_model(server.url), name="test", sleep=Asleep())
    lines = some_lines(62)
    done: dict[int, str] = {}
    for known in (lines[:2], lines):
        batches = list(translator.translate(known, PERSIAN, done))
        done |= {answer.id: answer.text for batch in batches for answer in batch.translations}
    assert sizes(server)[-1] == 60


def test_parts_are_as_equal_as_can_be() -> None:
    pace = Pace(60, "It", Asleep())
    assert [len(part) for part in pace.parts(some_lines(7))] == [3, 4]
    pace.failed(57)
    assert pace.most == 28
    assert [len(part) for part in pace.parts(some_lines(57))] == [19, 19, 19]
    assert [len(part) for part in pace.parts(some_lines(1))] == [1]

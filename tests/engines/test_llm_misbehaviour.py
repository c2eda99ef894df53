"""Both clients against a server with all known faults, without real pauses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import pytest

from jobs.engines.llm.translator import LlmTranslator
from jobs.pipeline import errors
from tests.engines import misbehaviours as fake
from tests.engines.fake_llm_server import Asked, Behaviour, FakeServer, Said, Shape, closed_port, good, saying
from tests.engines.llm_doubles import PERSIAN, Asleep, line, model_of, run, some_lines
from tests.waiting import PATIENCE


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as server:
        yield server


@pytest.fixture(params=[*get_args(Shape), "streamed"])
def shape(request: pytest.FixtureRequest, server: FakeServer) -> Shape:
    """Gemini's or chat completions, these at once or as a stream."""
    server.streams = request.param == "streamed"
    return "gemini" if request.param == "gemini" else "openai"


@pytest.mark.parametrize(
    "behaviour",
    [
        good,
        fake.fenced,
        fake.too_few,
        fake.too_many,
        fake.refusing_schemas,
        fake.refusing_forms,
        fake.only(3),
        fake.wordy,
    ],
)
def test_every_line_is_translated_all_the_same(server: FakeServer, shape: Shape, behaviour: Behaviour) -> None:
    server.behave(behaviour)
    answers = run(model_of(shape, server.url), some_lines(8))
    assert {number: (answer.text, answer.flags) for number, answer in answers.items()} == {
        number: (f"می‌شود {'۰۱۲۳۴۵۶۷۸۹'[number]}", ()) for number in range(1, 9)
    }


@pytest.mark.parametrize(
    "texts",
    [
        {1: "سلام کرد و رفت، بعد او در را بست.", 2: "هیچ‌کس دلیلش را نمی‌دانست.", 3: "دیروقت بود."},
        {1: "سلام کرد", 2: "و رفت.", 3: "بعد او در را بست.", 4: "هیچ‌کس دلیلش را نمی‌دانست.", 5: "دیروقت بود."},
        {0: "سلام کرد و رفت.", 1: "بعد او در را بست.", 2: "هیچ‌کس دلیلش را نمی‌دانست.", 3: "دیروقت بود."},
    ],
)
def test_an_answer_that_is_always_the_same_is_not_believed_for_fewer_lines(
    server: FakeServer, shape: Shape, texts: dict[int, str]
) -> None:
    """Case 77, from a server that gives the moved texts to every question, even for a single line."""
    server.behave(lambda _: saying({str(number): text for number, text in texts.items()}))
    said = ("He said hello and left.", "Then she closed the door.", "Nobody knew the reason.", "It was late.")
    answers = run(model_of(shape, server.url), [line(number, text) for number, text in enumerate(said, start=1)])
    assert {answer.flags for answer in answers.values()} == {("untranslated",)}


@pytest.mark.parametrize(
    "behaviour",
    [
        fake.too_few,
        fake.shifted,
        fake.empty_lines,
        fake.echo,
        fake.wrong_script,
        fake.absurdly_long,
        fake.garbage,
        fake.html,
        fake.empty,
        fake.truncated,
        fake.broken,
        fake.refused,
        fake.prompt_refused,
        fake.rate_limited,
        fake.rate_limited_for(7),
        fake.rate_limited_by_google(7),
        fake.server_error,
        fake.overloaded,
        fake.bad_gateway,
        fake.strange_error,
    ],
)
def test_one_bad_answer_costs_nothing_but_a_request(server: FakeServer, shape: Shape, behaviour: Behaviour) -> None:
    server.script(behaviour)
    answers = run(model_of(shape, server.url), some_lines(6))
    assert [answer.text for answer in answers.values()] == [f"می‌شود {digit}" for digit in "۱۲۳۴۵۶"]
    assert len(server.asked) in {2, 3}


@pytest.mark.parametrize(
    ("behaviour", "flag"),
    [
        (fake.shifted, "untranslated"),
        (fake.empty_lines, "untranslated"),
        (fake.echo, "untranslated"),
        (fake.wrong_script, "untranslated"),
        (fake.absurdly_long, "untranslated"),
        (fake.garbage, "untranslated"),
        (fake.html, "untranslated"),
        (fake.refused, "blocked"),
        (fake.prompt_refused, "blocked"),
    ],
)
def test_lines_that_never_get_a_usable_answer_are_flagged(
    server: FakeServer, shape: Shape, behaviour: Behaviour, flag: str
) -> None:
    """And only those: their neighbours are isolated from them."""

    def bad_for_some(asked: Asked) -> Said:
        return behaviour(asked) if set(asked.ids) & {2, 5} else good(asked)

    server.behave(bad_for_some)
    answers = run(model_of(shape, server.url), some_lines(6))
    assert {number: answer.flags for number, answer in answers.items() if answer.flags} == {2: (flag,), 5: (flag,)}
    assert all(answers[number].text == f"می‌شود {'۰۱۲۳۴۵۶'[number]}" for number in (1, 3, 4, 6))
    assert [answers[number].text for number in (2, 5)] == ["", ""]


ERRORS: list[tuple[Behaviour, type[errors.ServiceError], int]] = [
    (fake.garbage, errors.ServiceError, 12),
    (fake.html, errors.ServiceError, 12),
    (fake.slow, errors.ServiceSlow, 4),
    (fake.rate_limited, errors.OutOfQuota, 6),
    (fake.rate_limited_for(3600), errors.OutOfQuota, 1),
    (fake.rate_limited_by_google(3600), errors.OutOfQuota, 1),
    (fake.no_money, errors.OutOfQuota, 1),
    (fake.wrong_key, errors.WrongKey, 1),
    (fake.forbidden_key, errors.WrongKey, 1),
    (fake.wrong_place, errors.RefusedLocation, 1),
    (fake.unknown_model, errors.UnknownModel, 1),
    (fake.server_error, errors.ServiceDown, 6),
    (fake.overloaded, errors.ServiceDown, 6),
    (fake.bad_gateway, errors.ServiceDown, 6),
    (fake.strange_error, errors.ServiceDown, 6),
]


@pytest.mark.parametrize(("behaviour", "error", "requests"), ERRORS)
def test_trouble_that_stays_is_named(
    server: FakeServer, shape: Shape, behaviour: Behaviour, error: type[errors.ServiceError], requests: int
) -> None:
    server.behave(behaviour)
    with pytest.raises(error) as raised:
        run(model_of(shape, server.url, timeout=0.2 if behaviour is fake.slow else PATIENCE), some_lines(8))
    assert type(raised.value) is error
    assert raised.value.detail
    assert len(server.asked) == requests


def test_a_closed_port_is_a_service_that_is_down(shape: Shape) -> None:
    with pytest.raises(errors.ServiceDown):
        run(model_of(shape, closed_port()), some_lines(1))


def test_the_pauses_grow_and_end(server: FakeServer, shape: Shape) -> None:
    server.behave(fake.overloaded)
    asleep = Asleep()
    with pytest.raises(errors.ServiceDown):
        run(model_of(shape, server.url), some_lines(1), sleep=asleep)
    assert [int(pause // 1) for pause in asleep.pauses] == sorted(int(pause // 1) for pause in asleep.pauses)
    assert all(2**n <= pause <= 2**n + 1 for n, pause in enumerate(asleep.pauses))


@pytest.mark.parametrize("limit", [fake.rate_limited_for, fake.rate_limited_by_google])
def test_the_service_is_left_alone_as_long_as_it_asks(server: FakeServer, shape: Shape, limit: object) -> None:
    assert callable(limit)
    server.script(limit(42))
    asleep = Asleep()
    run(model_of(shape, server.url), some_lines(1), sleep=asleep)
    assert len(asleep.pauses) == 1
    assert 42 < asleep.pauses[0] <= 44


def test_a_refused_line_does_not_take_its_neighbours_along(server: FakeServer, shape: Shape) -> None:
    server.behave(fake.refusing("forbidden"))
    lines = [*some_lines(15), line(16, "This is the forbidden word.")]
    answers = run(model_of(shape, server.url), lines)
    assert [number for number, answer in answers.items() if "blocked" in answer.flags] == [16]
    assert len(server.asked) == 9, "halved four times"


def test_what_was_done_is_handed_over_before_the_trouble(server: FakeServer, shape: Shape) -> None:
    server.script(good, good, fake.wrong_key)
    translator = LlmTranslator(model_of(shape, server.url), name="test", batch_lines=2)
    batches = translator.translate(some_lines(6), PERSIAN, {})
    assert [[answer.id for answer in next(batches).translations] for _ in range(2)] == [[1, 2], [3, 4]]
    with pytest.raises(errors.WrongKey):
        next(batches)

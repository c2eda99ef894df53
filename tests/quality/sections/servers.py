"""Servers of language models as they are: a real llama.cpp with schemas, without, and with short contexts, and servers
of a few tokens a second. Every line has to get a text or a flag, and from slow servers a text.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace

from jobs.engines.llm.remote import AnswerFormat
from jobs.engines.llm.translator import LlmTranslator
from jobs.engines.openai_compatible.client import OpenAiModel
from jobs.engines.openai_compatible.options import Options
from jobs.pipeline.errors import PipelineError
from jobs.pipeline.protocols import Brief, Line, Translation
from tests.engines.fake_llm_server import FakeServer
from tests.engines.slow_server import SlowServer
from tests.quality.engines import Session
from tests.quality.llama import llama
from tests.quality.rows import Row, at_most, info, table

SECTION = "servers"
SPANISH, PERSIAN = Brief(source="en", target="es"), Brief(source="en", target="fa")
RATES = (2.0, 4.0, 10.0)
_CASES = {
    "schema": (8192, AnswerFormat.SCHEMA),
    "no schema": (8192, AnswerFormat.PLAIN),
    "context of 2,048": (2048, AnswerFormat.SCHEMA),
    "context of 512": (512, AnswerFormat.SCHEMA),
}
_CUES, _SLOW_CUES = 60, 106
_ANSWER_TOKENS = 160
"""Tokens of an answer: the small model often repeats itself without end."""

_SAID = (
    *("It was late.", "Good morning.", "Where is it?", "I see.", "There it is!"),
    *("Thank you.", "She left.", "Nobody came.", "Who knows?", "He sings."),
)
"""Short lines: the small model takes minutes for long ones."""


@dataclass
class _Ran:
    """The outcome of a job: its translations by id, the error that ended it, seconds."""

    found: dict[int, Translation]
    error: str
    seconds: float


def measure(session: Session) -> list[Row]:
    """Translate 60 cues at llama.cpp in each case, and 106 at slow servers; the short form takes the slow ones only."""
    rows = [row for rate in RATES for streams in (False, True) for row in _slow(rate, streams=streams)]
    if session.quick:
        return rows
    return rows + [row for name in _CASES for row in _real(name)]


def _real(name: str) -> list[Row]:
    context, answer = _CASES[name]
    with llama(context) as url:
        model = OpenAiModel(Options(base_url=f"{url}/v1", model="gemma", answer_tokens=_ANSWER_TOKENS))
        model._form = replace(model._form, answer=answer)
        ran = _run(LlmTranslator(model, name="llama.cpp"), SPANISH, _lines(_CUES))
    texts = sum(bool(one.text) for one in ran.found.values())
    undecided = sum(number not in ran.found or not _decided(ran.found[number]) for number in range(1, _CUES + 1))
    if ran.error and not texts:  # the job ended with a sentence, because no answer at all could be used
        name, undecided = f"{name} ({ran.error})", 0
    rows = [
        at_most(SECTION, f"llama.cpp, {name}: cues without a text or a flag", undecided, 0),
        info(SECTION, f"llama.cpp, {name}: cues with a text", texts),
        info(SECTION, f"llama.cpp, {name}: seconds", ran.seconds),
    ]
    logging.info("%s", table(rows))  # a case takes ten minutes and more
    return rows


def _decided(one: Translation) -> bool:
    return bool(one.text or one.flags)


def _slow(rate: float, *, streams: bool) -> list[Row]:
    name = f"{rate:g} tokens/s{', streamed' if streams else ''}"
    with FakeServer() as server:
        server.behave(SlowServer(rate=rate, streams=streams))
        model = OpenAiModel(Options(base_url=f"{server.url}/v1", model="slow"))
        ran = _run(LlmTranslator(model, name="slow", sleep=lambda _: None), PERSIAN, _lines(_SLOW_CUES))
        asked = len(server.asked)
    missing = sum(number not in ran.found or not ran.found[number].text for number in range(1, _SLOW_CUES + 1))
    return [
        at_most(SECTION, f"{name}: cues without a translation", missing, 0),
        info(SECTION, f"{name}: requests", asked),
    ]


def _run(translator: LlmTranslator, brief: Brief, lines: list[Line]) -> _Ran:
    begun, found, error = time.monotonic(), dict[int, Translation](), ""
    try:
        for batch in translator.translate(lines, brief, {}):
            found |= {one.id: one for one in batch.translations}
    except PipelineError as ended:
        error = f"{type(ended).__name__}: {ended}"
    return _Ran(found=found, error=error, seconds=time.monotonic() - begun)


def _lines(count: int) -> list[Line]:
    return [Line(id=number, text=_SAID[number % len(_SAID)], budget=0) for number in range(1, count + 1)]

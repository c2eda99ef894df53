"""Tokens of the ways of translating, for a transcript of ten minutes, counted at a local server.

The server is a double: it answers with the translations of people, so that no answer has to be asked for again, and
counts with the tokenizer of Whisper. The sentences are those of Django's catalogues, about as long as subtitles.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from tokenizers import Tokenizer  # type: ignore[import-untyped]

from jobs.engines.llm.prompt import BEGINS
from jobs.engines.llm.translator import LlmTranslator
from jobs.pipeline.protocols import Brief, Document, Line, Usage
from tests.engines.fake_llm_server import Asked, FakeServer, Said
from tests.engines.llm_doubles import openai_model
from tests.engines.test_alignment import Pair, pairs
from tests.quality.engines import Session
from tests.quality.rows import Row, at_most, info
from tests.quality.weights import whisper_base

SECTION = "translation_cost"

WORDS = 1_500
"""Words of ten minutes of speech."""
_LINE = (25, 84)
"""Characters of a line."""
_NOTED = 12
"""Names, and terms, of the brief."""

BRIEF = Brief(source="en", target="fa")
REMARK = "Too literal; say it as people speak and drop the filler."


@dataclass
class _Double:
    """A model that knows all translations. `faulty` of four drafts get a remark."""

    known: Mapping[str, str]
    faulty: int = 1

    def __call__(self, asked: Asked) -> Mapping[str, str]:
        question = asked.question
        if "transcript" in question:
            terms = [text.split()[0] for text in question["transcript"][:: len(question["transcript"]) // _NOTED]]
            lines = "\n".join(
                f"{term} = {self.known[text][:20]}" for term, text in zip(terms, self.known, strict=False)
            )
            return {"topic": "پیام‌های یک سایت", "register": "رسمی و کوتاه", "names": lines, "terms": lines}
        if "check" in question:
            return {number: REMARK if int(number) % 4 < self.faulty else "ok" for number in question["check"]}
        said = question.get("translate") or {number: pair[0] for number, pair in question["revise"].items()}
        answer = dict[str, str]()
        for number, text in said.items():
            if BEGINS in asked.system:
                answer[number + BEGINS] = " ".join(text.split()[:3])
            answer[number] = self.known[text]
        return answer


def transcript() -> list[Pair]:
    """Lines of ten minutes of speech with their translations by people."""
    found, words = list[Pair](), 0
    for source, target in pairs("fa"):
        if words < WORDS and _LINE[0] <= len(source) <= _LINE[1]:
            found.append((source, target))
            words += len(source.split())
    return found


@cache
def _tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(whisper_base() / "tokenizer.json"))


def _count(text: str) -> int:
    return len(_tokenizer().encode(text, add_special_tokens=False).ids)


def spent(brief: Brief, *, reads_first: bool = False, faulty: int = 1, first_words: bool = True) -> tuple[Usage, int]:
    """The tokens, and the questions, of a transcript's translation, as the server counted them."""
    said = transcript()
    lines = [Line(id=number, text=source, budget=200) for number, (source, _) in enumerate(said, start=1)]
    double, total = _Double(dict(said), faulty), Usage()
    with FakeServer() as server:

        def behave(asked: Asked) -> Said:
            text = json.dumps(double(asked), ensure_ascii=False)
            server.tokens = (sum(_count(one["content"]) for one in asked.body["messages"]), _count(text))
            return Said(text=text)

        server.behave(behave)
        translator = LlmTranslator(openai_model(server.url), name="double", batch_lines=60, first_words=first_words)
        document = None
        if reads_first:
            for part in translator.read(lines, brief, Document(), 0):
                document, total = part.document, total + part.usage
        for batch in translator.translate(lines, brief.with_document(document), {}):
            total += batch.usage
            assert not any(one.flags for one in batch.translations), "a double that is always right"
        return total, len(server.asked)


def measure(_session: Session) -> list[Row]:
    """Count the tokens of each way, and compare them with those of the plain one."""
    careful = replace(BRIEF, careful=True)
    ways: dict[str, Callable[[], Any]] = {
        "plain": lambda: spent(BRIEF),
        "first words only where needed": lambda: spent(BRIEF, first_words=False),
        "with a brief": lambda: spent(BRIEF, reads_first=True),
        "careful, a quarter revised": lambda: spent(careful),
        "careful, all revised": lambda: spent(careful, faulty=4),
        "careful with a brief": lambda: spent(careful, reads_first=True),
    }
    limits = {"with a brief": 1.5, "careful, a quarter revised": 3.0, "careful, all revised": 4.0}
    rows, plain = list[Row](), 0
    for name, way in ways.items():
        usage, questions = way()
        total = usage.input_tokens + usage.output_tokens
        plain = plain or total
        rows += [
            info(SECTION, f"{name}: questions", questions),
            info(SECTION, f"{name}: tokens in", usage.input_tokens),
            info(SECTION, f"{name}: tokens out", usage.output_tokens),
            info(SECTION, f"{name}: tokens", total),
        ]
        if name in limits:
            rows.append(at_most(SECTION, f"{name}: times the plain tokens", total / plain, limits[name]))
    return rows

"""Estimates of the tokens that a language model reads and writes, before it is asked.

Every model cuts text into tokens in its own way. The numbers here were measured with the 262,000 tokens of Gemma 3, on
the texts of tests/data, and rounded to the expensive side; vocabularies of 200,000 tokens come near. They are for
estimates, and for services that do not count.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import lru_cache

from jobs.engines.llm import prompt
from jobs.engines.llm.batches import AFTER, BATCH_LINES, BEFORE, batches
from jobs.pipeline.protocols import Brief, Line, Usage
from jobs.pipeline.text.languages import language

LATIN = 4.0
"""Characters of Latin script a token, in running text with its punctuation and spaces."""

_ASCII_SIGN = 1.5
"""Digits, quotes, brackets and other signs of ASCII a token."""

_BY_BLOCK = (
    (0x0250, LATIN),  # Latin, with its accents
    (0x0400, 2.4),  # Greek
    (0x0590, 3.5),  # Cyrillic, Armenian
    (0x0600, 2.1),  # Hebrew
    (0x0780, 2.7),  # Arabic and Persian
    (0x0E00, 3.0),  # scripts of India
    (0x1100, 2.8),  # Thai, Lao, Tibetan, Georgian, Ethiopic
    (0x2E80, 2.0),  # the rest below the ideographs, with the signs of typography
    (0xAC00, 1.5),  # Chinese and Japanese
    (0xD7B0, 2.0),  # Korean
)
"""Characters a token, by the code point below which it holds."""

_OTHER = 1.0

WORDS_A_MINUTE = 150
"""Words a minute of speech: conversation and narration have 130 to 170."""

_CHARACTERS_A_WORD = 5.7
"""Of English, with the space after it."""

_SECONDS_A_CUE = 3.5
"""Seconds of speech in a cue: two lines that are full as often as not."""

_AGAIN = 1.2
"""Factor for what is asked again, and shortened, on top of the first questions."""

_CAREFUL, _BRIEF = (4.0, 1.9), (1.55, 1.15)
"""Factors of input and output for criticism and revision, and for a brief of the transcript. Those of the first are
between the ones measured with a quarter and with all of the lines revised (docs/quality.md)."""

_FIRST_WORDS = 3
"""Words that are copied from the beginning of a line."""

_LENGTH = {"zh": 0.4, "ja": 0.55, "ko": 0.6}
"""Characters of a translation for each one of an English original, where they are far from as many."""


def count(text: str) -> int:
    """The tokens of `text`, estimated."""
    signs = sum(1 for each in text if each < "\x80" and not (each.isalpha() or each == " "))
    others = sum(1 / _characters_a_token(ord(each)) for each in text if each >= "\x80" or each.isalpha() or each == " ")
    return math.ceil(others + signs / _ASCII_SIGN)


def expected(question: prompt.Question, brief: Brief) -> Usage:
    """The tokens that one question uses."""
    asked = count(question.prompt)
    texts = _texts_of(question)
    answer = sum(_translated(text, brief) for text in texts) if texts else asked // 2
    if any(name.endswith(prompt.BEGINS) for name in question.ids):
        answer += sum(count(" ".join(text.split()[:_FIRST_WORDS])) for text in texts)
    return Usage(
        input_tokens=count(question.system) + asked + _schema(question.ids),
        output_tokens=answer + _frame(question.ids),
    )


@lru_cache(maxsize=256)
def of_text(
    lines: int, characters: int, brief: Brief, batch_lines: int = BATCH_LINES, *, first_words: bool = True
) -> Usage:
    """The tokens that the translation of so many lines with so many characters uses, with what is asked again.

    `first_words`: see `translator.LlmTranslator`.
    """
    if not lines:
        return Usage()
    text = _words(_letter(brief.source), max(1, round(characters / lines)))
    each = [Line(id=number, text=text, budget=len(text)) for number in range(1, min(lines, batch_lines) + 1)]
    batch = next(iter(batches(each, lambda: batch_lines)))
    full = expected(prompt.to_translate(batch, brief, _around(batch), beginnings=first_words and len(batch) > 1), brief)
    times = _AGAIN * lines / len(batch)
    return Usage(input_tokens=round(full.input_tokens * times), output_tokens=round(full.output_tokens * times))


def of_speech(seconds: float, brief: Brief, batch_lines: int = BATCH_LINES, *, first_words: bool = True) -> Usage:
    """The tokens that the translation of so many seconds of speech uses, as if nobody paused."""
    share = _LENGTH.get(brief.source.split("-")[0], 1.0)
    characters = seconds / 60 * WORDS_A_MINUTE * _CHARACTERS_A_WORD * share
    return of_text(math.ceil(seconds / _SECONDS_A_CUE), round(characters), brief, batch_lines, first_words=first_words)


def with_steps(usage: Usage, *, careful: bool, reads_first: bool) -> Usage:
    """The tokens of a translation with these steps, from those of a plain one."""
    asked, answered = float(usage.input_tokens), float(usage.output_tokens)
    more = [_CAREFUL] * careful + [_BRIEF] * reads_first
    asked += sum(usage.input_tokens * (times - 1) for times, _ in more)
    answered += sum(usage.output_tokens * (times - 1) for _, times in more)
    return Usage(input_tokens=round(asked), output_tokens=round(answered))


def _around(batch: Sequence[Line]) -> prompt.Surroundings:
    """The context that goes with a batch in the middle of a job: lines before it with their translations, and after."""
    near = [batch[0].text] * (BEFORE + AFTER)
    known = {1000 + at: (text, text)[: 2 if at < BEFORE else 1] for at, text in enumerate(near)}
    return prompt.Surroundings(context=known, width=4)


def _texts_of(question: prompt.Question) -> list[str]:
    """The originals of the lines that a question asks about; none when it is of another kind."""
    body = json.loads(question.prompt)
    if "translate" in body:
        return list(body["translate"].values())
    return [pair[0] for pair in body.get("shorten", {}).values()]


def _characters_a_token(point: int) -> float:
    return next((characters for below, characters in _BY_BLOCK if point < below), _OTHER)


def _letter(code: str) -> str:
    """A letter of the script of a language; of no script in particular if that is not known."""
    samples = {"Arab": "ا", "Hebr": "א", "Cyrl": "а", "Grek": "α", "Deva": "अ", "Thai": "ก", "Kore": "가"}
    samples |= {"Hans": "中", "Hant": "中", "Jpan": "日"}
    return samples.get(language(code).script, "a")


def _words(letter: str, characters: int) -> str:
    """A text of so many characters, in words of the usual length."""
    size = round(_CHARACTERS_A_WORD)
    return (letter * (size - 1) + " ") * (characters // size) + letter * (characters % size)


def _translated(text: str, brief: Brief) -> int:
    """The tokens of the translation of one text: about as many characters as it has, in the target's script."""
    source, target = (_LENGTH.get(code.split("-")[0], 1.0) for code in (brief.source, brief.target))
    return count(_letter(brief.target) * max(1, round(len(text) * target / source)))


def _frame(ids: Sequence[str]) -> int:
    """The tokens of the keys, quotes and commas of an answer."""
    return 7 * len(ids)


def _schema(ids: Sequence[str]) -> int:
    """The tokens of the schema, which services count as input: each id stands in it twice."""
    return 12 * len(ids)

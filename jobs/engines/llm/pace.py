"""Sizes of requests, learned from a server while a job runs.

A server may have a short context, be slow, or cut questions off without saying so. What it could not answer is asked
for in smaller parts, and the next requests stay as small.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

from jobs.engines.llm.prompt import Question
from jobs.engines.llm.remote import (
    ATTEMPTS,
    PAUSES,
    ContentFiltered,
    FormatNotSupported,
    RequestFailed,
    RequestTooLarge,
    TimedOut,
)
from jobs.pipeline.errors import ContextOf, ContextTooSmall
from jobs.pipeline.protocols import Line

Outcome = Literal["", "untranslated", "blocked", "repeat"]
"""Outcome of a request: nothing special; the flag for lines without a text, if the same request would not help; or
“repeat”, because the next request for the same lines will be another one.
"""

_FEW = 8
"""Lines of a request that, when it fails, does not yet make later ones smaller: the model may still be loading."""

_LEAN_LINES = 8
"""Lines per request once only the short rules fit: a context of 512 tokens takes about as many."""

_ROUND, _NEAR = 256, 8
"""Contexts have a multiple of so many tokens; servers that cut questions count up to so many more or fewer."""

_DENSE = ("\u3040", "\ua000"), ("\uac00", "\ud7b0")
"""First and last letters of the scripts without spaces, of which a token may hold several."""
_DENSE_PER_TOKEN = 4

_LONG_LINE = 500
"""Characters from which on a line may be too large for a context that is large enough for others."""

_DETAIL = 500  # characters

_MOST_REFUSED = 12
"""Requests in a row that are refused in every form, after which it is the server, and not their lines."""

_PATIENT = 3
"""Requests in a row that timed out, from which on the next one is a quarter as large: a server that has stopped is not
waited for in every size."""


class Pace:
    """Lines per request that a server, `label` in sentences, can manage, at most `lines`. `sleep` waits before a
    smaller request.

    `lean` tells to send the short rules without context: not even one line fitted with the others. `context` is the
    length of the context in tokens, as far as it is known.
    """

    def __init__(self, lines: int, label: str, sleep: Callable[[float], None]) -> None:
        self._label, self._sleep = label, sleep
        self.most = max(1, lines)
        self.lean = False
        self.context = 0
        self.late = 0
        """Requests that timed out in a row."""
        self.best = 0
        """Most lines that were answered whole, as far as that still holds."""
        self._doubted = 0
        """Lines of a small request that has failed once; 0 if none has."""
        self._sure = False
        """Whether a second request has confirmed that the context is short."""
        self._refused = 0
        """Requests in a row that were refused in every form."""
        self._exception = False
        """Whether `lean` is for one line only."""

    def note(self, count: int, texts: int, trouble: str, *, again: bool) -> None:
        """Note how many `texts` came for `count` lines in an answer with `trouble` (see model.Answer). None at the
        second asking (`again`) is too much as well.
        """
        self._end_exception()
        if texts and (not trouble or texts == count):
            self.best, self._refused = max(self.best, count), 0
            self._doubted = 0 if count >= self._doubted else self._doubted
        elif trouble == "cut" or (again and not texts):
            self.failed(count)

    def after(self, trouble: RequestFailed, lines: Sequence[Line]) -> Outcome:
        """The next step for `lines` whose request failed. Raises `trouble` if no other request would help."""
        match trouble:
            case ContentFiltered():
                return "blocked"
            case RequestTooLarge():
                self.context, self._sure = trouble.context or self.context, True
                return self.too_much(lines, trouble.error.detail)
            case TimedOut():
                self.late += 1
                self.failed(len(lines))
                patient = self.late < ATTEMPTS and trouble.wait <= PAUSES
                if patient and (len(lines) > 1 or self.late == 1 or trouble.by_gateway):
                    self._sleep(trouble.wait + 2.0**self.late)
                    return "untranslated" if len(lines) > 1 else "repeat"
            case FormatNotSupported() if self.best and self._refused < _MOST_REFUSED:
                self._refused += 1  # others passed: it is these lines that cannot be taken
                return "untranslated"
        raise trouble

    def too_much(self, lines: Sequence[Line], said: str) -> Outcome:
        """The next step for `lines` that do not fit into the context of the model. Raises ContextTooSmall if not even
        one fits.
        """
        self.failed(len(lines))
        if len(lines) > 1:
            return "untranslated"
        if not self._sure:
            return ""
        if not self.lean:
            self.lean, self._exception = True, self.best > 0 or len(lines[0].text) > _LONG_LINE
            if not self._exception:
                self.most = _LEAN_LINES
            return "repeat"
        if self._exception or self.best:
            self._end_exception()
            return "untranslated"
        if self.context:
            raise ContextOf(engine=self._label, tokens=self.context, detail=said[:_DETAIL])
        raise ContextTooSmall(engine=self._label, detail=said[:_DETAIL])

    def _end_exception(self) -> None:
        self.lean, self._exception = self.lean and not self._exception, False

    def failed(self, count: int) -> None:
        """Note that `count` lines were too many. If they are few, or fewer than others that were managed, that is an
        exception until it happens again: a model was loaded, or repeated itself without end.
        """
        if count == 1:
            return
        if count <= min(_FEW, self.most // 2) and not self._doubted:
            self._doubted = count
        elif count > self.best:
            self.most = max(1, min(self.most, count // (4 if self.late >= _PATIENT else 2)))
        elif count > self.most // 2:
            self.best = count - 1

    def parts(self, lines: Sequence[Line]) -> list[Sequence[Line]]:
        """Divide lines that could not be answered at once into two parts, or into more that can be managed."""
        count = min(len(lines), max(2, -(-len(lines) // self.most)))
        ends = [len(lines) * number // count for number in range(count + 1)]
        return [lines[start:end] for start, end in pairwise(ends)]

    def swallowed(self, question: Question, read: int, *, unusable: bool) -> bool:
        """Tell whether a server has read less than was sent, by the tokens that it counted (`read`, 0 if it does not).

        A context has a round number of tokens. Such a count is suspicious if the answer is `unusable`, and certain if
        it is below the least possible. Other low counts prove nothing: some servers leave out what is in their cache.
        """
        is_round = read >= _ROUND - _NEAR and (read + _NEAR) % _ROUND <= 2 * _NEAR
        cut = is_round and (unusable or read < least_tokens(question))
        if cut:
            self._sure = not unusable or abs(read - self.context) <= _NEAR
            self.context = read
        return cut


def least_tokens(question: Question) -> int:
    """The least number of tokens that a question can have: no tokeniser joins two words, in any language, and of
    scripts without spaces a token holds few letters.
    """
    text = f"{question.system} {question.prompt}"
    dense = sum(any(first <= letter < last for first, last in _DENSE) for letter in text)
    return len(text.split()) + dense // _DENSE_PER_TOKEN

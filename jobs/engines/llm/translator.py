"""Translation by a language model, the same for every model, in which each line is translated or flagged.

Lines are sent in batches that end with sentences, and come back under the same ids. Each answer is compared with its
lines (see `alignment`): texts that seem to be those of other lines count as missing. Missing or unusable lines are
asked for again, then in halves, then one by one, and flagged when that fails too. A text is never stored under another
id, the original is never returned as its translation, and no single line fails the job. Failures of the service itself
are raised after all answered lines have been returned.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from jobs.engines.llm import alignment, answers, prompt, shapes
from jobs.engines.llm.batches import BATCH_LINES, batches, surroundings
from jobs.engines.llm.brief_pass import BriefPass
from jobs.engines.llm.careful import Editor
from jobs.engines.llm.glossary_check import GlossaryCheck
from jobs.engines.llm.remote import ContentFiltered, RequestFailed, RequestTooLarge, with_retries
from jobs.pipeline.errors import PipelineError, ServiceError
from jobs.pipeline.protocols import Batch, Brief, Document, Line, Read, Translation, Usage
from jobs.pipeline.text.display_width import width
from jobs.pipeline.text.languages import language

NO_USAGE = Usage()

_UNREADABLE = 12
"""Unreadable answers in a row that end the job: a captive portal or a wrong address. More than are needed to get from a
whole batch down to one bad line."""

_CHARACTERS_PER_TOKEN = 4
"""Usual estimate for English, for services that do not count tokens, so that a cap is reached all the same."""

_BEFORE_DOUBT = 2
"""Lines before the first doubtful one that are asked for again as well: where two were merged is not known exactly."""

_UNUSABLE = 20
"""Lines given up, with none translated before, that end the job: the model cannot translate to this language."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A model's answer. `trouble` is "blocked" when the lines were refused, "cut" when the text ends early."""

    text: str
    usage: Usage = NO_USAGE
    trouble: Literal["", "blocked", "cut"] = ""


class LanguageModel(Protocol):
    """A client of one model. `label` is its name in sentences for people."""

    label: str

    def ask(self, question: prompt.Question) -> Answer:
        """Send one question, without retries. Raises RequestFailed."""
        ...


class LlmTranslator:
    """The translator (see protocols.Translator) over any LanguageModel.

    `batch_lines` is the most lines per request; `max_tokens` caps the tokens of a job (0: no cap); `sleep` waits the
    given seconds between attempts.
    """

    def __init__(
        self,
        model: LanguageModel,
        *,
        name: str,
        batch_lines: int = BATCH_LINES,
        max_tokens: int = 0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self._model = model
        self._batch_lines = batch_lines
        self._max_tokens = max_tokens
        self._sleep = sleep

    def translate(self, lines: Sequence[Line], brief: Brief, done: Mapping[int, str]) -> Iterator[Batch]:
        """Translate the lines that are not in `done`, batch by batch.

        Raises ServiceError when the service fails; the batches before it remain valid.
        """
        run = _TranslationRun(self._model, self._sleep, self._max_tokens, lines, brief, done)
        pending = [line for line in lines if line.id not in done]
        for batch in batches(pending, self._batch_lines):
            error = run.work(batch)
            taken = run.take()
            if taken.translations or taken.usage != NO_USAGE:
                yield taken
            if error is not None:
                raise error

    def read(self, lines: Sequence[Line], brief: Brief, document: Document, upto: int) -> Iterator[Read]:
        """Read the transcript before it is translated (see protocols.Reader). Raises ServiceError when the service
        fails; the parts before it remain valid.
        """
        run = _TranslationRun(self._model, self._sleep, self._max_tokens, lines, brief, {})
        yield from run.read(document, upto)


class _CapReached(Exception):
    """Raised when the tokens of the job are used up."""


class _TranslationRun:
    """State of one translation: texts so far, results not yet returned, and tokens used."""

    def __init__(
        self,
        model: LanguageModel,
        sleep: Callable[[float], None],
        max_tokens: int,
        lines: Sequence[Line],
        brief: Brief,
        done: Mapping[int, str],
    ) -> None:
        self._model = model
        self._sleep = sleep
        self._max_tokens = max_tokens
        self._lines = lines
        self._brief = brief
        self._target = language(brief.target)
        self._texts = dict(done)
        self._fresh: dict[int, Translation] = {}
        self._usage = NO_USAGE
        self._spent = 0
        self._unreadable = 0
        self._given_up = 0
        self._said_of_all: set[str] = set()
        self._drafts: set[int] = set()
        self._editor = Editor(self._ask, lines, brief, _misplaced) if brief.careful else None
        self._glossary = GlossaryCheck(self._ask, lines, brief, _misplaced)

    def work(self, batch: Sequence[Line]) -> PipelineError | None:
        """Translate or flag every line of `batch`, or return the error that ends the job; then only texts are kept."""
        error: PipelineError | None = None
        try:
            self._solve(batch)
            self._refine(batch)
            self._condense([line for line in batch if self._too_long(line)])
        except _CapReached:
            self._flag([line for line in batch if line.id not in self._fresh], "capped")
        except RequestFailed as trouble:
            error = trouble.error
        except ServiceError as trouble:
            error = trouble
        if error is not None:
            self._fresh = {number: one for number, one in self._fresh.items() if one.text}
        return error

    def take(self) -> Batch:
        """Return the results and the usage since the last call."""
        for line in self._lines:
            if self._too_long(line):
                self._fresh[line.id] = replace(self._fresh[line.id], flags=("too_long",))
            if line.id in self._drafts and line.id in self._fresh and self._fresh[line.id].text:
                self._fresh[line.id] = replace(self._fresh[line.id], flags=(*self._fresh[line.id].flags, "draft"))
        taken = Batch(
            translations=tuple(self._fresh[number] for number in sorted(self._fresh)), usage=self._take_usage()
        )
        self._fresh, self._drafts = {}, set()
        return taken

    def _take_usage(self) -> Usage:
        usage, self._usage = self._usage, NO_USAGE
        return usage

    def read(self, document: Document, upto: int) -> Iterator[Read]:
        """Read the lines after the id `upto` for the brief. Raises ServiceError."""
        try:
            yield from BriefPass(self._ask, self._take_usage, self._may_ask).read(
                self._lines, self._brief, document, upto
            )
        except RequestFailed as trouble:
            raise trouble.error from None

    def _may_ask(self) -> bool:
        return not self._max_tokens or self._spent < self._max_tokens

    def _solve(self, lines: Sequence[Line], *, again: bool = False) -> None:
        """Ask for `lines`, then once more for the missing ones, then for halves of them down to single lines."""
        trouble = self._ask_for(lines, again=again)
        missing = [line for line in lines if line.id not in self._fresh]
        if not missing:
            return
        if not trouble and not again:
            self._solve(missing, again=True)
        elif len(lines) == 1:
            self._give_up(missing[0], trouble or "untranslated")
        else:
            for half in _halves(missing):
                self._solve(half, again=again)

    def _ask_for(self, lines: Sequence[Line], *, again: bool) -> Literal["", "untranslated", "blocked"]:
        """Ask once and keep the usable texts. Returns the flag for the rest if a repetition would not help, else ""."""
        around = surroundings(self._lines, lines, self._texts)
        try:
            answer = self._ask(prompt.to_translate(lines, self._brief, around, again=again))
        except RequestTooLarge:
            return "untranslated"
        except ContentFiltered:
            return "blocked"
        if answer.trouble == "blocked":
            return "blocked"
        fitting = answers.fitting(self._read(answer, lines), lines, around.context.keys())
        texts = {number: answers.clean(text, self._target) for number, text in fitting.items()}
        self._said_of_all |= answers.said_of_all(lines, texts)
        if answer.trouble == "cut" or not answers.filled_up(lines, texts):
            self._keep(lines, texts, again=again)
        return "untranslated" if answer.trouble == "cut" else ""

    def _keep(self, lines: Sequence[Line], texts: Mapping[int, str], *, again: bool) -> None:
        """Keep those of the cleaned `texts` that are translations of their lines."""
        doubtful = answers.repeated_neighbours(lines, texts) if not again else set()
        doubtful |= {number for number, text in texts.items() if text in self._said_of_all}
        doubtful |= _misplaced(lines, texts)
        known = [translation for _, translation in self._brief.glossary]
        for line in lines:
            text = texts.get(line.id, "")
            if line.id not in doubtful and not answers.rejection_reason(
                line, text, self._target, again=again, known=known
            ):
                self._accept(line, text)

    def _accept(self, line: Line, text: str) -> None:
        self._texts[line.id] = text
        self._fresh[line.id] = Translation(id=line.id, text=text)

    def _give_up(self, line: Line, flag: str) -> None:
        self._flag([line], flag)
        self._given_up += 1
        if self._given_up >= _UNUSABLE and not any(self._texts.values()):
            raise ServiceError(engine=self._model.label, detail=f"None of {self._given_up} lines could be translated.")

    def _flag(self, lines: Sequence[Line], flag: str) -> None:
        for line in lines:
            self._fresh[line.id] = Translation(id=line.id, text="", flags=(flag,))

    def _refine(self, batch: Sequence[Line]) -> None:
        """Revise the texts of a batch in careful mode, and mend those that do not keep to the glossary."""
        by_id = {line.id: line for line in batch if line.id in self._fresh}
        if self._editor:
            self._drafts = set(by_id)
            for number, text in self._editor.revise(list(by_id.values()), self._texts):
                self._accept(by_id[number], text)
                self._drafts.discard(number)
        for number, text in self._glossary.mend(batch, self._texts):
            self._accept(by_id[number], text)

    def _condense(self, lines: Sequence[Line]) -> None:
        """Ask once for shorter versions; a usable text that is shorter replaces the longer one."""
        if not lines:
            return
        around = surroundings(self._lines, lines, self._texts)
        try:
            answer = self._ask(prompt.to_condense(lines, self._texts, self._brief, around))
        except (RequestTooLarge, ContentFiltered):
            return
        shorter = answers.fitting(self._read(answer, lines), lines, ())
        for line in lines:
            text = answers.clean(shorter.get(line.id, ""), self._target)
            usable = not answers.rejection_reason(line, text, self._target, again=False)
            if usable and width(text, self._target) < width(self._texts[line.id], self._target):
                self._accept(line, text)

    def _too_long(self, line: Line) -> bool:
        text = self._fresh[line.id].text if line.id in self._fresh else ""
        return 0 < line.budget < width(text, self._target)

    def _ask(self, question: prompt.Question) -> Answer:
        if not self._may_ask():
            raise _CapReached
        answer = with_retries(lambda: self._model.ask(question), self._sleep)
        self._usage += answer.usage
        self._spent += _tokens(question, answer)
        return answer

    def _read(self, answer: Answer, lines: Sequence[Line]) -> dict[int, str]:
        """The texts of an answer, none if it is unreadable. Raises ServiceError after _UNREADABLE of those in a row."""
        try:
            texts = shapes.texts_of(answer.text, [line.id for line in lines])
        except shapes.Unreadable:
            self._unreadable += 1
            if self._unreadable >= _UNREADABLE:
                said = answer.text[:200].encode(errors="replace").decode()
                raise ServiceError(engine=self._model.label, detail=said) from None
            return {}
        self._unreadable = 0
        return texts


def _misplaced(lines: Sequence[Line], texts: Mapping[int, str]) -> set[int]:
    """The ids of lines whose texts may be those of other lines. From a place on at which an answer went wrong, and for
    the lines just before it, nothing of it is believed.
    """
    places = alignment.doubtful(
        [line.text for line in lines],
        [texts.get(line.id, "") for line in lines],
        [not line.ends_sentence for line in lines],
    )
    return {line.id for line in lines[max(0, min(places) - _BEFORE_DOUBT) :]} if places else set()


def _tokens(question: prompt.Question, answer: Answer) -> int:
    """Tokens counted towards the cap: the service's count of input and output, each estimated where it is missing."""
    asked = len(question.system) + len(question.prompt)
    return (answer.usage.input_tokens or asked // _CHARACTERS_PER_TOKEN) + (
        answer.usage.output_tokens or len(answer.text) // _CHARACTERS_PER_TOKEN
    )


def _halves(lines: Sequence[Line]) -> Iterator[Sequence[Line]]:
    middle = len(lines) // 2
    yield from (part for part in (lines[:middle], lines[middle:]) if part)

"""One translation of a job's lines by a language model, batch by batch (see `translator`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from jobs.engines.llm import alignment, answers, beginnings, prompt, resemblance, shapes
from jobs.engines.llm.batches import surroundings
from jobs.engines.llm.brief_pass import BriefPass
from jobs.engines.llm.calls import Calls
from jobs.engines.llm.careful import Editor
from jobs.engines.llm.glossary_check import GlossaryCheck
from jobs.engines.llm.model import Answer, LanguageModel
from jobs.engines.llm.pace import Outcome, Pace
from jobs.engines.llm.remote import UNANSWERED, RequestFailed
from jobs.engines.llm.verdict import SecondAnswers, Verdict
from jobs.pipeline.errors import CapReached, PipelineError, ServiceError
from jobs.pipeline.protocols import Batch, Brief, Document, Line, Meter, Read, Translation
from jobs.pipeline.text.display_width import width
from jobs.pipeline.text.languages import language

_UNREADABLE = 12
"""Unreadable answers in a row after which no more is asked for the same lines, and which end a job without any
translation: a captive portal or a wrong address. More than are needed to get from a batch down to one bad line."""

_REPEATS = 2
"""Answers that leave a line untranslated, after which it may stay so if it may consist of names."""

_UNUSABLE = 20
"""Lines given up, with none translated before, that end the job: the model cannot translate to this language."""


class TranslationRun:
    """State of one translation: texts so far, and results not yet returned.

    `pace` is what is known of the server's limits, `done` are the texts of earlier attempts by id; `first_words`: see
    LlmTranslator.
    """

    def __init__(
        self,
        model: LanguageModel,
        sleep: Callable[[float], None],
        pace: Pace,
        meter: Meter,
        lines: Sequence[Line],
        brief: Brief,
        done: Mapping[int, str],
        *,
        first_words: bool,
    ) -> None:
        self._label = model.label
        self._calls = Calls(model, meter, brief, sleep)
        self._pace = pace
        self._meter = meter
        self._first_words = first_words
        self._lines = lines
        self._brief = brief
        self._target = language(brief.target)
        self._verdict = Verdict(brief)
        self._texts = dict(done)
        self._fresh: dict[int, Translation] = {}
        self._unreadable = 0
        self._given_up = 0
        self._said_of_all: set[str] = set()
        self._untranslated = Counter[int]()
        self._drafts: set[int] = set()
        self._heard: dict[str, set[int]] = {}
        second = SecondAnswers(self._ask, lines, self._verdict, self._misplaced)
        self._editor = Editor(second, brief) if brief.careful else None
        self._glossary = GlossaryCheck(second, brief)

    def work(self, batch: Sequence[Line]) -> PipelineError | None:
        """Translate or flag every line of `batch`, or return the error that ends the job; then only texts are kept,
        and at a cap also the flags of lines that were given up before: they are not to be asked for again.
        """
        error: PipelineError | None = None
        for line in batch:
            if self._verdict.needs_none(line):
                self._accept(line, answers.clean(line.text, self._target))
        said = [line for line in batch if not self._verdict.needs_none(line)]
        try:
            self._solve(said)
            self._refine(said)
            self._condense([line for line in batch if self._too_long(line)])
        except CapReached as reached:
            return reached
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
        taken = Batch(
            translations=tuple(self._marked(self._fresh[number]) for number in sorted(self._fresh)),
            usage=self._calls.take_usage(),
        )
        self._fresh, self._drafts, self._heard = {}, set(), {}
        return taken

    def _marked(self, one: Translation) -> Translation:
        """A translation with a flag if it is a draft that was not revised."""
        return replace(one, flags=(*one.flags, "draft")) if one.id in self._drafts and one.text else one

    def read(self, document: Document, upto: int) -> Iterator[Read]:
        """Read the lines after the id `upto` for the brief. Raises ServiceError."""
        try:
            yield from BriefPass(self._ask, self._calls.take_usage).read(self._lines, self._brief, document, upto)
        except RequestFailed as trouble:
            raise trouble.error from None

    def _solve(self, lines: Sequence[Line], *, again: bool = False) -> None:
        """Ask for `lines`, then once more for the missing ones, then for halves of them down to single lines."""
        if not lines:
            return
        if len(lines) > self._pace.most:
            for part in self._pace.parts(lines):
                self._solve(part, again=again)
            return
        trouble = self._ask_for(lines, again=again)
        missing = [line for line in lines if line.id not in self._fresh]
        if not missing:
            return
        if trouble == "repeat":
            self._solve(missing, again=again)
            return
        self._keep_paid()
        if self._unreadable >= _UNREADABLE:
            self._flag(missing, "untranslated")
        elif not trouble and not again:
            self._solve(missing, again=True)
        elif len(lines) == 1:
            self._give_up(missing[0], trouble or "untranslated")
        else:
            for part in self._pace.parts(missing):
                self._solve(part, again=again)

    def _ask_for(self, lines: Sequence[Line], *, again: bool) -> Outcome:
        """Ask once and keep the usable texts. Returns the flag for the rest if a repetition would not help, else ""."""
        around = surroundings(self._lines, lines, self._texts)
        wants = not self._pace.lean and self._wants_beginnings(lines, again=again)
        if self._pace.lean:
            around = replace(around, context={})
            question = prompt.to_translate_briefly(lines, self._brief, around)
        else:
            question = prompt.to_translate(lines, self._brief, around, again=again, beginnings=wants)
        try:
            answer = self._ask(question)
        except RequestFailed as trouble:
            return self._pace.after(trouble, lines)
        if answer.trouble == "blocked":
            return "blocked"
        read = self._read(answer, lines)
        if self._pace.swallowed(question, answer.usage.input_tokens, unusable=not read and not answer.trouble):
            return self._pace.too_much(lines, answer.text)
        asked = {line.id for line in lines}
        if not self._heard.setdefault(answer.text, asked & set(read)) <= asked:  # the answer to more lines once again
            read = {}
        texts = self._verdict.texts(read, lines, around.context.keys())
        self._said_of_all |= answers.said_of_all(lines, texts)
        begun = shapes.beginnings_of(answer.text) if wants else {}
        if beginnings.are_given(lines, texts, begun):
            self._keep(lines, texts, beginnings.doubtful(lines, texts, begun), again=again)
        elif answer.trouble in {"cut", "broken"} or not answers.filled_up(lines, texts):
            self._keep(lines, texts, set(), again=again)
        self._pace.note(len(lines), len(texts), answer.trouble, again=again)
        return "untranslated" if answer.trouble == "cut" and len(lines) > 1 else ""

    def _misplaced(self, lines: Sequence[Line], texts: Mapping[int, str]) -> set[int]:
        """The ids of lines whose texts may be those of other lines."""
        places = alignment.doubtful(
            [line.text for line in lines],
            [texts.get(line.id, "") for line in lines],
            [not line.ends_sentence for line in lines],
            self._brief.glossary,
        )
        return {lines[place].id for place in places}

    def _wants_beginnings(self, lines: Sequence[Line], *, again: bool) -> bool:
        """Whether the first words of the lines are asked for."""
        if len(lines) < 2:
            return False
        return self._first_words or again or not alignment.would_show([line.text for line in lines])

    def _keep(self, lines: Sequence[Line], texts: Mapping[int, str], doubtful: set[int], *, again: bool) -> None:
        """Keep those of the cleaned `texts` that are translations of their lines. `doubtful` are known not to be."""
        doubtful |= answers.within_neighbours(lines, texts)
        if not again:
            doubtful |= answers.repeated_neighbours(lines, texts)
        doubtful |= {number for number, text in texts.items() if text in self._said_of_all}
        doubtful |= self._misplaced(lines, texts)
        is_told = self._tells_names(lines, texts)
        for line in lines:
            text = texts.get(line.id, "")
            if line.id in doubtful:
                continue
            repeated = is_told and self._untranslated[line.id] >= _REPEATS
            reason = self._verdict.reason(line, text, again=repeated)
            self._untranslated[line.id] += bool(text) and reason in {"echo", "empty"}
            if not reason:
                self._accept(line, text)
                if self._editor:
                    self._drafts.add(line.id)

    def _tells_names(self, lines: Sequence[Line], texts: Mapping[int, str]) -> bool:
        """Whether lines that an answer leaves untranslated may be names: it has one line, or translates the most."""
        left = sum(self._verdict.reason(line, texts[line.id]) == "echo" for line in lines if texts.get(line.id))
        return len(lines) == 1 or 2 * left <= len(texts)

    def _accept(self, line: Line, text: str) -> None:
        self._texts[line.id] = text
        self._fresh[line.id] = Translation(id=line.id, text=text)

    def _give_up(self, line: Line, flag: str) -> None:
        self._flag([line], flag)
        self._given_up += 1
        if self._given_up >= _UNUSABLE and not any(self._texts.values()):
            raise ServiceError(engine=self._label, detail=f"None of {self._given_up} lines could be translated.")

    def _flag(self, lines: Sequence[Line], flag: str) -> None:
        for line in lines:
            self._fresh[line.id] = Translation(id=line.id, text="", flags=(flag,))

    def _refine(self, batch: Sequence[Line]) -> None:
        """Revise the texts of a batch in careful mode, and mend those that do not keep to the glossary."""
        if self._pace.lean or not (self._editor or self._brief.glossary):
            return
        self._keep_paid()
        by_id = {line.id: line for line in batch if line.id in self._fresh}
        if self._editor:
            for number, text in self._editor.revise(list(by_id.values()), self._texts):
                self._accept(by_id[number], text)
                self._drafts.discard(number)
        for number, text in self._glossary.mend(batch, self._texts):
            self._accept(by_id[number], text)

    def _condense(self, lines: Sequence[Line]) -> None:
        """Ask once for shorter versions; a usable text that is shorter replaces the longer one."""
        if not lines or self._pace.lean:
            return
        self._keep_paid()
        around = surroundings(self._lines, lines, self._texts)
        try:
            answer = self._ask(prompt.to_condense(lines, self._texts, self._brief, around))
        except UNANSWERED:
            return
        shorter = self._verdict.texts(self._read(answer, lines), lines, ())
        longer = {line.id: self._texts[line.id] for line in lines}
        for line in lines:
            text = shorter.get(line.id, "")
            others = [longer[number] for number in longer if number != line.id]
            usable = not self._verdict.reason(line, text)
            usable = usable and resemblance.is_shortened(longer[line.id], text, others)
            if usable and width(text, self._target) < width(longer[line.id], self._target):
                self._accept(line, text)

    def _too_long(self, line: Line) -> bool:
        text = self._fresh[line.id].text if line.id in self._fresh else ""
        return 0 < line.budget < width(text, self._target)

    def _keep_paid(self) -> None:
        """Let the meter save the texts so far, before more is asked for."""
        if paid := [self._marked(self._fresh[number]) for number in sorted(self._fresh) if self._fresh[number].text]:
            self._meter.keep(paid)

    def _ask(self, question: prompt.Question) -> Answer:
        answer = self._calls.ask(question)
        self._pace.late = 0
        return answer

    def _read(self, answer: Answer, lines: Sequence[Line]) -> dict[int, str]:
        """The texts of an answer, none if it is unreadable. Raises ServiceError after _UNREADABLE of those in a row, if
        no line was translated before.
        """
        try:
            texts = shapes.texts_of(answer.text, [line.id for line in lines], self._target, whole=not answer.trouble)
        except shapes.Unreadable:
            self._unreadable += 1
            if self._unreadable >= _UNREADABLE and not any(self._texts.values()):
                said = answer.text[:200].encode(errors="replace").decode()
                raise ServiceError(engine=self._label, detail=said) from None
            return {}
        self._unreadable = 0
        return texts

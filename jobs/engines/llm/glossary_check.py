"""Check of answers against the glossary: lines that do not use its translations are asked for once more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from jobs.engines.llm import answers, prompt, shapes
from jobs.engines.llm.batches import surroundings
from jobs.engines.llm.model import Ask
from jobs.engines.llm.remote import UNANSWERED
from jobs.engines.llm.resemblance import of_others
from jobs.pipeline.protocols import Brief, Line
from jobs.pipeline.text.languages import language
from jobs.pipeline.text.terms import misused


class GlossaryCheck:
    """The check for a job, with the arguments of `careful.Editor`."""

    def __init__(
        self,
        ask: Ask,
        lines: Sequence[Line],
        brief: Brief,
        misplaced: Callable[[Sequence[Line], Mapping[int, str]], set[int]],
    ) -> None:
        self._ask, self._lines, self._brief, self._misplaced = ask, lines, brief, misplaced
        self._target = language(brief.target)

    def mend(self, batch: Sequence[Line], texts: Mapping[int, str]) -> Iterator[tuple[int, str]]:
        """Yield the ids of lines of `batch` that use more of the glossary after a second question, with their texts.

        `texts` are those of the job. Raises what `ask` raises, but for a question that is too large or refused.
        """
        wrong = misused(batch, texts, self._brief)
        lines = [line for line in batch if line.id in wrong]
        if not lines:
            return
        around = surroundings(self._lines, lines, texts)
        try:
            answer = self._ask(prompt.to_translate(lines, self._brief, around, misused=True))
            found = shapes.texts_of(answer.text, [line.id for line in lines])
        except (*UNANSWERED, shapes.Unreadable):
            return
        fitting = answers.fitting(found, lines, around.context.keys())
        new = {number: answers.clean(text, self._target) for number, text in fitting.items()}
        still = misused(batch, {**texts, **new}, self._brief)
        doubtful = self._misplaced(batch, {**texts, **new}) - self._misplaced(batch, texts)
        doubtful |= of_others(new, {line.id: texts[line.id] for line in lines})
        known = [translation for _, translation in self._brief.glossary]
        for line in lines:
            text = new.get(line.id, "")
            is_better = len(still.get(line.id, ())) < len(wrong[line.id]) and line.id not in doubtful
            if is_better and not answers.rejection_reason(line, text, self._target, again=True, known=known):
                yield line.id, text

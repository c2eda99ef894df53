"""Judgement of a model's texts for one brief: cleaned, and accepted or not. Second answers pass the same checks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from jobs.engines.llm import answers, remarks, shapes
from jobs.engines.llm.model import Ask
from jobs.engines.llm.prompt import Question
from jobs.engines.llm.remote import UNANSWERED
from jobs.engines.llm.resemblance import of_others
from jobs.pipeline.protocols import Brief, Line
from jobs.pipeline.text.languages import are_related, language

Misplaced = Callable[[Sequence[Line], Mapping[int, str]], set[int]]
"""Finds the ids of lines whose texts may be those of other lines."""


class Verdict:
    """The rules by which a text is accepted as a translation between the languages of a brief."""

    def __init__(self, brief: Brief) -> None:
        self._brief, self.target = brief, language(brief.target)
        self._known = [translation for _, translation in brief.glossary]

    def texts(self, found: Mapping[int, str], lines: Sequence[Line], context: Collection[int]) -> dict[int, str]:
        """The texts of an answer that can be those of `lines`, without numbers and labels, cleaned."""
        sources = {line.id: line.text for line in lines}
        fitting = answers.without_numbers(lines, answers.fitting(found, lines, context))
        return {
            number: answers.clean(remarks.bare(sources[number], text), self.target) for number, text in fitting.items()
        }

    def reason(self, line: Line, text: str, *, again: bool = False) -> str:
        """The reason to reject a cleaned text (see `answers.rejection_reason`); "" when it is accepted."""
        related = are_related(line.language or self._brief.source, self._brief.target)
        return answers.rejection_reason(line, text, self.target, again=again, known=self._known, related=related)

    def needs_none(self, line: Line) -> bool:
        """Whether a line stays as it is: without letters and digits, such as ♪, or in the target language."""
        is_sign = bool(line.text.strip()) and not any(map(str.isalnum, line.text))
        return is_sign or line.language.split("-")[0] == self.target.code.split("-")[0]


class SecondAnswers:
    """Answers in place of texts that were accepted before. `lines` are all lines of the job."""

    def __init__(self, ask: Ask, lines: Sequence[Line], verdict: Verdict, misplaced: Misplaced) -> None:
        self.ask, self.lines, self.verdict, self._misplaced = ask, lines, verdict, misplaced

    def texts(
        self,
        question: Question,
        lines: Sequence[Line],
        batch: Sequence[Line],
        before: Mapping[int, str],
        context: Collection[int],
    ) -> dict[int, str]:
        """The texts for `lines`, a part of `batch`, that are not those of other lines. `before` are the accepted texts.

        Raises what `ask` raises, but for UNANSWERED.
        """
        try:
            answer = self.ask(question)
            ids = [line.id for line in lines]
            found = {} if answer.trouble == "blocked" else shapes.texts_of(answer.text, ids, self.verdict.target)
        except (*UNANSWERED, shapes.Unreadable):
            return {}
        new = self.verdict.texts(found, lines, context)
        doubtful = self._misplaced(batch, {**before, **new}) - self._misplaced(batch, before)
        doubtful |= answers.repeated_neighbours(lines, new) | of_others(
            new, {line.id: before[line.id] for line in lines}
        )
        of_all = answers.said_of_all(lines, new)
        return {number: text for number, text in new.items() if number not in doubtful and text not in of_all}

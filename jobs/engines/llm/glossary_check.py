"""Check of answers against the glossary: lines that do not use its translations are asked for once more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from jobs.engines.llm import prompt
from jobs.engines.llm.batches import surroundings
from jobs.engines.llm.verdict import SecondAnswers
from jobs.pipeline.protocols import Brief, Line
from jobs.pipeline.text.terms import misused


class GlossaryCheck:
    """The check for a job with a brief."""

    def __init__(self, second: SecondAnswers, brief: Brief) -> None:
        self._second, self._brief = second, brief

    def mend(self, batch: Sequence[Line], texts: Mapping[int, str]) -> Iterator[tuple[int, str]]:
        """Yield the ids of lines of `batch` that use more of the glossary after a second question, with their texts.

        `texts` are those of the job. Raises what `SecondAnswers.texts` raises.
        """
        wrong = misused(batch, texts, self._brief)
        lines = [line for line in batch if line.id in wrong]
        if not lines:
            return
        around = surroundings(self._second.lines, lines, texts)
        question = prompt.to_translate(lines, self._brief, around, misused=True)
        new = self._second.texts(question, lines, batch, texts, around.context.keys())
        still = misused(batch, {**texts, **new}, self._brief)
        for line in lines:
            text = new.get(line.id, "")
            is_better = len(still.get(line.id, ())) < len(wrong[line.id])
            if is_better and not self._second.verdict.reason(line, text, again=True):
                yield line.id, text

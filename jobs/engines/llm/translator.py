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

from jobs.engines.llm.batches import BATCH_LINES, batches
from jobs.engines.llm.model import NO_USAGE, LanguageModel
from jobs.engines.llm.pace import Pace
from jobs.engines.llm.run import TranslationRun
from jobs.pipeline.protocols import Batch, Brief, Document, Line, Meter, Read, Unmetered


class LlmTranslator:
    """The translator (see protocols.Translator and Metered) over any LanguageModel.

    `batch_lines` is the most lines per request; `first_words` has the model copy the first words of every line, else
    only where texts alone would not show that they were moved; `sleep` waits the given seconds between attempts.
    """

    meter: Meter

    def __init__(
        self,
        model: LanguageModel,
        *,
        name: str,
        batch_lines: int = BATCH_LINES,
        first_words: bool = True,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self._model = model
        self._pace = Pace(batch_lines, model.label, sleep)
        self._first_words = first_words
        self._sleep = sleep
        self.meter = Unmetered()

    def translate(self, lines: Sequence[Line], brief: Brief, done: Mapping[int, str]) -> Iterator[Batch]:
        """Translate the lines that are not in `done`, batch by batch.

        Raises ServiceError when the service fails, and CapReached; the batches before it remain valid.
        """
        run = self._run(lines, brief, done)
        pending = [line for line in lines if line.id not in done]
        for batch in batches(pending, lambda: self._pace.most):
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
        yield from self._run(lines, brief, {}).read(document, upto)

    def _run(self, lines: Sequence[Line], brief: Brief, done: Mapping[int, str]) -> TranslationRun:
        return TranslationRun(
            self._model, self._sleep, self._pace, self.meter, lines, brief, done, first_words=self._first_words
        )

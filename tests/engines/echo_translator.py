"""The double of a translator: returns each line in brackets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from jobs.pipeline.protocols import Batch, Brief, Line, Translation, Usage


class EchoTranslator:
    """Implements protocols.Translator, ten lines a batch. `calls` counts the runs."""

    name = "echo"

    def __init__(self) -> None:
        self.calls = 0

    def translate(self, lines: Sequence[Line], brief: Brief, done: Mapping[int, str]) -> Iterator[Batch]:
        self.calls += 1
        todo = [line for line in lines if line.id not in done]
        for start in range(0, len(todo), 10):
            answers = tuple(Translation(id=line.id, text=f"[{line.text}]") for line in todo[start : start + 10])
            yield Batch(translations=answers, usage=Usage(input_tokens=10, output_tokens=len(answers)))

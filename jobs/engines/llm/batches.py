"""Division of a job's lines into requests, and the context lines that go with each request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from jobs.engines.llm.prompt import Surroundings
from jobs.pipeline.protocols import Line

BATCH_LINES = 60
"""Lines per request. Free Gemini keys have 20 requests a day (2026), and larger batches lose more lines."""

BATCH_CHARACTERS = 6000
"""Characters per request: about 1,500 tokens of English, so that the answer fits the 4,096 that any model allows."""

BEFORE, AFTER = 6, 3
"""Lines of context before and after: two or three sentences, and one."""


def batches(lines: Sequence[Line], most: Callable[[], int]) -> Iterator[Sequence[Line]]:
    """Split `lines` into batches that end with a sentence, if one ends in their later half. `most` returns the most
    lines of a batch; it is called before each, because the limit may change.
    """
    start = 0
    while start < len(lines):
        end = _end(lines, start, most())
        yield lines[start:end]
        start = end


def _end(lines: Sequence[Line], start: int, most: int) -> int:
    end, characters = start, 0
    while end < len(lines) and end - start < max(1, most):
        characters += len(lines[end].text)
        if characters > BATCH_CHARACTERS and end > start:
            break
        end += 1
    if end == len(lines):
        return end
    middle = start + (end - start) // 2
    return next((at for at in range(end, middle, -1) if lines[at - 1].ends_sentence), end)


def surroundings(
    lines: Sequence[Line],
    asked: Sequence[Line],
    texts: Mapping[int, str],
    *,
    before: int = BEFORE,
    after: int = AFTER,
) -> Surroundings:
    """The lines around `asked`, with their translations as far as they are known."""
    wanted = {line.id for line in asked}
    places = [place for place, line in enumerate(lines) if line.id in wanted]
    near = sorted({at for place in places for at in range(max(0, place - before), place + after + 1)})
    context = {line.id: _known(line, texts) for line in (lines[at] for at in near if at < len(lines))}
    return Surroundings(
        context={number: known for number, known in context.items() if number not in wanted},
        width=max((len(str(line.id)) for line in lines), default=1),
    )


def _known(line: Line, texts: Mapping[int, str]) -> tuple[str, ...]:
    return (line.text, texts[line.id]) if texts.get(line.id) else (line.text,)

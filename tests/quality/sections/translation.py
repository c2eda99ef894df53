"""Lines under the right ids: the translator against a model that misbehaves in 30 ways, over human translations.

Run number N of a direction has 60 to 200 lines and one way of misbehaving, or all mixed; every question of several
lines is answered in that way with a probability. The truth is known, so each line is right, flagged, or wrong.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from jobs.engines.llm import answers
from jobs.engines.llm.translator import LlmTranslator
from jobs.pipeline.errors import PipelineError
from jobs.pipeline.protocols import Brief, Translation
from jobs.pipeline.text.languages import language
from tests.quality import pairs
from tests.quality.adversary import WAYS, Adversary
from tests.quality.engines import Session
from tests.quality.rows import Row, at_most, info

SECTION = "translation"
DIRECTIONS = ("en-fa", "en-es", "fa-en")
RUNS, QUICK_STEP = 100, 9  # of each direction; of the short form each ninth
QUICK_SHARE = 0.001
"""Most wrong lines of the short form, which has too few to tell nothing from next to nothing."""
PROBABILITY = 0.2


@dataclass(slots=True)
class Count:
    """Sums over runs: lines, those wrong without a flag, those flagged, asked more than once, jobs failed, questions,
    and characters of the answers; `ways` counts wrong lines by the way of misbehaving.
    """

    lines: int = 0
    wrong: int = 0
    flagged: int = 0
    repeated: int = 0
    failed: int = 0
    questions: int = 0
    characters: int = 0
    ways: Counter[int] = field(default_factory=Counter)


def measure(session: Session) -> list[Row]:
    """Count wrong lines, flags and questions, beside the same jobs with a good model. The short form has a few of the
    jobs, and no targets but those for gross faults.
    """
    runs = range(0, RUNS, QUICK_STEP) if session.quick else range(RUNS)
    rows, lines, wrong, failed = list[Row](), 0, 0, 0
    for direction in DIRECTIONS:
        good = total(direction, runs, disturbed=False)
        bad = total(direction, runs, disturbed=True)
        plain = total(direction, runs, disturbed=True, echoes=False)
        needed = total(direction, runs, disturbed=True, first_words=False)
        lines, wrong = lines + bad.lines, wrong + bad.wrong
        failed += bad.failed + plain.failed + needed.failed
        rows += [
            info(SECTION, f"{direction}: lines", bad.lines),
            info(SECTION, f"{direction}: lines flagged", bad.flagged),
            info(SECTION, f"{direction}: wrong lines, first words only where needed", needed.wrong),
            info(SECTION, f"{direction}: wrong lines, model without first words (%)", 100 * plain.wrong / plain.lines),
        ]
        for name, value, limit in (
            ("questions, to those of a good model", bad.questions / good.questions, 1.5),
            (
                "lines of a good model flagged or asked again (%)",
                100 * (good.flagged + good.repeated) / good.lines,
                0.5,
            ),
        ):
            named = f"{direction}: {name}"
            rows.append(info(SECTION, named, value) if session.quick else at_most(SECTION, named, value, limit))
    return [
        *rows,
        at_most(SECTION, "wrong lines without a flag", wrong, QUICK_SHARE * lines if session.quick else 0),
        at_most(SECTION, "failed jobs", failed, 0),
    ]


def total(
    direction: str,
    runs: Sequence[int],
    *,
    disturbed: bool,
    echoes: bool = True,
    first_words: bool = True,
    lines: int = 60,
) -> Count:
    """The sums of the runs with these numbers; `lines` is the most a request has, `echoes` whether the model gives
    first words.
    """
    count = Count()
    for seed in runs:
        way = seed % (WAYS + 1)
        ways = () if not disturbed else range(WAYS) if way == WAYS else (way,)
        _run(count, direction, seed, ways, echoes=echoes, first_words=first_words, lines=lines)
    return count


def _run(
    count: Count, direction: str, seed: int, ways: Sequence[int], *, echoes: bool, first_words: bool, lines: int
) -> None:
    source, target = direction.split("-")
    chance = random.Random(f"{direction} {seed}")
    chosen = pairs.sample(direction, chance.randrange(60, 201), chance)
    truth = {at: answers.clean(text, language(target)) for at, (_, text) in enumerate(chosen, start=1)}
    model = Adversary(dict(chosen), seed, ways=ways, probability=PROBABILITY, echoes=echoes)
    translator = LlmTranslator(
        model, name="adversary", batch_lines=lines, first_words=first_words, sleep=lambda seconds: None
    )
    found: dict[int, Translation] = {}
    asked = [pairs.line(at, text) for at, (text, _) in enumerate(chosen, start=1)]
    try:
        for batch in translator.translate(asked, Brief(source=source, target=target), {}):
            found |= {one.id: one for one in batch.translations}
    except PipelineError:
        count.failed += 1
    wrong = sum(bool(one.text) and not one.flags and one.text != truth[one.id] for one in found.values())
    count.lines += len(chosen)
    count.wrong += wrong
    count.ways[ways[0] if len(ways) == 1 else WAYS] += wrong
    count.flagged += sum(bool(one.flags) for one in found.values())
    count.repeated += sum(times > 1 for times in model.asked.values())
    count.questions += model.questions
    count.characters += model.characters

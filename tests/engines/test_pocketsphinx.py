"""PocketSphinx with its own model, on a synthetic and a human voice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from jobs.engines.pocketsphinx.client import PocketSphinx
from jobs.engines.pocketsphinx.spec import ENGINE
from jobs.pipeline.protocols import SAMPLE_RATE, Hints, Word, ignore_progress
from tests.engines.hearing import hear
from tests.pipeline.sounds import HUMAN, SAMPLE, plain, voice


@pytest.fixture(scope="module")
def engine() -> PocketSphinx:
    return PocketSphinx()


@pytest.fixture(scope="module", params=[12, pytest.param(34, marks=pytest.mark.soak)])
def beginning(request: pytest.FixtureRequest, engine: PocketSphinx) -> tuple[Sequence[Word], list[float]]:
    """The words of the first three sentences of the sample, or of all eight, and the progress."""
    shares: list[float] = []
    samples = voice(SAMPLE)[: request.param * SAMPLE_RATE]
    return hear(engine, samples, Hints(language="en"), shares.append), shares


@pytest.fixture(scope="module")
def sample(engine: PocketSphinx) -> Sequence[Word]:
    return hear(engine, voice(SAMPLE), Hints(language="en"), ignore_progress)


@pytest.fixture(scope="module")
def human(engine: PocketSphinx) -> Sequence[Word]:
    return hear(engine, voice(HUMAN), Hints(language="en"), ignore_progress)


def written(data: Path) -> list[str]:
    """The text of the sample as a person wrote it down, one subtitle an entry."""
    blocks = (data / "sample/sample.en.srt").read_text(encoding="utf-8").strip().split("\n\n")
    return [" ".join(block.splitlines()[2:]) for block in blocks]


@pytest.mark.soak
def test_the_sample_is_recognised_word_for_word(sample: Sequence[Word], data: Path) -> None:
    assert plain(" ".join(word.text for word in sample)) == plain(" ".join(written(data)))


def test_pauses_make_sentences(beginning: tuple[Sequence[Word], list[float]], data: Path) -> None:
    sentences = re.findall(r"[^.]+\.", " ".join(word.text for word in beginning[0]))

    assert len(sentences) in {3, 8}
    assert [sentence.strip().replace(",", "") for sentence in sentences] == [
        sentence.replace(",", "") for sentence in written(data)[: len(sentences)]
    ]


def test_words_are_timed_as_a_person_timed_them(beginning: tuple[Sequence[Word], list[float]]) -> None:
    """First words of the subtitles start when these do, to a third of a second."""
    starts = [0.6, 4.09, 8.46, 12.31, 16.175, 20.915, 24.63, 28.965]
    words, _ = beginning
    firsts = [words[0], *(after for before, after in pairwise(words) if before.text.endswith("."))]

    assert len(firsts) in {3, 8}
    assert [word.start for word in firsts] == pytest.approx(starts[: len(firsts)], abs=0.34)


@pytest.mark.soak
def test_confidence_tells_clear_from_unclear_speech(sample: Sequence[Word], human: Sequence[Word]) -> None:
    assert mean(sample) > 0.7 > mean(human)


@pytest.mark.soak
def test_a_human_voice_is_partly_understood(human: Sequence[Word]) -> None:
    words = plain(" ".join(word.text for word in human))

    assert {"my", "fellow", "what", "country", "can", "do", "for", "you"} <= set(words)


def test_progress_goes_on_during_the_work(beginning: tuple[Sequence[Word], list[float]]) -> None:
    assert len([share for share in beginning[1] if 0 < share < 1]) >= 2


def test_it_is_ready_everywhere_and_says_what_it_is() -> None:
    assert ENGINE.readiness(ENGINE.options()).ready
    assert ENGINE.demo
    assert ENGINE.languages(ENGINE.options()) == {"en"}


def mean(words: Sequence[Word]) -> float:
    return sum(word.confidence for word in words) / len(words)

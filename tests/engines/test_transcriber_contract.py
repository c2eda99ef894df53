"""The contract of transcribers, tested on all registered engines and on the double of the other tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from pathlib import Path

import numpy as np
import pytest

from jobs.engines.registry import TRANSCRIBERS
from jobs.engines.spec import TranscriberSpec
from jobs.engines.whisperx import client as whisperx_client
from jobs.engines.whisperx import spec as whisperx
from jobs.pipeline.protocols import SAMPLE_RATE, Hints, Samples, Transcriber, Word, ignore_progress
from jobs.pipeline.stages.transcribe import transcribe
from jobs.pipeline.text.languages import language
from tests.engines.hearing import hear
from tests.pipeline.doubles import Parrot
from tests.pipeline.sounds import SENTENCES, SENTENCES_TEXT, hum, music, noise, plain, silence, voice, write_wav

Make = Callable[[Path], Transcriber]


def _sentences() -> list[str]:
    return re.findall(r"[^.]+\.", SENTENCES_TEXT)


def toy_whisperx(models: Path) -> Transcriber:
    options = whisperx.Options(
        model="tiny", models_dir=str(models), chunk_size=5, batch_size=4, compute_type="float32"
    )  # in 8 bits the toy takes one sentence for another on some processors
    return whisperx_client.WhisperX(options)


# How an engine is made that needs a model here; the others are made with their defaults.
MAKERS: dict[str, Make] = {
    "whisperx": toy_whisperx,
    "parrot": lambda _models: Parrot(*re.findall(r"[^.]+\.", SENTENCES_TEXT)),
}


def default(spec: TranscriberSpec) -> Make:
    return lambda _models: spec.create(spec.options())


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=pytest.mark.whisperx if name == "whisperx" else ())
        for name in [*(spec.name for spec in TRANSCRIBERS), "parrot"]
    ],
)
def transcriber(request: pytest.FixtureRequest, models_dir: Path) -> Transcriber:
    name: str = request.param
    specs = {spec.name: default(spec) for spec in TRANSCRIBERS}
    return {**specs, **MAKERS}[name](models_dir)


@pytest.fixture(scope="module")
def heard(transcriber: Transcriber) -> tuple[Sequence[Word], list[float]]:
    """The engine's words for the five sentences, and its progress."""
    shares: list[float] = []
    return hear(transcriber, voice(SENTENCES), Hints(language="en"), shares.append), shares


def test_it_hears_words(heard: tuple[Sequence[Word], list[float]]) -> None:
    words = plain(" ".join(word.text for word in heard[0]))

    assert {"hello", "today", "children", "thank"} <= set(words)


def test_word_times_rise_within_the_samples(heard: tuple[Sequence[Word], list[float]]) -> None:
    words, _ = heard
    starts = [word.start for word in words]

    assert starts == sorted(starts)
    assert all(0 <= word.start <= word.end <= len(voice(SENTENCES)) / SAMPLE_RATE for word in words)


def test_words_lie_near_the_moment_they_are_said(heard: tuple[Sequence[Word], list[float]]) -> None:
    """The fourth sentence, “The children are playing in the park”, is said from 11.8 to 13.8 s."""
    [children] = [word for word in heard[0] if plain(word.text) == ["children"]]

    assert 11.7 < children.start < children.end < 13


def test_confidence_is_a_share(heard: tuple[Sequence[Word], list[float]]) -> None:
    assert all(0 <= word.confidence <= 1 for word in heard[0])


def test_words_are_single_and_bare(heard: tuple[Sequence[Word], list[float]]) -> None:
    for word in heard[0]:
        assert word.text.split() == [word.text]
        assert not set("<>[]()") & set(word.text)


def test_progress_rises_to_one(heard: tuple[Sequence[Word], list[float]]) -> None:
    _, shares = heard

    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert 0 <= shares[0] < 1


@pytest.mark.parametrize("sound", [silence(), hum(), noise(), music()], ids=["silence", "hum", "noise", "music"])
def test_where_nobody_speaks_there_are_no_words(transcriber: Transcriber, sound: Samples) -> None:
    assert list(hear(transcriber, sound, Hints(language="en"), ignore_progress)) == []


def test_a_moment_of_sound_is_no_failure(transcriber: Transcriber) -> None:
    assert list(hear(transcriber, noise(0.05), Hints(language="en"), ignore_progress)) == []


@pytest.mark.soak
def test_the_same_sound_gives_the_same_words(transcriber: Transcriber) -> None:
    """Whatever it heard before: a stage that goes on after a crash ends as it would have without."""
    first = voice(SENTENCES)[: int(3.6 * SAMPLE_RATE)]
    before = list(hear(transcriber, first, Hints(language="en"), ignore_progress))
    hear(transcriber, music(4) + noise(4), Hints(language="en"), ignore_progress)

    assert list(hear(transcriber, first, Hints(language="en"), ignore_progress)) == before


def test_each_word_knows_its_language(transcriber: Transcriber) -> None:
    words = hear(transcriber, voice(SENTENCES)[: int(3.6 * SAMPLE_RATE)], Hints(), ignore_progress)

    assert {word.language for word in words} == {"en"}


def test_it_finds_the_regions_with_speech(transcriber: Transcriber) -> None:
    regions = transcriber.speech(voice(SENTENCES))

    assert len(regions) == 5
    assert list(transcriber.speech(silence())) == []


def test_it_likes_windows_of_a_sensible_length(transcriber: Transcriber) -> None:
    assert 30 <= transcriber.window_seconds <= 600


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(noise(8, level=0.02), id="noise"),
        pytest.param(hum(8), id="hum", marks=pytest.mark.soak),
        pytest.param(music(8), id="music"),
    ],
)
def test_sound_after_the_speech_adds_no_word(transcriber: Transcriber, tmp_path: Path, after: Samples) -> None:
    sentence = np.concatenate((voice(SENTENCES)[: int(3.6 * SAMPLE_RATE)], after))

    [window] = transcribe(
        write_wav(tmp_path / "a.wav", sentence), transcriber, name="a.mp4", hints=Hints(language="en")
    )

    assert plain(" ".join(word.text for word in window.words)) == ["hello", "and", "welcome", "to", "this", "video"]


@pytest.mark.parametrize("spec", TRANSCRIBERS, ids=lambda spec: spec.name)
class TestRegistration:
    def test_options_have_defaults_and_help(self, spec: TranscriberSpec) -> None:
        for field in fields(spec.options):
            assert field.default is not MISSING
            assert type(field.default) in (str, int, float, bool)
            assert field.metadata["help"]

    def test_it_answers_without_loading_anything(self, spec: TranscriberSpec) -> None:
        state = spec.readiness(spec.options())

        assert state.detail if state.ready else state.reason and state.remedy

    def test_its_languages_are_known_to_the_project(self, spec: TranscriberSpec) -> None:
        for code in spec.languages(spec.options()):
            assert language(code).code == code

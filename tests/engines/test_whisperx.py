"""The real WhisperX with a toy model of twenty sentences, and an aligner with random weights."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobs.engines.whisperx import loading
from jobs.engines.whisperx.client import WhisperX
from jobs.engines.whisperx.spec import ENGINE, Options, readiness
from jobs.pipeline.errors import EngineError, NotReady, OutOfMemory
from jobs.pipeline.protocols import SAMPLE_RATE, Hints, Word, ignore_progress
from jobs.pipeline.speech.voice_activity import overlap, speech_regions
from jobs.pipeline.stages.transcribe import transcribe
from tests.engines.hearing import hear
from tests.pipeline.sounds import SENTENCES, SENTENCES_TEXT, voice, write_wav

pytestmark = pytest.mark.whisperx

SHORT = voice(SENTENCES)[: 4 * SAMPLE_RATE]
TWO = voice(SENTENCES)[: 9 * SAMPLE_RATE]


@pytest.fixture(scope="module")
def options(models_dir: Path) -> Options:
    """In 32 bits: in 8 the toy takes one sentence for another on some processors."""
    return Options(model="tiny", models_dir=str(models_dir), chunk_size=5, batch_size=4, compute_type="float32")


@pytest.fixture(scope="module")
def engine(options: Options) -> WhisperX:
    return WhisperX(options)


@pytest.fixture(scope="module")
def words(engine: WhisperX) -> Sequence[Word]:
    """The words of the five sentences."""
    return hear(engine, voice(SENTENCES), Hints(language="en"), ignore_progress)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look-up of a name and every connection fails, and so does the test."""

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("the engine went to the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def test_it_transcribes_word_for_word(words: Sequence[Word]) -> None:
    assert text(words) == SENTENCES_TEXT


def test_the_whole_stage_keeps_every_word(engine: WhisperX, tmp_path: Path) -> None:
    """“Thank you for watching” is a phrase that Whisper likes to invent; here somebody says it."""
    audio = write_wav(tmp_path / "a.wav", voice(SENTENCES))

    [window] = transcribe(audio, engine, name="a.mp4")

    assert window.language == "en"
    assert text(window.words) == SENTENCES_TEXT


def test_words_without_alignment_lie_where_speech_is(words: Sequence[Word]) -> None:
    regions = speech_regions(voice(SENTENCES))

    for word in words:
        assert overlap(word.start, word.end, regions) > 0.6 * (word.end - word.start)


def test_alignment_runs_where_the_language_has_a_model(engine: WhisperX, no_network: None) -> None:
    """Its weights are random, so its times mean nothing; that there are some, and no download, does."""
    shares: list[float] = []
    words = hear(engine, TWO, Hints(language="fr"), shares.append)
    spread = WhisperX(replace(engine.options, align=False))
    spread._decoder = engine._decoder
    unaligned = hear(spread, TWO, Hints(language="fr"), ignore_progress)

    assert words
    assert all(0 <= word.start <= word.end <= len(TWO) / SAMPLE_RATE for word in words)
    assert [word.start for word in words] != [word.start for word in unaligned]
    assert shares == sorted(shares)


def test_nothing_is_downloaded_or_reported(options: Options, no_network: None) -> None:
    fresh = WhisperX(options)

    assert hear(fresh, SHORT, Hints(language="en"), ignore_progress)


def test_nothing_is_written_to_standard_output(engine: WhisperX, capfd: pytest.CaptureFixture[str]) -> None:
    hear(engine, SHORT, Hints(language="en"), ignore_progress)

    assert capfd.readouterr().out == ""


def test_a_model_can_be_an_absolute_directory(options: Options, models_dir: Path) -> None:
    directory = str(models_dir / "whisper/tiny")

    assert readiness(replace(options, model=directory)).ready
    assert hear(WhisperX(replace(options, model=directory)), SHORT, Hints(), ignore_progress)


def test_what_is_in_no_likely_language_is_not_recognised(engine: WhisperX, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said with certainty in music; a language that was spoken before is still assumed."""
    engine.load()
    monkeypatch.setattr(engine._decoder, "languages", lambda _encoded, spans: [{"la": 0.1} for _ in spans])

    assert hear(engine, SHORT, Hints(), ignore_progress) == []
    assert {word.language for word in hear(engine, SHORT, Hints(expected="en"), ignore_progress)} == {"en"}


def test_javanese_has_another_code_in_whisper(engine: WhisperX, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.load()
    monkeypatch.setattr(engine._decoder, "languages", lambda _encoded, spans: [{"jw": 0.9} for _ in spans])

    assert {word.language for word in hear(engine, SHORT, Hints(), ignore_progress)} == {"jv"}
    assert hear(engine, SHORT, Hints(language="jv"), ignore_progress)


def test_the_region_of_a_language_is_no_matter(engine: WhisperX) -> None:
    assert hear(engine, SHORT, Hints(language="en-GB"), ignore_progress)


class Cramped:
    """The real decoder on a machine with memory for `room` pieces at once."""

    multilingual = True

    def __init__(self, decoder: Any, room: int, message: str = "CUDA failed with error out of memory") -> None:
        self.decoder = decoder
        self.room = room
        self.message = message
        self.tried: list[int] = []

    def encode(self, sounds: Sequence[Any]) -> Any:
        self._try(len(sounds))
        return self.decoder.encode(sounds)

    def decode(self, encoded: Sequence[Any], *rest: Any, again: bool) -> Any:
        self._try(len(encoded))
        return self.decoder.decode(encoded, *rest, again=again)

    def languages(self, *what: Any) -> Any:
        return self.decoder.languages(*what)

    def _try(self, pieces: int) -> None:
        self.tried.append(pieces)
        if pieces > self.room:
            raise RuntimeError(self.message)


@pytest.fixture
def tight(engine: WhisperX) -> Cramped:
    engine.load()
    return Cramped(engine._decoder, room=2)


@pytest.fixture
def cramped(engine: WhisperX, tight: Cramped) -> WhisperX:
    other = WhisperX(replace(engine.options, batch_size=8))
    other._decoder = tight  # type: ignore[assignment]
    return other


def test_the_batch_is_halved_until_it_fits(cramped: WhisperX, tight: Cramped) -> None:
    """Progress does not fall then."""
    shares: list[float] = []
    words = hear(cramped, voice(SENTENCES), Hints(language="en"), shares.append)

    assert tight.tried == [5, 4, 2, 2, 1, 2, 2, 1]
    assert text(words) == SENTENCES_TEXT
    assert shares == sorted(shares)


def test_a_smaller_batch_is_remembered(cramped: WhisperX, tight: Cramped) -> None:
    for _ in range(2):
        hear(cramped, SHORT, Hints(language="en"), ignore_progress)

    assert max(tight.tried[-4:]) <= 2


def test_no_memory_for_a_single_chunk_is_an_error(cramped: WhisperX, tight: Cramped) -> None:
    tight.room = 0

    with pytest.raises(OutOfMemory, match="WhisperX ran out of memory"):
        hear(cramped, voice(SENTENCES), Hints(language="en"), ignore_progress)
    assert tight.tried == [5, 4, 2, 1]


def test_other_failures_keep_their_own_words(cramped: WhisperX, tight: Cramped) -> None:
    tight.room, tight.message = 0, "mat1 and mat2 shapes cannot be multiplied"

    with pytest.raises(EngineError, match="WhisperX failed") as failure:
        hear(cramped, voice(SENTENCES), Hints(language="en"), ignore_progress)
    assert "mat1" in failure.value.detail
    assert tight.tried == [5]


def test_a_damaged_model_is_an_engine_error(options: Options, models_dir: Path, tmp_path: Path) -> None:
    for file in (models_dir / "whisper/tiny").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.bin").write_bytes(b"not a model")

    with pytest.raises(EngineError, match="WhisperX failed"):
        WhisperX(replace(options, model=str(tmp_path))).load()


def test_a_model_that_is_not_there_is_not_ready(options: Options, tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="fetch_models --model tiny"):
        WhisperX(replace(options, models_dir=str(tmp_path))).load()


def test_cpu_computes_in_int8() -> None:
    assert loading.compute_type_of(Options(), "cpu") == "int8"
    assert loading.compute_type_of(Options(compute_type="float32"), "cpu") == "float32"


def test_its_languages_are_those_of_the_package() -> None:
    tokenizer = pytest.importorskip("faster_whisper.tokenizer")

    ours = {{"jv": "jw", "fil": "tl"}.get(code, code) for code in ENGINE.languages(Options())}
    assert ours == set(tokenizer._LANGUAGE_CODES)


def test_another_language_than_the_named_one_is_marked(engine: WhisperX, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words are recognised in the named language, and have the code of the one that is heard."""
    engine.load()
    monkeypatch.setattr(engine._decoder, "languages", lambda _encoded, spans: [{"de": 0.99} for _ in spans])

    words = hear(engine, voice(SENTENCES), Hints(language="en"), ignore_progress)

    assert text(words) == SENTENCES_TEXT
    assert {word.language for word in words} == {"de"}

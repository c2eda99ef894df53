"""The transcribe stage with a double of the engine: windows, times, languages, hallucinations."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from jobs.pipeline.errors import NoSpeech
from jobs.pipeline.protocols import Hints, Samples, Window, Word, ignore_progress
from jobs.pipeline.stages.transcribe import passages, transcribe
from tests.pipeline.doubles import Parrot
from tests.pipeline.sounds import SENTENCES, hum, music, noise, silence, voice, write_wav


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three minutes of speech."""
    return write_wav(tmp_path_factory.mktemp("audio") / "a.wav", *[voice(SENTENCES)] * 10)


def run(audio: Path, parrot: Parrot, **options: object) -> list[Window]:
    hints = Hints(language=str(options.pop("language", "en") or ""))
    return list(transcribe(audio, parrot, name="a.mp4", **{"hints": hints, **options}))  # type: ignore[arg-type]


def all_words(windows: Sequence[Window]) -> list[Word]:
    return [word for window in windows for word in window.words]


def always(*words: Word) -> Parrot:
    return Parrot(words=lambda _samples: words)


def test_windows_come_one_by_one(recording: Path) -> None:
    parrot = Parrot()
    windows = transcribe(recording, parrot, name="a.mp4")

    first = next(windows)

    assert len(parrot.heard) == 1
    assert first.start == 0
    assert 10 <= first.end <= 20
    assert first.words[0].text == "Polly"


def test_windows_follow_each_other_to_the_end(recording: Path) -> None:
    windows = run(recording, Parrot(window_seconds=90))

    assert [window.start for window in windows[1:]] == [window.end for window in windows[:-1]]
    assert windows[-1].end == pytest.approx(182.4, abs=0.1)


def test_windows_of_an_engine_that_takes_pieces_are_full_of_them(recording: Path) -> None:
    """Only the first window, which is short, and the last one may have a piece that is not full."""
    parrot = Parrot(window_seconds=85, piece_seconds=30)
    windows = run(recording, parrot)

    assert [window.start for window in windows[1:]] == [window.end for window in windows[:-1]]
    assert windows[-1].end == pytest.approx(182.4, abs=0.1)
    assert len(all_words(windows)) == len(all_words(run(recording, Parrot())))
    for seconds in parrot.heard[1:-1]:
        assert seconds % 30 > 20 or seconds % 30 < 3, parrot.heard
    resumed = run(recording, Parrot(window_seconds=85, piece_seconds=30), start=windows[1].end, heard=True)
    assert resumed == windows[2:]


def test_word_times_rise_within_their_window(recording: Path) -> None:
    for window in run(recording, Parrot()):
        times = [time for word in window.words for time in (word.start, word.end)]
        assert times == sorted(times)
        assert window.start <= times[0]
        assert times[-1] <= window.end


def test_words_are_where_the_speech_is(recording: Path) -> None:
    """The fifth copy of a sound of 18.24 s says the same as the first, that much later."""
    windows = run(recording, Parrot(window_seconds=40))

    starts = [word.start for word in all_words(windows) if word.text == "Polly"]
    assert len(starts) == 50
    assert starts[20] - starts[0] == pytest.approx(4 * 18.24, abs=0.1)


def test_times_count_from_the_start_of_the_video(recording: Path) -> None:
    plain, shifted = run(recording, Parrot()), run(recording, Parrot(), offset=1.5)

    assert [round(word.start + 1.5, 3) for word in all_words(plain)] == [word.start for word in all_words(shifted)]
    assert (shifted[0].start, shifted[0].end) == (1.5, plain[0].end + 1.5)


def test_sound_before_the_video_starts_is_left_out(recording: Path) -> None:
    windows = run(recording, Parrot(), offset=-4.0)

    assert windows[0].start == 0
    assert windows[0].words[0].start == pytest.approx(0.3, abs=0.1)  # the sentence at 4.3 s of the audio
    assert windows[-1].end == pytest.approx(178.4, abs=0.1)


@pytest.mark.parametrize("offset", [0.0, 0.0234, -3.21])
def test_it_goes_on_where_it_was_interrupted(recording: Path, offset: float) -> None:
    whole = run(recording, Parrot(window_seconds=50), offset=offset)

    for at, window in enumerate(whole):
        resumed = run(recording, Parrot(window_seconds=50), offset=offset, start=window.end, heard=True)
        assert resumed == whole[at + 1 :]


def test_progress_rises_to_one(recording: Path) -> None:
    shares: list[float] = []

    run(recording, Parrot(), progress=shares.append)

    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(set(shares)) > 4


def test_progress_of_a_resumed_stage_starts_where_it_was(recording: Path) -> None:
    shares: list[float] = []

    run(recording, Parrot(), start=run(recording, Parrot())[0].end, progress=shares.append)

    assert shares[0] > 0.2
    assert shares[-1] == 1.0


def test_windows_grow(recording: Path) -> None:
    """The first captions come soon, later windows are as long as the engine likes."""
    lengths = [window.end - window.start for window in run(recording, Parrot(window_seconds=80))]

    assert lengths[0] <= 20
    assert 20 < lengths[1] <= 40
    assert 40 < lengths[2] <= 80


def test_the_language_is_that_of_the_words(tmp_path: Path) -> None:
    audio = write_wav(tmp_path / "a.wav", silence(70), voice(SENTENCES), voice(SENTENCES))

    windows = run(audio, Parrot(languages=["fa"]), language=None)

    assert {window.language for window in windows if window.words} == {"fa"}
    assert windows[0].language == ""
    assert {word.language for word in all_words(windows)} == {"fa"}


def test_each_window_may_have_a_language_of_its_own(recording: Path) -> None:
    parrot = Parrot(languages=["en", "de", "fa"])

    windows = run(recording, parrot, language=None)

    assert [window.language for window in windows[:3]] == ["en", "de", "fa"]
    assert [hints.expected for hints in parrot.asked[:3]] == ["", "en", "de"]


def test_a_given_language_is_that_of_all_words(recording: Path) -> None:
    parrot = Parrot()

    windows = run(recording, parrot, language="es")

    assert {hints.language for hints in parrot.asked} == {"es"}
    assert {window.language for window in windows} == {"es"}


def test_music_decides_no_language(recording: Path) -> None:
    windows = run(recording, Parrot(languages=["", "de"]), language=None)

    assert [window.language for window in windows[:2]] == ["", "de"]
    assert not windows[0].words
    assert windows[0].unheard
    assert windows[1].words


def test_speech_without_words_is_told_with_its_times(recording: Path) -> None:
    said = [Word(text="Hello", start=1.5, end=2.0)]

    first = run(recording, always(*said))[0]

    assert [round(region.start) for region in first.unheard] == [4, 9, 12, 15]


@pytest.mark.parametrize(("seconds", "told"), [(8, True), (3, False)])
def test_another_language_than_the_named_one_is_told(recording: Path, seconds: int, told: bool) -> None:
    """It is recognised in the named one all the same; a few words in another one are nothing to tell."""
    said = [Word(text="Wort", start=4.5 + at, end=5.4 + at, language="de" if at < seconds else "en") for at in range(9)]

    first = run(recording, always(*said), language="en-GB")[0]

    assert {word.language for word in first.words} == {"en-GB"}
    found = [(passage.start, passage.text) for passage in passages(first) if passage.kind == "other"]
    assert found == ([(4.5, "de")] if told else [])


def test_words_that_are_removed_are_told_with_their_times(tmp_path: Path) -> None:
    audio = write_wav(tmp_path / "a.wav", voice(SENTENCES)[: 4 * 16_000], noise(12, level=0.02))
    said = [Word(text="Hello", start=1.5, end=2.0), Word(text="hm", start=9, end=9.5, confidence=0.2)]

    (window,) = run(audio, always(*said))

    assert [word.text for word in window.words] == ["Hello"]
    assert [(word.text, word.start) for word in window.removed] == [("hm", 9)]


def test_silent_windows_are_not_sent_to_the_engine(tmp_path: Path) -> None:
    audio = write_wav(tmp_path / "a.wav", silence(100), voice(SENTENCES))
    parrot = Parrot()

    windows = run(audio, parrot)

    assert len(windows) == 3
    assert len(parrot.heard) == 1
    assert windows[0].words == windows[1].words == ()


@pytest.mark.parametrize(
    "sound", [silence(70), hum(70), music(70), noise(70)], ids=["silence", "hum", "music", "noise"]
)
def test_no_speech_is_a_clear_result(tmp_path: Path, sound: Samples) -> None:
    parrot = always(Word(text="Hello", start=1, end=2))

    with pytest.raises(NoSpeech, match=r"No speech was found in “a\.mp4”"):
        run(write_wav(tmp_path / "a.wav", sound), parrot)

    assert parrot.heard == []


def test_an_engine_that_hears_nothing_in_speech_is_no_speech_either(recording: Path) -> None:
    with pytest.raises(NoSpeech):
        run(recording, always())


def test_a_silent_rest_of_a_resumed_video_is_no_failure(tmp_path: Path) -> None:
    audio = write_wav(tmp_path / "a.wav", voice(SENTENCES), silence(70))
    first = next(transcribe(audio, Parrot(), name="a.mp4"))

    rest = run(audio, Parrot(), start=first.end, heard=True)

    assert all_words(rest) == []


def test_empty_audio_has_no_speech(tmp_path: Path) -> None:
    with pytest.raises(NoSpeech):
        run(write_wav(tmp_path / "a.wav"), Parrot())


@pytest.mark.parametrize("after", [noise(20, level=0.02), hum(20), music(20), silence(20)])
def test_what_an_engine_invents_after_the_speech_is_dropped(tmp_path: Path, after: Samples) -> None:
    """A loop over the trailing sound, as Whisper makes them."""
    audio = write_wav(tmp_path / "a.wav", voice(SENTENCES), after)
    said = [Word(text=text, start=15.5, end=15.8) for text in ("and", "see", "you")]
    loop = [Word(text="Thank you.", start=19 + at, end=19.9 + at) for at in range(18)]

    assert [word.text for word in all_words(run(audio, always(*said, *loop)))] == ["and", "see", "you"]


def test_a_phrase_repeated_for_ever_before_the_speech_gives_no_word(tmp_path: Path) -> None:
    sound = voice(SENTENCES) * np.float32(0.3) + noise(18.24)[: len(voice(SENTENCES))]
    loop = [Word(text="you", start=at * 0.02, end=(at + 1) * 0.02, confidence=0.1) for at in range(900)]

    with pytest.raises(NoSpeech):
        run(write_wav(tmp_path / "a.wav", sound), always(*loop))


def test_careless_words_are_put_in_order(recording: Path) -> None:
    """Empty text, times that run back or out of the window, and letters that are not composed."""
    parrot = Parrot(
        words=lambda _samples: [
            Word(text=" cafe\u0301 ", start=5.0, end=4.8),
            Word(text="  ", start=5.0, end=5.5),
            Word(text="noir", start=4.5, end=1e6, confidence=0.3, speaker="A"),
        ]
    )

    first = run(recording, parrot)[0]

    assert [(word.text, word.start, word.end) for word in first.words] == [("caf\u00e9", 5, 5), ("noir", 5, first.end)]
    assert (first.words[1].confidence, first.words[1].speaker) == (0.3, "A")


@pytest.mark.soak
def test_memory_does_not_grow_with_the_audio(tmp_path: Path) -> None:
    def peak(copies: int) -> int:
        audio = write_wav(tmp_path / f"{copies}.wav", *[voice(SENTENCES)] * copies)
        parrot = Parrot(window_seconds=120, words=lambda _samples: [Word(text="Polly", start=5, end=6)])
        tracemalloc.start()
        for _ in transcribe(audio, parrot, name="a.mp4", progress=ignore_progress):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    five_minutes, half_an_hour = peak(16), peak(100)

    assert half_an_hour < 1.1 * five_minutes
    assert half_an_hour < 80e6

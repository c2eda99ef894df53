"""The sections count right: answers of engines that were written by hand, on sounds of known content."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from jobs.pipeline.protocols import SAMPLE_RATE
from tests.quality import material, sound
from tests.quality.__main__ import _sections
from tests.quality.engines import Heard, Session
from tests.quality.material import Clip, Sentence
from tests.quality.rows import Row, at_least, at_most, info, table, write
from tests.quality.sections import QUICK, SECTIONS, coverage, files, first_caption, recognition, silence, timing
from tests.quality.subtitle_files import File


def heard(*texts: tuple[str, float, float], unsure: bool = False, **others: Any) -> Heard:
    """The answer of an engine with these words."""
    words = [{"text": text, "start": start, "end": end, "unsure": unsure} for text, start, end in texts]
    costs = {"cpu": 10.0, "wall": 10.0, "loading": 0.0, "peak": 0.0, "pieces": 1, "encoded": 1}
    return Heard(**{"texts": words, "languages": [], **costs, **others})


def clip(*sentences: tuple[str, float, float], seconds: float = 10.0) -> Clip:
    """A silent clip in which these sentences are said."""
    said = tuple(Sentence(start=start, end=end, text=text, language="en") for text, start, end in sentences)
    text = " ".join(one.text for one in said)
    return Clip(name="clip", language="en", sound=sound.silence(seconds), text=text, sentences=said)


def test_sentences_begin_and_end_with_their_own_words() -> None:
    said = clip(("One two.", 1.0, 2.0), ("Three four five.", 3.0, 5.0))
    found = heard(("one", 1.2, 1.4), ("too", 1.5, 2.1), ("three", 2.9, 3.5), ("four", 3.6, 4.0), ("five", 4.1, 4.5))
    starts, ends = timing.deviations(said, found)
    assert starts == pytest.approx([0.2, -0.1])
    assert ends == pytest.approx([0.1, -0.5])


def test_a_sentence_whose_first_word_is_missing_has_no_start() -> None:
    said = clip(("One two.", 1.0, 2.0), ("Three four.", 3.0, 5.0))
    starts, ends = timing.deviations(said, heard(("two", 1.5, 2.0), ("three", 3.3, 3.5), ("four", 3.6, 5.0)))
    assert starts == pytest.approx([0.3])
    assert ends == pytest.approx([0.0, 0.0])


def test_words_in_loops_count_unless_their_cues_are_flagged() -> None:
    loop = [("on", at, at + 0.5) for at in range(6)]
    said = clip(("on", 0.0, 1.0))
    assert recognition.looped(said, heard(*loop)) == 5
    assert recognition.looped(said, heard(*loop), unflagged=True) == 5
    assert recognition.looped(said, heard(*loop, unsure=True), unflagged=True) == 0
    assert recognition.looped(clip(("on on on on on on", 0.0, 1.0)), heard(*loop)) == 0


def test_coverage_is_the_share_of_the_speech_within_spans() -> None:
    said = clip(("a", 1.0, 3.0), ("b", 5.0, 7.0))
    assert coverage._share(said, [(0.0, 10.0)]) == 100.0
    assert coverage._share(said, [(3.0, 6.0)]) == 25.0
    assert coverage._share(said, []) == 0.0


class Deaf:
    """A session in which every sound is answered alike."""

    quick = True

    def __init__(self, answer: Heard) -> None:
        self._answer = answer

    def ours(self, clip: Clip) -> Heard:
        return self._answer


@pytest.mark.parametrize(
    ("answer", "met"), [(heard(), True), (heard(("thanks", 1.0, 2.0)), False), (heard(failure="it broke"), False)]
)
def test_nothing_heard_in_silence_is_right_and_a_failure_is_not(answer: Heard, met: bool) -> None:
    assert {row.met for row in silence.measure(cast(Session, Deaf(answer)))} == {met}


def test_the_longest_wait_is_between_changes() -> None:
    events = [
        {"cpu": 1.0, "kind": "progress", "value": 0.1},
        {"cpu": 4.0, "kind": "progress", "value": 0.1},
        {"cpu": 6.0, "kind": "words", "value": 20.0},
    ]
    assert first_caption._longest_wait(heard(events=events, cpu=8.0)) == 5.0
    assert first_caption._longest_wait(heard(events=events, cpu=12.0)) == 6.0


@pytest.mark.parametrize(("value", "met"), [(0.5, True), (0.51, False)])
def test_rows_are_held_against_their_targets(value: float, met: bool) -> None:
    assert at_most("a", "b", value, 0.5).met is met
    assert at_least("a", "b", -value, -0.5).met is met
    assert info("a", "b", value).met is None


def test_the_table_says_met_or_missed_and_the_file_has_the_rows(tmp_path: Path) -> None:
    rows = [at_most("one", "good", 1.0, 2.0), at_most("one", "bad", 3.0, 2.0), info("two", "plain", 4.0)]
    lines = table(rows).splitlines()
    assert [line.split()[-1] for line in lines if line.startswith(("good", "bad", "plain"))] == [
        "met",
        "MISSED",
        "4.000",
    ]
    write(rows, tmp_path / "new" / "quality.json")
    found = json.loads((tmp_path / "new" / "quality.json").read_text())
    assert found[1] == {"section": "one", "name": "bad", "value": 3.0, "target": "at most 2", "met": False}
    assert [Row(**row) for row in found] == rows


def test_sections_are_chosen_by_name() -> None:
    assert _sections("silence, names,") == ("silence", "names")
    assert _sections("") == ()
    assert set(QUICK) <= set(SECTIONS)
    with pytest.raises(SystemExit, match="no section nothing"):
        _sections("silence,nothing")


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
@pytest.mark.parametrize("language", ["en", "fa"])
def test_made_speech_sounds_at_its_times_only(language: str) -> None:
    made = material.made(language, 3)
    assert [one.text for one in made.sentences] == material.sentences_of(language)[:3]
    outside = np.ones(len(made.sound), dtype=np.bool_)
    for one in made.sentences:
        first, last = round(one.start * SAMPLE_RATE), round(one.end * SAMPLE_RATE)
        outside[first:last] = False
        assert min(abs(made.sound[first]), abs(made.sound[last - 1])) > 0.001
        assert sound.level_of(made.sound[first:last]) == pytest.approx(sound.CLEAN, abs=0.5)
    assert not made.sound[outside].any()


def test_recordings_have_their_texts() -> None:
    found = {one.name: (one.language, round(one.seconds), len(one.text.split())) for one in material.recordings()}
    assert found == {
        "jfk": ("en", 11, 22),
        "sonnet1": ("en", 53, 106),
        "sonnet2": ("en", 53, 115),
        "simplicissimus": ("de", 68, 108),
    }


@pytest.mark.parametrize("disturbance", [sound.noise, sound.hum, sound.music, sound.drums])
def test_disturbances_are_as_loud_as_asked(disturbance: Any) -> None:
    made = disturbance(20.0)
    assert len(made) == 20 * SAMPLE_RATE
    assert sound.level_of(made) == pytest.approx(sound.CLEAN, abs=0.1)
    assert np.array_equal(made, disturbance(20.0))


def test_sound_survives_the_file(tmp_path: Path) -> None:
    made = sound.noise(1.0)
    again = sound.load(sound.save(made, tmp_path / "noise.wav"))
    assert np.abs(made - again).max() < 1e-4
    assert sound.level_of(sound.quieter(made, 20)) == pytest.approx(sound.CLEAN - 20, abs=0.1)


def test_each_cue_of_a_file_is_right_or_its_line_is_named() -> None:
    rows = files.measure(cast(Session, None))
    assert [row.met for row in rows] == [True, None, True, True]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("1\n00:00:01,000 --> 00:00:02,000\nHello.\n", 0),
        ("1\n00:00:01,000 --> 00:00:02,100\nHello.\n", 1),
        ("1\n00:00:01,000 --> 00:00:02,000\nHello.\n\n2\n00:00:03,000 --> 00:00:04,000\nMore.\n", 1),
        ("1\n00:00:01,000 --> 00:00:02,000\nHallo.\n", 2),
        ("nothing", 1),
    ],
)
def test_wrong_cues_are_counted(content: str, found: int) -> None:
    file = File(name="a.srt", content=content.encode(), cues=((1.0, 2.0, "Hello."),))
    assert len(files.wrong(file)) == found


def test_a_line_that_is_not_named_is_counted() -> None:
    content = b"1\n00:00:01,000 --> 00:00:02,000\nHello.\n"
    assert len(files.wrong(File(name="a.srt", content=content, cues=((1.0, 2.0, "Hello."),), named=(7,)))) == 1

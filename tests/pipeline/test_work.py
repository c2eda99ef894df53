"""Each kind of task, run with scripted engines."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from jobs.pipeline import errors
from jobs.pipeline.download import client as link
from jobs.pipeline.download.client import LinkOptions
from jobs.pipeline.media.limits import Limits
from jobs.pipeline.media.probe import probe
from jobs.pipeline.media.streams import Media, SubtitleStream
from jobs.pipeline.notes import NoteCode, template
from jobs.pipeline.process.messages import (
    DiarizeTask,
    FetchTask,
    Reading,
    RecogniseTask,
    RenderTask,
    SubtitleTask,
    Task,
    TranslateTask,
    from_builtins,
)
from jobs.pipeline.protocols import Batch, Brief, CallEnd, Document, Hints, Line, Passage, Read, Turn, Usage, Word
from jobs.pipeline.stage import StepName
from jobs.pipeline.stages.context import StageContext, StageResult
from jobs.pipeline.stages.dispatch import run_task
from jobs.pipeline.subtitles import writer
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.style import Style
from jobs.pipeline.text.languages import language
from tests.engines.echo_translator import EchoTranslator
from tests.pipeline import sounds
from tests.pipeline.clips import Clips, run
from tests.pipeline.doubles import Listener, Parrot

Lot = tuple[tuple[Cue, ...], dict[int, str]]
BRIEF = Brief(source="en", target="fa", formality="formal", glossary=(("cracker", "کلوچه"),), topic="parrots")


class Listening(EchoTranslator):
    """Remembers the briefs, and what it was told had been answered."""

    def __init__(self) -> None:
        super().__init__()
        self.briefs: list[Brief] = []
        self.done: list[dict[int, str]] = []

    def translate(self, lines: Sequence[Line], brief: Brief, done: Mapping[int, str]) -> Iterator[Batch]:
        self.briefs.append(brief)
        self.done.append(dict(done))
        return super().translate(lines, brief, done)


@dataclass
class Doubles:
    parrot: Parrot = field(default_factory=Parrot)
    echo: Listening = field(default_factory=Listening)
    listener: Listener = field(default_factory=Listener)

    def transcriber(self, name: str, options: dict[str, Any]) -> Parrot:
        return self.parrot

    def translator(self, name: str, options: dict[str, Any]) -> Listening:
        return self.echo

    def diarizer(self, name: str, options: dict[str, Any]) -> Listener:
        return self.listener


@dataclass
class Told:
    """A reporter that records all reports."""

    shares: list[float] = field(default_factory=list)
    steps: list[tuple[StepName | None, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    windows: list[tuple[float, str, bool, tuple[Cue, ...]]] = field(default_factory=list)
    cues: list[tuple[str, tuple[Cue, ...]]] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)
    parts: list[tuple[tuple[Cue, ...], Usage]] = field(default_factory=list)
    calls: list[Usage] = field(default_factory=list)
    ended: list[tuple[Usage, CallEnd]] = field(default_factory=list)
    briefs: list[tuple[Document, int, Usage, bool]] = field(default_factory=list)
    revisions: list[int] = field(default_factory=list)

    def progress(self, share: float) -> None:
        self.shares.append(share)

    def step(self, name: StepName | None) -> None:
        self.steps.append((name, len(self.shares)))

    def note(self, code: NoteCode, **params: str) -> None:
        self.notes.append(template(code).format(**params))

    def existing(self, language: str, cues: tuple[Cue, ...]) -> None:
        self.cues.append((language, cues))

    def window(
        self, *, end: float, language: str, heard: bool, cues: tuple[Cue, ...], passages: tuple[Passage, ...] = ()
    ) -> None:
        self.windows.append((end, language, heard, cues))
        self.passages += passages

    def briefed(self, document: Document, upto: int, usage: Usage, *, whole: bool) -> None:
        self.briefs.append((document, upto, usage, whole))

    def translated(self, cues: tuple[Cue, ...], usage: Usage, revision: int = 0) -> None:
        self.parts.append((cues, usage))
        self.revisions.append(revision)

    def call(self, expected: Usage) -> None:
        self.calls.append(expected)

    def called(self, used: Usage, way: CallEnd) -> None:
        self.ended.append((used, way))


@dataclass
class Bank:
    """A directory, engines and a reporter, in which tasks are run."""

    room: Path
    told: Told = field(default_factory=Told)
    doubles: Doubles = field(default_factory=Doubles)

    def do(self, task: Task, *lots: Lot) -> StageResult:
        return run_task(
            task, StageContext(attempt_dir=self.room, engines=self.doubles, report=self.told, cues=lambda: iter(lots))
        )

    @property
    def files(self) -> set[str]:
        return {path.name for path in self.room.iterdir()}


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    room = tmp_path / "room"
    room.mkdir()
    return Bank(room)


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Four seconds of speech, from 0.7 s on."""
    return sounds.write_wav(tmp_path / "talk.wav", sounds.silence(0.2), sounds.voice(sounds.SAMPLE)[: 4 * 16_000])


def cue(number: int, **fields: Any) -> Cue:
    return Cue(**{"id": number, "start": number * 2.0, "end": number * 2 + 1.0, "source": f"Line {number}.", **fields})


def fetch(source: Path, **more: Any) -> FetchTask:
    return FetchTask(str(source), Limits(), LinkOptions(), **more)


def recognise(audio: Path, **changed: Any) -> RecogniseTask:
    usual: dict[str, Any] = {"hints": Hints(), "start": 0.0, "offset": 0.0, "heard": False, "first_id": 1}
    return RecogniseTask(audio=audio, name="talk", engine="parrot", options={}, **{**usual, **changed})


def rises_to_one(shares: list[float]) -> bool:
    return shares == sorted(shares) and shares[-1] == pytest.approx(1.0)


# fetch


def test_fetch_brings_sound_and_says_what_the_video_is(bank: Bank, clips: Clips) -> None:
    made = bank.do(fetch(clips["plain.mp4"], name="Mine.mp4"))
    assert made.files == {"audio": "audio.wav"}
    assert bank.files == {"audio.wav"}
    assert made.outcome["title"] == "Mine"
    assert from_builtins(Media, made.outcome["media"]) == replace(probe(clips["plain.mp4"]), name="Mine.mp4", chosen=1)
    assert rises_to_one(bank.told.shares)


def test_dubbed_sound_of_a_link_is_told(bank: Bank, clips: Clips, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(_: str, directory: Path, **__: object) -> link.Download:
        shutil.copyfile(clips["plain.mp4"], directory / "0")
        return link.Download(files=(directory / "0",), suffix=".mp4", title="T", language="de", dubbed=True)

    monkeypatch.setattr(link, "download", download)
    made = bank.do(FetchTask("https://example.org/v", Limits(), LinkOptions()))
    assert made.outcome["language"] == "de"
    assert bank.told.notes == ["The site offers this video only with dubbed sound, so that is used."]


def test_fetch_without_listening(bank: Bank, clips: Clips) -> None:
    assert bank.do(fetch(clips["mute.mp4"], listen=False)).files == {}
    assert rises_to_one(bank.told.shares)


def test_fetch_of_what_has_no_sound(bank: Bank, clips: Clips) -> None:
    with pytest.raises(errors.NoAudio):
        bank.do(fetch(clips["mute.mp4"]))


# recognise


def test_windows_are_told_with_their_cues(bank: Bank, talk: Path) -> None:
    made = bank.do(recognise(talk))
    assert made == StageResult(files={}, outcome={"spoken": "en"})
    ((end, language, heard, cues),) = bank.told.windows
    assert (language, heard) == ("en", True)
    assert end == pytest.approx(4.2, abs=0.1)
    assert [(each.id, each.source) for each in cues] == [(1, "Polly wants a cracker")]
    assert rises_to_one(bank.told.shares)


def test_a_language_that_was_given_is_not_told(bank: Bank, talk: Path) -> None:
    assert bank.do(recognise(talk, hints=Hints(language="fr"))).outcome == {"spoken": "fr"}
    assert {hints.language for hints in bank.doubles.parrot.asked} == {"fr"}


def test_the_language_that_is_heard(bank: Bank, talk: Path) -> None:
    bank.doubles.parrot = Parrot(languages=["de"])
    assert bank.do(recognise(talk)).outcome == {"spoken": "de"}


def test_recognition_goes_on_from_a_checkpoint(bank: Bank, tmp_path: Path) -> None:
    speech = sounds.voice(sounds.SAMPLE)[: 4 * 16_000]
    audio = sounds.write_wav(tmp_path / "two.wav", speech, sounds.silence(2), speech)
    bank.doubles.parrot = Parrot(window_seconds=5)
    bank.do(recognise(audio))
    first, *rest = bank.told.windows
    again = Bank(bank.room, doubles=Doubles(parrot=Parrot(window_seconds=5)))
    again.do(recognise(audio, hints=Hints(expected="en"), start=first[0], heard=True, first_id=first[3][-1].id + 1))
    assert rest
    assert again.told.windows == rest


def test_cues_shift_with_sound_that_begins_late(bank: Bank, talk: Path) -> None:
    bank.do(recognise(talk))
    bank.do(recognise(talk, offset=1.5))
    early, late = (window[3][0].start for window in bank.told.windows)
    assert late - early == pytest.approx(1.5, abs=0.01)


def test_nobody_speaks(bank: Bank, tmp_path: Path) -> None:
    silent = sounds.write_wav(tmp_path / "silent.wav", sounds.silence(3))
    with pytest.raises(errors.NoSpeech):
        bank.do(recognise(silent))
    assert [window[3] for window in bank.told.windows] == [()]
    bank.do(recognise(silent, heard=True))


# translate


def test_lot_after_lot(bank: Bank) -> None:
    made = bank.do(TranslateTask("echo", {}, BRIEF), ((cue(1), cue(2)), {1: "known"}), ((cue(3),), {}))
    told = [(each.id, each.target) for part, _ in bank.told.parts for each in part]
    assert told == [(2, "[Line 2.]"), (3, "[Line 3.]")]
    assert made == StageResult(files={}, outcome={})
    assert bank.doubles.echo.briefs == [BRIEF, BRIEF]
    assert bank.doubles.echo.done == [{1: "known"}, {1: "known", 2: "[Line 2.]"}]
    assert sum((usage for _, usage in bank.told.parts), Usage()) == Usage(input_tokens=20, output_tokens=2)


def test_what_is_in_the_target_language_is_not_translated(bank: Bank) -> None:
    made = bank.do(TranslateTask(None, {}, Brief(source="fa", target="fa")), ((cue(1),), {}), ((cue(2),), {}))
    assert made.outcome == {}
    assert bank.doubles.echo.calls == 0
    assert [each.target for part, _ in bank.told.parts for each in part] == ["Line 1.", "Line 2."]
    assert bank.told.notes == ["The subtitles are already in Persian, so translation was skipped."]


class Studious(Listening):
    """Reads a transcript in parts of two lines, and notes the number of each part."""

    def __init__(self) -> None:
        super().__init__()
        self.read_after: list[int] = []

    def read(self, lines: Sequence[Line], brief: Brief, document: Document, upto: int) -> Iterator[Read]:
        self.read_after.append(upto)
        left = [line for line in lines if line.id > upto]
        for at in range(0, len(left), 2):
            last = left[at : at + 2][-1].id
            document = replace(document, terms=(*document.terms, (f"upto {last}", "x")))
            yield Read(document=document, upto=last, left_out=last == 4, usage=Usage(input_tokens=last))


def test_the_transcript_is_read_before_it_is_translated(bank: Bank) -> None:
    bank.doubles.echo = studious = Studious()
    transcript: Lot = (tuple(map(cue, range(1, 6))), {})
    noted = Document(terms=(("upto 2", "x"),))
    sent: list[tuple[int, Document | None]] = [(0, None)]
    lots = iter([[transcript], [transcript]])

    def cues() -> Iterator[Lot]:
        if bank.told.briefs:
            sent.append((1, bank.told.briefs[-1][0]))
        return iter(next(lots))

    task = TranslateTask("echo", {}, BRIEF, reading=Reading(noted, 2))
    context = StageContext(
        attempt_dir=bank.room, engines=bank.doubles, report=bank.told, cues=cues, brief=lambda: sent[-1]
    )
    run_task(task, context)
    assert studious.read_after == [2]
    assert [(upto, usage.input_tokens, whole) for _, upto, usage, whole in bank.told.briefs] == [
        (4, 4, False),
        (5, 5, False),
        (5, 0, True),
    ]
    document = bank.told.briefs[-1][0]
    assert [term for term, _ in document.terms] == ["upto 2", "upto 4", "upto 5"]
    assert studious.briefs == [BRIEF.with_document(document)]
    assert set(bank.told.revisions) == {1}
    assert [name for name, _ in bank.told.steps] == [StepName.READ_TRANSCRIPT, None]
    assert bank.told.notes == [
        "The brief covers only a part of the transcript, because the language model could not read the rest."
    ]


def test_what_is_left_is_translated_with_a_brief_that_has_changed(bank: Bank) -> None:
    """The double returns ten lines a batch."""
    old, new = (Document(topic=topic, edited=True) for topic in ("old", "new"))
    task = TranslateTask("echo", {}, BRIEF, document=old, revision=1)
    context = StageContext(
        attempt_dir=bank.room,
        engines=bank.doubles,
        report=bank.told,
        cues=lambda: iter([(tuple(map(cue, range(1, 26))), {})]),
        brief=lambda: (2, new) if bank.told.parts else (0, None),
    )
    run_task(task, context)
    assert [brief.topic for brief in bank.doubles.echo.briefs] == ["old", "new"]
    assert [each.id for part, _ in bank.told.parts for each in part] == list(range(1, 26))
    assert bank.told.revisions == [1, 2, 2]


def test_a_translator_that_is_no_language_model_says_so(bank: Bank) -> None:
    task = TranslateTask("echo", {}, replace(BRIEF, careful=True), reading=Reading(Document(), 0))
    bank.do(task, ((cue(1),), {}))
    assert bank.told.briefs == [(Document(), 0, Usage(), True)]
    assert bank.told.notes[0].endswith("is no language model, so the brief and the careful revision were left out.")


def test_terms_of_the_glossary_are_checked_in_the_subtitles(bank: Bank) -> None:
    cues = (cue(1, source="A whale.", target="یک وال."), cue(2, source="The whale.", target="نهنگ."))
    brief = Brief(source="en", target="fa", glossary=(("whale", "نهنگ"),))
    made = bank.do(SubtitleTask(cues, "en", "fa", {"fa.srt": "target"}, Style(), (640, 360), 0, brief))
    found = [(each["cue"], each["why"]) for each in made.outcome["quality"]["findings"] if each["kind"] == "glossary"]
    assert found == [(1, "“whale” is not translated as “نهنگ”")]


# subtitle and render


def test_subtitles_in_each_form(bank: Bank) -> None:
    cues = (cue(1, target="یک"), cue(2, target="دو"))
    forms: dict[str, Any] = {"fa.srt": "bilingual", "fa.ass": "target", "en.srt": "source"}
    made = bank.do(SubtitleTask(cues, "en", "fa", forms, Style(), (640, 360), 20))
    assert made.files == {name: f"subtitles.{name}" for name in forms}
    assert bank.files == set(made.files.values())
    assert "Line 1." in (bank.room / "subtitles.fa.srt").read_text()
    assert "یک" not in (bank.room / "subtitles.en.srt").read_text()
    assert made.outcome["quality"]["cues"] == 2


@pytest.mark.parametrize(("mode", "kind"), [("burn", "ass"), ("soft", "srt")])
def test_a_video_and_its_poster(bank: Bank, clips: Clips, request: pytest.FixtureRequest, mode: Any, kind: str) -> None:
    media = probe(clips["plain.mp4"])
    made = bank.do(RenderTask(clips["plain.mp4"], media, request.getfixturevalue(kind), mode, "fa"))
    assert set(made.files) == {"video", "poster"}
    assert bank.files == set(made.files.values())
    assert probe(bank.room / made.files["video"]).duration == pytest.approx(2, abs=0.1)
    assert rises_to_one(bank.told.shares)


def test_what_the_video_does_not_show_is_told(bank: Bank, clips: Clips, tmp_path: Path) -> None:
    lacking = Cue(id=1, start=0, end=1, source="", target="\U0010fffd سلام")
    writer.write([lacking], tmp_path / "s.ass", form="target", source=language("en"), target=language("fa"))
    source = clips["plain.mp4"]
    bank.do(RenderTask(source, probe(source), tmp_path / "s.ass", "burn", "fa", late=(62.0, 36_000.0)))
    assert bank.told.notes == [
        "No font on this machine has these characters, so the picture shows “…” instead: \U0010fffd. The subtitle "
        "files contain them.",
        "Some subtitles begin after the end of the video, so the video does not contain them: 1:02, 10:00:00. The "
        "subtitle files do.",
    ]


def test_a_track_that_cannot_be_copied_is_left_out_and_told(bank: Bank, clips: Clips, srt: Path) -> None:
    """The container refuses it, although its codec is known; the job does not fail for it."""
    source = clips["plain.mp4"]
    broken = SubtitleStream(index=9, codec="subrip", language="eng")
    media = replace(probe(source), subtitles=(broken,))
    made = bank.do(RenderTask(source, media, srt, "soft", "fa"))
    assert len(probe(bank.room / made.files["video"]).subtitles) == 1
    assert bank.told.notes == [
        "Some of the subtitle tracks or attachments of the video could not be kept: subrip (eng)."
    ]


def test_sound_that_begins_late_is_put_in_its_place(bank: Bank, talk: Path, tmp_path: Path) -> None:
    """From the file to the cue: the offset that the first stage finds is the one to recognise with."""
    late = tmp_path / "late.mkv"
    picture = ("-f", "lavfi", "-i", "color=black:size=64x64:rate=10:duration=6")
    run(*picture, "-itsoffset", "1.5", "-i", str(talk), "-c:v", "libx264", "-c:a", "pcm_s16le", str(late))
    media = from_builtins(Media, bank.do(fetch(late)).outcome["media"])
    assert media.speech
    bank.do(recognise(talk))
    bank.do(recognise(bank.room / "audio.wav", offset=media.speech.offset))
    early, shifted = (window[3][0].start for window in bank.told.windows)
    assert shifted - early == pytest.approx(1.5, abs=0.06)


# speakers


def _diarized(**changed: Any) -> dict[str, Any]:
    return {"diarize": DiarizeTask(engine="listener", options={}, speakers=None), **changed}


def _conversation(bank: Bank) -> None:
    """Two people who take turns: two words each, from 0.7 s on."""
    words = [Word(text=text, start=0.7 + at * 0.5, end=1.1 + at * 0.5) for at, text in enumerate("abcdef")]
    bank.doubles.parrot = Parrot(words=lambda _: words)
    turns = [Turn(start=0.6 + at, end=1.6 + at, speaker=who) for at, who in enumerate(("x", "y", "x"))]
    bank.doubles.listener = Listener(*turns)


def test_the_loading_of_models_is_a_step_that_ends_before_progress(bank: Bank, talk: Path) -> None:
    _conversation(bank)
    bank.do(recognise(talk, **_diarized()))
    assert [name for name, _ in bank.told.steps] == [StepName.LOAD_SPEAKERS, None, StepName.LOAD_SPEECH, None]
    assert bank.told.steps[1][1] == 0
    assert bank.doubles.listener.loaded == 1
    assert bank.doubles.parrot.loaded >= 1


def test_speakers_are_told_apart_before_the_first_window_and_no_cue_mixes_them(bank: Bank, talk: Path) -> None:
    _conversation(bank)
    bank.do(recognise(talk, **_diarized()))
    cues = [cue for _, _, _, cues in bank.told.windows for cue in cues]
    assert [(cue.speaker, cue.source) for cue in cues] == [("S1", "a b"), ("S2", "c d"), ("S1", "e f")]
    assert bank.told.notes == ["Speakers told apart: 2."]
    assert rises_to_one(bank.told.shares)
    assert bank.doubles.listener.asked == [None]


def test_turns_are_moved_to_the_clock_of_the_video(bank: Bank, talk: Path) -> None:
    _conversation(bank)
    bank.do(recognise(talk, **_diarized(offset=5.0)))
    assert [cue.speaker for _, _, _, cues in bank.told.windows for cue in cues] == ["S1", "S2", "S1"]


def test_a_repeated_stage_names_speakers_as_before(bank: Bank, tmp_path: Path) -> None:
    """The second window begins with the second speaker, who is S2 also when the first window is not heard again."""
    audio = sounds.write_wav(tmp_path / "long.wav", *[sounds.voice(sounds.SAMPLE)] * 8)
    seconds = 8 * len(sounds.voice(sounds.SAMPLE)) / 16_000
    turns = [Turn(start=10.0 * at, end=10.0 * at + 10, speaker="xyz"[at % 3]) for at in range(int(seconds / 10))]
    bank.doubles.listener = Listener(*turns)
    bank.doubles.parrot = Parrot(window_seconds=20)
    bank.do(recognise(audio, **_diarized()))
    whole = [window[3] for window in bank.told.windows]
    assert {cue.speaker for cues in whole for cue in cues} == {"S1", "S2", "S3"}
    first, bank.told.windows = bank.told.windows[0], []
    again = _diarized(start=first[0], hints=Hints(expected=first[1]), heard=True, first_id=len(first[3]) + 1)
    bank.do(recognise(audio, **again))
    assert [window[3] for window in bank.told.windows] == whole[1:]


def test_without_the_wish_nobody_listens_for_speakers(bank: Bank, talk: Path) -> None:
    _conversation(bank)
    bank.do(recognise(talk))
    assert bank.doubles.listener.asked == []
    assert {cue.speaker for _, _, _, cues in bank.told.windows for cue in cues} == {""}


def test_a_quick_exchange_is_one_cue_with_dashes(bank: Bank, talk: Path) -> None:
    words = [Word(text="Ready?", start=0.8, end=1.1), Word(text="Yes.", start=1.2, end=1.5)]
    bank.doubles.parrot = Parrot(words=lambda _: words)
    bank.doubles.listener = Listener(Turn(start=0.8, end=1.15, speaker="x"), Turn(start=1.15, end=2, speaker="y"))
    bank.do(recognise(talk, **_diarized()))
    ((_, _, _, (only,)),) = bank.told.windows
    assert (only.id, only.speaker, only.source) == (1, "S1 S2", "- Ready?\n- Yes.")

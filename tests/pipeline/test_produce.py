"""The whole way of one video, with engines that say what they are told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from jobs.pipeline import errors
from jobs.pipeline.languages import language
from jobs.pipeline.produce import Crew, Order, produce
from jobs.pipeline.protocols import Batch, Brief, Line
from jobs.pipeline.stages import Stage
from tests.engines.echo_translator import EchoTranslator
from tests.pipeline import sounds
from tests.pipeline.clips import Clips, run, write_srt
from tests.pipeline.doubles import Parrot


@dataclass
class Watcher:
    """Remembers what it was told, and what lay in `output` then."""

    output: Path
    shares: dict[Stage, list[float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def progress(self, stage: Stage, share: float) -> None:
        self.shares.setdefault(stage, []).append(share)
        if self.output.exists():
            self.seen |= {path.name for path in self.output.iterdir() if not path.name.startswith(".")}

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)


class Listening(EchoTranslator):
    """Remembers the brief."""

    def __init__(self) -> None:
        super().__init__()
        self.briefs: list[Brief] = []

    def translate(self, lines: Sequence[Line], brief: Brief, done: Mapping[int, str]) -> Iterator[Batch]:
        self.briefs.append(brief)
        return super().translate(lines, brief, done)


@pytest.fixture
def watcher(tmp_path: Path) -> Watcher:
    return Watcher(output=tmp_path / "results")


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Four seconds of somebody speaking, from 0.7 s on."""
    quiet, voice = sounds.silence(0.2), sounds.voice(sounds.SAMPLE)[: 4 * 16_000]
    return sounds.write_wav(tmp_path / "talk.wav", quiet, voice)


@pytest.fixture
def order(talk: Path, watcher: Watcher) -> Order:
    return Order(source=str(talk), target=language("fa"), output=watcher.output)


def crew(parrot: Parrot | None = None, translator: EchoTranslator | None = None) -> Crew:
    return Crew(transcriber=lambda: parrot or Parrot(), translator=lambda _: translator or EchoTranslator())


def start_of_first(path: Path) -> float:
    hours, minutes, seconds = path.read_text().splitlines()[1].split(" --> ")[0].replace(",", ".").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def test_nothing_is_seen_before_all_of_it_is_whole(order: Order, watcher: Watcher) -> None:
    result = produce(order, crew(), watcher)
    assert not watcher.seen
    assert set(result.files) == set(watcher.output.iterdir())
    assert result.video is None
    assert result.subtitles.read_text().count("[Polly wants a cracker]") == 1


def test_progress_never_falls_and_ends_at_one(order: Order, watcher: Watcher) -> None:
    produce(order, crew(), watcher)
    assert list(watcher.shares) == [Stage.FETCH, Stage.TRANSCRIBE, Stage.TRANSLATE, Stage.SUBTITLE]
    for shares in watcher.shares.values():
        assert shares == sorted(shares)
        assert (shares[0], shares[-1]) == (0.0, 1.0)


def test_the_translator_is_for_the_language_that_was_heard(order: Order, watcher: Watcher) -> None:
    asked: list[str] = []

    def translator(source: str) -> EchoTranslator:
        asked.append(source)
        return EchoTranslator()

    result = produce(order, Crew(transcriber=lambda: Parrot(languages=["de"]), translator=translator), watcher)
    assert asked == ["de"]
    assert "Spoken language: German." in watcher.notes
    assert (watcher.output / "talk.de.srt").exists()
    assert result.report["source"] == "de"


def test_a_language_that_was_given_is_not_told(order: Order, watcher: Watcher) -> None:
    parrot = Parrot()
    produce(replace(order, spoken=language("fr")), crew(parrot), watcher)
    assert (parrot.detected, set(parrot.asked)) == ([], {"fr"})
    assert not any("Spoken language" in note for note in watcher.notes)


def test_what_is_in_the_target_language_is_not_translated(order: Order, watcher: Watcher) -> None:
    translator = EchoTranslator()
    result = produce(order, crew(Parrot(languages=["fa"]), translator), watcher)
    assert translator.calls == 0
    assert result.report["engines"] == {"transcribe": "parrot"}
    assert "The subtitles are in Persian already: translation is skipped." in watcher.notes
    assert "Polly wants a cracker" in result.subtitles.read_text()


def test_the_brief_says_what_was_asked_for(order: Order, watcher: Watcher) -> None:
    translator = Listening()
    asked = replace(order, formality="formal", glossary=(("cracker", "کلوچه"),), topic="parrots")
    produce(asked, crew(translator=translator), watcher)
    assert translator.briefs == [
        Brief(source="en", target="fa", formality="formal", glossary=(("cracker", "کلوچه"),), topic="parrots")
    ]


def test_subtitles_shift_with_sound_that_begins_late(
    talk: Path, tmp_path: Path, order: Order, watcher: Watcher
) -> None:
    late = tmp_path / "late.mkv"
    picture = ("-f", "lavfi", "-i", "color=black:size=64x64:rate=10:duration=6")
    run(*picture, "-itsoffset", "1.5", "-i", str(talk), "-c:v", "libx264", "-c:a", "pcm_s16le", str(late))
    produce(order, crew(), watcher)
    produce(replace(order, source=str(late), mode="none"), crew(), watcher)
    early, shifted = (start_of_first(watcher.output / f"{name}.fa.srt") for name in ("talk", "late"))
    assert shifted - early == pytest.approx(1.5, abs=0.06)


def test_the_report(order: Order, watcher: Watcher) -> None:
    result = produce(order, crew(), watcher)
    written = json.loads((watcher.output / "talk.report.json").read_text())
    assert written == result.report
    assert written["title"] == "talk"
    assert written["duration"] == pytest.approx(4.2, abs=0.1)
    assert written["engines"] == {"transcribe": "parrot", "translate": "echo"}
    assert written["usage"] == {"input_tokens": 10, "output_tokens": 1}
    assert set(written["seconds"]) == {"fetch", "transcribe", "translate", "subtitle"}
    assert written["quality"]["cues"] == 1
    assert written["files"] == sorted(path.name for path in result.files)


def test_brought_subtitles_need_no_ears(clips: Clips, order: Order, watcher: Watcher, tmp_path: Path) -> None:
    def refuse() -> Parrot:
        raise AssertionError("nobody has to listen")

    brought = write_srt(tmp_path / "brought.srt", "Hello there")
    asked = replace(
        order, source=str(clips["mute.mp4"]), subtitles=brought, spoken=language("en"), mode="none", bilingual=True
    )
    result = produce(asked, Crew(transcriber=refuse, translator=lambda _: EchoTranslator()), watcher)
    assert "[Hello there]" in result.subtitles.read_text()
    assert result.subtitles.read_text().count("Hello there") == 2


class Failing(EchoTranslator):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def translate(self, lines: Sequence[Line], brief: Brief, done: Mapping[int, str]) -> Iterator[Batch]:
        raise self.error


@pytest.mark.parametrize("error", [errors.OutOfQuota(engine="x"), KeyboardInterrupt(), ValueError("a bug")])
def test_whatever_fails_leaves_nothing(order: Order, watcher: Watcher, error: BaseException) -> None:
    with pytest.raises(type(error)):
        produce(order, crew(translator=Failing(error)), watcher)
    assert not watcher.output.exists()


def test_earlier_results_survive_a_failure(order: Order, watcher: Watcher) -> None:
    result = produce(order, crew(), watcher)
    before = {path: path.read_bytes() for path in result.files}
    with pytest.raises(errors.OutOfQuota):
        produce(order, crew(translator=Failing(errors.OutOfQuota(engine="x"))), watcher)
    assert {path: path.read_bytes() for path in watcher.output.iterdir()} == before


def test_a_listener_that_stops_the_work(order: Order, watcher: Watcher) -> None:
    class Stopping(Watcher):
        def progress(self, stage: Stage, share: float) -> None:
            if stage is Stage.SUBTITLE:
                raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        produce(order, crew(), Stopping(output=watcher.output))
    assert not watcher.output.exists()

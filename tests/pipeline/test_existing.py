"""Subtitles that are there already: which track of a real file is used, which is not, and what is told."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.pipeline.download.offered import Captions, Offered
from jobs.pipeline.errors import BadWords, NoSuchSubtitles, NoUsableSubtitles, SubtitlesRefused
from jobs.pipeline.media.description import describe
from jobs.pipeline.media.ffmpeg import ffmpeg
from jobs.pipeline.media.probe import probe
from jobs.pipeline.media.streams import ClockShift, Media
from jobs.pipeline.media.subtitle_tracks import Kind, kind_of
from jobs.pipeline.notes import template
from jobs.pipeline.stages.existing import Existing, find
from jobs.pipeline.stages.fetch import Fetched
from jobs.pipeline.stages.words import parse_words, wish_of
from tests.pipeline.clips import run
from tests.pipeline.with_subtitles import ENGLISH, GERMAN, PERSIAN, SECONDS, Track, pgs, srt, video

ENG = Track(srt(ENGLISH), "eng")
GER = Track(srt(GERMAN), "ger")
FAS = Track(srt(PERSIAN), "per")
FORCED = Track(srt(ENGLISH[:1], begin=9, length=0.8), "eng", marks="default+forced")
NONE = Offered()


class Finder:
    """Finds subtitles in one file, with a directory for what is extracted."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def __call__(self, path: Path, words: str = "auto", *, media: Media | None = None, **more: object) -> Existing:
        more = {"target": "fa", **more}
        offered = more.pop("offered", NONE)
        fetched = Fetched(path=path, media=media or probe(path), title="film", offered=offered)  # type: ignore[arg-type]
        return find(wish_of(words), fetched, self.directory, **more)  # type: ignore[arg-type]


@pytest.fixture
def search(tmp_path: Path) -> Finder:
    (tmp_path / "attempt").mkdir()
    return Finder(tmp_path / "attempt")


def texts(found: Existing) -> tuple[str, ...]:
    return tuple(cue.source for cue in found.cues)


def notes(found: Existing) -> list[str]:
    return [template(code).format(**params) for code, params in found.notes]


# What is used


@pytest.mark.parametrize("name", ["film.mkv", "film.mp4", "film.mov"])
def test_a_track_in_the_language_of_the_sound(search: Finder, tmp_path: Path, name: str) -> None:
    found = search(video(tmp_path / name, ENG))
    assert texts(found) == ENGLISH
    assert (found.language, found.facts["used"]) == ("en", {"from": "track", "number": 1, "language": "en"})
    assert [(round(cue.start, 2), round(cue.end, 2)) for cue in found.cues][:2] == [(0.5, 2.0), (2.94, 4.44)]
    assert notes(found) == [
        "The subtitles in the file (English) were used, and the speech was not recognised. If they do not fit, start "
        "again with speech recognition."
    ]


@pytest.mark.parametrize(
    ("codec", "name"), [("ass", "a.mkv"), ("webvtt", "a.mkv"), ("ttml", "a.mp4"), ("text", "a.mkv")]
)
def test_every_text_codec_is_read(search: Finder, tmp_path: Path, codec: str, name: str) -> None:
    found = search(video(tmp_path / name, Track(ENG.text, "eng", codec=codec)))
    assert texts(found) == ENGLISH
    assert [round(cue.start, 1) for cue in found.cues][:2] == [0.5, 2.9]


def test_lines_and_styles_are_those_of_the_reader(search: Finder, tmp_path: Path) -> None:
    """A track is read as a file that a person brings: tags removed, line breaks kept."""
    text = srt(("<i>I have been here</i>\nfor a long time, and you know it.", *ENGLISH[1:]))
    found = search(video(tmp_path / "film.mkv", Track(text, "eng")))
    assert found.cues[0].source == "I have been here\nfor a long time, and you know it."


def test_sound_without_a_picture(search: Finder, tmp_path: Path) -> None:
    assert texts(search(video(tmp_path / "talk.mka", ENG, picture=False))) == ENGLISH


def test_a_picture_without_sound(search: Finder, tmp_path: Path) -> None:
    """There is nothing to recognise, so the subtitles are used, whatever language they are in."""
    silent = tmp_path / "silent.mkv"
    run("-i", str(video(tmp_path / "film.mkv", FAS, GER)), "-map", "0:v", "-map", "0:s", "-c", "copy", str(silent))
    found = search(silent)
    assert (found.language, texts(found)) == ("de", GERMAN)
    run("-i", str(tmp_path / "film.mkv"), "-map", "0:v", "-c", "copy", str(tmp_path / "bare.mkv"))
    assert search(tmp_path / "bare.mkv") == Existing(facts={"used": None, "tracks": [], "captions": []})


def test_the_target_is_spoken(search: Finder, tmp_path: Path) -> None:
    """Captions only: the track in the language that is spoken is the result."""
    found = search(video(tmp_path / "film.mkv", FAS, sound="per"), target="fa")
    assert (found.language, texts(found)) == ("fa", PERSIAN)
    assert len(found.notes) == 1


def test_times_are_those_of_a_video_that_does_not_begin_at_0(search: Finder, tmp_path: Path) -> None:
    plain, late = video(tmp_path / "film.mkv", ENG), tmp_path / "late.mkv"
    run("-i", str(plain), "-map", "0", "-c", "copy", "-output_ts_offset", "5", str(late))
    assert "start: 5" in describe(_said(late)).text
    assert [round(cue.start, 2) for cue in search(late).cues][:2] == [0.5, 2.94]


def _said(path: Path) -> str:
    return subprocess.run([str(ffmpeg()), "-i", str(path)], capture_output=True, text=True, check=False).stderr


@pytest.mark.parametrize(
    ("tracks", "spoken", "number"),
    [
        ((GER, ENG), "", 2),
        ((GER, ENG), "de", 1),  # named by the person, though the sound is tagged as English
        ((FORCED, ENG), "", 2),
        ((Track(ENG.text, "eng", "English SDH"), ENG), "", 2),
        ((Track(ENG.text, "eng", marks="hearing_impaired"), GER), "", 1),
        ((ENG, Track(ENG.text, "eng", marks="default")), "", 2),
        ((Track(ENG.text, "eng", "Signs & Songs"), ENG), "", 2),
        ((Track(ENG.text, "eng", "Director's commentary"), ENG), "", 2),
        ((FORCED, Track(srt(ENGLISH[:2], begin=12, length=0.5), "eng"), ENG), "", 3),  # a part, without a mark
        ((Track(ENG.text), GER), "", 1),  # without a tag, by its text
        ((Track(GER.text), ENG), "", 2),
        ((Track(GER.text, "eng"), ENG), "", 2),  # a wrong tag
    ],
)
def test_the_choice_among_several(
    search: Finder, tmp_path: Path, tracks: Sequence[Track], spoken: str, number: int
) -> None:
    found = search(video(tmp_path / "film.mkv", *tracks), spoken=spoken)
    assert found.facts["used"]["number"] == number
    assert f"(track {number}, {'German' if spoken else 'English'}) were used" in " ".join(notes(found))


def test_what_else_is_there_is_told(search: Finder, tmp_path: Path) -> None:
    found = search(video(tmp_path / "film.mkv", GER, ENG, FAS))
    assert notes(found)[1:] == [
        "There are also subtitles in these languages: German.",
        "There are already subtitles in Persian; perhaps no translation is needed.",
    ]
    assert [track["language"] for track in found.facts["tracks"]] == ["de", "en", "fa"]


# What is not used


@pytest.mark.parametrize(
    ("track", "reason"),
    [
        (Track(srt(ENGLISH[:1], begin=9, length=0.8), "eng"), "they are shown in a part of the video only"),
        (Track(srt(ENGLISH, seconds=4 * SECONDS), "eng"), "many of their times are after the end of the video"),
        (Track(srt(PERSIAN), "eng"), "their text is not in the language that is stated"),
        (Track(srt(GERMAN), "eng"), "their text is not in the language that is stated"),
        (Track(srt([" "]), "eng"), "they have no text"),
        (Track(srt(ENGLISH[:2])), "their language is not stated; choose it as the spoken one to use them"),
        (Track(srt(GERMAN)), "their language is not stated; choose it as the spoken one to use them"),
    ],
)
def test_a_track_that_cannot_be_trusted(search: Finder, tmp_path: Path, track: Track, reason: str) -> None:
    found = search(video(tmp_path / "film.mkv", track))
    assert (found.cues, found.facts["used"]) == ((), None)
    assert notes(found) == [f"The subtitles in the file (track 1) were not used, because {reason}."]


def test_a_credit_after_the_end_is_no_reason(search: Finder, tmp_path: Path) -> None:
    found = search(video(tmp_path / "film.mkv", Track(srt((*ENGLISH, "Made by us."), seconds=23), "eng")))
    assert len(found.cues) == 9


def test_three_lines_in_two_hours(search: Finder, tmp_path: Path) -> None:
    """A forced track without a mark: a few lines of what is said in another language, all over a film."""
    film = video(tmp_path / "film.mkv", Track(srt(ENGLISH * 6, seconds=7000), "eng"))
    long = Media(name="film", container="matroska", duration=7200, size=1, video=None, audio=probe(film).audio)
    found = search(film, media=_with(long, film))
    assert found.cues == ()
    assert "a part of the video only" in notes(found)[0]


def test_subtitles_of_the_first_half_only(search: Finder, tmp_path: Path) -> None:
    film = video(tmp_path / "film.mkv", Track(srt(ENGLISH * 60, seconds=2400, length=3), "eng"))
    long = Media(name="film", container="matroska", duration=5400, size=1, video=None, audio=probe(film).audio)
    assert search(film, media=_with(long, film)).cues == ()
    whole = Media(name="film", container="matroska", duration=2500, size=1, video=None, audio=probe(film).audio)
    assert len(search(film, media=_with(whole, film)).cues) == 480


def _with(media: Media, film: Path) -> Media:
    return replace(media, subtitles=probe(film).subtitles)


@pytest.mark.parametrize("sound", ["", "jpn"])
def test_a_language_that_is_not_known_to_be_spoken(search: Finder, tmp_path: Path, sound: str) -> None:
    found = search(video(tmp_path / "film.mkv", ENG, sound=sound))
    assert found.cues == ()
    assert notes(found) == [
        "There are subtitles in these languages: English. Start again to use them instead of speech recognition."
    ]


def test_a_track_in_the_target_language_is_not_the_source(search: Finder, tmp_path: Path) -> None:
    found = search(video(tmp_path / "film.mkv", FAS), target="fa")
    assert found.cues == ()
    assert notes(found) == ["There are already subtitles in Persian; perhaps no translation is needed."]


def test_pictures_are_told_and_not_used(search: Finder, tmp_path: Path) -> None:
    film, disc = video(tmp_path / "film.mkv", GER), tmp_path / "disc.mkv"
    seconds = [float(number) for number in range(1, SECONDS)]
    both = ("-i", str(film), "-i", str(pgs(tmp_path / "disc.sup", seconds)), "-map", "0", "-map", "1")
    run(*both, "-c", "copy", "-metadata:s:s:1", "language=eng", str(disc))
    found = search(disc)
    assert found.cues == ()
    assert notes(found)[-1] == "Some subtitles in the file are pictures and cannot be used as text: track 2."


def test_the_times_of_a_file_jump(search: Finder, tmp_path: Path) -> None:
    """Its parts are put one after the other, and nobody knows where the subtitles belong."""
    film = video(tmp_path / "film.mkv", ENG)
    jumping = replace(probe(film), clock=(ClockShift(stream=0, packet=20, seconds=-5.0),))
    found = search(film, media=jumping)
    assert (found.cues, "the times in the file jump" in notes(found)[0]) == ((), True)


def test_a_track_larger_than_a_subtitle_file_may_be(
    search: Finder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.pipeline.stages.existing.MAX_BYTES", 300)
    monkeypatch.setattr("jobs.pipeline.subtitles.reader.MAX_BYTES", 300)
    film = video(tmp_path / "film.mkv", Track(srt(ENGLISH * 400), "eng"))
    assert "they cannot be read" in notes(search(film))[0]
    assert 300 < (search.directory / "track1").stat().st_size < 50_000


def test_speech_is_wanted(search: Finder, tmp_path: Path) -> None:
    found = search(video(tmp_path / "film.mkv", ENG), "speech")
    assert (found.cues, found.notes) == ((), ())
    assert [track["number"] for track in found.facts["tracks"]] == [1]


# Only subtitles


@pytest.mark.parametrize(
    ("words", "tracks", "sound", "number"),
    [
        ("subtitles", (GER, ENG), "eng", 2),
        ("subtitles", (FAS, GER), "jpn", 2),  # the target language last
        ("subtitles", (FAS,), "jpn", 1),
        ("subtitles", (ENG, GER), "", 1),
        ("subtitles:2", (ENG, GER), "eng", 2),
        ("subtitles:de", (ENG, GER), "eng", 2),
        ("subtitles:fa", (ENG, FAS), "eng", 2),
        ("subtitles:1", (FORCED, ENG), "eng", 1),
        ("subtitles", (FORCED, Track(srt(ENGLISH[:2], begin=12, length=0.5), "eng")), "eng", 2),
    ],
)
def test_the_track_that_is_wanted(
    search: Finder, tmp_path: Path, words: str, tracks: Sequence[Track], sound: str, number: int
) -> None:
    assert search(video(tmp_path / "film.mkv", *tracks, sound=sound), words).facts["used"]["number"] == number


def test_doubts_are_told(search: Finder, tmp_path: Path) -> None:
    found = search(video(tmp_path / "film.mkv", FORCED, GER), "subtitles:1")
    assert texts(found) == ENGLISH[:1]
    assert "Check these subtitles: they are shown in a part of the video only." in notes(found)


def test_there_is_nothing_to_use(search: Finder, tmp_path: Path) -> None:
    with pytest.raises(NoUsableSubtitles, match="no subtitles that can be used as text"):
        search(video(tmp_path / "film.mkv"), "subtitles")
    with pytest.raises(NoSuchSubtitles, match=r"no subtitles “fr” .*: 1: English\."):
        search(video(tmp_path / "film2.mkv", ENG), "subtitles:fr")
    with pytest.raises(NoSuchSubtitles):
        search(tmp_path / "film2.mkv", "subtitles:3")
    with pytest.raises(SubtitlesRefused, match="because their text is not in the language that is stated"):
        search(video(tmp_path / "film3.mkv", Track(GER.text, "eng")), "subtitles")


# Captions of a site


def site(tmp_path: Path, lines: Sequence[str], code: str, *, machine: bool = False, **more: object) -> Offered:
    path = tmp_path / "captions"
    path.write_text(srt(lines))
    kind = "machine" if machine else "people"
    told = {kind: (code,), "spoken": code, "captions": Captions(language=code, machine=machine, path=path), **more}
    return Offered(**told)  # type: ignore[arg-type]


def test_captions_by_people(search: Finder, tmp_path: Path) -> None:
    film = video(tmp_path / "film.mkv", FAS, sound="")
    found = search(film, offered=site(tmp_path, ENGLISH, "en", people=("en", "de", "fa")))
    assert (texts(found), found.facts["used"]) == (ENGLISH, {"from": "people", "number": None, "language": "en"})
    assert notes(found) == [
        "The captions of the site (English), made by people, were used, and the speech was not recognised. If they do "
        "not fit, start again with speech recognition.",
        "There are also subtitles in these languages: German.",
        "There are already subtitles in Persian; perhaps no translation is needed.",
    ]


def test_captions_by_machine_are_used_only_if_asked_for(search: Finder, tmp_path: Path) -> None:
    film, offered = video(tmp_path / "film.mkv"), site(tmp_path, ENGLISH, "en", machine=True)
    found = search(film, offered=offered)
    assert found.cues == ()
    assert notes(found) == [
        "The site has captions made by machine (English). They are used only if you start again and choose them."
    ]
    found = search(film, "subtitles", offered=offered)
    assert (texts(found), found.facts["used"]["from"]) == (ENGLISH, "machine")
    assert "made by machine (English) were used, so expect errors" in notes(found)[0]


def test_a_track_of_the_file_is_better_than_captions_by_machine(search: Finder, tmp_path: Path) -> None:
    film = video(tmp_path / "film.mkv", ENG)
    found = search(film, "subtitles", offered=site(tmp_path, ENGLISH, "en", machine=True))
    assert found.facts["used"]["from"] == "track"


def test_captions_that_could_not_be_downloaded(search: Finder, tmp_path: Path) -> None:
    offered = Offered(people=("en",), spoken="en", captions=Captions(language="en", machine=False, path=None))
    found = search(video(tmp_path / "film.mkv"), offered=offered)
    assert notes(found) == ["The captions of the site (English) were not used, because they could not be downloaded."]


# The option and the kinds of tracks


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("", "auto"),
        ("Auto", "auto"),
        ("speech", "speech"),
        ("subtitles", "subtitles"),
        ("subtitles: German", "subtitles:de"),
        ("subtitles:02", "subtitles:2"),
        ("subtitles:pt-BR", "subtitles:pt-BR"),
    ],
)
def test_the_option(given: str, stored: str) -> None:
    assert parse_words(given) == stored


@pytest.mark.parametrize("given", ["text", "subtitles:", "subtitles:xx-nothing-at-all", "speech:2", "auto:en"])
def test_no_such_option(given: str) -> None:
    with pytest.raises(BadWords):
        parse_words(given)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("plain", "subrip (srt) (default)"),
        ("hearing", "subrip (srt) (hearing impaired)"),
        ("part", "subrip (srt) (default) (forced)"),
        ("part", "subrip (srt) (lyrics)"),
        ("aside", "ass (ssa) (comment)"),
        ("aside", "mov_text (tx3g / 0x67337874) (descriptions)"),
    ],
)
def test_the_kind_by_its_marks(kind: Kind, words: str) -> None:
    """As ffmpeg describes them."""
    text = f"Input #0, matroska, from 'x':\n  Duration: 00:00:10.00\n  Stream #0:2(eng): Subtitle: {words}\n"
    (track,) = describe(text).subtitles
    assert (kind_of(track), track.number, track.language) == (kind, 1, "eng")


@pytest.mark.parametrize(
    ("kind", "titles"),
    [
        ("plain", ("English", "Full", "Deutsch", "فارسی", "Englisch (Vollversion)", "Songbird Media")),
        ("plain", ("Full Subtitles (Dialogue, Signs & Songs)", "English - non forced", "Полные (надписи + диалоги)")),
        ("part", ("Forced", "Signs/Songs", "English (Forced)", "Français forcé", "Forzati", "Erzwungen", "اجباری")),
        ("hearing", ("English SDH", "English [CC]", "Deutsch für Gehörlose", "ناشنوا")),
        ("aside", ("Commentary by the director", "Kommentar", "تفسیر کارگردان")),
    ],
)
def test_the_kind_by_its_title(kind: Kind, titles: Sequence[str]) -> None:
    for title in titles:
        text = (
            "Input #0, matroska, from 'x':\n  Duration: 00:00:10.00\n  Stream #0:2(eng): Subtitle: subrip (srt)\n"
            f"    Metadata:\n      title           : {title}\n"
        )
        (track,) = describe(text).subtitles
        assert (kind_of(track), track.title) == (kind, title)

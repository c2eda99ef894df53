"""Choice of the audio track to transcribe."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.pipeline.errors import NoSuchTrack, UnknownLanguage
from jobs.pipeline.media.probe import probe
from jobs.pipeline.media.streams import AudioStream
from jobs.pipeline.media.tracks import choose, kind_of, label
from jobs.pipeline.notes import NoteCode
from jobs.pipeline.stages import sound
from jobs.pipeline.stages.fetch import fetch
from tests.pipeline.clips import run


def tracks(*described: str) -> list[AudioStream]:
    """Tracks from `language title (mark) (mark)`; the language `-` is an untagged one."""
    found = []
    for number, text in enumerate(described, 1):
        words, *marks = text.split(" (")
        language, _, title = words.partition(" ")
        names = tuple(mark.rstrip(")") for mark in marks)
        found.append(
            AudioStream(
                index=number + 3,
                codec="aac",
                language="" if language == "-" else language,
                sample_rate=48000,
                default="default" in names,
                number=number,
                title=title,
                marks=names,
            )
        )
    return found


def chosen(*described: str, spoken: str = "", wanted: str = "") -> int:
    found = choose(tracks(*described), spoken=spoken, wanted=wanted)
    assert found
    return found.number


@pytest.mark.parametrize(
    ("spoken", "described", "number"),
    [
        ("en", ("ger Deutsch (default)", "eng English"), 2),
        ("de", ("ger Deutsch (default)", "eng English"), 1),
        ("de", ("eng (default)", "deu"), 2),
        ("de", ("eng (default)", "de-AT"), 2),
        ("fa", ("eng (default)", "fas"), 2),
        ("fa", ("eng (default)", "per"), 2),
        ("fa", ("eng (default)", "prs"), 2),
        ("no", ("eng (default)", "nob"), 2),
        ("pt-BR", ("por (default)", "pt-PT", "pt-br"), 3),
        ("pt-BR", ("pt-PT (default)", "por"), 2),
        ("zh", ("eng (default)", "cmn"), 2),
        ("en", ("- Deutsch (default)", "- English Stereo"), 2),
        ("de", ("- Englisch (default)", "- Deutsch 5.1"), 2),
        ("fa", ("- English (default)", "- فارسی"), 2),
        ("en", ("ger (default)", "-"), 2),  # the one without a tag may be in English, the other is not
        ("ja", ("ger (default)", "eng"), 1),
        ("en", ("eng Commentary (default)", "eng"), 2),
        ("en", ("eng Director's commentary", "ger (default)"), 2),
        ("en", ("eng Clear speech (hearing impaired)", "eng", "ger (default)"), 2),
        ("en", ("eng Clear speech (hearing impaired)", "ger (default)"), 1),
    ],
)
def test_the_language_that_was_named(spoken: str, described: tuple[str, ...], number: int) -> None:
    assert chosen(*described, spoken=spoken) == number


@pytest.mark.parametrize(
    ("described", "number"),
    [
        (("eng (default) (comment)", "eng"), 2),
        (("eng (default) (visual impaired) (descriptions)", "eng"), 2),
        (("eng (default) (karaoke)", "eng"), 2),
        (("eng (default) (clean effects)", "ger"), 2),
        (("zxx (default)", "ger"), 2),
        (("qad (default)", "ger"), 2),
        (("ger (default) (dub)", "eng"), 2),
        (("ger (default)", "eng (original)"), 2),
        (("ger (default)", "qaa"), 2),
        (("ger", "eng (default)"), 2),
        (("ger Synchronfassung", "eng Originalton"), 2),
        (("fas دوبله", "eng زبان اصلی"), 2),
        (("ger Doublage", "fre"), 2),
        (("ger", "eng"), 1),
        (("eng Commentary (default)", "eng Audio description"), 2),
        (("eng Music and effects (default)", "eng Commentary"), 2),
    ],
)
def test_without_a_language_the_marks_decide(described: tuple[str, ...], number: int) -> None:
    assert chosen(*described) == number


@pytest.mark.parametrize(
    ("kind", "titles"),
    [
        (
            "commentary",
            (
                "Director's Commentary",
                "Audiokommentar",
                "Commentaire audio",
                "Comentario del director",
                "تفسیر کارگردان",
            ),
        ),
        (
            "description",
            (
                "Audio Description",
                "Audiodeskription",
                "Audiodescription",
                "Audiodescripción",
                "توصیف صوتی",
                "English AD",
            ),
        ),
        ("clear", ("English SDH", "Hard of hearing", "Klare Sprache", "Malentendants", "ویژهٔ ناشنوایان")),
        ("no_speech", ("Music & Effects", "M&E", "Isolated Score", "No commentary", "Instrumental")),
        ("speech", ("", "Stereo", "English Original", "Surround 5.1", "Director's Cut", "Iran, ad libitum", "Comet")),
    ],
)
def test_the_kind_is_read_from_the_title(kind: str, titles: tuple[str, ...]) -> None:
    assert [kind_of(*tracks(f"eng {title}")) for title in titles] == [kind] * len(titles)


@pytest.mark.parametrize(("wanted", "number"), [("1", 1), ("3", 3), ("۳", 3), ("en", 3), ("ger", 2), ("French", 4)])
def test_the_user_chooses(wanted: str, number: int) -> None:
    described = ("eng Commentary", "deu", "eng", "fra (default)")
    assert chosen(*described, wanted=wanted, spoken="de") == number


def test_a_track_that_is_not_there() -> None:
    for wanted in ("3", "fa", "0"):
        with pytest.raises(NoSuchTrack) as caught:
            choose(tracks("eng English (Original)", "deu"), wanted=wanted, name="a.mkv")
        assert "1: English “English; 2: German" in str(caught.value).replace("”", ""), "the ones that there are"
    with pytest.raises(UnknownLanguage):
        choose(tracks("eng"), wanted="xx")


def test_no_track_at_all() -> None:
    assert choose([]) is None
    assert choose([], wanted="2") is None, "the video has no sound, which is another error"


def test_a_track_in_words() -> None:
    assert [label(track) for track in tracks("ger Deutsch", "eng", "- Stereo", "-")] == [
        "1: German “Deutsch”",
        "2: English",
        "3: “Stereo”",
        "4",
    ]


@pytest.fixture(scope="module")
def dubbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video with German dubbed sound as the default, the English original, a commentary and an odd codec."""
    path = tmp_path_factory.mktemp("tracks") / "dubbed.mkv"
    tones = [part for pitch in (300, 400, 500) for part in ("-f", "lavfi", "-i", f"sine=frequency={pitch}:duration=1")]
    maps = [part for number in range(3) for part in ("-map", str(number))]
    tags = (
        *("-metadata:s:a:0", "language=ger", "-metadata:s:a:0", "title=Deutsch", "-disposition:a:0", "default+dub"),
        *("-metadata:s:a:1", "language=en-US", "-disposition:a:1", "original"),
        *("-metadata:s:a:2", "title=Commentary", "-disposition:a:2", "comment"),
    )
    run(*tones, *maps, "-c:a", "flac", *tags, str(path))
    return path


def test_what_the_file_says_of_its_tracks(dubbed: Path) -> None:
    found = probe(dubbed).audio
    assert [(track.number, track.language, track.title) for track in found] == [
        (1, "ger", "Deutsch"),
        (2, "en-US", ""),
        (3, "", "Commentary"),
    ]
    assert [track.marks for track in found] == [("default", "dub"), ("original",), ("comment",)]
    assert {track.layout for track in found} == {"mono"}


@pytest.mark.parametrize(
    ("spoken", "wanted", "number", "note"),
    [
        ("en", "", 2, (NoteCode.SOUND_TRACK_IN, {"count": "3", "number": "2", "language": "English (United States)"})),
        ("de", "", 1, (NoteCode.SOUND_TRACK_IN, {"count": "3", "number": "1", "language": "German"})),
        ("", "", 2, (NoteCode.SOUND_TRACK_IN, {"count": "3", "number": "2", "language": "English (United States)"})),
        ("fa", "", 2, (NoteCode.NO_SOUND_TRACK_IN, {"language": "Persian", "number": "2"})),
        ("", "3", 3, (NoteCode.SOUND_TRACK, {"count": "3", "number": "3"})),
    ],
)
def test_the_choice_is_told(
    dubbed: Path, tmp_path: Path, spoken: str, wanted: str, number: int, note: tuple[NoteCode, dict[str, str]]
) -> None:
    media = fetch(str(dubbed), tmp_path, spoken=spoken, audio_track=wanted).media
    assert media.speech
    assert media.speech.number == number
    assert list(sound.notes(media, spoken, {})) == [note]
    assert sound.facts(media, {})["track"] == number


def test_of_a_single_track_nothing_is_told(tmp_path: Path) -> None:
    run("-f", "lavfi", "-i", "sine=duration=1", "-metadata:s:a:0", "language=ger", str(tmp_path / "one.mkv"))
    assert list(sound.notes(fetch(str(tmp_path / "one.mkv"), tmp_path, spoken="en").media, "en", {})) == []


def test_a_track_without_a_decoder_is_left_out(tmp_path: Path) -> None:
    """The second track is in a codec that ffmpeg names but cannot decode (its four letters are overwritten)."""
    path = tmp_path / "spatial.mov"
    tones = ("-f", "lavfi", "-i", "sine=duration=1", "-f", "lavfi", "-i", "sine=duration=1")
    run(*tones, "-map", "0", "-map", "1", "-c:a:0", "aac", "-c:a:1", "pcm_s16le", str(path))
    path.write_bytes(path.read_bytes().replace(b"sowt", b"apac"))
    media = probe(path)
    assert [(track.number, track.codec) for track in media.audio] == [(1, "aac")]
    with pytest.raises(NoSuchTrack):
        fetch(str(path), tmp_path, audio_track="2")

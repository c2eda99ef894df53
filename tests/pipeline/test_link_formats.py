"""Choice of formats from lists as yt-dlp sorts them: from worst to best."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from yt_dlp import YoutubeDL

from jobs.pipeline.download.formats import SORT, choose, is_dubbed, sound_language, sound_of, suffix

UHD = 3840 * 2160


def video(
    name: str, height: int = 720, vcodec: str = "avc1.64001f", acodec: str = "none", **more: Any
) -> dict[str, Any]:
    size = {"width": height * 16 // 9, "height": height}
    base = {
        "format_id": name,
        "vcodec": vcodec,
        "acodec": acodec,
        "ext": "mp4",
        "protocol": "https",
        "url": "https://x/",
    }
    return {**base, **size, **more}


def audio(name: str, acodec: str = "mp4a.40.2", **more: Any) -> dict[str, Any]:
    return {**video(name, vcodec="none", acodec=acodec), "width": None, "height": None, "ext": "m4a", **more}


def chosen(*formats: dict[str, Any], max_pixels: int = UHD, spoken: str = "") -> list[str]:
    return [each["format_id"] for each in choose(formats, max_pixels, spoken)]


def in_order(*formats: dict[str, Any]) -> list[dict[str, Any]]:
    """The formats in our order, by yt-dlp's own sorting."""
    with YoutubeDL({"format_sort": SORT, "quiet": True}) as downloader:
        info: dict[str, Any] = {"id": "x", "extractor": "x", "formats": list(formats)}
        downloader.sort_formats(info)
    found: list[dict[str, Any]] = info["formats"]
    return found


def after_sorting(*formats: dict[str, Any], spoken: str = "") -> list[str]:
    return chosen(*in_order(*formats), spoken=spoken)


def test_picture_with_sound_stays_one_file() -> None:
    assert chosen(video("low", 360, acodec="aac"), video("high", acodec="aac")) == ["high"]


def test_picture_without_sound_takes_the_best_sound() -> None:
    assert chosen(audio("poor"), audio("good"), video("high")) == ["high", "good"]


def test_sound_alone() -> None:
    assert chosen(audio("poor"), audio("good")) == ["good"]


def test_unknown_codecs_count_as_a_whole_video() -> None:
    assert chosen({"format_id": "direct", "protocol": "http", "ext": "mp4", "url": "http://x/"}) == ["direct"]


@pytest.mark.parametrize(
    "protocol", ["rtmp", "rtmpe", "rtsp", "mms", "ism", "f4m", "websocket_frag", "mhtml", "ftp", "data"]
)
def test_other_protocols_are_left(protocol: str) -> None:
    assert chosen(video("plain", acodec="aac"), video("other", acodec="aac", protocol=protocol)) == ["plain"]
    assert chosen(video("other", acodec="aac", protocol=protocol)) == []


def test_protected_formats_and_storyboards_are_left() -> None:
    storyboard = video("storyboard", vcodec="none", acodec="none")
    assert chosen(storyboard, video("drm", acodec="aac", has_drm=True)) == []


def test_pictures_over_the_limit_are_left() -> None:
    assert chosen(video("hd", 1080, acodec="aac"), video("uhd", 2160, acodec="aac"), max_pixels=1920 * 1080) == ["hd"]


def test_1080_lines_are_preferred_to_more_and_to_fewer() -> None:
    found = after_sorting(video("2160", 2160), video("1080", 1080), video("720", 720), audio("sound"))
    assert found == ["1080", "sound"]


def test_portrait_counts_its_shorter_side() -> None:
    tall, small, huge = (
        video("tall", 1920, width=1080),
        video("small", 1280, width=720),
        video("huge", 3840, width=2160),
    )
    assert after_sorting(tall, small, huge) == ["tall"]


def test_h264_and_aac_are_preferred_at_the_same_size() -> None:
    found = after_sorting(
        video("vp9", 1080, "vp9", ext="webm"),
        video("av1", 1080, "av01.0.08M.08"),
        video("h264", 1080),
        audio("opus", "opus", ext="webm", abr=160),
        audio("aac", abr=128),
    )
    assert found == ["h264", "aac"]


def test_the_original_language_comes_first() -> None:
    dubbed = audio("dubbed", abr=256, language="fr", language_preference=-1)
    original = audio("original", abr=64, language="en", language_preference=10)
    assert after_sorting(video("picture"), dubbed, original) == ["picture", "original"]


# A video with sound in several languages

GERMAN: dict[str, Any] = {"language": "de-DE", "language_preference": 10, "format_note": "German original (default)"}
ENGLISH: dict[str, Any] = {"language": "en-US", "language_preference": -1, "format_note": "English (US) dubbed-auto"}
DESCRIBED: dict[str, Any] = {"language": "de", "language_preference": -10, "format_note": "German descriptive"}


@pytest.mark.parametrize(
    ("left_out", "spoken", "expected", "language", "dubbed"),
    [
        ("", "", ["136", "140-0"], "de", False),
        ("", "de", ["136", "140-0"], "de", False),
        ("", "en", ["136", "251-1"], "en", True),
        ("", "es", ["136", "251-2"], "es", True),
        ("", "fa", ["136", "140-0"], "de", False),
        ("-0", "en", ["136", "251-1"], "en", True),
    ],
)
def test_the_original_sound_of_a_dubbed_video(
    data: Path, left_out: str, spoken: str, expected: list[str], language: str, dubbed: bool
) -> None:
    """The format with the largest picture comes with dubbed sound. `left_out`: formats that the site does not have."""
    info = json.loads((data / "links" / "dubbed_formats.json").read_text())
    there = [each for each in info["formats"] if not left_out or not each["format_id"].endswith(left_out)]
    for formats in (in_order(*({**each, "url": "https://x/"} for each in there)), there):
        found = choose(formats, UHD, spoken)
        assert [each["format_id"] for each in found] == expected
        sound = sound_of(found)
        assert sound
        assert sound_language(sound, formats) == language
        assert is_dubbed(sound, info["language"]) is dubbed


@pytest.mark.parametrize(
    ("formats", "expected"),
    [
        # the only pictures come with dubbed sound: merging leaves that out
        ([audio("a", **GERMAN), video("v", acodec="aac", **ENGLISH)], ["v", "a"]),
        # the original sound comes with a small picture only
        ([video("low", 360, acodec="aac", **GERMAN), audio("a", **ENGLISH), video("hd", 1080)], ["low"]),
        # a description of the picture is not the original, whatever its language
        ([audio("a", **DESCRIBED), audio("b", **ENGLISH), video("v")], ["v", "b"]),
        # the picture with the original sound is as good as one without sound
        ([video("v", acodec="aac", **GERMAN), audio("a", **ENGLISH)], ["v"]),
        ([video("low", 360, acodec="aac", **GERMAN), audio("a", **GERMAN), video("hd", 1080)], ["hd", "a"]),
        # a podcast
        ([audio("a", **GERMAN), audio("b", **ENGLISH)], ["a"]),
        # a video without sound
        ([video("v")], ["v"]),
        # no format says what its sound is
        ([video("v", acodec="aac"), audio("a")], ["v"]),
        # only the note says it
        ([audio("a", format_note="original"), audio("b", format_note="dubbed"), video("v")], ["v", "a"]),
    ],
)
def test_the_original_sound_wins(formats: list[dict[str, Any]], expected: list[str]) -> None:
    assert after_sorting(*formats) == expected


def test_a_sound_of_unknown_kind_is_not_the_original() -> None:
    assert chosen(audio("a", format_note="original"), audio("b"), video("v")) == ["v", "a"]
    assert chosen(audio("a"), audio("b", format_note="dubbed"), video("v")) == ["v", "a"]


def test_sound_in_the_named_language_wins() -> None:
    formats = [audio("en", language="en"), audio("fr", language="fr-CA"), audio("none"), video("v")]
    assert after_sorting(*formats, spoken="fr") == ["v", "fr"]
    assert after_sorting(*formats, spoken="fr-FR") == ["v", "fr"]
    described = audio("described", **DESCRIBED)
    assert after_sorting(described, audio("en", language="en"), video("v"), spoken="de") == ["v", "en"]


def test_a_single_language_is_not_told_onward() -> None:
    """Sites state that of the uploader for it."""
    one = audio("a", language="en")
    assert sound_language(one, [one, video("v")]) == ""
    assert sound_language(one, [one, audio("b", language="de")]) == "en"
    assert sound_language({**one, "format_note": "dubbed"}, [one]) == "en"


@pytest.mark.parametrize(
    ("extensions", "expected"),
    [
        (["mp4"], ".mp4"),
        (["mp4", "m4a"], ".mp4"),
        (["webm"], ".webm"),
        (["mp4", "webm"], ".mkv"),
        (["webm", "webm"], ".mkv"),
        (["m4a"], ".m4a"),
        (["../../etc"], ".mkv"),
    ],
)
def test_suffix(extensions: list[str], expected: str) -> None:
    assert suffix([{"ext": each} for each in extensions]) == expected

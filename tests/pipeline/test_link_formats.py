"""Choice of formats from lists as yt-dlp sorts them: from worst to best."""

from __future__ import annotations

from typing import Any

import pytest
from yt_dlp import YoutubeDL

from jobs.pipeline.download.formats import SORT, choose, suffix

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


def chosen(*formats: dict[str, Any], max_pixels: int = UHD) -> list[str]:
    return [each["format_id"] for each in choose(formats, max_pixels)]


def after_sorting(*formats: dict[str, Any]) -> list[str]:
    """Through yt-dlp's own sorting, with our order."""
    with YoutubeDL({"format_sort": SORT, "quiet": True}) as downloader:
        info: dict[str, Any] = {"id": "x", "extractor": "x", "formats": list(formats)}
        downloader.sort_formats(info)
    return chosen(*info["formats"])


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

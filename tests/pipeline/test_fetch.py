"""The fetch stage: local files of every kind, and links."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.pipeline.download import client as link
from jobs.pipeline.download.client import LinkOptions
from jobs.pipeline.errors import (
    DiskFull,
    EmptyFile,
    NoAudio,
    NoSuchFile,
    NoSuchTrack,
    NotAFile,
    NotAVideo,
    PipelineError,
    TooLarge,
    TooLong,
    TooManyPixels,
    Unwritable,
)
from jobs.pipeline.media.ffmpeg import ffmpeg
from jobs.pipeline.media.limits import Limits, bytes_text, duration_text, pixels_text
from jobs.pipeline.stages.fetch import fetch
from tests.pipeline.clips import Clips, run
from tests.pipeline.web_server import WebServer, serving


@pytest.fixture
def clip(clips: Clips) -> Path:
    return clips["faststart.mp4"]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    directory = tmp_path / "work"
    directory.mkdir()
    return directory


@pytest.fixture
def server(clip: Path) -> Iterator[WebServer]:
    with serving(clip.read_bytes()) as running:
        yield running


# Files


def test_a_file_is_used_where_it_is(clip: Path, work: Path) -> None:
    shares: list[float] = []
    fetched = fetch(str(clip), work, progress=shares.append)
    assert (fetched.path, fetched.title) == (clip, "faststart")
    assert fetched.media.duration == pytest.approx(2.0, abs=0.1)
    assert fetched.media.video is not None
    assert shares == [1.0]
    assert list(work.iterdir()) == []


NAMES = [
    *("-i", "http:x", "%03d", 'it\'s “quoted” "twice"', "two\nlines", "زیرنویس فارسی 🎬"),
    *(
        pytest.param(name, marks=pytest.mark.soak)
        for name in ("with spaces", "a:b,c;d[e]", "100%", "back\\slash", "*?")
    ),
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_read(clip: Path, tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / f"{name}.mp4").write_bytes(clip.read_bytes())
    monkeypatch.chdir(tmp_path)
    fetched = fetch(f"{name}.mp4", work)
    assert fetched.title == name
    assert fetched.path.samefile(tmp_path / f"{name}.mp4")


def test_no_such_file(work: Path) -> None:
    for source in ("missing.mp4", "nul\0.mp4", "x" * 5000, "clip.mp4/inside", ""):
        with pytest.raises((NoSuchFile, NotAFile)):
            fetch(source, work)


def test_not_a_file(tmp_path: Path, work: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    for source in (tmp_path, tmp_path / "pipe.mp4", Path("/dev/zero")):
        with pytest.raises(NotAFile):
            fetch(str(source), work)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(clip: Path, tmp_path: Path, work: Path) -> None:
    locked = tmp_path / "locked.mp4"
    locked.write_bytes(clip.read_bytes())
    locked.chmod(0)
    with pytest.raises(NotAFile):
        fetch(str(locked), work)


def test_an_empty_file(tmp_path: Path, work: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(EmptyFile):
        fetch(str(tmp_path / "empty.mp4"), work)


def test_text_named_mp4(tmp_path: Path, work: Path) -> None:
    (tmp_path / "text.mp4").write_text("Only words. " * 100)
    with pytest.raises(NotAVideo):
        fetch(str(tmp_path / "text.mp4"), work)


@pytest.mark.parametrize(
    ("limits", "kind", "actual", "limit"),
    [
        (Limits(max_bytes=2000), TooLarge, None, "2 kB"),
        (Limits(max_seconds=1), TooLong, "2 s", "1 s"),
        (Limits(max_pixels=10_000), TooManyPixels, "160 × 120 (0 megapixels)", "0 megapixels"),
    ],
)
def test_limits_of_a_file(
    clip: Path, work: Path, limits: Limits, kind: type[PipelineError], actual: str | None, limit: str
) -> None:
    with pytest.raises(kind) as caught:
        fetch(str(clip), work, limits=limits)
    assert (caught.value.params.get("actual"), caught.value.params["limit"]) == (actual, limit)
    assert "faststart.mp4" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (bytes_text(4_000_000_000), "4 GB"),
        (bytes_text(1_500_000), "1.5 MB"),
        (bytes_text(999), "999 bytes"),
        (duration_text(36_000), "10 h"),
        (duration_text(5430), "1 h 30 min"),
        (duration_text(75.4), "1 min 15 s"),
        (duration_text(3605), "1 h 5 s"),
        (pixels_text(8_294_400), "8.3 megapixels"),
    ],
)
def test_numbers_as_people_read_them(text: str, expected: str) -> None:
    assert text == expected


# Links


def fetch_link(server: WebServer, page: str, work: Path, limits: Limits | None = None) -> object:
    options = LinkOptions(allow_loopback=(server.endpoint,))
    return fetch(server.url(page), work, limits=limits or Limits(), options=options)


def test_a_link_becomes_a_file(server: WebServer, clip: Path, work: Path) -> None:
    shares: list[float] = []
    options = LinkOptions(allow_loopback=(server.endpoint,))
    fetched = fetch(server.url("/video.mp4"), work, options=options, progress=shares.append)
    assert fetched.path == work / "source.mp4"
    assert fetched.path.read_bytes() == clip.read_bytes()
    assert (fetched.title, fetched.media.size) == ("video", clip.stat().st_size)
    assert shares == sorted(set(shares))
    assert shares[-1] == 1.0
    assert list(work.iterdir()) == [fetched.path]


def test_picture_and_sound_are_merged(server: WebServer, work: Path, clips: Clips) -> None:
    server.video_bytes = clips["mute.mp4"].read_bytes()
    server.sound_bytes = clips["sound.m4a"].read_bytes()
    server.manifest = (
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S"><Period>'
        '<AdaptationSet mimeType="video/mp4"><Representation id="v" bandwidth="9000" codecs="avc1.42c00d" width="160" '
        'height="120"><BaseURL>/video.mp4</BaseURL></Representation></AdaptationSet>'
        '<AdaptationSet mimeType="audio/mp4" lang="en"><Representation id="a" bandwidth="900" codecs="mp4a.40.2">'
        "<BaseURL>/sound.m4a</BaseURL></Representation></AdaptationSet></Period></MPD>"
    )
    shares: list[float] = []
    options = LinkOptions(allow_loopback=(server.endpoint,))
    fetched = fetch(server.url("/manifest.mpd"), work, options=options, progress=shares.append)
    assert fetched.media.video is not None
    assert len(fetched.media.audio) == 1
    assert shares == sorted(shares)
    assert list(work.iterdir()) == [work / "source.mp4"]


# The sound of a link


def test_the_language_of_the_sound_is_told_onward(clips: Clips, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def download(_: str, directory: Path, *, spoken: str, **__: object) -> link.Download:
        asked.append(spoken)
        shutil.copyfile(clips["plain.mp4"], directory / "0")
        return link.Download(files=(directory / "0",), suffix=".mp4", title="T", language="de", dubbed=True)

    monkeypatch.setattr(link, "download", download)
    fetched = fetch("https://example.org/talk", work)
    assert (fetched.language, fetched.dubbed) == ("de", True)
    assert fetch("https://example.org/talk", work, audio_track="de", spoken="fa").media.chosen == 1
    with pytest.raises(NoSuchTrack):
        fetch("https://example.org/talk", work, audio_track="fr")
    fetch("https://example.org/talk", work, audio_track="1", spoken="fa")
    assert asked == ["", "de", "fr", "fa"], "the site is asked for sound in the language of the track, or of the speech"


def test_an_interrupt_leaves_nothing(server: WebServer, work: Path) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    options = LinkOptions(allow_loopback=(server.endpoint,))
    with pytest.raises(KeyboardInterrupt):
        fetch(server.url("/video.mp4"), work, options=options, progress=interrupt)
    assert list(work.iterdir()) == []


def test_a_directory_that_cannot_be_written(server: WebServer, tmp_path: Path) -> None:
    with pytest.raises(Unwritable):
        fetch_link(server, "/video.mp4", tmp_path / "missing")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(server: WebServer, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child finds its file already there, and every write to it fails as on a full disk."""

    def on_a_full_disk(**where: str) -> str:
        made = work / where["prefix"]
        made.mkdir()
        (made / "0").symlink_to("/dev/full")
        return str(made)

    monkeypatch.setattr("tempfile.mkdtemp", on_a_full_disk)
    with pytest.raises(DiskFull):
        fetch_link(server, "/video.mp4", work)
    assert list(work.iterdir()) == []


# What a download is made of


def downloaded(monkeypatch: pytest.MonkeyPatch, *sources: Path) -> None:
    """The child's part done: `sources` under the names that it gives."""

    def download(_: str, directory: Path, **__: object) -> link.Download:
        files = tuple(directory / str(number) for number in range(len(sources)))
        for source, file in zip(sources, files, strict=True):
            shutil.copyfile(source, file)
        return link.Download(files=files, suffix=".mp4", title="My talk")

    monkeypatch.setattr(link, "download", download)


def test_the_sound_is_held_to_the_limits_too(
    clips: Clips, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("-f", "lavfi", "-i", "sine=duration=20", "-c:a", "aac", str(tmp_path / "long.m4a"))
    downloaded(monkeypatch, clips["mute.mp4"], tmp_path / "long.m4a")
    with pytest.raises(TooLong, match="My talk"):
        fetch("https://example.org/talk", work, limits=Limits(max_seconds=10))
    assert list(work.iterdir()) == []


@pytest.mark.parametrize("names", [["plain.mp4"], ["mute.mp4", "sound.m4a"]])
def test_a_download_is_called_by_its_title(
    clips: Clips, work: Path, monkeypatch: pytest.MonkeyPatch, names: list[str]
) -> None:
    downloaded(monkeypatch, *(clips[name] for name in names))
    assert fetch("https://example.org/talk", work).media.name == "My talk"


def test_errors_of_merging_name_the_title(clips: Clips, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloaded(monkeypatch, clips["mute.mp4"], clips["mute.mp4"])
    with pytest.raises(NoAudio, match="My talk"):
        fetch("https://example.org/talk", work)


def test_the_limits_are_those_of_the_settings() -> None:
    usual = Limits()
    assert (usual.max_bytes, usual.max_seconds, usual.max_pixels) == (4096 << 20, 240 * 60, 3840 * 2160)


def test_each_file_is_probed_once(clips: Clips, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a picture and a sound that come apart: both, and the video that is made of them."""
    log, counting = tmp_path / "starts", tmp_path / "ffmpeg"
    counting.write_text(f'#!/bin/sh\necho "$*" >> {log}\nexec {ffmpeg()} "$@"\n')
    counting.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(counting))
    downloaded(monkeypatch, clips["mute.mp4"], clips["sound.m4a"])
    fetch("https://example.org/talk", work)
    starts = log.read_text().splitlines()
    descriptions = [start for start in starts if "-nostdin" in start and " " not in start.rpartition(" -i ")[2]]
    assert len(descriptions) == 3

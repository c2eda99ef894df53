"""Fetching after the download: the container of the file, and failures. yt-dlp works in this process.

That it does so in a child is tested in test_fetch and test_link.
"""

from __future__ import annotations

import gc
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.pipeline.download import client as link
from jobs.pipeline.download import ytdlp
from jobs.pipeline.download.client import LinkOptions
from jobs.pipeline.download.offered import CaptionWish
from jobs.pipeline.download.request import Request
from jobs.pipeline.errors import DamagedVideo, MediaFailed, NotAVideo, PipelineError, TooLarge, TooLong
from jobs.pipeline.media import encode
from jobs.pipeline.media.ffmpeg import ffmpeg
from jobs.pipeline.media.limits import Limits
from jobs.pipeline.protocols import Progress
from jobs.pipeline.stages.fetch import Fetched, fetch
from tests.pipeline.clips import AAC, H264, PICTURE, TONE, Clips, run
from tests.pipeline.web_server import WebServer, serving
from tests.waiting import PATIENCE

# yt-dlp leaves responses open when it fails; in the child the process ends with them
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def server(clips: Clips) -> Iterator[WebServer]:
    with serving(clips["faststart.mp4"].read_bytes()) as running:
        yield running


@pytest.fixture
def work(tmp_path: Path) -> Path:
    directory = tmp_path / "work"
    directory.mkdir()
    return directory


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another process would need a second for the import of yt-dlp and its lists of sites."""

    def download(
        source: str,
        directory: Path,
        *,
        limits: Limits,
        options: LinkOptions,
        progress: Progress,
        spoken: str = "",
        captions: CaptionWish = CaptionWish(),
    ) -> link.Download:
        assert captions == CaptionWish(), "captions have tests of their own"
        assert options.allow_loopback
        request = Request(
            link=link.check_link(source),
            directory=directory.absolute(),
            limits=limits,
            timeout=PATIENCE,
            cookies=None,
            proxy="",
            allow_loopback=(),
            deno=None,
            spoken=spoken,
        )
        return link._result(
            ytdlp.download(request, lambda message: link._report(progress, message.get("progress"))), directory
        )

    monkeypatch.setattr(link, "download", download)
    yield
    gc.collect()  # here, where what was left open is expected


def fetched_from(server: WebServer, page: str, work: Path, limits: Limits | None = None) -> Fetched:
    options = LinkOptions(allow_loopback=(server.endpoint,))
    return fetch(server.url(page), work, limits=limits or Limits(), options=options)


SEGMENTED = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n{head}#EXTINF:2,\n/video.mp4\n#EXT-X-ENDLIST\n"
TS = ("-f", "mpegts", "-output_ts_offset", "7")
PIECES = ("-f", "mp4", "-movflags", "+frag_keyframe+empty_moov+default_base_moof", "-output_ts_offset", "7")


@pytest.mark.parametrize(
    ("encoded", "name", "codecs"),
    [
        ((*PICTURE, *TONE, *H264, *AAC, *TS), "source.mp4", ["h264", "aac"]),
        ((*PICTURE, *TONE, *H264, "-c:a", "libmp3lame", *TS), "source.mp4", ["h264", "mp3"]),
        ((*PICTURE, *H264, *TS), "source.mp4", ["h264"]),
        ((*TONE, *AAC, *TS), "source.mp4", ["aac"]),
        ((*PICTURE, *TONE, "-c:v", "mpeg2video", "-c:a", "mp2", *TS), "source.mkv", ["mpeg2video", "mp2"]),
        ((*PICTURE, *TONE, *H264, *AAC, *PIECES), "source.mp4", ["h264", "aac"]),
    ],
)
def test_segments_become_a_real_file(
    server: WebServer, work: Path, tmp_path: Path, encoded: tuple[str, ...], name: str, codecs: list[str]
) -> None:
    """Of segments of HLS, whose clock begins at 7 s."""
    run(*encoded, str(tmp_path / "segment"))
    server.video_bytes = (tmp_path / "segment").read_bytes()
    server.playlist = SEGMENTED.format(head="")
    fetched = fetched_from(server, "/playlist.m3u8", work)
    assert list(work.iterdir()) == [work / name]
    assert fetched.path == work / name
    head = fetched.path.read_bytes()[:12]
    assert head[4:8] == b"ftyp" if name.endswith("mp4") else head[:4] == b"\x1aE\xdf\xa3"
    assert [each.codec for each in (fetched.media.video, *fetched.media.audio) if each] == codecs
    assert fetched.media.duration == pytest.approx(2.0, abs=0.15)
    assert "start: 0.0" in described(fetched.path)
    assert b"moof" not in fetched.path.read_bytes(), "the file is in one piece, so that players can jump in it"


def test_files_of_other_kinds_become_matroska(server: WebServer, work: Path, tmp_path: Path) -> None:
    run(*PICTURE, *TONE, "-c:v", "mjpeg", "-c:a", "pcm_s16le", str(tmp_path / "film.avi"))
    server.video_bytes = (tmp_path / "film.avi").read_bytes()
    fetched = fetched_from(server, "/video.mp4", work)
    assert (fetched.path.name, fetched.media.container) == ("source.mkv", "matroska,webm")


def test_a_download_that_no_container_takes_stays_as_it_is(
    server: WebServer, work: Path, clips: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path, __: Path, **___: object) -> Path:
        raise MediaFailed(name="x")

    monkeypatch.setattr(encode, "remux", refuse)
    server.video_bytes = clips["late.ts"].read_bytes()
    server.playlist = SEGMENTED.format(head="")
    fetched = fetched_from(server, "/playlist.m3u8", work)
    assert fetched.path.read_bytes() == server.video_bytes
    assert fetched.media.audio


def described(path: Path) -> str:
    ran = subprocess.run([ffmpeg(), "-i", path], capture_output=True, text=True, check=False)
    return ran.stderr


# What fails


@pytest.mark.parametrize(
    ("page", "limits", "kind"),
    [
        ("/text.mp4", Limits(), NotAVideo),
        ("/endless.mp4", Limits(max_bytes=1_000_000), TooLarge),
        ("/video.mp4", Limits(max_seconds=0.5), TooLong),
    ],
)
def test_a_link_that_fails_leaves_nothing(
    server: WebServer, work: Path, page: str, limits: Limits, kind: type[PipelineError]
) -> None:
    with pytest.raises(kind) as caught:
        fetched_from(server, page, work, limits)
    assert list(work.iterdir()) == []
    assert str(work) not in f"{caught.value}{caught.value.detail}"


def test_half_a_video_without_a_length_is_damaged(server: WebServer, work: Path) -> None:
    server.video_bytes = server.video_bytes[: len(server.video_bytes) // 2]
    with pytest.raises((DamagedVideo, NotAVideo)) as caught:
        fetched_from(server, "/unmeasured.mp4", work)
    assert caught.value.params["name"] == "unmeasured"

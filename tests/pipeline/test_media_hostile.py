"""ffmpeg opens only the file it is given, whatever is in that file or its name.

Each trap is first shown to be one: an ffmpeg that is not held back walks into it.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from jobs.pipeline import errors
from jobs.pipeline.media import encode
from jobs.pipeline.media import probe as probing
from jobs.pipeline.media.description import describe
from jobs.pipeline.media.ffmpeg import ffmpeg
from jobs.pipeline.media.poster import poster
from jobs.pipeline.media.probe import probe
from jobs.pipeline.speech.extraction import extract_audio
from tests.pipeline.clips import Clips, run, write_ass
from tests.waiting import PATIENCE

Trap = Callable[[str], str]


class Hits(ThreadingHTTPServer):
    """A server that serves nothing and writes down what it was asked for."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        super().__init__(("127.0.0.1", 0), Asked)

    def address(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class Asked(BaseHTTPRequestHandler):
    server: Hits

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        self.send_error(404)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Hits]:
    with Hits() as hits:
        thread = threading.Thread(target=hits.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield hits
        hits.shutdown()
        thread.join()


def hls(name: str) -> str:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{name}\n#EXT-X-ENDLIST\n"


def hls_master(name: str) -> str:
    return f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{name}\n"


def concat(name: str) -> str:
    return f"ffconcat version 1.0\nfile '{name}'\n"


def dash(name: str) -> str:
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT2S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period>'
        f'<AdaptationSet contentType="video"><Representation id="1" bandwidth="1"><BaseURL>{name}</BaseURL>'
        "</Representation></AdaptationSet></Period></MPD>"
    )


def sdp(_: str) -> str:
    head = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    return head + "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"


OPENED_BY: dict[Trap, tuple[str, ...]] = {
    hls: ("-f", "hls", "-extension_picky", "0", "-allowed_extensions", "ALL"),
    hls_master: ("-f", "hls", "-extension_picky", "0", "-allowed_extensions", "ALL"),
    concat: ("-f", "concat", "-safe", "0"),
    dash: ("-f", "dash", "-allowed_extensions", "ALL"),
}


def unguarded(path: Path, trap: Trap) -> str:
    """The output of ffmpeg without the whitelist."""
    options = ("-nostdin", "-protocol_whitelist", "file,http,tcp", *OPENED_BY[trap])
    command = [str(ffmpeg()), *options, "-i", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE).stderr


@pytest.mark.parametrize("trap", [hls, hls_master, concat, dash])
def test_a_file_that_names_an_address(tmp_path: Path, server: Hits, trap: Trap) -> None:
    path = tmp_path / "film.mp4"
    path.write_text(trap(server.address("part.mp4")))
    said = unguarded(path, trap)
    assert server.paths, said
    server.paths.clear()
    with pytest.raises(errors.NotAVideo):
        probe(path)
    assert server.paths == []


@pytest.mark.parametrize("trap", [hls, concat, dash])
def test_a_file_that_names_another_file(clips: Clips, tmp_path: Path, trap: Trap) -> None:
    secret = clips["late.ts"] if trap is hls else clips["plain.mp4"]
    path = tmp_path / "film.mp4"
    path.write_text(trap(str(secret)))
    assert "Video: h264" in unguarded(path, trap)
    with pytest.raises(errors.NotAVideo):
        probe(path)


@pytest.mark.parametrize(
    "name", ["film.mp4", "film.m3u8", "film.ffconcat", "film.mpd", "film.sdp", "film.ts", "film%03d.jpg"]
)
@pytest.mark.parametrize("trap", [hls, concat, dash, sdp])
def test_the_suffix_opens_no_door(tmp_path: Path, name: str, trap: Trap) -> None:
    path = tmp_path / name
    path.write_text(trap("file:///etc/hostname"))
    with pytest.raises(errors.NotAVideo) as caught:
        probe(path)
    assert not caught.value.detail.count("localhost")


def test_subtitles_are_no_video(tmp_path: Path, srt: Path, ass: Path) -> None:
    for path in (srt, ass):
        with pytest.raises(errors.NotAVideo):
            probe(path.rename(tmp_path / "film.mp4"))


def test_a_file_that_turns_into_a_playlist_after_it_was_looked_at(
    clips: Clips, tmp_path: Path, server: Hits, ass: Path, srt: Path, fonts: Path
) -> None:
    known = probe(clips["plain.mp4"])
    path = tmp_path / "film.mp4"
    path.write_text(hls(server.address("part.ts")))
    with pytest.raises(errors.MediaFailed):
        encode.burn(path, ass, tmp_path / "out.mp4", media=known, fonts=fonts)
    with pytest.raises(errors.MediaFailed):
        encode.embed(path, srt, tmp_path / "out.mp4", media=known, language="fa")
    with pytest.raises(errors.MediaFailed):
        extract_audio(path, tmp_path / "out.wav", media=known)
    with pytest.raises(errors.MediaFailed):
        poster(path, tmp_path / "out.webp", media=known)
    with pytest.raises(errors.MediaFailed):
        encode.merge(path, clips["sound.m4a"], tmp_path / "out.mp4", media=known, sound=probe(clips["sound.m4a"]))
    assert server.paths == []
    assert not list(tmp_path.glob("out*"))


def test_a_playlist_for_subtitles(clips: Clips, tmp_path: Path, server: Hits) -> None:
    path = tmp_path / "cues.srt"
    path.write_text(hls(server.address("part.vtt")))
    with pytest.raises(errors.MediaFailed):
        encode.embed(clips["plain.mp4"], path, tmp_path / "out.mp4", media=probe(clips["plain.mp4"]), language="fa")
    assert server.paths == []


@pytest.mark.parametrize(
    "name",
    [
        *("-i.mp4", "film%03d.mp4", "http:film.mp4", "it's “quoted”.mp4", "two\nlines.mp4", "a[b],c;d=e.mp4"),
        *("back\\slash.mp4", "فیلم من.mp4"),
        *(
            pytest.param(name, marks=pytest.mark.soak)
            for name in ('a"b.mp4', "with spaces.mp4", "concat:x|y.mp4", "fd:1.mp4", "n" * 240 + ".mp4")
        ),
    ],
)
def test_any_name_works(clips: Clips, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Source, subtitles, fonts and target all bear the name, and are given relative to the current directory."""
    monkeypatch.chdir(tmp_path)
    directory, source = Path(name).with_suffix(".d"), Path(name)
    directory.mkdir()
    source.write_bytes(clips["brief.mp4"].read_bytes())
    known = probe(source)
    assert known.name == name
    cues = write_ass(Path(name).with_suffix(".ass"), 0, 2)
    encode.burn(source, cues, directory / name, media=known, fonts=directory)
    poster(source, Path(name).with_suffix(".jpg"), media=known)
    assert probe(directory / name).duration == pytest.approx(0.4, abs=0.1)
    assert sorted(path.name for path in directory.iterdir()) == [name]


def test_a_name_that_is_no_text(clips: Clips, tmp_path: Path) -> None:
    path = tmp_path / b"caf\xe9.mp4".decode("utf-8", "surrogateescape")
    path.write_bytes(clips["plain.mp4"].read_bytes())
    assert probe(path).video


def test_the_control_run_is_real(clips: Clips, tmp_path: Path) -> None:
    """The whitelist accepts ordinary files."""
    run("-i", str(clips["plain.mp4"]), "-c", "copy", str(tmp_path / "again.mkv"))
    assert probe(tmp_path / "again.mkv").video


def test_a_tag_that_looks_like_a_stream(clips: Clips, tmp_path: Path) -> None:
    """ffmpeg prints the names of tags as they are, with their line breaks."""
    fake = "a\n  Duration: 00:00:01.00, start: 0.0\n  Stream #0:0: Video: h264, yuv420p, 64x36, 25 fps\n"
    path = tmp_path / "film.mp4"
    tag = ("-metadata", f"{fake}b=x", "-movflags", "use_metadata_tags")
    run("-i", str(clips["plain.mp4"]), "-c", "copy", *tag, str(path))
    picture = probe(path).picture
    assert (picture.width, picture.height) == (160, 120)


def test_a_stream_is_described_once() -> None:
    text = "Input #0, x, from 'y':\n  Duration: 00:00:02.00, start\n"
    text += "  Stream #0:0: Video: h264, yuv420p, 640x360, 25 fps\n  Stream #0:0: Video: h264, yuv420p, 64x36, 25 fps\n"
    assert [stream.words for stream in describe(text).streams] == ["h264, yuv420p, 640x360, 25 fps"]


@pytest.mark.soak
def test_a_huge_picture_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "huge.mkv"
    run("-f", "lavfi", "-i", "color=size=16000x8000:rate=1:duration=1", "-c:v", "png", str(path))
    monkeypatch.setattr(probing, "_frame_times", lambda *_: pytest.fail("decoded"))
    with pytest.raises(errors.TooManyPixels, match="16000 × 8000"):
        probe(path)


def test_only_the_first_sound_tracks_are_decoded(clips: Clips, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "many.mkv"
    run("-i", str(clips["plain.mp4"]), *(("-map", "0:a") * 12), "-c", "copy", str(path))
    runs: list[object] = []
    real = probing._frame_times

    def counted(source: Path, *outputs: Sequence[str], **options: Any) -> list[list[float]]:
        runs.append(outputs)
        return real(source, *outputs, **options)

    monkeypatch.setattr(probing, "_frame_times", counted)
    assert len(probe(path).audio) == 12
    assert len(runs) == 8

"""Sound tracks in codecs that ffmpeg does not know: results are made with the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.pipeline import errors
from jobs.pipeline.media import encode
from jobs.pipeline.media.probe import probe
from jobs.pipeline.speech.extraction import extract_audio
from tests.pipeline.clips import AAC, H264, PICTURE, TONE, run


def spatial(path: Path, *, unknown: tuple[int, ...], tracks: int = 2) -> Path:
    """A phone's video; sound tracks of the numbers `unknown` claim to be APAC, which ffmpeg can name but not decode."""
    run(*PICTURE, *TONE, *tracks * ("-map", "1:a"), "-map", "0:v", *H264, *AAC, str(path))
    parts = path.read_bytes().split(b"mp4a" + bytes(7) + b"\1")
    assert len(parts) == tracks + 1
    for number in unknown:
        parts[number + 1] = parts[number + 1].replace(b"esds", b"free", 1)
    marks = [(b"apac" if number in unknown else b"mp4a") + bytes(7) + b"\1" for number in range(tracks)]
    path.write_bytes(parts[0] + b"".join(mark + part for mark, part in zip(marks, parts[1:], strict=True)))
    return path


@pytest.mark.parametrize(
    ("unknown", "tracks", "kept"),
    [((0,), 2, 1), pytest.param((1,), 2, 1, marks=pytest.mark.soak), ((0, 2), 3, 1), ((9,), 10, 9)],
)
def test_results_have_the_sound_that_can_be_decoded(
    tmp_path: Path, ass: Path, srt: Path, fonts: Path, unknown: tuple[int, ...], tracks: int, kept: int
) -> None:
    source = spatial(tmp_path / "phone.mov", unknown=unknown, tracks=tracks)
    media = probe(source)
    assert [track.codec for track in media.audio] == kept * ["aac"]
    assert media.left_out == tuple(number + 1 for number in unknown)
    extract_audio(source, tmp_path / "sound.wav", media=media)
    encode.burn(source, ass, tmp_path / "burned.mp4", media=media, fonts=fonts)
    soft = encode.embed(source, srt, tmp_path / "soft.mp4", media=media, language="fa")
    for result in (tmp_path / "burned.mp4", soft):
        assert [track.codec for track in probe(result).audio] == kept * ["aac"]
        assert probe(result).duration == pytest.approx(2, abs=0.1)


def test_no_sound_that_can_be_decoded_is_no_sound(tmp_path: Path, ass: Path, fonts: Path) -> None:
    source = spatial(tmp_path / "phone.mov", unknown=(0, 1))
    media = probe(source)
    assert media.audio == ()
    with pytest.raises(errors.NoAudio):
        extract_audio(source, tmp_path / "sound.wav", media=media)
    encode.burn(source, ass, tmp_path / "burned.mp4", media=media, fonts=fonts)
    assert probe(tmp_path / "burned.mp4").video

"""Facts about container formats: signatures, stated lengths, codecs allowed in an MP4, language tags."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from jobs.pipeline.media.streams import Media

MP4_VIDEO: frozenset[str] = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4"})
MP4_AUDIO: frozenset[str] = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"})
"""Codecs that are copied into an MP4: those that common players open in it, not all that the standard allows."""

_SIGNATURES = (
    b"\x1aE\xdf\xa3",
    b"RIFF",
    b"RF64",
    b"OggS",
    b"fLaC",
    b"FLV\x01",
    b"ID3",
    b"\x30\x26\xb2\x75",
    b"FORM",
    b"\x00\x00\x01\xba",
)
_ATOMS = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")


def looks_like_media(head: bytes) -> bool:
    """Tell whether a file's first 16 bytes are those of a media file, so that it must be damaged if unreadable."""
    return head.startswith(_SIGNATURES) or head[4:8] in _ATOMS


def is_cut_short(path: Path) -> bool:
    """Tell whether an MP4, MOV, MKV or WebM file is shorter than it states.

    Other formats do not state their size. Live recordings (MKV without a length, fragmented MP4) are usable up to any
    point and never count as cut short, nor do files whose last box holds neither picture nor sound.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        file.seek(0)
        if head.startswith(b"\x1aE\xdf\xa3"):
            return _segment_end(file) > size
        if head[4:8] in _ATOMS:
            return _ends_inside_data(file, size)
    return False


def _ends_inside_data(file: BinaryIO, size: int) -> bool:
    """Walk the top boxes of an MP4: 4 bytes of size (1: 8 more follow, 0: to the end), 4 of type (ISO 14496-12)."""
    at, fragmented = 0, False
    while at + 8 <= size:
        file.seek(at)
        length, kind = int.from_bytes(file.read(4), "big"), file.read(4)
        if length == 1:
            length = int.from_bytes(file.read(8), "big")
        if length == 0:
            return False
        fragmented = fragmented or kind == b"moof"
        at += max(length, 8)
        if at > size:
            return kind in {b"mdat", b"moov"} and not fragmented
    return False


def _segment_end(file: BinaryIO) -> int:
    """Stated end of the segment of a Matroska file in bytes; 0 when it is unknown (RFC 8794, RFC 9559)."""
    file.seek(4)
    header = _element_size(file)
    file.seek(header or 0, 1)
    if header is None or file.read(4) != b"\x18\x53\x80\x67":
        return 0
    length = _element_size(file)
    return 0 if length is None else file.tell() + length


def _element_size(file: BinaryIO) -> int | None:
    """A variable-length size: the leading zeros of its first byte count the bytes that follow; all ones is unknown."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    value = int.from_bytes(bytes([first[0] & (0x7F >> more)]) + file.read(more), "big")
    return None if value == (1 << 7 * (more + 1)) - 1 else value


def fits_mp4(media: Media) -> bool:
    """Tell whether every stream may be copied into an MP4 that common players open."""
    picture = media.video is None or media.video.codec in MP4_VIDEO
    return picture and all(track.codec in MP4_AUDIO for track in media.audio)


MKV_SUBTITLES = frozenset(
    {"subrip", "ass", "ssa", "webvtt", "dvd_subtitle", "dvb_subtitle", "hdmv_pgs_subtitle", "hdmv_text_subtitle"}
)
"""Codecs of subtitle tracks that are copied into an MKV."""


_BIBLIOGRAPHIC = {
    **{"sqi": "alb", "hye": "arm", "eus": "baq", "mya": "bur", "zho": "chi", "ces": "cze", "nld": "dut", "fra": "fre"},
    **{"kat": "geo", "deu": "ger", "ell": "gre", "isl": "ice", "mkd": "mac", "mri": "mao", "msa": "may", "fas": "per"},
    **{"ron": "rum", "slk": "slo", "bod": "tib", "cym": "wel"},
}
"""Languages with two codes in ISO 639-2: MP4 uses the first (/T), Matroska the second (/B)."""

_NOT_IN_CLDR = {"ak": "aka", "gu": "guj", "tl": "tgl", "tw": "twi"}


def track_language(code: str, *, mp4: bool) -> str:
    """Language tag of a track in an MP4 or MKV: `fas` or `per` for `fa`; `und` for an unknown code."""
    from jobs.pipeline.text import cldr

    short = code.replace("_", "-").split("-")[0].lower()
    terms = [long for long in cldr.long_codes(short) if long not in _BIBLIOGRAPHIC.values()]
    long = short if len(short) == 3 else _NOT_IN_CLDR.get(short) or (terms[-1] if terms else "und")
    return long if mp4 else _BIBLIOGRAPHIC.get(long, long)

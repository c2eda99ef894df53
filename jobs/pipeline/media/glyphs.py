"""Detection of characters that libass cannot draw: no font that it is given or that the machine has holds them."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection
from pathlib import Path

from jobs.pipeline.media.ffmpeg import run

_LACKING = re.compile(
    r"failed to find any fallback with glyph 0x([0-9A-Fa-f]+)|Glyph 0x([0-9A-Fa-f]+) not found in font"
)
_SCRIPT = """\
[Script Info]
ScriptType: v4.00+
PlayResX: 320
PlayResY: 180
WrapStyle: 0

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,{family},10

[Events]
Format: Start, End, Text
Dialogue: 0:00:00.00,0:00:10.00,{text}
"""
_PICTURE = ("-f", "lavfi", "-i", "color=size=320x180:rate=1:duration=1")


def without_glyph(characters: Collection[str], *, family: str, fonts: Path) -> set[str]:
    """Those of `characters` that libass finds in no font, asked for with the font `family`, as its own log tells.

    `fonts` is the directory of the fonts that it is given. Raises NoFfmpeg.
    """
    if not characters:
        return set()
    with tempfile.TemporaryDirectory(prefix="zirnevis-") as name:
        room = Path(name)
        text = " ".join(sorted(characters))
        (room / "subtitles").write_text(_SCRIPT.format(family=family, text=text), encoding="utf-8")
        (room / "fonts").symlink_to(fonts.absolute(), target_is_directory=True)
        drawn = ("-vf", "ass=filename=subtitles:fontsdir=fonts", "-frames:v", "1", "-f", "null", "-")
        _, said = run(["-loglevel", "verbose", *_PICTURE, *drawn], directory=room, keep=100_000)
    told = {chr(int(one or other, 16)) for one, other in _LACKING.findall(said)}
    return told.intersection(characters)

"""Fallback fonts: what the font of a language lacks is drawn by another bundled one, and what none has is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.pipeline.media.glyphs import without_glyph
from jobs.pipeline.media.probe import probe
from jobs.pipeline.notes import NoteCode
from jobs.pipeline.stages.picture import note_on_fonts
from jobs.pipeline.stages.render import render, undrawable
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.fallback import runs
from jobs.pipeline.subtitles.fonts import FALLBACKS, FONTS, font
from jobs.pipeline.subtitles.reader import read_subtitles
from jobs.pipeline.subtitles.writer import write
from jobs.pipeline.text.languages import language
from tests.pipeline.clips import Clips
from tests.pipeline.frames import TOLERANCE, Scene, difference, draw

GLYPHS = Path(__file__).parents[1] / "data" / "subtitles" / "field" / "glyphs.srt"
NOWHERE = "\U0010fffd"
"""A character of the private use area, which no font has."""


def families(text: str, to: str = "fa") -> list[tuple[str, str]]:
    return [(face.family if face else "", part) for face, part in runs(text, font(language(to)))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("سلام 🙂 دنیا", [("", "سلام "), ("Noto Emoji", "🙂"), ("", " دنیا")]),
        ("👍🏽👨‍👩‍👧🇮🇷❤️", [("Noto Emoji", "👍🏽👨‍👩‍👧🇮🇷❤️")]),
        ("♪ 𝄞", [("DejaVu Sans", "♪"), ("", " "), ("Noto Music", "𝄞")]),
        ("♪ ♫", [("DejaVu Sans", "♪ ♫")]),
        ("می‌گویدۖ که", [("Noto Sans Arabic", "می‌گویدۖ"), ("", " که")]),
        ("נשבע به", [("Heebo", "נשבע"), ("", " به")]),
        ("1️⃣ تا", [("Noto Emoji", "1️⃣"), ("", " تا")]),
        ("سلام، hello! ½ ™ 50%", [("", "سلام، hello! ½ ™ 50%")]),
        (f"a{NOWHERE}", [("", f"a{NOWHERE}")]),
    ],
)
def test_what_belongs_together_is_drawn_by_one_font(text: str, expected: list[tuple[str, str]]) -> None:
    assert families(text) == expected


def test_words_of_other_scripts_have_their_own_font() -> None:
    assert families("He said سلام دنیا twice", "en") == [("", "He said "), ("Vazirmatn", "سلام دنیا"), ("", " twice")]
    assert families("日本語 🙂 سلام", "ja") == [("", "日本語 "), ("Noto Emoji", "🙂"), ("", " "), ("Vazirmatn", "سلام")]


@pytest.mark.parametrize("face", FALLBACKS, ids=lambda face: face.family)
def test_the_name_and_height_of_a_fallback_are_those_in_its_file(face: object) -> None:
    from fontTools.ttLib import TTFont

    from jobs.pipeline.subtitles.fonts import Font

    assert isinstance(face, Font)
    with TTFont(FONTS / f"{face.family.replace(' ', '')}-Regular.ttf") as file:
        assert file["name"].getDebugName(1) == face.family
        high = file["OS/2"].usWinAscent + file["OS/2"].usWinDescent
        assert face.height == pytest.approx(high / file["head"].unitsPerEm, rel=0.01)


@pytest.mark.parametrize("sign", [*"🙂♪♫♩♭♯𝄞▶①½™★☆✓→∞≠☎♥☀⚠﷽۝ﷺڕێ۩", "👍🏽", "🇮🇷", "❤️", "مۖ"])
def test_a_sign_is_drawn(sign: str) -> None:
    """The picture differs from that of a character that no font has."""
    assert difference(draw(Scene(text=f"م {sign} م")), draw(Scene(text="م \uffff م"))) > TOLERANCE


def _width(text: str) -> int:
    """Points from the first to the last column with letters."""
    drawn = np.asarray(draw(Scene(text=text)).convert("L")) > 170
    columns = np.flatnonzero(drawn.any(axis=0))
    return int(columns[-1] - columns[0])


def test_a_joined_emoji_is_one_sign() -> None:
    """With its skin tone a thumb is no wider, and a family is one picture."""
    assert _width("👍🏽") == pytest.approx(_width("👍"), abs=3)
    assert _width("👨‍👩‍👧") < 1.5 * _width("🙂")
    assert _width("1️⃣") < 1.5 * _width("🙂")


def test_a_sign_has_the_size_of_the_text() -> None:
    """ASS counts sizes in ascent and descent, which differ from font to font."""
    picture = np.asarray(draw(Scene(text="🙂")).convert("L")) > 170
    rows = np.flatnonzero(picture.any(axis=1))
    letters = np.asarray(draw(Scene(text="ا")).convert("L")) > 170
    tall = np.flatnonzero(letters.any(axis=1))
    assert 0.8 < (rows[-1] - rows[0]) / (tall[-1] - tall[0]) < 1.9


@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_text_files_keep_every_character(kind: str, tmp_path: Path) -> None:
    texts = [cue.source for cue in read_subtitles(GLYPHS).cues]
    cues = [Cue(id=at, start=at, end=at + 1, source="", target=text) for at, text in enumerate(texts)]
    write(cues, tmp_path / f"s.{kind}", form="target", source=language("en"), target=language("fa"))
    content = (tmp_path / f"s.{kind}").read_text()
    for text in texts:
        assert text in content.replace("\u200f", "").replace("\u200e", "")
    assert "👍🏽" in content


# What no font has


def test_characters_that_no_font_has() -> None:
    assert without_glyph({"س", "م", NOWHERE}, family="Vazirmatn", fonts=FONTS) == {NOWHERE}
    assert without_glyph(set(), family="Vazirmatn", fonts=FONTS) == set()


def ass_of(text: str, path: Path) -> Path:
    cue = Cue(id=1, start=0, end=2, source="", target=text)
    write([cue], path, form="target", source=language("en"), target=language("fa"), size=(160, 120))
    return path


def test_they_are_told_before_burning(tmp_path: Path) -> None:
    assert undrawable(ass_of(f"نام {NOWHERE}{NOWHERE} است 🙂 ♪ ﷺ", tmp_path / "s.ass")) == NOWHERE
    assert note_on_fonts(NOWHERE) == (NoteCode.NO_FONT, {"characters": NOWHERE})
    assert note_on_fonts("".join(map(chr, range(0x4E00, 0x4E20))))[1]["characters"].endswith(" … (+2)")


def test_an_ellipsis_is_burned_in_their_place(clips: Clips, tmp_path: Path) -> None:
    def burned(text: str, lacking: str, name: str) -> Image.Image:
        from jobs.pipeline.media.ffmpeg import ffmpeg
        from tests.pipeline.clips import run

        assert ffmpeg()
        source = clips["black.mp4"]
        ass = ass_of(text, tmp_path / f"{name}.ass")
        made = render(source, probe(source), ass, tmp_path / f"{name}.mp4", mode="burn", undrawable=lacking)
        run("-ss", "0.5", "-i", str(made), "-frames:v", "1", str(tmp_path / f"{name}.png"))
        return Image.open(tmp_path / f"{name}.png").convert("RGB")

    lacking = burned(f"او {NOWHERE} {NOWHERE} است", NOWHERE, "lacking")
    assert difference(lacking, burned("او … است", "", "dots")) < 4
    assert difference(lacking, burned("او است", "", "without")) > TOLERANCE

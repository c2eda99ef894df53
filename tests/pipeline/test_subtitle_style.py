"""Styles on pictures of every size and shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pysubs2
import pytest

from jobs.pipeline import errors
from jobs.pipeline.subtitles.ass_style import ass_style, em, fitting_cells, narrowed
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.style import Style, parse_style
from jobs.pipeline.subtitles.writer import write
from jobs.pipeline.text.display_width import cell_width
from jobs.pipeline.text.languages import language
from tests.pipeline.frames import Scene, draw

LANDSCAPE, PORTRAIT, SQUARE, OLD = (1280, 720), (1080, 1920), (1080, 1080), (640, 480)

LONG = "دیروز با دوستم Sara به نمایشگاه کتاب رفتیم، ولی آنجا خیلی شلوغ بود (۵ ساعت صف)."


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("", Style()),
        ("box", Style()),
        ("outline", Style(look="outline")),
        ("Large, TOP", Style(size="large", position="top")),
        ("top,small,outline", Style(look="outline", size="small", position="top")),
        ("large,large", Style(size="large")),
    ],
)
def test_a_style_is_words_in_any_order(text: str, style: Style) -> None:
    assert parse_style(text) == style


@pytest.mark.parametrize("text", ["boxes", "box,outline", "small large", "box;top"])
def test_another_word_or_two_of_a_kind_are_refused_with_the_choices(text: str) -> None:
    with pytest.raises(errors.BadStyle) as caught:
        parse_style(text)
    assert text in str(caught.value)
    assert "box, outline; small, medium, large; bottom, top" in str(caught.value)


def ink(scene: Scene) -> tuple[int, int]:
    """The first and the last column of the picture that has something of the subtitle on it."""
    picture = np.asarray(draw(scene), dtype=int)
    columns = np.flatnonzero(np.abs(picture - picture[0, 0]).sum(axis=2).max(axis=0) > 30)
    return int(columns[0]), int(columns[-1])


@pytest.mark.parametrize(
    ("to", "text"),
    [
        ("fa", "من هر روز صبح زود به مدرسه می‌روم و درس‌های"),
        ("ar", "أنا أذهب كل يوم إلى المدرسة في الصباح الباكر"[:42]),
        ("he", "אני הולך כל יום לבית הספר מוקדם מאוד בבוקר"[:42]),
        ("en", "The people of this town speak two or three"),
        ("es", "Mañana por la mañana iremos todos juntos a"),
    ],
)
def test_a_full_line_takes_about_two_thirds_of_a_wide_picture(to: str, text: str) -> None:
    assert 41 <= cell_width(text) <= 42
    left, right = ink(Scene(text=text, to=to))
    assert 0.45 <= (right - left) / 640 <= 0.72
    assert abs((left + right) / 2 - 320) <= 4


@pytest.mark.parametrize("size", ["small", "medium", "large"])
@pytest.mark.parametrize("look", ["box", "outline"])
@pytest.mark.parametrize("picture", [(640, 360), (360, 640), (400, 400), (480, 360)])
def test_text_stays_inside_the_safe_area(picture: tuple[int, int], look: str, size: str) -> None:
    left, right = ink(Scene(text=LONG, size=picture, style=parse_style(f"{look},{size}")))
    assert left >= picture[0] * 0.04
    assert right <= picture[0] * 0.96


def test_letters_are_as_large_as_the_smaller_side_wants() -> None:
    assert em(Style(), LANDSCAPE) == pytest.approx(41.5, abs=0.1)
    assert em(Style(), PORTRAIT) == em(Style(), SQUARE) == pytest.approx(62.2, abs=0.1)
    assert em(Style(size="small"), OLD) < em(Style(), OLD) < em(Style(size="large"), OLD)


def rows(scene: Scene) -> tuple[float, float]:
    """The begin and the end of the subtitle, as shares of the height of the picture."""
    picture = np.asarray(draw(scene), dtype=int)
    found = np.flatnonzero(np.abs(picture - picture[0, 0]).sum(axis=2).max(axis=1) > 30)
    height, above = scene.size[1], 0 if scene.style.position == "top" else scene.size[1] * 6 // 10
    return (above + int(found[0])) / height, (above + int(found[-1])) / height


@pytest.mark.parametrize("look", ["box", "outline"])
@pytest.mark.parametrize("picture", [(360, 640), (400, 600)])
def test_in_tall_pictures_subtitles_stand_above_the_buttons_of_apps(picture: tuple[int, int], look: str) -> None:
    assert 0.75 <= rows(Scene(text=LONG, size=picture, style=parse_style(look)))[1] <= 0.81
    assert 0.13 <= rows(Scene(text=LONG, size=picture, style=parse_style(f"{look},top")))[0] <= 0.18


@pytest.mark.parametrize("picture", [(640, 360), (400, 500), (400, 400)])
def test_in_other_pictures_they_stand_at_the_edge_of_the_safe_area(picture: tuple[int, int]) -> None:
    assert 0.92 <= rows(Scene(text=LONG, size=picture))[1] <= 0.97


@pytest.mark.parametrize(("percent", "position", "lines"), [(30, "bottom", 576), (30, "top", 403), (0, "bottom", 96)])
def test_the_margin_of_tall_pictures_is_a_setting(percent: int, position: str, lines: int) -> None:
    style = parse_style(position)
    assert ass_style(language("fa"), style, PORTRAIT, portrait_margin=percent).marginv == lines
    assert ass_style(language("fa"), style, LANDSCAPE, portrait_margin=percent).marginv == 36


def test_every_font_is_drawn_in_the_same_size_of_letters() -> None:
    """ASS sizes count ascent and descent, of which Vazirmatn has more than others."""
    sizes = {code: ass_style(language(code), Style(), LANDSCAPE).fontsize for code in ("fa", "he", "en")}
    assert sizes["he"] < sizes["en"] < sizes["fa"]


@pytest.mark.parametrize(
    ("code", "size", "length"),
    [
        ("fa", LANDSCAPE, 42),
        ("fa", OLD, 41),
        ("fa", PORTRAIT, 31),
        ("fa", SQUARE, 31),
        ("zh", LANDSCAPE, 16),
        ("zh", PORTRAIT, 15),
        ("ja", PORTRAIT, 13),
    ],
)
def test_lines_are_shorter_where_the_picture_is_narrow(code: str, size: tuple[int, int], length: int) -> None:
    assert narrowed(language(code), fitting_cells(Style(), size)).line_length == length


def lines_in(path: Path) -> list[str]:
    return pysubs2.load(str(path))[0].text.split("\\N")


def test_only_ass_is_broken_for_the_picture(tmp_path: Path) -> None:
    lines = {}
    for kind in ("srt", "vtt", "ass"):
        path = tmp_path / f"cues.{kind}"
        cue = Cue(id=1, start=0, end=5, source="", target=LONG)
        write([cue], path, form="target", source=language("en"), target=language("fa"), size=PORTRAIT)
        lines[kind] = lines_in(path)
    assert len(lines["srt"]) == len(lines["vtt"]) == 2
    assert len(lines["ass"]) == 3
    assert max(map(cell_width, lines["ass"])) <= 31


def written_ass(tmp_path: Path, text: str, size: tuple[int, int]) -> list[str]:
    path = tmp_path / "cues.ass"
    cue = Cue(id=1, start=0, end=5, source="", target=text)
    write([cue], path, form="target", source=language("fa"), target=language("en"), size=size)
    return lines_in(path)


@pytest.mark.parametrize(
    "lines",
    [
        ["When the last guests", "had left the house, she put", "out the light in the hall."],
        ["The keys of the old house", "were on the table in the hall", "until he came back."],
    ],
)
def test_three_lines_of_a_narrow_picture_end_at_good_places(tmp_path: Path, lines: list[str]) -> None:
    assert written_ass(tmp_path, " ".join(lines), PORTRAIT) == lines


def test_two_lines_that_are_a_little_long_stay_two_where_they_fit(tmp_path: Path) -> None:
    text = "The quick brown fox jumps over the lazy dog again, and the dog does not mind it much."
    assert [len(line) > 0 for line in written_ass(tmp_path, text, LANDSCAPE)] == [True, True]


def test_a_word_longer_than_the_picture_is_cut(tmp_path: Path) -> None:
    lines = written_ass(tmp_path, f"See https://example.com/{'a' * 60} now", PORTRAIT)
    assert max(map(len, lines)) <= 31
    assert "".join(lines).replace(" ", "") == f"Seehttps://example.com/{'a' * 60}now"


def test_speakers_keep_their_lines_on_a_narrow_picture(tmp_path: Path) -> None:
    text = "- Do you really want to go home before the others?\n- Yes, I have been waiting for a long time."
    lines = written_ass(tmp_path, text, PORTRAIT)
    assert [line[0] == "-" for line in lines] == [True, False, True, False]


# Colours of speakers


def spoken(*speakers: str) -> list[Cue]:
    return [
        Cue(id=at, start=at, end=at + 0.9, source="Yes", target="بله", speaker=name)
        for at, name in enumerate(speakers, start=1)
    ]


def tags(path: Path, style: str, *speakers: str, form: str = "target") -> list[str]:
    """The texts of the cues that are written."""
    fa, en = language("fa"), language("en")
    write(spoken(*speakers), path, form=form, source=en, target=fa, style=parse_style(style))  # type: ignore[arg-type]
    return [event.text for event in pysubs2.load(str(path), keep_ssa_tags=True)]


def test_each_speaker_has_a_colour_and_the_first_stays_white(tmp_path: Path) -> None:
    first, second, third, again = tags(tmp_path / "a.ass", "speaker-colours", "S1", "S2", "S3", "S2")
    assert first.startswith("{\\1c&HFFFFFF&}")
    assert second.startswith("{\\1c&H00FFFF&}")
    assert third.startswith("{\\1c&HFFFF00&}")
    assert again == second


def test_colours_are_a_wish_and_for_ass_only(tmp_path: Path) -> None:
    assert not any("1c" in text for text in tags(tmp_path / "a.ass", "", "S1", "S2"))
    for kind in ("srt", "vtt"):
        assert not any("1c" in text for text in tags(tmp_path / f"a.{kind}", "speaker-colours", "S1", "S2"))


def test_without_speakers_all_is_white(tmp_path: Path) -> None:
    assert not any("1c" in text for text in tags(tmp_path / "a.ass", "speaker-colours", "", ""))


def test_the_second_language_stays_grey(tmp_path: Path) -> None:
    text = tags(tmp_path / "a.ass", "speaker-colours", "S1", "S2", form="bilingual")[1]
    assert text.index("{\\1c&H00FFFF&}") < text.index("{\\rSecond}")


def test_in_a_dialogue_each_line_has_the_colour_of_its_speaker(tmp_path: Path) -> None:
    fa = language("fa")
    cues = [
        Cue(id=1, start=1, end=2, source="", target="بله", speaker="S1"),
        Cue(id=2, start=3, end=4, source="", target="- آماده‌ای؟\n- بله.", speaker="S2 S1"),
        Cue(id=3, start=5, end=6, source="", target="بی خط تیره", speaker="S2 S1"),
    ]
    path = tmp_path / "a.ass"
    write(cues, path, form="target", source=fa, target=fa, style=parse_style("speaker-colours"))
    _, both, flat = (event.text for event in pysubs2.load(str(path)))
    first, second = both.split("\\N")
    assert first.startswith("{\\1c&H00FFFF&}")
    assert second.startswith("{\\1c&HFFFFFF&}")
    assert flat.count("1c&H") == 1


def test_more_speakers_than_colours_begin_again(tmp_path: Path) -> None:
    texts = tags(tmp_path / "a.ass", "speaker-colours", *(f"S{at}" for at in range(1, 10)))
    assert len(set(texts[:8])) == 8
    assert texts[8] == texts[0]


def test_the_colour_is_seen(tmp_path: Path) -> None:
    """Drawn by libass: the second speaker's letters are yellow, the first one's white."""
    white, yellow = (
        np.asarray(draw(Scene(text="Yes", to="en", speaker=name, style=parse_style("outline,speaker-colours"))), int)
        for name in ("", "S2")
    )
    assert (white.min(axis=2) > 200).any()
    assert ((yellow[..., 0] > 200) & (yellow[..., 1] > 200) & (yellow[..., 2] < 90)).any()

"""Burned subtitles, compared with pictures that a reader has approved (see `approve_frames`)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image

from jobs.pipeline.subtitles import writer
from tests.pipeline.frames import APPROVED, SCENES, TOLERANCE, approved, difference, draw


@pytest.mark.parametrize("name", SCENES)
def test_drawn_as_approved(name: str) -> None:
    assert difference(draw(SCENES[name]), approved(name)) <= TOLERANCE


def test_there_are_enough_pictures_and_none_too_many() -> None:
    assert {path.stem for path in APPROVED.glob("*.png")} == set(SCENES)
    assert len(SCENES) >= 12


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("latin_words", "یک معلم", "معلم یک"),
        ("latin_first", "YouTube را باز کن", "را باز کن YouTube"),
        ("digits", "۲۱", "۱۲"),
        ("brackets", "(TESOL)", ")TESOL("),
        ("brackets", "«Python»", "»Python«"),
        ("price", "$99.99", "99.99$"),
        ("half_spaces", "بیاورم.", ".بیاورم"),
        ("half_spaces", "کتاب‌هایش", "کتابهایش"),
        ("half_spaces", "خواهم", "حواهم"),
        ("hebrew", "אני מורה", "מורה אני"),
        ("arabic", "معلّم", "معلم"),
    ],
)
def test_another_order_or_letter_is_refused(name: str, right: str, wrong: str) -> None:
    """From two words that changed places down to the dot of one letter."""
    scene = SCENES[name]
    assert right in scene.text
    assert difference(draw(replace(scene, text=scene.text.replace(right, wrong))), approved(name)) > TOLERANCE


@pytest.mark.parametrize(
    "name", ["latin_brackets", "latin_first", "latin_list", "price", "question_percent", "ranges", "address", "arabic"]
)
def test_without_marks_inside_the_line_the_order_is_another(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture shows what the marks are for: with RLM at the start of lines alone, the parts change sides."""
    monkeypatch.setattr(
        writer, "_with_direction_marks", lambda lines, direction: tuple(f"\u200f{line}" for line in lines)
    )
    assert difference(draw(SCENES[name]), approved(name)) > TOLERANCE


def test_without_any_mark_a_line_that_starts_with_a_latin_word_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = replace(SCENES["latin_first"], text="YouTube را باز کن.")
    right = draw(scene)
    monkeypatch.setattr(writer, "_with_direction_marks", lambda lines, direction: lines)
    assert difference(draw(scene), right) > TOLERANCE


def test_a_hair_of_a_shift_is_no_difference() -> None:
    """Another build of ffmpeg may round an edge otherwise."""
    for name in SCENES:
        picture = approved(name)
        shifted = picture.transform(
            picture.size, Image.Transform.AFFINE, (1, 0, 0.125, 0, 1, 0), Image.Resampling.BICUBIC
        )
        assert 0 < difference(shifted, picture) <= TOLERANCE

"""Words and numbers, in English and Persian."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import translation

from jobs.pipeline.errors import NoSuchFile, TooLong, TooManyJobs, UnknownLanguage
from jobs.web import words


@pytest.mark.parametrize(
    ("seconds", "english", "persian"),
    [
        (20, "less than a minute left", "کمتر از یک دقیقه مانده"),
        (61, "about 1 min left", "حدود ۱ دقیقه مانده"),
        (1500, "about 25 min left", "حدود ۲۵ دقیقه مانده"),
        (5000, "about 1 h 20 min left", "حدود ۱ ساعت ۲۰ دقیقه مانده"),
    ],
)
def test_time_that_is_left(seconds: float, english: str, persian: str) -> None:
    with translation.override("en"):
        assert words.left(seconds) == english
    with translation.override("fa"):
        assert words.left(seconds) == persian


def test_numbers_in_prose() -> None:
    with translation.override("fa"):
        assert (words.number(1234.5), words.percent(46), words.size(1_500_000)) == ("۱٬۲۳۴٫۵", "۴۶٪", "۱٫۵ مگابایت")
        assert words.moment(datetime(2026, 11, 23, 3, 5, tzinfo=UTC)) == "۲ آذر، ۰۳:۰۵"
        assert words.listed(["ترجمه", "پیاده‌سازی"]) == "ترجمه و پیاده‌سازی"
    with translation.override("en"):
        assert (words.number(1234.5), words.percent(46), words.size(1_500_000)) == ("1,234.5", "46%", "1.5 MB")
        assert words.moment(datetime(2026, 11, 23, 3, 5, tzinfo=UTC)) == "23 November, 03:05"


@pytest.mark.parametrize(("seconds", "shown"), [(0, "00:00"), (750, "12:30"), (5400.9, "1:30:00")])
def test_clocks_have_latin_digits(seconds: float, shown: str) -> None:
    with translation.override("fa"):
        assert words.clock(seconds) == shown


def test_errors_are_told_in_persian() -> None:
    with translation.override("fa"):
        assert "۱ ساعت ۳۰ دقیقه" in words.sentence_of(TooLong(name="talk.mp4", actual="1 h 30 min", limit="1 h"))
        assert words.sentence_of(TooManyJobs(count=20, limit=20)).startswith("۲۰ کار شما")
        assert "talk 2.mp4" in words.sentence_of(NoSuchFile(path="talk 2.mp4")), "the name of a file stays as it is"
        assert "Klingonisch" in words.sentence_of(UnknownLanguage(language="Klingonisch"))
        said = words.noted(
            {
                "sentence": "The subtitles are in {language} already: translation is skipped.",
                "params": {"language": "Persian"},
            }
        )
        assert "فارسی" in said


def test_an_error_of_another_version() -> None:
    with translation.override("en"):
        assert words.recorded({"code": "TooLong", "params": {}, "detail": ""}).startswith("Something went wrong")


def test_languages_are_named_for_the_reader() -> None:
    with translation.override("fa"):
        assert (words.language_name("fa"), words.language_name("xx-nowhere")) == ("فارسی", "xx-nowhere")

"""Words and numbers, in English and Persian."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import translation

from jobs.engines import apertium
from jobs.engines.gemini import spec as gemini
from jobs.engines.openai_compatible import spec as openai_compatible
from jobs.engines.spec import Spec
from jobs.engines.whisperx import spec as whisperx
from jobs.i18n import formats
from jobs.pipeline.errors import (
    CannotTranscribe,
    DayQuotaUntil,
    DemoSpeechOnly,
    NoSuchFile,
    NotReady,
    TooLong,
    TooManyJobs,
    TooManyPixels,
    UnknownEngine,
    UnknownLanguage,
)
from jobs.pipeline.media.limits import Limits


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
        assert formats.left(seconds) == english
    with translation.override("fa"):
        assert formats.left(seconds) == persian


def test_numbers_in_prose() -> None:
    with translation.override("fa"):
        assert (formats.number(1234.5), formats.percent(46), formats.size(1_500_000)) == (
            "۱٬۲۳۴٫۵",
            "۴۶٪",
            "۱٫۵ مگابایت",
        )
        assert formats.moment(datetime(2026, 11, 23, 3, 5, tzinfo=UTC)) == "۲ آذر، ۰۳:۰۵"
        assert formats.listed(["ترجمه", "تبدیل گفتار به متن"]) == "ترجمه و تبدیل گفتار به متن"
    with translation.override("en"):
        assert (formats.number(1234.5), formats.percent(46), formats.size(1_500_000)) == ("1,234.5", "46%", "1.5 MB")
        assert formats.moment(datetime(2026, 11, 23, 3, 5, tzinfo=UTC)) == "23 November, 03:05"


@pytest.mark.parametrize(("seconds", "shown"), [(0, "00:00"), (750, "12:30"), (5400.9, "1:30:00")])
def test_clocks_have_latin_digits(seconds: float, shown: str) -> None:
    with translation.override("fa"):
        assert formats.clock(seconds) == shown


def test_errors_are_told_in_persian() -> None:
    with translation.override("fa"):
        assert "۱ ساعت ۳۰ دقیقه" in formats.sentence_of(TooLong(name="talk.mp4", actual="1 h 30 min", limit="1 h"))
        assert formats.sentence_of(TooManyJobs(count=20, limit=20)).startswith("۲۰ کار شما")
        assert "talk 2.mp4" in formats.sentence_of(NoSuchFile(path="talk 2.mp4")), "the name of a file stays as it is"
        assert "Klingonisch" in formats.sentence_of(UnknownLanguage(language="Klingonisch"))
        said = formats.noted({"code": "subtitles_in_target", "params": {"language": "Persian"}})
        assert said == "زیرنویس از پیش به زبان فارسی است؛ ترجمه لازم نبود."


def test_the_time_when_a_quota_is_renewed_is_told_in_local_words() -> None:
    error = DayQuotaUntil(engine="Gemini", until="2026-11-23T03:05:00+00:00")
    with translation.override("fa"):
        assert "پس از ۲ آذر، ۰۳:۰۵" in formats.sentence_of(error)
    with translation.override("en"):
        assert "after 23 November, 03:05" in formats.sentence_of(error)


def test_no_english_within_persian() -> None:
    with translation.override("fa"):
        with pytest.raises(TooManyPixels) as sharp:
            Limits().check_picture(7680, 4320, "film.mp4")
        said = formats.sentence_of(sharp.value)
        assert ("۷۶۸۰ × ۴۳۲۰ (۳۳٫۲ مگاپیکسل)" in said, "۸٫۳ مگاپیکسل" in said) == (True, True)
        deaf = CannotTranscribe(engine="PocketSphinx", language="Persian", known="English, Spanish")
        assert formats.sentence_of(deaf).endswith("اسپانیایی و انگلیسی.")
        assert formats.sentence_of(UnknownEngine(engine="x", known="auto, gemini")).endswith("auto و gemini.")


LACKING: list[tuple[Spec, dict[str, Any], str]] = [
    (gemini.ENGINE, {}, "کلیدی تنظیم نشده است. برای رفع این مشکل: GEMINI_API_KEY را تنظیم کنید"),
    (openai_compatible.ENGINE, {}, "OPENAI_COMPATIBLE_BASE_URL را تنظیم کنید"),
    (openai_compatible.ENGINE, {"base_url": "http://x:0"}, "OPENAI_COMPATIBLE_BASE_URL را درست کنید"),
    (openai_compatible.ENGINE, {"base_url": "http://x"}, "OPENAI_COMPATIBLE_MODEL را تنظیم کنید"),
    (apertium.ENGINE, {"command": "/none"}, "Apertium نصب نیست. برای رفع این مشکل: apt install"),
    (whisperx.ENGINE, {"models_dir": "/none"}, "مدل آن روی دیسک نیست."),
    (whisperx.ENGINE, {"model": "none"}, "مدلی به نامی که در WHISPERX_MODEL نوشته شده وجود ندارد."),
]


@pytest.mark.parametrize(("engine", "options", "said"), LACKING)
def test_what_an_engine_lacks(
    engine: Spec, options: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    state = engine.readiness(engine.options(**options))
    with translation.override("fa"):
        assert said in formats.sentence_of(NotReady(engine=engine.label, reason=state.reason, remedy=state.remedy))


def test_what_is_better_than_a_demo() -> None:
    lacking = DemoSpeechOnly(engine="Gemini", remedy="make whisperx, then: manage.py fetch_models", reason="")
    with translation.override("fa"):
        assert "make whisperx و سپس manage.py fetch_models" in formats.sentence_of(lacking)


def test_an_error_of_another_version() -> None:
    with translation.override("en"):
        assert formats.recorded({"code": "TooLong", "params": {}, "detail": ""}).startswith("The video could not be")


def test_languages_are_named_for_the_reader() -> None:
    with translation.override("fa"):
        assert (formats.language_name("fa"), formats.language_name("xx-nowhere")) == ("فارسی", "xx-nowhere")

"""Sentences, numbers, dates and sizes in the language of the page.

Persian prose has Persian digits; timecodes keep Latin ones. Babel and the Persian calendar are imported where they are
used, because every process imports the admin, which imports this module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from django.utils import timezone
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext as _

from jobs.models import Job, JobStatus
from jobs.pipeline.errors import BadInput, ErrorRecord, PipelineError, all_errors, from_record
from jobs.pipeline.media.limits import bytes_text, duration_text
from jobs.pipeline.notes import template
from jobs.pipeline.subtitles.quality import KINDS
from jobs.pipeline.text.languages import language

_PERSIAN = str.maketrans("0123456789.,", "۰۱۲۳۴۵۶۷۸۹٫٬")


def sentence_of(error: PipelineError) -> str:
    """The sentence of an error, translated."""
    return gettext(error.sentence).format(**_localised(error.params))


def recorded(record: Mapping[str, Any]) -> str:
    """The sentence of a stored error; a general one for a record of an unknown version."""
    try:
        return sentence_of(from_record(cast(ErrorRecord, record)))
    except (KeyError, IndexError, TypeError, ValueError):
        return gettext(PipelineError.sentence)


def hopeless(record: Mapping[str, Any]) -> bool:
    """Whether a retry with the same input would fail in the same way."""
    kinds = [kind for kind in all_errors(BadInput) if kind.__name__ == record.get("code")]
    return any(not kind.retryable for kind in kinds)


def news(job: Job) -> str:
    """The sentence that a job has completed, failed or paused, for notifications and e-mails; empty in other states."""
    match job.status:
        case JobStatus.COMPLETED:
            return _("“{title}” is ready.").format(title=job)
        case JobStatus.FAILED:
            return _("“{title}” could not be completed.").format(title=job)
        case JobStatus.PAUSED:
            return _("“{title}” is paused: its limit is reached.").format(title=job)
    return ""


def noted(note: Mapping[str, Any]) -> str:
    """The sentence of a note of a job, translated."""
    return gettext(template(note["code"])).format(**_localised(note["params"]))


def _localised(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _param(name, value) for name, value in params.items()}


def _param(name: str, value: Any) -> Any:
    """Localise a parameter: numbers, amounts, times, language names, reasons and remedies; names and commands stay."""
    if isinstance(value, int) or name in {"number", "count"}:
        return number(int(value))
    if name in {"language", "source", "target"}:
        return _named(str(value))
    if name in {"known", "languages"}:
        names = [_named(part) for part in str(value).split(", ")]
        return listed(sorted(names) if name == "known" else names)
    if name == "until":
        return moment(datetime.fromisoformat(str(value)))
    if name in {"times", "lines", "numbers"}:
        return digits(str(value))
    if name in {"reason", "remedy", "side"} and value:
        return gettext(value)
    if isinstance(value, str) and _AMOUNT.fullmatch(value):
        return units(value)
    if isinstance(value, str) and _PRICED.fullmatch(value):
        return priced(value)
    return value


def _named(name: str) -> str:
    """The localised name for an English language name of the pipeline."""
    try:
        return language_name(language(name).code)
    except PipelineError:
        return name


def problem(kind: str) -> str:
    """The label of a kind of finding of the quality report."""
    return gettext(KINDS.get(kind, kind))


def language_name(code: str, shown_in: str | None = None) -> str:
    """“fa” → “Persian”, or «فارسی» on a Persian page. A code that CLDR does not know stays as it is."""
    from babel import Locale, UnknownLocaleError

    try:
        name = Locale.parse(code, sep="-").get_display_name(shown_in or _locale())
    except (ValueError, UnknownLocaleError):
        return code
    return name or code


def number(value: float) -> str:
    """A number with grouped thousands."""
    from babel.numbers import format_decimal

    return digits(str(format_decimal(value, locale="en")))


def percent(value: int) -> str:
    """A percentage; `value` is from 0 to 100."""
    return f"{digits(str(value))}٪" if _locale() == "fa" else f"{value}%"


def listed(names: Sequence[str]) -> str:
    """A list in words: “Transcribe and Translate”."""
    from babel.lists import format_list

    return format_list(list(names), locale=_locale()) if names else ""


def moment(at: datetime, *, year: bool = False) -> str:
    """A local date and time of day: “23 November, 06:11”; in the Solar Hijri calendar on Persian pages."""
    import jdatetime
    from babel.dates import format_datetime

    local, locale = timezone.localtime(at), _locale()
    if locale == "fa":
        date = jdatetime.date.fromgregorian(date=local.date(), locale="fa_IR")
        day = date.strftime("%-d %B %Y" if year else "%-d %B")
    else:
        day = format_datetime(local, "d MMMM y" if year else "d MMMM", locale=locale)
    return _("{day}, {time}").format(day=digits(day), time=digits(f"{local:%H:%M}"))


def month(at: datetime) -> str:
    """A month of the Gregorian calendar, in which the caps of cost count: “December 2026”, «دسامبر ۲۰۲۶»."""
    from babel.dates import format_datetime

    locale = _locale()
    name = format_datetime(timezone.localtime(at), "LLLL y", locale="fa_IR" if locale == "fa" else locale)
    return digits(name)


def clock(seconds: float) -> str:
    """A timecode in Latin digits: 750 → 12:30, 5400 → 1:30:00."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def size(count: int) -> str:
    """A number of bytes in the fitting unit."""
    return units(bytes_text(count))


def length(seconds: float) -> str:
    """A duration in the fitting units."""
    return units(duration_text(seconds))


def left(seconds: float) -> str:
    """The time left, rounded to minutes: the estimate is no more precise."""
    if seconds < 50:
        return _("less than a minute left")
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return ngettext("about {n} min left", "about {n} min left", minutes).format(n=number(minutes))
    return _("about {length} left").format(length=length(60 * round(minutes / 10) * 10))


def longer_than_usual() -> str:
    """Shown in place of the time left when that has run out."""
    return _("longer than usual")


def before(count: int) -> str:
    """The queue position of a job with `count` stages before it."""
    if count == 0:
        return _("next in the queue")
    return ngettext("{n} before it in the queue", "{n} before it in the queue", count).format(n=number(count))


_AMOUNT = re.compile(r"(?:\d+ × \d+ \()?(?:[\d.]+ (?:bytes|kB|MB|GB|megapixels|h|min|s) ?)+\)?")
"""Matches the amounts that `pipeline.media.limits` writes."""

_UNITS = {
    "bytes": lambda: _("bytes"),
    "kB": lambda: _("kB"),
    "MB": lambda: _("MB"),
    "GB": lambda: _("GB"),
    "megapixels": lambda: _("megapixels"),
    "d": lambda: _("d"),
    "h": lambda: _("h"),
    "min": lambda: _("min"),
    "s": lambda: _("s"),
}


_PRICED = re.compile(r"([\d.]+) (tokens|[A-Z]{3})")
"""Matches the amounts of money and of tokens that `queueing.caps` writes."""


def priced(text: str) -> str:
    """An amount of money or of tokens, such as “0.05 USD” or “12000 tokens”."""
    amount, _space, unit = text.partition(" ")
    if unit == "tokens":
        return ngettext("{n} token", "{n} tokens", int(amount)).format(n=number(int(amount)))
    return f"{digits(amount)} {currency(unit)}"


def currency(code: str) -> str:
    """The currency as it stands after an amount: its code, and on Persian pages its name."""
    from babel.numbers import get_currency_name

    return str(get_currency_name(code, locale="fa")) if _locale() == "fa" else code


def units(text: str) -> str:
    """Translate the units of an amount such as “1.5 GB”, “1 h 3 min” or “2 d 4 h”."""
    return digits(re.sub("[A-Za-z]+", lambda word: _UNITS[word[0]](), text))


def digits(text: str) -> str:
    """Replace digits by those of the language of the page."""
    return text.translate(_PERSIAN) if _locale() == "fa" else text


def _locale() -> str:
    return (get_language() or "en").split("-")[0]

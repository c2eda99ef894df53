"""Formatting of values for the admin. Nothing here queries the database: it formats rows that are loaded.

Words and digits are in the language of the page. Values that are compared with logs stay as in the log, left to right.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from jobs.i18n import formats, labels
from jobs.models import CallStatus, Job, JobStatus, SourceKind, StageRun, StageStatus
from jobs.pipeline.errors import ErrorRecord, from_record
from jobs.pipeline.stage import Stage
from jobs.queueing import caps

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as Words

NOTHING = "–"
AT_WORK = (StageStatus.READY, StageStatus.RUNNING, StageStatus.FAILED)
"""Statuses of the current stages of a job, of which there may be two."""

_UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def field(name: str, label: str | Words, show: Callable[[Any], str]) -> Any:
    """A column or line that shows the field `name` of a row, formatted by `show`.

    Django accepts such a function wherever it accepts a field name; django-stubs has names only.
    """

    @admin.display(description=label, ordering=name)
    def display_field(row: Any) -> str:
        return show(getattr(row, name))

    display_field.__name__ = f"display_{name}"  # with the name of the field, Django would show its help text
    return display_field


# Words


def status(value: str) -> str:
    """The label of a job's status."""
    return str(labels.STATUSES[JobStatus(value)])


def stage(value: str) -> str:
    """The label of a stage."""
    return str(labels.STAGES[Stage(value)])


def stage_status(value: str) -> str:
    """The label of a stage's status."""
    return str(labels.STAGE_STATUSES[StageStatus(value)])


def source_kind(value: str) -> str:
    """The label of a kind of source."""
    return str(labels.SOURCES[SourceKind(value)])


def language(code: str) -> str:
    """The name of a language."""
    return formats.language_name(code) if code else NOTHING


def current(stages: Iterable[StageRun]) -> str:
    """The current stages, such as “Transcribe (Running) and Translate (Ready)”."""
    at = [f"{stage(run.stage)} ({stage_status(run.status)})" for run in stages if run.status in AT_WORK]
    return formats.listed(at) or NOTHING


# Times and amounts


def span(length: timedelta | None) -> str:
    """A duration in at most two units (93784 s → “1 d 2 h”); with one decimal below 10 s."""
    if length is None:
        return NOTHING
    seconds = max(0.0, length.total_seconds())
    if seconds < 10:
        return formats.units(f"{seconds:.1f} s")
    left = round(seconds)
    parts: list[str] = []
    for unit, size in _UNITS:
        if left >= size or parts:
            parts.append(f"{left // size} {unit}")
            left %= size
    return formats.units(" ".join(part for part in parts[:2] if not part.startswith("0 ")))


def seconds(count: float) -> str:
    """A duration in seconds; NOTHING for 0."""
    return span(timedelta(seconds=count)) if count else NOTHING


def count(number: int | None) -> str:
    """A number; NOTHING for None."""
    return NOTHING if number is None else formats.number(number)


def cost(amount: Decimal, currency: str) -> str:
    """An amount of money."""
    return formats.priced(caps.money_text(amount, currency))


def call_status(value: str) -> str:
    """The label of the state of a call."""
    return str(labels.CALL_STATUSES[CallStatus(value)])


def ago(moment: datetime | None) -> str:
    """The time since `moment`, such as “3 min ago”."""
    return _("{span} ago").format(span=span(timezone.now() - moment)) if moment else _("never")


def when(moment: datetime | None) -> str:
    """A date with year and time of day; NOTHING for None."""
    return formats.moment(moment, year=True) if moment else NOTHING


def exactly(moment: datetime) -> str:
    """A local time in ISO 8601 to the millisecond, for comparison with a log."""
    return code(timezone.localtime(moment).isoformat(sep=" ", timespec="milliseconds"))


def bar(share: float) -> SafeString:
    """A progress bar with its percentage; `share` is from 0 to 1."""
    percent = round(100 * min(max(share, 0.0), 1.0))
    return format_html('<progress max="100" value="{}"></progress> {}', percent, formats.percent(percent))


# Values as they are in logs


def code(text: object) -> str:
    """An id, a name or a path in monospace, left to right on every page."""
    return format_html('<bdi dir="ltr" class="code">{}</bdi>', text) if text is not None and text != "" else NOTHING


def data(value: Any) -> str:
    """Indented JSON, left to right on every page."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return format_html('<pre dir="ltr" class="code">{}</pre>', text) if value else NOTHING


def name(text: str) -> SafeString:
    """A text of a user, isolated from the direction of the page."""
    return format_html("<bdi>{}</bdi>", text)


# Jobs and stages


def waited(job: Job, stages: Iterable[StageRun]) -> timedelta:
    """The time from creation to the first work, to the end without any, or to now."""
    return (_begun(stages) or job.ended or timezone.now()) - job.created


def worked(job: Job, stages: Iterable[StageRun]) -> timedelta | None:
    """The time from the first work to the end, or to now; None when nothing has begun."""
    begun = _begun(stages)
    return (job.ended or timezone.now()) - begun if begun else None


def _begun(stages: Iterable[StageRun]) -> datetime | None:
    return min((run.started for run in stages if run.started), default=None)


def took(run: StageRun) -> timedelta | None:
    """The time that the last attempt at a stage took, or has taken so far; None when it has not begun."""
    if run.started is None or (run.ended is None and run.status != StageStatus.RUNNING):
        return None
    return (run.ended or timezone.now()) - run.started


def notes(found: list[dict[str, Any]]) -> str:
    """The sentences of the notes of a job."""
    return format_html_join("", "<p>{}</p>", ((formats.noted(note),) for note in found)) or NOTHING


def sentence(record: ErrorRecord | dict[str, Any]) -> str:
    """The sentence of an error record; the record itself when this version does not know it."""
    try:
        return formats.sentence_of(from_record({"code": record["code"], "params": record["params"], "detail": ""}))
    except (KeyError, IndexError, TypeError, ValueError):
        return code(record)


def failure(record: dict[str, Any] | None) -> str:
    """An error: its sentence, its code, and the technical details folded."""
    if not record:
        return NOTHING
    kind, detail = record.get("code", ""), record.get("detail")
    summary = format_html("<p>{} {}</p>", sentence(record), code(kind))
    if not detail:
        return summary
    more = '{}<details><summary>{}</summary><pre dir="ltr" class="code">{}</pre></details>'
    return format_html(more, summary, _("Technical details"), detail)

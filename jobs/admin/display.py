"""How the admin shows a job: shares, spans of time, errors; of what was read already, so that it costs no query.

Words and digits are those of the person's language. What is compared with logs stays as logs have it, left to right.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from jobs.i18n import formats, labels
from jobs.models import Job, JobStatus, SourceKind, StageRun, StageStatus
from jobs.pipeline.errors import ErrorRecord, from_record
from jobs.pipeline.stage import Stage

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as Words

NOTHING = "–"
AT_WORK = (StageStatus.READY, StageStatus.RUNNING, StageStatus.FAILED)
"""A job is at the stages that are in one of these, often two at once."""

_UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def field(name: str, label: str | Words, show: Callable[[Any], str]) -> Any:
    """A column, or a line of a page: what the field `name` of a row says, shown by `show`. Django takes such a function
    where it takes a name; the types of its lists know only of names.
    """

    @admin.display(description=label, ordering=name)
    def shown_field(row: Any) -> str:
        return show(getattr(row, name))

    shown_field.__name__ = f"shown_{name}"  # under its own name it would tell the help text, too
    return shown_field


# Words


def status(value: str) -> str:
    """Of a job."""
    return str(labels.STATUSES[JobStatus(value)])


def stage(value: str) -> str:
    return str(labels.STAGES[Stage(value)])


def stage_status(value: str) -> str:
    return str(labels.STAGE_STATUSES[StageStatus(value)])


def source_kind(value: str) -> str:
    return str(labels.SOURCES[SourceKind(value)])


def language(code: str) -> str:
    return formats.language_name(code) if code else NOTHING


def current(stages: Iterable[StageRun]) -> str:
    """“Transcribe (Running) and Translate (Ready)”."""
    at = [f"{stage(run.stage)} ({stage_status(run.status)})" for run in stages if run.status in AT_WORK]
    return formats.listed(at) or NOTHING


# Times and amounts


def span(length: timedelta | None) -> str:
    """93784 s → “1 d 2 h”: two units at most, no fraction of a second but below ten of them."""
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
    return span(timedelta(seconds=count)) if count else NOTHING


def count(number: int | None) -> str:
    return NOTHING if number is None else formats.number(number)


def ago(moment: datetime | None) -> str:
    return _("{span} ago").format(span=span(timezone.now() - moment)) if moment else _("never")


def when(moment: datetime | None) -> str:
    return formats.moment(moment, year=True) if moment else NOTHING


def exactly(moment: datetime) -> str:
    """To the millisecond, to be compared with a log."""
    return code(timezone.localtime(moment).isoformat(sep=" ", timespec="milliseconds"))


def bar(share: float) -> SafeString:
    """`share` is from 0 to 1."""
    percent = round(100 * min(max(share, 0.0), 1.0))
    return format_html('<progress max="100" value="{}"></progress> {}', percent, formats.percent(percent))


# What is as logs have it


def code(text: object) -> str:
    """An id, a name, a path: left to right on every page."""
    return format_html('<bdi dir="ltr" class="code">{}</bdi>', text) if text is not None and text != "" else NOTHING


def data(value: Any) -> str:
    """JSON, left to right on every page."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return format_html('<pre dir="ltr" class="code">{}</pre>', text) if value else NOTHING


def name(text: str) -> SafeString:
    """What a person wrote, in whichever direction it runs."""
    return format_html("<bdi>{}</bdi>", text)


# Of a job


def waited(job: Job, stages: Iterable[StageRun]) -> timedelta:
    """From the request to the first work, or to now."""
    return (_begun(stages) or job.ended or timezone.now()) - job.created


def worked(job: Job, stages: Iterable[StageRun]) -> timedelta | None:
    """From the first work to the end, or to now; None where nothing has begun."""
    begun = _begun(stages)
    return (job.ended or timezone.now()) - begun if begun else None


def _begun(stages: Iterable[StageRun]) -> datetime | None:
    return min((run.started for run in stages if run.started), default=None)


def took(run: StageRun) -> timedelta | None:
    """What the last attempt at a stage took, or has taken so far."""
    if run.started is None or (run.ended is None and run.status != StageStatus.RUNNING):
        return None
    return (run.ended or timezone.now()) - run.started


def notes(found: list[dict[str, Any]]) -> str:
    return format_html_join("", "<p>{}</p>", ((formats.noted(note),) for note in found)) or NOTHING


def sentence(record: ErrorRecord | dict[str, Any]) -> str:
    """What the owner reads of an error. A record that this version does not know is shown as it is."""
    try:
        return formats.sentence_of(from_record({"code": record["code"], "params": record["params"], "detail": ""}))
    except (KeyError, IndexError, TypeError, ValueError):
        return code(record)


def failure(record: dict[str, Any] | None) -> str:
    """The sentence, the kind of the error, and its technical text one click away."""
    if not record:
        return NOTHING
    kind, detail = record.get("code", ""), record.get("detail")
    said = format_html("<p>{} {}</p>", sentence(record), code(kind))
    if not detail:
        return said
    more = '{}<details><summary>{}</summary><pre dir="ltr" class="code">{}</pre></details>'
    return format_html(more, said, _("Technical details"), detail)

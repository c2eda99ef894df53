"""How the admin shows a job: shares, spans of time, errors; of what was read already, so that it costs no query."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.models import Job, StageRun, StageStatus
from jobs.pipeline.errors import from_record

NOTHING = "–"
AT_WORK = (StageStatus.READY, StageStatus.RUNNING, StageStatus.FAILED)
"""A job is at the stages that are in one of these, often two at once."""

_UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def span(length: timedelta | None) -> str:
    """93784 s → “1 d 2 h”: two units at most, no fraction of a second but below ten of them."""
    if length is None:
        return NOTHING
    seconds = max(0.0, length.total_seconds())
    if seconds < 10:
        return f"{seconds:.1f} s"
    left = round(seconds)
    parts: list[str] = []
    for unit, size in _UNITS:
        if left >= size or parts:
            parts.append(f"{left // size} {unit}")
            left %= size
    return " ".join(part for part in parts[:2] if not part.startswith("0 "))


def ago(moment: datetime | None) -> str:
    return f"{span(timezone.now() - moment)} ago" if moment else "never"


def exactly(moment: datetime) -> str:
    """To the millisecond, to be compared with a log."""
    return timezone.localtime(moment).isoformat(sep=" ", timespec="milliseconds")


def bar(share: float) -> SafeString:
    """`share` is from 0 to 1."""
    percent = f"{100 * min(max(share, 0.0), 1.0):.0f}"
    return format_html('<progress max="100" value="{0}">{0} %</progress> {0} %', percent)


def current(stages: Iterable[StageRun]) -> str:
    return ", ".join(f"{run.stage} {run.status}" for run in stages if run.status in AT_WORK) or NOTHING


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


def sentence(record: dict[str, Any] | None) -> str:
    """What the owner reads of an error. A record that this version does not know is shown as it is."""
    if not record:
        return NOTHING
    try:
        return str(from_record({"code": record["code"], "params": record["params"], "detail": ""}))
    except (KeyError, IndexError, TypeError, ValueError):
        return str(record)


def failure(record: dict[str, Any] | None) -> SafeString | str:
    """The sentence, the kind of the error, and its technical text one click away."""
    if not record:
        return NOTHING
    detail = record.get("detail")
    more = format_html("<details><summary>Technical text</summary><pre>{}</pre></details>", detail) if detail else ""
    return format_html("<p>{} <code>{}</code></p>{}", sentence(record), record.get("code", ""), more)

"""E-mails to owners whose job has ended, if they asked for one.

An e-mail is claimed before it is sent, so none is sent twice; it is lost when the process is killed in between or the
mail server refuses it.
"""

from __future__ import annotations

import logging
import smtplib
import threading
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import Error as DatabaseTrouble
from django.db import close_old_connections, connection
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils import translation

from jobs.i18n import formats
from jobs.models import Job, JobStatus

log = logging.getLogger(__name__)

POLL_INTERVAL = 1.0
"""Seconds between two polls for ended jobs."""


def address_of(user: Any) -> str:
    """The e-mail address of a user; empty without one or without a mail server."""
    return user.email if settings.EMAIL_HOST else ""


def deliver(stop: threading.Event) -> None:
    """Send due e-mails until `stop` is set. An error with one e-mail is logged and does not stop the others."""
    while not stop.wait(POLL_INTERVAL):
        try:
            close_old_connections()
            send_all()
        except DatabaseTrouble:
            log.warning("E-mails paused: the database does not respond")
            with suppress(DatabaseTrouble):
                connection.close()
        except Exception:
            log.exception("E-mail failed")
    connection.close()


def send_all() -> None:
    """Send the e-mails that are due now."""
    for job in due():
        if claim(job):
            _send(job)


def due() -> QuerySet[Job]:
    """Completed, failed and paused jobs whose owners asked for an e-mail that was not claimed yet, the oldest first."""
    # Filtered by `ended` and not by status, so that the partial index on `notify` is used.
    ended = Q(ended__isnull=False) & ~Q(status=JobStatus.CANCELLED)
    paused = Q(status=JobStatus.PAUSED, notify__told__isnull=True)
    return Job.objects.filter(ended | paused, notify__isnull=False).select_related("owner").order_by("ended")


def claim(job: Job) -> bool:
    """Claim the e-mail of `job`. Returns True to exactly one of several processes that try. Of a paused job the wish
    stays, for its end: it is only marked as `told`.
    """
    left = {**(job.notify or {}), "told": True} if job.status == JobStatus.PAUSED else None
    return bool(due().order_by().filter(pk=job.pk, status=job.status).update(notify=left))


def _send(job: Job) -> None:
    if not address_of(job.owner):
        return
    try:
        build_email(job).send()
    except (smtplib.SMTPException, OSError) as error:
        log.warning("e-mail not sent: %s", error, extra={"job": str(job.pk)})
    else:
        log.info("e-mail sent", extra={"job": str(job.pk)})


def build_email(job: Job) -> EmailMessage:
    """The e-mail that `job.notify` asks for, in its language."""
    request: dict[str, str] = job.notify or {}
    with translation.override(request["language"]):
        subject, error = formats.news(job), formats.recorded(job.error) if job.error else ""
        paused = job.status == JobStatus.PAUSED
        context = {"news": subject, "error": error, "address": request["address"], "paused": paused}
        body = render_to_string("web/job_email.txt", context)
    return EmailMessage(" ".join(subject.split()), body, to=[address_of(job.owner)])

"""Letters to those who want to be told when their job is done.

A letter is claimed before it is sent: whoever is killed in between, or whose mail server refuses, has lost that letter,
and none is ever sent twice.
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
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import translation

from jobs.i18n import formats
from jobs.models import Job, JobStatus

log = logging.getLogger(__name__)

POLL_INTERVAL = 1.0
"""Seconds between two looks for jobs that are done."""


def address_of(user: Any) -> str:
    """The address under which this person gets letters; empty where there is none, or no mail server."""
    return user.email if settings.EMAIL_HOST else ""


def deliver(stop: threading.Event) -> None:
    """Send what is due until `stop` is set. Whatever is wrong with one letter, the next ones are sent."""
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
    for job in due():
        if claim(job):
            _send(job)


def due() -> QuerySet[Job]:
    """Jobs that have come to their end by themselves, whose owners want to be told and were not.

    Asked for by the end and not by the status, so that the index of the few is used, not that of the many.
    """
    told = Job.objects.filter(notify__isnull=False, ended__isnull=False).exclude(status=JobStatus.CANCELLED)
    return told.select_related("owner").order_by("ended")


def claim(job: Job) -> bool:
    """The right to send the letter of `job`, to one of all who try."""
    return bool(due().order_by().filter(pk=job.pk).update(notify=None))


def _send(job: Job) -> None:
    if not address_of(job.owner):
        return
    try:
        letter(job).send()
    except (smtplib.SMTPException, OSError) as error:
        log.warning("e-mail not sent: %s", error, extra={"job": str(job.pk)})
    else:
        log.info("e-mail sent", extra={"job": str(job.pk)})


def letter(job: Job) -> EmailMessage:
    """What `job.notify` asks for, in its language."""
    asked: dict[str, str] = job.notify or {}
    with translation.override(asked["language"]):
        subject, error = formats.news(job), formats.recorded(job.error) if job.error else ""
        told = {"news": subject, "error": error, "address": asked["address"]}
        body = render_to_string("web/letter.txt", told)
    return EmailMessage(" ".join(subject.split()), body, to=[address_of(job.owner)])

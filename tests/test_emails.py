"""Tests of e-mails about ended jobs: sent once, in the owner's language, also after kills and with hanging servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from jobs import emails, lifecycle
from jobs.intake.options import JobOptions
from jobs.models import Job, JobStatus
from tests.databases import on_both, process_environment
from tests.jobs import rows
from tests.jobs.stack import ROOT
from tests.mail_server import MailServer
from tests.waiting import PATIENCE, until

ASKED = {"language": "en", "address": "https://site.example/jobs/1/"}


@pytest.fixture(autouse=True)
def media_root(tmp_path_factory: pytest.TempPathFactory, settings: Any) -> Path:
    """An empty MEDIA_ROOT, and an empty STATIC_ROOT, without which WhiteNoise warns."""
    settings.STATIC_ROOT = tmp_path_factory.mktemp("static")
    settings.MEDIA_ROOT = tmp_path_factory.mktemp("media")
    (settings.MEDIA_ROOT / "jobs").mkdir()
    return settings.MEDIA_ROOT  # type: ignore[no-any-return]


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    with MailServer().running() as found:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", found.port
        settings.EMAIL_TIMEOUT = 1
        yield found


@pytest.fixture
def shirin(database: str) -> User:
    user = rows.owner("shirin")
    User.objects.filter(pk=user.pk).update(email="shirin@mail.example")
    user.refresh_from_db()
    return user


def done(state: JobStatus = JobStatus.COMPLETED, title: str = "talk.mp4", **fields: Any) -> Job:
    """An ended job whose owner expects an e-mail."""
    job = Job.objects.get(pk=rows.IN[state]().job_id)
    Job.objects.filter(pk=job.pk).update(**{"title": title, "notify": ASKED, **fields})
    job.refresh_from_db()
    return job


# Contents


@pytest.mark.usefixtures("shirin")
def test_a_email_names_the_video_and_its_page(server: MailServer) -> None:
    job = done()
    emails.send_all()
    email = server.received[0]
    assert (email["To"], email["Subject"]) == ("shirin@mail.example", "“talk.mp4” is ready.")
    assert ASKED["address"] in email.get_content()
    assert Job.objects.get(pk=job.pk).notify is None


@pytest.mark.usefixtures("shirin")
def test_in_the_language_in_which_it_was_asked_for(server: MailServer) -> None:
    done(JobStatus.FAILED, notify={**ASKED, "language": "fa"}, error={"code": "DiskFull", "params": {}, "detail": ""})
    emails.send_all()
    assert "talk.mp4" in server.received[0]["Subject"]
    assert "ready" not in server.received[0]["Subject"]
    assert "دیسک پر است" in server.received[0].get_content()


@pytest.mark.usefixtures("shirin")
def test_a_title_cannot_write_headers(server: MailServer) -> None:
    done(title="talk\r\nBcc: everybody@mail.example")
    emails.send_all()
    assert server.received[0]["Bcc"] is None
    assert "talk Bcc: everybody@mail.example" in server.received[0]["Subject"]


# Times of sending


@pytest.mark.usefixtures("shirin")
@pytest.mark.parametrize("state", sorted(set(JobStatus) - {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.PAUSED}))
def test_of_no_other_state(server: MailServer, state: JobStatus) -> None:
    job = done(state)
    emails.send_all()
    assert server.received == []
    assert Job.objects.get(pk=job.pk).notify == ASKED


@pytest.mark.usefixtures("shirin")
def test_who_did_not_ask_gets_none(server: MailServer) -> None:
    done(notify=None)
    emails.send_all()
    assert server.received == []


def test_who_has_no_address_any_more_gets_none(server: MailServer, shirin: User) -> None:
    job = done()
    User.objects.filter(pk=shirin.pk).update(email="")
    emails.send_all()
    assert server.received == []
    assert Job.objects.get(pk=job.pk).notify is None


@pytest.mark.usefixtures("shirin")
def test_a_failed_job_that_goes_on_is_told_of_at_its_end(server: MailServer) -> None:
    job = done(JobStatus.FAILED)
    lifecycle.retry(job.pk, "shirin")
    emails.send_all()
    assert server.received == []
    assert Job.objects.get(pk=job.pk).notify == ASKED


@pytest.mark.usefixtures("shirin")
def test_a_paused_job_is_told_of_once_and_again_at_its_end(server: MailServer) -> None:
    job = done(JobStatus.PAUSED)
    emails.send_all()
    emails.send_all()
    [email] = server.received
    assert email["Subject"].strip() == "“talk.mp4” is paused: its limit is reached."
    assert "Raise the limit of the job to resume." in email.get_content()
    assert "another one when the job is done" in email.get_content()
    lifecycle.go_on(job.pk, "shirin")
    assert Job.objects.get(pk=job.pk).notify == ASKED


@on_both
@pytest.mark.usefixtures("shirin")
def test_two_at_once_send_one(server: MailServer) -> None:
    done()
    start, found = threading.Barrier(2), []

    def send() -> None:
        job = emails.due().get()
        start.wait(10)
        found.append(emails.claim(job))
        connection.close()

    senders = [threading.Thread(target=send) for _ in range(2)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert sorted(found) == [False, True]


@pytest.mark.usefixtures("shirin")
def test_a_server_that_refuses_costs_its_email_only(server: MailServer, settings: Any) -> None:
    first, second = done(), done(title="other.mp4")
    settings.EMAIL_PORT, right = 1, server.port
    emails.send_all()
    assert (server.received, list(emails.due())) == ([], [])
    settings.EMAIL_PORT = right
    for job in (first, second):
        Job.objects.filter(pk=job.pk).update(notify=ASKED)
    emails.send_all()
    assert len(server.received) == 2


# The page


def test_asked_for_on_the_page(server: MailServer, shirin: User) -> None:
    client = Client(headers={"Accept-Language": "fa"})
    client.force_login(shirin)
    job = rows.job(shirin, options=JobOptions(target="fa").as_json())
    assert b'name="notify"' in client.get(f"/jobs/{job.pk}/").content
    client.post(f"/jobs/{job.pk}/notify", {"notify": "on"})
    assert Job.objects.get().notify == {"language": "fa", "address": f"http://testserver/jobs/{job.pk}/"}
    assert client.get(f"/api/jobs/{job.pk}").json()["notify"] is True
    client.post(f"/jobs/{job.pk}/notify")
    assert Job.objects.get().notify is None


@pytest.mark.parametrize("lacking", ["address", "server"])
def test_not_offered_where_it_does_not_work(server: MailServer, shirin: User, settings: Any, lacking: str) -> None:
    if lacking == "server":
        settings.EMAIL_HOST = ""
    else:
        User.objects.update(email="")
    client = Client()
    client.force_login(User.objects.get())
    job = rows.job(shirin, options=JobOptions(target="fa").as_json())
    assert b'name="notify"' not in client.get(f"/jobs/{job.pk}/").content
    client.post(f"/jobs/{job.pk}/notify", {"notify": "on"})
    assert Job.objects.get().notify is None


def test_too_late(server: MailServer, shirin: User) -> None:
    client = Client()
    client.force_login(shirin)
    job = done(notify=None)
    client.post(f"/jobs/{job.pk}/notify", {"notify": "on"})
    assert Job.objects.get().notify is None


# The reaper's process


@contextmanager
def reaper(url: str, server: MailServer, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    mail = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(server.port)}
    environment = process_environment(url, **mail, MEDIA_ROOT=str(log.parent))
    command = [sys.executable, "manage.py", "reap", "--loop"]
    with log.open("ab") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.soak
@pytest.mark.usefixtures("shirin")
def test_killed_while_it_is_sent_it_is_not_sent_twice(database: str, server: MailServer, tmp_path: Path) -> None:
    """And while the mail server is silent the reaper does its work: a job is cancelled."""
    (tmp_path / "jobs").mkdir()
    server.silent = True
    job, other = done(), rows.job()
    with reaper(database, server, tmp_path / "log") as process:
        until(lambda: server.callers, every=0.05, what=(tmp_path / "log").read_text)
        assert Job.objects.get(pk=job.pk).notify is None, "claimed before"
        lifecycle.cancel(other.pk, actor="shirin")
        until(lambda: Job.objects.get(pk=other.pk).status == JobStatus.CANCELLED)
        os.kill(process.pid, signal.SIGKILL)
    server.silent = False
    late = done(title="late.mp4")
    with reaper(database, server, tmp_path / "log") as process:
        until(lambda: server.received, every=0.05, what=(tmp_path / "log").read_text)
        time.sleep(2 * emails.POLL_INTERVAL)
        assert [email["Subject"] for email in server.received] == ["“late.mp4” is ready."]
        assert Job.objects.get(pk=late.pk).notify is None
        process.terminate()
        assert process.wait(PATIENCE) == 0

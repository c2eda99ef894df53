"""Tests that real messages have the types of `static/web/messages.js`, with the compiler of TypeScript."""

from __future__ import annotations

import json
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from jobs.intake.options import JobOptions
from jobs.models import Artifact, Cue, Job, JobStatus
from jobs.web.live import messages
from jobs.web.live.messages import MessageBuilder, Page
from tests.jobs import rows
from tests.web.tus_client import VERSION, address, job_of, patch, signed_in

pytestmark = pytest.mark.django_db

ROOT = Path(settings.BASE_DIR)
COMPILER = ROOT / "node_modules" / ".bin" / "tsc"
TYPES = ROOT / "static" / "web" / "messages.js"
OPTIONS = ["--noEmit", "--strict", "--allowJs", "--module", "nodenext", "--target", "es2022", "--pretty", "false"]
Typed = list[tuple[str, Any]]
"""Names of types, each with data that should be of that type."""


def shirin() -> User:
    return rows.owner("shirin")


def made(status: JobStatus, **fields: Any) -> Job:
    job = Job.objects.get(pk=rows.IN[status]().job_id)
    Job.objects.filter(pk=job.pk).update(
        options=JobOptions(target="fa").as_json(), title="talk.mp4", spoken="en", **fields
    )
    return Job.objects.get(pk=job.pk)


def page(job: Job | None = None, owner: User | None = None) -> Page:
    watched = job.pk if job else None
    return Page(page_id=uuid.uuid4(), owner_id=(owner or shirin()).pk, language="en", job_id=watched, channel="test")


def in_each_state() -> list[Job]:
    """A job in each state; the completed one has files, times and findings."""
    failed, cancelled, cancelling = [made(JobStatus[name]) for name in ("FAILED", "CANCELLED", "CANCELLING")]
    paused = made(JobStatus.PAUSED)
    findings = [{"kind": "fast", "cue": 1}, {"kind": "fast", "cue": 2}]
    result = {"seconds": {"fetch": 1.0}, "usage": {"input_tokens": 3}, "quality": {"findings": findings}}
    completed = made(JobStatus.COMPLETED, result=result, seconds=60.0, engines={"translate": "apertium"})
    for kind, name in (("video", "talk.fa.mp4"), ("poster", "talk.webp")):
        Artifact.objects.create(job=completed, kind=kind, name=name, size=1000)
    uploading = made(JobStatus.UPLOADING, source_kind="upload", source="talk.mp4", size=4321)
    running = made(JobStatus.RUNNING)
    return [failed, cancelled, cancelling, paused, completed, uploading, running, made(JobStatus.QUEUED)]


def told_by_sockets(jobs: list[Job]) -> Typed:
    """Every kind of message that a page gets by its socket."""
    builder, other = MessageBuilder(), rows.owner("reza")
    watching = [page(job) for job in jobs]
    said = builder.snapshots([page(), *watching])
    Cue.objects.filter(job=jobs[0]).delete()
    Cue.objects.bulk_create([Cue(job=jobs[0], number=n, start=n, end=n + 1, source="one") for n in (8, 9)])
    said += builder.changes(jobs, [page(), *watching, page(jobs[-1], other)])
    lost = page(jobs[-1])
    lost.job_id = uuid.uuid4()
    said += builder.deletions([lost])
    texts = [text for _, text in said] + [messages.ALIVE]
    return [("ServerMessage", json.loads(text)) for text in texts]


def told_by_the_api(jobs: list[Job]) -> Typed:
    client = Client()
    client.force_login(shirin())
    running = jobs[-2].pk
    answers: Typed = [("Job", client.get(f"/api/jobs/{job.pk}").json()) for job in jobs]
    answers += [
        ("JobList", client.get("/api/jobs").json()),
        ("CueList", client.get(f"/api/jobs/{running}/cues").json()),
    ]
    answers += [("OpenPage", client.post("/api/pages").json())]
    answers += [("Problem", client.get(f"/api/jobs/{uuid.uuid4()}").json())]
    return answers


def compiled(typed: Typed, place: Path) -> str:
    """The errors of the compiler for data that should have these types; empty if none."""
    if not COMPILER.exists():
        pytest.skip("node_modules is missing; `make check` installs it")
    names = ", ".join(sorted({name for name, _ in typed}))
    lines = [f'import type {{ {names} }} from "{TYPES}";']
    lines += [f"export const x{n}: {name} = {json.dumps(data)};" for n, (name, data) in enumerate(typed)]
    source = place / "messages.ts"
    source.write_text("\n".join(lines), encoding="utf-8")
    found = subprocess.run([COMPILER, *OPTIONS, source], cwd=place, capture_output=True, text=True, check=False)
    return found.stdout


def told_of_an_upload() -> Typed:
    job = job_of(shirin(), 10)
    client = signed_in(job.owner)
    patch(client, job, 0, b"01234")
    return [("Checksums", client.get(f"{address(job)}/checksums", headers=VERSION).json())]


def test_all_that_is_sent_has_its_type(tmp_path: Path) -> None:
    upload = told_of_an_upload()
    jobs = in_each_state()
    typed = told_by_sockets(jobs) + told_by_the_api(jobs) + upload
    assert {data["type"] for name, data in typed if name == "ServerMessage"} == {
        *("hello", "job", "brief", "cues", "gone", "alive")
    }
    shown = [data for name, data in typed if name == "Job"]
    for part in ("upload", "video", "files", "facts", "problems", "stages"):
        assert any(job[part] for job in shown), part
    assert compiled(typed, tmp_path) == ""


def test_what_is_missing_or_unknown_is_found(tmp_path: Path) -> None:
    made(JobStatus.RUNNING)
    (_, hello), *_ = told_by_sockets([Job.objects.get()])
    (_, job), *_ = told_by_the_api([Job.objects.get()] * 2)
    typed: Typed = [
        ("ServerMessage", {**hello, "surprise": 1}),
        ("Job", {name: value for name, value in job.items() if name != "percent"}),
        ("Job", {**job, "status": "resting"}),
        ("Job", {**job, "can": {**job["can"], "fly": True}}),
    ]
    found = compiled(typed, tmp_path)
    assert [f"({line}," in found for line in (2, 3, 4, 5)] == [True] * 4

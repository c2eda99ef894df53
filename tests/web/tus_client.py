"""The smallest client of tus: what it sends is up to the test."""

from __future__ import annotations

import base64
import uuid
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from jobs.intake import submit
from jobs.intake.options import JobOptions
from jobs.models import Job
from tests.jobs import rows

PIECE = "application/offset+octet-stream"
VERSION = {"Tus-Resumable": "1.0.0"}


def job_of(owner: User, size: int, name: str = "film.mp4") -> Job:
    """An upload as the page of a new job makes it."""
    return submit.accept_upload(owner, name, size, JobOptions(target="es", spoken="en"), keep_running=True)


def signed_in(user: User | None, **more: Any) -> Client:
    client = Client(**more)
    if user:
        client.force_login(user)
    return client


def cast() -> dict[str, User | None]:
    """Shirin, whose upload it is, and others."""
    staff = User.objects.create(username="mina", is_staff=True)
    return {"shirin": rows.owner(), "omid": rows.owner("omid"), "staff": staff, "nobody": None}


def address(job: Job | uuid.UUID) -> str:
    return f"/uploads/{getattr(job, 'pk', job)}"


def patch(client: Client, job: Job | uuid.UUID, offset: Any, data: bytes, **headers: str) -> Any:
    """`headers` with an underscore for each hyphen; an empty one is not sent."""
    kind = headers.pop("Content_Type", PIECE)
    usual = {**VERSION, "Upload-Offset": str(offset)}
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {name: value for name, value in (usual | more).items() if value}
    return client.patch(address(job), data, content_type=kind, headers=sent)


def head(client: Client, job: Job | uuid.UUID) -> Any:
    return client.head(address(job), headers=VERSION)


def delete(client: Client, job: Job | uuid.UUID) -> Any:
    return client.delete(address(job), headers=VERSION)


def create(client: Client, size: Any, **fields: str) -> Any:
    pairs = [f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in fields.items()]
    sent = {**VERSION, "Upload-Length": str(size), "Upload-Metadata": ",".join(pairs)}
    return client.post("/uploads/", headers=sent)

"""Files from a real web server, to clients that take their time or go."""

from __future__ import annotations

import os
import time
import uuid

from jobs.models import Artifact
from jobs.storage import artifacts
from tests.jobs import rows
from tests.waiting import until
from tests.web.server import Server, headers
from tests.web.tus_client import job_of

SIZE = 300 << 20


def test_a_client_that_takes_nothing_costs_nothing(server: Server) -> None:
    """Unread data stays on the disk; the file is closed on disconnect."""
    job = job_of(rows.owner(), SIZE)
    path = artifacts.make_attempt_dir(job.pk, uuid.uuid4()) / "video.mp4"
    path.touch()
    os.truncate(path, SIZE)
    Artifact.objects.create(job=job, kind="video", name=f"{path.parent.name}/{path.name}", size=SIZE)
    who = headers(job.owner)
    assert server.ask("GET", f"/media/{job.pk}/video", **who, Range="bytes=0-0").data == b"\0"
    before = server.peak()
    with server.connect() as connection:
        connection.request("GET", f"/media/{job.pk}/video", headers={"Cookie": who["Cookie"]})
        answer = connection.getresponse()
        assert answer.read(1 << 20) == bytes(1 << 20)
        assert path in server.files()
        time.sleep(1)  # unhindered, all of it would have come into memory by now
        assert server.peak() - before < 20 << 20
        answer.close()
    until(lambda: path not in server.files())

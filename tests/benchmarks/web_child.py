"""`python -m tests.benchmarks.web_child PORT CLIENT FILM`: asks a daphne on the same database for a job, over and over,
while nothing else happens, while another process uploads and while another one downloads. Prints JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "translator.settings"
django.setup()

from jobs.models import Artifact, Job  # noqa: E402
from jobs.storage import artifacts  # noqa: E402
from tests.benchmarks.site import Site  # noqa: E402
from tests.jobs import rows  # noqa: E402
from tests.web import large  # noqa: E402
from tests.web.server import TOKEN, headers  # noqa: E402
from tests.web.tus_client import job_of  # noqa: E402

REST = 0.02
"""Seconds between two requests."""

ALONE = 10
"""Seconds for which they are measured alone."""


def others(server: Site, job: Job, command: list[str]) -> dict[str, Any]:
    """Measure requests until `command` ends: the waits in milliseconds, and the seconds it took."""
    who, waits = headers(job.owner), []
    server.ask("GET", f"/api/jobs/{job.pk}", **who)
    began = time.monotonic()
    process = subprocess.Popen(command)
    while process.poll() is None:
        asked = time.monotonic()
        answer = server.ask("GET", f"/api/jobs/{job.pk}", **who)
        waits.append(1000 * (time.monotonic() - asked))
        assert answer.status == 200
        time.sleep(REST)
    assert process.returncode == 0
    return {"waits": waits, "seconds": time.monotonic() - began}


def publish(job: Job, film: Path) -> None:
    path = artifacts.make_attempt_dir(job.pk, uuid.uuid4()) / "video.mp4"
    path.hardlink_to(film)
    name = f"{path.parent.name}/{path.name}"
    Artifact.objects.create(job=job, kind="video", name=name, size=film.stat().st_size)


def main(port: str, film: str) -> None:
    server = Site({}, Path(), int(port))
    job = job_of(rows.owner(), Path(film).stat().st_size)
    cookie = headers(job.owner)["Cookie"]
    alone = ["sleep", str(ALONE)]
    upload = large.uploading(Path(film), f"{server.base}/uploads/{job.pk}", cookie, TOKEN)
    address = f"{server.base}/media/{job.pk}/video"
    download = [sys.executable, "-m", "tests.benchmarks.web_seeking", address, cookie]
    found = {"idle": others(server, job, alone), "upload": others(server, job, upload)}
    publish(job, Path(film))
    found["download"] = others(server, job, download)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])

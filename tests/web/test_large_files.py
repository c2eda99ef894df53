"""Tests of 400 MB up and down: the memory of the web server stays small. `make bench` measures other visitors."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.models import Artifact
from jobs.storage import artifacts
from tests.jobs import rows
from tests.web import large
from tests.web.large import MOST, SIZE
from tests.web.server import TOKEN, Server, headers
from tests.web.tus_client import job_of

pytestmark = [pytest.mark.soak, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = large.film(tmp_path_factory.mktemp("large") / "film.mp4")
    yield path
    path.unlink()


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_a_large_upload(server: Server, film: Path) -> None:
    try:
        large.require_client()
    except large.NoClient as missing:
        pytest.skip(str(missing))
    job = job_of(rows.owner(), SIZE)
    cookie = headers(job.owner)["Cookie"]
    subprocess.run(large.uploading(film, f"{server.base}/uploads/{job.pk}", cookie, TOKEN), check=True)
    assert rows.status(job.pk) == "queued"
    assert digest(artifacts.job_dir(job.pk) / "source.mp4") == digest(film)
    assert server.peak() < MOST


@pytest.mark.parametrize("rest", [0.0, 0.01])
def test_a_large_download(server: Server, film: Path, rest: float) -> None:
    """`rest`: seconds for which a slow client pauses after each MiB."""
    job = job_of(rows.owner(), SIZE)
    path = artifacts.make_attempt_dir(job.pk, uuid.uuid4()) / "video.mp4"
    os.link(film, path)
    Artifact.objects.create(job=job, kind="video", name=f"{path.parent.name}/{path.name}", size=SIZE)
    who, found = headers(job.owner), hashlib.sha256()
    with server.connect() as connection:
        asked = {name.replace("_", "-"): value for name, value in who.items()}
        connection.request("GET", f"/media/{job.pk}/video", headers={**asked, "Range": "bytes=0-"})
        answer = connection.getresponse()
        assert answer.status == 206
        while piece := answer.read(1 << 20):
            found.update(piece)
            time.sleep(rest)
    assert found.hexdigest() == digest(film)
    assert server.peak() < MOST

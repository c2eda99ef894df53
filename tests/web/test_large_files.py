"""400 MB up and down, through one web server that answers others meanwhile and stays small."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import statistics
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jobs import artifacts
from jobs.models import Artifact
from tests.jobs import rows
from tests.web.server import TOKEN, Server, headers
from tests.web.tus_client import job_of

pytestmark = [pytest.mark.soak, pytest.mark.timeout(300)]

SIZE = 400 << 20
MOST = 150 << 20
"""Bytes of memory that the server may ever have."""


@pytest.fixture
def server(database: str, tmp_path: Path, settings: Any) -> Iterator[Server]:
    settings.MEDIA_ROOT = tmp_path / "media"
    with Server(database, settings.MEDIA_ROOT).running() as found:
        yield found


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("large") / "film.mp4"
    random.seed(5)
    with path.open("wb") as file:
        for _ in range(SIZE >> 20):
            file.write(random.randbytes(1 << 20))
    yield path
    path.unlink()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """tus-js-client with what it needs under node."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    place = tmp_path_factory.mktemp("node")
    command = ["npm", "install", "--silent", "--ignore-scripts", "--prefix", str(place), "tus-js-client@4.3.1"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("npm does not reach its registry")
    return place / "node_modules" / "tus-js-client"


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def others(server: Server, path: str, who: dict[str, str], told: str) -> Iterator[None]:
    """Somebody asks for `path` all the while; how long that took is printed."""
    over, waits = threading.Event(), [0.0]

    def ask() -> None:
        while not over.wait(0.02):
            began = time.perf_counter()
            assert server.ask("GET", path, **who).status == 200
            waits.append(time.perf_counter() - began)

    thread = threading.Thread(target=ask)
    thread.start()
    began = time.perf_counter()
    try:
        yield
    finally:
        seconds = time.perf_counter() - began
        over.set()
        thread.join()
    late = statistics.quantiles(waits, n=20)[-1]
    print(f"{told}: {seconds:.1f} s, most memory {server.peak() / 2**20:.0f} MiB; ", end="")  # noqa: T201
    print(f"{len(waits)} others p95 {1000 * late:.0f} ms, worst {1000 * max(waits):.0f} ms")  # noqa: T201


def test_a_large_upload(server: Server, film: Path, client: Path) -> None:
    job = job_of(rows.owner(), SIZE)
    who = headers(job.owner)
    script = Path(__file__).with_name("large.js")
    address = f"{server.base}/uploads/{job.pk}"
    command = ["node", str(script), str(client), str(film), address, who["Cookie"], TOKEN]
    with others(server, f"/api/jobs/{job.pk}", who, "upload"):
        subprocess.run(command, check=True)
    assert rows.status(job.pk) == "queued"
    assert digest(artifacts.home(job.pk) / "source.mp4") == digest(film)
    assert server.peak() < MOST


@pytest.mark.parametrize("rest", [0.0, 0.01])
def test_a_large_download(server: Server, film: Path, rest: float) -> None:
    """`rest`: seconds for which a slow client pauses after each MiB."""
    job = job_of(rows.owner(), SIZE)
    path = artifacts.room(job.pk, uuid.uuid4()) / "video.mp4"
    os.link(film, path)
    Artifact.objects.create(job=job, kind="video", name=f"{path.parent.name}/{path.name}", size=SIZE)
    who, found = headers(job.owner), hashlib.sha256()
    with others(server, f"/api/jobs/{job.pk}", who, "download"), server.connect() as connection:
        asked = {name.replace("_", "-"): value for name, value in who.items()}
        connection.request("GET", f"/media/{job.pk}/video", headers={**asked, "Range": "bytes=0-"})
        answer = connection.getresponse()
        assert answer.status == 206
        while piece := answer.read(1 << 20):
            found.update(piece)
            time.sleep(rest)
    assert found.hexdigest() == digest(film)
    assert server.peak() < MOST

"""deploy/nginx.conf, with a real nginx in front of a real web server."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobs import presence
from jobs.models import Artifact, Job
from jobs.storage import artifacts
from jobs.web.routing import socket_path
from jobs.web.uploads import protocol as tus
from tests.jobs import rows
from tests.jobs.stack import ROOT
from tests.postgres import free_port
from tests.waiting import until
from tests.web.server import Server, headers
from tests.web.tus_client import PIECE, job_of

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed: apt install nginx-light")

DATA = random.Random(5).randbytes(9 << 20)


@pytest.fixture
def server(database: str, tmp_path: Path, media_root: Path) -> Iterator[Server]:
    """The site behind nginx. DEBUG, because the static files of its 404 page are not collected."""
    with Server(database, media_root, {"X_ACCEL_REDIRECT": "/protected", "DEBUG": "1"}).running() as behind:
        place = tmp_path / "nginx"
        place.mkdir()
        port = free_port()
        command = [str(NGINX), "-p", str(place), "-c", str(_configuration(place, behind, port)), "-e", "error.log"]
        process = subprocess.Popen(command)
        try:
            front = replace(behind, port=port)
            until(lambda: front.answers(), every=0.02, what=lambda: (place / "error.log").read_text())
            yield front
        finally:
            process.terminate()
            process.wait()


def _configuration(place: Path, behind: Server, port: int) -> Path:
    """The file as it is, with what it says to change changed; around it, what Debian's own file says."""
    site = (ROOT / "deploy" / "nginx.conf").read_text()
    changes = {
        "127.0.0.1:8000": f"127.0.0.1:{behind.port}",
        "listen 80;": f"listen 127.0.0.1:{port};",
        "/srv/zirnevis/media/": f"{behind.media}/",
    }
    for usual, ours in changes.items():
        assert site.count(usual) == 1
        site = site.replace(usual, ours)
    temporary = "".join(
        f"{name}_temp_path {place}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    who = "user root;\n" if os.geteuid() == 0 else ""
    path = place / "nginx.conf"
    path.write_text(
        f"{who}daemon off;\npid {place}/pid;\nevents {{}}\n"
        f"http {{\ninclude /etc/nginx/mime.types;\naccess_log off;\ngzip on;\ngzip_types *;\n{temporary}{site}}}\n"
    )
    return path


def video() -> Job:
    job = rows.job(title="geese", source_kind="link")
    artifacts.make_job_dir(job.pk)
    path = artifacts.make_attempt_dir(job.pk, uuid.uuid4()) / "a b%41;.mp4"
    path.write_bytes(DATA)
    Artifact.objects.create(job=job, kind="video", name=f"{path.parent.name}/{path.name}", size=len(DATA))
    return job


def test_videos_uploads_sockets_and_what_is_too_large(server: Server) -> None:
    job = video()
    who = headers(job.owner)
    answer = server.ask("GET", f"/media/{job.pk}/video?download=1", **who, Range="bytes=5-1000004")
    assert (answer.status, answer.data == DATA[5:1000005]) == (206, True)
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="geese.fa.mp4"'
    assert answer.headers["Content-Range"] == f"bytes 5-1000004/{len(DATA)}"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    whole = server.ask("GET", f"/media/{job.pk}/video", **who, Accept_Encoding="gzip")
    assert (whole.data == DATA, whole.headers.get("Content-Encoding")) == (True, None)
    beyond = server.ask("GET", f"/media/{job.pk}/video", **who, Range=f"bytes={len(DATA)}-")
    assert beyond.status == 416
    guarded(answer)
    guarded(beyond)
    assert server.ask("GET", f"/media/{job.pk}/video", **headers(rows.owner("omid"))).status == 404
    name = Artifact.objects.get().name
    assert server.ask("GET", f"/protected/jobs/{job.pk}/{name.replace(' ', '%20')}", **who).status == 404
    uploaded(server, who)
    socket_opened(server, who)


def guarded(answer: Any) -> None:
    """Whether a response of nginx has the security headers of the site."""
    guards = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin"}
    assert {name: answer.headers.get(name) for name in guards} == guards
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


def socket_opened(server: Server, who: dict[str, str]) -> None:
    place = socket_path(presence.open_page(rows.owner().pk))
    asked = {"Upgrade": "websocket", "Connection": "Upgrade", "Origin": server.base}
    key = {"Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec_WebSocket_Version": "13"}
    assert server.ask("GET", place, **who, **asked, **key).status == 101


def uploaded(server: Server, who: dict[str, str]) -> None:
    job = job_of(rows.owner(), len(DATA))
    for start in (0, 8 << 20):
        piece = DATA[start : start + (8 << 20)]
        sent = {**who, "Upload_Offset": str(start), "Content_Type": PIECE}
        answer = server.ask("PATCH", f"/uploads/{job.pk}", piece, **sent)
        assert (answer.status, answer.headers["Upload-Offset"]) == (204, str(start + len(piece)))
    assert (artifacts.job_dir(job.pk) / "source.mp4").read_bytes() == DATA
    assert rows.status(job.pk) == "queued"
    too_much = {**who, "Content_Type": PIECE, "Content_Length": str(tus.MAX_CHUNK_BYTES + 1)}
    assert server.ask("PATCH", f"/uploads/{job.pk}", b"", **too_much).status == 413

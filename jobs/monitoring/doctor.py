"""Findings of `manage.py doctor`: what is installed, what is missing, and the command that installs it."""

from __future__ import annotations

import http.client
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from jobs import lifecycle
from jobs.engines.registry import DIARIZERS, TRANSCRIBERS, TRANSLATORS
from jobs.engines.spec import Spec
from jobs.monitoring import health
from jobs.monitoring.health import MIN_FREE_BYTES
from jobs.pipeline.errors import PipelineError
from jobs.pipeline.media.ffmpeg import ffmpeg
from jobs.pipeline.media.limits import bytes_text
from jobs.pipeline.subtitles.fonts import FONTS, missing_font
from jobs.pipeline.text.languages import language
from jobs.storage import artifacts, installation
from jobs.worker import in_process

ASKED_FOR_HTTPS = "_https=1"
"""The mark of a redirected address in `web.middleware`, which answers 400 to it when the request is not secure."""

_PAIRS = (("en", "fa"), ("en", "es"), ("fa", "en"), ("ar", "fa"))
"""Language pairs whose engines are shown; the main purpose of this project first."""

_OURS = (in_process.COMMAND, lifecycle.SYSTEM, lifecycle.PRESENCE)
"""Names under which the site writes what it does itself."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The result of one check. A finding that is `needed` and not `good` keeps videos from being translated."""

    subject: str
    good: bool
    detail: str
    remedy: str = ""
    needed: bool = False


def examine() -> Iterator[Finding]:
    """Yield all findings in the order in which they are shown. Loads no model, sends and changes nothing."""
    yield Finding(subject="Zirnevis", good=True, detail=settings.VERSION)
    yield Finding(subject="Python", good=True, detail=platform.python_version())
    yield _ffmpeg()
    yield from _fonts()
    yield _database()
    yield _media_directory()
    yield from _names()
    yield from _https()
    yield from _processes()
    yield from (_engine("speech", spec) for spec in TRANSCRIBERS)
    yield from (_engine("translation", spec) for spec in TRANSLATORS)
    yield from (_engine("speakers", spec) for spec in DIARIZERS)
    yield from _languages()
    yield _main_job()


def _ffmpeg() -> Finding:
    try:
        filters = _output(str(ffmpeg()), "-hide_banner", "-filters")
        version = _output(str(ffmpeg()), "-version").split(" ")[2]
    except (PipelineError, OSError, subprocess.SubprocessError, IndexError) as error:
        remedy = "pip install -r requirements/base.txt"
        return Finding(subject="ffmpeg", good=False, detail=str(error), remedy=remedy, needed=True)
    able = " ass " in filters
    detail = f"{version}, {'can burn in subtitles (libass)' if able else 'lacks libass'}"
    return Finding(subject="ffmpeg", good=able, detail=detail, remedy="unset IMAGEIO_FFMPEG_EXE", needed=True)


def _fonts() -> Iterator[Finding]:
    bundled = sorted(path.stem for path in FONTS.glob("*.ttf"))
    yield Finding(
        subject="Fonts", good=bool(bundled), detail=", ".join(bundled) or "none", remedy="make vendor", needed=True
    )
    for code in ("zh", "ja", "ko", "hi", "th"):
        if package := missing_font(language(code)):
            detail = f"no font to burn in {language(code).name} subtitles"
            yield Finding(subject="Fonts", good=False, detail=detail, remedy=f"apt install {package}")


def _https() -> Iterator[Finding]:
    """Check by a request to the site, with HTTPS=1, that the proxy reports https."""
    if not settings.HTTPS:
        return
    needed, remedy = "the proxy must send “X-Forwarded-Proto: https”", "see “HTTPS” in docs/operations.md"
    host = next((host for host in settings.ALLOWED_HOSTS if _is_public(host)), None)
    if host is None:
        detail = f"{needed}; not checked, because ALLOWED_HOSTS names no public host"
        yield Finding(subject="HTTPS", good=False, detail=detail, remedy=remedy)
        return
    status = _status_of(f"https://{host}/api/health?{ASKED_FOR_HTTPS}")
    details = {400: f"https://{host}: {needed}, and does not", None: f"https://{host} does not answer; {needed}"}
    good = status not in details
    yield Finding(subject="HTTPS", good=good, detail=details.get(status, f"https://{host} answers"), remedy=remedy)


def _is_public(host: str) -> bool:
    return "." in host.strip(".") and host[0] not in ".*[" and not host.startswith("127.")


def _status_of(address: str) -> int | None:
    """The status of the answer, without following it elsewhere; None if there is none within 5 seconds."""
    host, _, path = address.removeprefix("https://").partition("/")
    connection = http.client.HTTPSConnection(host, timeout=5)
    try:
        connection.request("GET", f"/{path}")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _names() -> Iterator[Finding]:
    """Users whose names were reserved for the site after they had registered."""
    try:
        people = [user for user in User.objects.filter(username__in=_OURS) if in_process.is_person(user)]
    except DatabaseError:  # reported by _database
        return
    for user in people:
        detail = f"“{user}” is the name of a person, and the name under which the site writes what it does itself"
        yield Finding(subject="Names", good=False, detail=detail, remedy=f"rename “{user}” in /admin/auth/user/")


def _database() -> Finding:
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        remedy = "check DATABASE_URL"
        return Finding(subject="Database", good=False, detail=str(error).strip(), remedy=remedy, needed=True)
    detail = f"{connection.vendor}, {f'{len(waiting)} migrations not applied' if waiting else 'up to date'}"
    return Finding(subject="Database", good=not waiting, detail=detail, remedy="python manage.py migrate", needed=False)


def _media_directory() -> Finding:
    place = Path(settings.MEDIA_ROOT)
    try:
        if found := installation.problem():
            return Finding(subject="Disk", good=False, detail=found, remedy=installation.REMEDY, needed=True)
        disk = artifacts.disk()
    except DatabaseError:  # reported by _database
        disk = place if os.access(place, os.W_OK) else None
    if disk is None:
        remedy = f"mount the disk, or create {place} so that this user can write to it, or set MEDIA_ROOT"
        return Finding(subject="Disk", good=False, detail=f"{place} is not writable", remedy=remedy, needed=True)
    free = shutil.disk_usage(disk).free
    remedy = "free some space, or set MEDIA_ROOT to a larger disk"
    return Finding(
        subject="Disk", good=free > MIN_FREE_BYTES, detail=f"{bytes_text(free)} free in {place}", remedy=remedy
    )


def _processes() -> Iterator[Finding]:
    """The processes of `make run`: clusters, reaper, web server. None is `needed`: commands start their own."""
    found = health.check_health()
    if not found.database:
        return
    yield from map(_cluster, found.clusters)
    for subject, alive in (("Reaper", found.reaper), ("Web server", found.web)):
        yield Finding(subject=subject, good=alive, detail="running" if alive else "not running", remedy="make run")


def _cluster(cluster: health.Cluster) -> Finding:
    # A stuck cluster is killed by the reaper and restarted by the process that `make run` started.
    state = "stuck, takes no tickets" if cluster.stuck else "running" if cluster.workers else "not running"
    load = f"workers: {cluster.workers}; stages running: {cluster.running}, waiting: {cluster.waiting}"
    detail = f"{state} ({load}; tickets: {cluster.tickets})"
    return Finding(subject=f"Cluster {cluster.name}", good=cluster.ok, detail=detail, remedy="make run")


def _engine(role: str, spec: Spec) -> Finding:
    state = spec.readiness(settings.ENGINE_OPTIONS[spec.name])
    quality = " (offline demo quality)" if spec.demo else ""
    return Finding(
        subject=f"{spec.label}, {role}{quality}",
        good=state.ready,
        detail=" ".join(filter(None, (state.reason, state.detail))),
        remedy=state.remedy,
    )


def _languages() -> Iterator[Finding]:
    for source, target in _PAIRS:
        pair = f"{language(source).name} to {language(target).name}"
        try:
            yield Finding(subject=pair, good=True, detail=_engines_for(source, target))
        except PipelineError as error:
            yield Finding(subject=pair, good=False, detail=str(error))


def _engines_for(source: str, target: str) -> str:
    transcriber, translator = health.engines_for(source, target)
    return f"{transcriber.label}, then {translator.label}"


def _main_job() -> Finding:
    """Whether the ready engines can translate one of MAIN_PAIRS."""
    for source, target in health.MAIN_PAIRS:
        try:
            used = _engines_for(source, target)
        except PipelineError:
            continue
        return Finding(subject="Translating a video", good=True, detail=f"{used} ({source} to {target})", needed=True)
    detail = "no speech engine and translation engine that work together are ready"
    remedy = "make demo; or see “Real quality” in README.md"
    return Finding(subject="Translating a video", good=False, detail=detail, remedy=remedy, needed=True)


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout

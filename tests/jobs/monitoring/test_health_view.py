"""`/api/health`, for monitoring without signing in."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from jobs.engines.gemini import spec as gemini
from jobs.models import Process, Queue
from jobs.queueing import processes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def static_files(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path


@pytest.fixture(autouse=True)
def engines(settings: Any) -> None:
    settings.ENGINE_OPTIONS = settings.ENGINE_OPTIONS | {"gemini": gemini.Options(api_key="very-secret")}
    settings.TRANSCRIBER, settings.TRANSLATOR = "pocketsphinx", "gemini"


def test_nothing_runs(client: Client) -> None:
    answer = client.get("/api/health")
    assert answer.status_code == 503
    assert (answer.json()["ok"], answer.json()["database"], answer.json()["reaper"]) == (False, True, False)


def test_everything_runs(client: Client) -> None:
    for cluster in (*Queue.values, Process.WEB, Process.REAPER):
        processes.register(cluster)
    answer = client.get("/api/health")
    assert (answer.status_code, answer.json()["ok"]) == (200, True)
    assert [each["name"] for each in answer.json()["clusters"]] == list(Queue.values)
    assert answer.json()["disk"]
    assert answer.json()["engines"]["ok"]
    assert {"pocketsphinx", "gemini"} <= set(answer.json()["engines"]["names"])
    assert b"very-secret" not in answer.content


def test_before_the_first_job(client: Client, settings: Any, tmp_path: Path) -> None:
    """A fresh installation is healthy without `MEDIA_ROOT`, which the first job makes."""
    settings.MEDIA_ROOT = tmp_path / "media"
    for cluster in (*Queue.values, Process.WEB, Process.REAPER):
        processes.register(cluster)
    answer = client.get("/api/health")
    assert (answer.status_code, answer.json()["disk"]) == (200, True)


def test_no_engine(client: Client, settings: Any) -> None:
    for cluster in (*Queue.values, Process.WEB, Process.REAPER):
        processes.register(cluster)
    settings.ENGINE_OPTIONS = settings.ENGINE_OPTIONS | {"gemini": gemini.Options()}
    answer = client.get("/api/health")
    assert (answer.status_code, answer.json()["engines"]["ok"]) == (503, False)


def test_it_is_quick(client: Client) -> None:
    """The view is cheap enough for a request every few seconds, measured in CPU seconds."""
    took = []
    for _ in range(5):
        began = time.process_time()
        client.get("/api/health")
        took.append(time.process_time() - began)
    assert min(took) < 0.1


def test_it_is_only_looked_at(client: Client) -> None:
    assert client.post("/api/health").status_code == 405
    assert "no-store" in client.head("/api/health").headers["Cache-Control"]

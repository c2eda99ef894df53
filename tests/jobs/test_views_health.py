"""`/api/health`: for whoever watches over the site, without signing in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from jobs import workers
from jobs.models import Queue, Worker

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def static_files(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path


def test_nothing_runs(client: Client) -> None:
    answer = client.get("/api/health")
    assert answer.status_code == 503
    assert (answer.json()["ok"], answer.json()["database"], answer.json()["reaper"]) == (False, True, False)


def test_everything_runs(client: Client) -> None:
    for cluster in (*Queue.values, Worker.WEB, Worker.REAPER):
        workers.register(cluster)
    answer = client.get("/api/health")
    assert (answer.status_code, answer.json()["ok"]) == (200, True)
    assert [each["name"] for each in answer.json()["clusters"]] == list(Queue.values)


def test_it_is_only_looked_at(client: Client) -> None:
    assert client.post("/api/health").status_code == 405
    assert "no-store" in client.head("/api/health").headers["Cache-Control"]

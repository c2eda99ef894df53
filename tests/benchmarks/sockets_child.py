"""`python -m tests.benchmarks.sockets_child PORT PID SOCKETS ROUNDS`: opens pages at a daphne on the same database,
lets jobs make progress, and writes down what each page is told. Prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
import uuid
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "translator.settings"
django.setup()

from autobahn.asyncio.websocket import WebSocketClientFactory, WebSocketClientProtocol  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.test import Client  # noqa: E402

from jobs import lifecycle, presence  # noqa: E402
from jobs.intake.options import JobOptions  # noqa: E402
from jobs.lifecycle import Claim  # noqa: E402
from jobs.models import Job  # noqa: E402
from jobs.pipeline.stage import Stage  # noqa: E402

JOBS = 50
"""Each of another owner, whose pages all show it."""

PATIENCE = 120.0
APART = 0.65
"""Seconds between two steps of one job: a stage writes its progress at most twice a second."""


class Step(NamedTuple):
    """A job made progress: the version that it has then, when that began to be written, and when it was committed."""

    job: uuid.UUID
    version: int
    began: float
    committed: float


class PageSocket(WebSocketClientProtocol):  # type: ignore[misc]
    """A page's socket that records each version of its job with the time of its arrival."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[int, float] = {}
        self.greeted = asyncio.Event()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        now, message = time.monotonic(), json.loads(payload)
        if message["type"] in {"hello", "job"}:
            self.told.setdefault(message["job"]["version"], now)
            self.greeted.set()


class Bench:
    def __init__(self, port: int, pid: int) -> None:
        self.port, self.pid = port, pid
        self.owners: dict[uuid.UUID, tuple[int, str]] = {}
        self.claims = [self._running(f"bench{number}") for number in range(JOBS)]
        self.sockets: dict[uuid.UUID, list[PageSocket]] = defaultdict(list)

    def _running(self, name: str) -> Claim:
        owner = get_user_model().objects.create(username=name)
        client = Client()
        client.force_login(owner)
        order = JobOptions(target="fa").as_json()
        fields: dict[str, Any] = {"source_kind": "link", "source": "https://example.org/v", "target": "fa"}
        stages = (Stage.TRANSCRIBE, Stage.TRANSLATE)
        lifecycle.create(owner=owner, actor=name, stages=stages, options=order, keep_running=True, **fields)
        claim = lifecycle.claim("speech")
        assert claim
        self.owners[claim.job_id] = owner.pk, f"sessionid={client.cookies['sessionid'].value}"
        return claim

    async def open(self, claim: Claim) -> None:
        owner_id, cookie = self.owners[claim.job_id]
        page = await asyncio.to_thread(presence.open_page, owner_id)
        address = f"ws://127.0.0.1:{self.port}/ws/page/{page}/?job={claim.job_id}&language=en"
        origin = f"http://127.0.0.1:{self.port}"
        factory = WebSocketClientFactory(address, origin=origin, headers={"Cookie": cookie})
        factory.protocol = PageSocket
        loop = asyncio.get_running_loop()
        _, socket = await loop.create_connection(factory, "127.0.0.1", self.port)
        self.sockets[claim.job_id].append(socket)
        await asyncio.wait_for(socket.greeted.wait(), PATIENCE)

    async def step(self, claim: Claim) -> Step:
        began = time.monotonic()
        version, committed = await asyncio.to_thread(_write, claim)
        return Step(claim.job_id, version, began, committed)

    def lost(self, steps: list[Step]) -> int:
        """The steps of which a page received neither the version nor a later one."""
        return sum(max(socket.told) < step.version for step in steps for socket in self.sockets[step.job])

    def passed_over(self, steps: list[Step]) -> int:
        """The steps of which a page received only a later version."""
        return sum(step.version not in socket.told for step in steps for socket in self.sockets[step.job])

    def shown(self, steps: list[Step]) -> list[tuple[float, float]]:
        """Milliseconds to the page from the start of the write, and from its commit."""
        return [
            (1000 * (told - step.began), 1000 * (told - step.committed))
            for step in steps
            for socket in self.sockets[step.job]
            if (told := socket.told.get(step.version))
        ]


def _write(claim: Claim) -> tuple[int, float]:
    lifecycle.heartbeat(claim.attempt, random.random())
    committed = time.monotonic()
    return Job.objects.get(pk=claim.job_id).version, committed


async def main(port: int, pid: int, sockets: int, rounds: int) -> None:
    bench = await asyncio.to_thread(Bench, port, pid)
    await bench.open(bench.claims[0])
    before = _resident(pid)
    began = time.monotonic()
    for start in range(1, sockets, 50):
        await asyncio.gather(*(bench.open(bench.claims[n % JOBS]) for n in range(start, min(start + 50, sockets))))
    opened = time.monotonic() - began
    after = _resident(pid)
    single = []
    for _ in range(rounds):  # one job at a time, as the page of one person sees it
        single.append(await bench.step(random.choice(bench.claims[1:])))
        await asyncio.sleep(APART + random.random() / 10)
    steps = list(single)
    for _ in range(5):  # all jobs, one after the other as fast as it goes
        again = time.monotonic() + 4 * APART
        for claim in bench.claims:
            steps.append(await bench.step(claim))
        await asyncio.sleep(max(APART, again - time.monotonic()))
    await asyncio.sleep(2)
    messages = sum(len(bench.sockets[job]) for job, *_ in steps)
    passed_over = bench.passed_over(steps) - bench.lost(steps)
    found = {
        "passed_over": passed_over,
        "before": before,
        "after": after,
        "opened": opened,
        "shown": bench.shown(single),
    }
    sys.stdout.write(json.dumps(found | {"lost": bench.lost(steps), "messages": messages}))
    sys.stdout.flush()
    os._exit(0)  # a thousand farewells are of no interest


def _resident(pid: int) -> float:
    """The resident memory of a process, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))

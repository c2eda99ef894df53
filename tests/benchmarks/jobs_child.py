"""`python -m tests.benchmarks.jobs_child ROUNDS`: measures on a stack that runs on the same database. Prints JSON:
milliseconds of each round by what was measured.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "translator.settings"
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402

from jobs import cues, lifecycle  # noqa: E402
from jobs.intake import submit  # noqa: E402
from jobs.intake.options import JobOptions  # noqa: E402
from jobs.models import FINAL, Job, JobStatus, Queue, StageRun, StageStatus  # noqa: E402
from jobs.pipeline.media.ffmpeg import ffmpeg  # noqa: E402
from jobs.pipeline.process import groups  # noqa: E402
from jobs.pipeline.stage import Stage  # noqa: E402
from jobs.pipeline.stages import dispatch  # noqa: E402
from jobs.pipeline.stages.context import StageContext  # noqa: E402
from jobs.pipeline.subtitles.fonts import FONTS  # noqa: E402
from jobs.queueing import processes  # noqa: E402
from jobs.worker import stage_tasks  # noqa: E402
from tests.benchmarks.material import PERSIAN, SAMPLE, video  # noqa: E402

PATIENCE = 60.0


def main(rounds: int) -> None:
    owner = get_user_model().objects.create_user("bench")
    _until(lambda: all(processes.alive(queue).exists() for queue in Queue.values))
    found = _whole_jobs(owner, rounds) | _cancelled(owner, rounds) | _killed(owner, max(3, rounds // 2))
    found["bare"] = [_bare() for _ in range(max(3, rounds // 2))]
    sys.stdout.write(json.dumps(found))


def _accept(owner: Any, source: Path, mode: Any) -> Job:
    order = JobOptions(target="fa", brought=True, mode=mode)
    return submit.accept_file(owner, source, order, subtitles=PERSIAN, keep_running=True)


# Whole jobs: from finished subtitles to subtitle files, which is next to no work


def _whole_jobs(owner: Any, rounds: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"start": [], "handover": [], "overhead": []}
    for _ in range(rounds):
        began = time.monotonic()
        job = _accept(owner, SAMPLE, "none")
        _until(lambda job=job: Job.objects.get(pk=job.pk).status in FINAL, pause=0.01)  # type: ignore[misc]
        whole = time.monotonic() - began
        told = list(job.transitions.exclude(stage=""))
        at = {(one.stage, one.to_status): one.at.timestamp() * 1000 for one in told}
        stages = [run.stage for run in job.stages.all()]
        found["start"].append(at[stages[0], "running"] - job.created.timestamp() * 1000)
        found["handover"] += [at[after, "running"] - at[before, "done"] for before, after in pairwise(stages)]
        found["overhead"].append((whole - _in_one_process(job)) * 1000 / len(stages))
    return found


def _in_one_process(job: Job) -> float:
    """Seconds of the same stages without queue, rows and processes."""

    class Nobody:
        def __getattr__(self, name: str) -> Callable[..., None]:
            return lambda *_, **__: None

    job.refresh_from_db()
    with tempfile.TemporaryDirectory() as room:
        cues = tuple(cues.as_cue(row) for row in job.cues.all())
        nobody: Any = Nobody()
        context = StageContext(attempt_dir=Path(room), engines=nobody, report=nobody, cues=lambda: iter([(cues, {})]))
        began = time.monotonic()
        for run in job.stages.all():
            dispatch.run_task(stage_tasks.task_for(job, run), context)
        return time.monotonic() - began


# What is ended in the middle of burning


def _burning(owner: Any) -> StageRun:
    job = _accept(owner, video(60), "burn")

    def at_work() -> bool:
        run = StageRun.objects.get(job=job, stage=Stage.RENDER)
        return bool(run.status == StageStatus.RUNNING and run.group and run.progress > 0)

    _until(at_work)
    return StageRun.objects.get(job=job, stage=Stage.RENDER)


def _cancelled(owner: Any, rounds: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"cancel": [], "cancelled": []}
    for _ in range(rounds):
        run = _burning(owner)
        began = time.monotonic()
        lifecycle.cancel(run.job_id, actor="bench")
        found["cancel"].append(_until_empty(run.group or 0, began))
        _until(lambda run=run: _status(run.job_id) == JobStatus.CANCELLED, pause=0.005)  # type: ignore[misc]
        found["cancelled"].append((time.monotonic() - began) * 1000)
    return found


def _killed(owner: Any, rounds: int) -> dict[str, list[float]]:
    """Measure the death of a worker; its job is cancelled afterwards."""
    found: list[float] = []
    for _ in range(rounds):
        run = _burning(owner)
        assert run.worker
        began = time.monotonic()
        os.kill(run.worker.pid, signal.SIGKILL)
        found.append(_until_empty(run.group or 0, began))
        lifecycle.cancel(run.job_id, actor="bench")
        _until(lambda run=run: _status(run.job_id) == JobStatus.CANCELLED)  # type: ignore[misc]
    return {"death": found}


def _bare() -> float:
    """Measure SIGKILL of the same ffmpeg alone."""
    with tempfile.TemporaryDirectory() as room:
        burn = ("-vf", f"drawtext=text=x:fontfile={FONTS / 'Vazirmatn-Regular.ttf'}", "-c:v", "libx264")
        command = [str(ffmpeg()), "-nostdin", "-v", "quiet", "-i", str(video(60)), *burn, f"{room}/out.mp4"]
        process = subprocess.Popen(command, start_new_session=True)
        time.sleep(1.5)
        began = time.monotonic()
        os.killpg(process.pid, signal.SIGKILL)
        took = _until_empty(process.pid, began)
        process.wait()
    return took


def _until_empty(group: int, began: float) -> float:
    """Milliseconds from `began` until no process of the group runs."""
    while groups.members(group):
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.001)
    return (time.monotonic() - began) * 1000


def _status(job_id: uuid.UUID) -> str:
    return Job.objects.values_list("status", flat=True).get(pk=job_id)


def _until(reached: Callable[[], bool], pause: float = 0.02) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, "the stack does not work"
        time.sleep(pause)


if __name__ == "__main__":
    main(int(sys.argv[1]))

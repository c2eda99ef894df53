"""Subtitles counted in frames get the times of the video's own frame rate, once it is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jobs.cues import as_row
from jobs.intake.brought import parse_brought
from jobs.intake.options import JobOptions
from jobs.models import Job
from jobs.pipeline.notes import NoteCode
from jobs.pipeline.process import messages
from jobs.pipeline.process.messages import to_builtins
from jobs.pipeline.stage import Stage
from jobs.storage import artifacts
from jobs.worker.stage_recorder import StageRecorder
from tests.jobs import rows
from tests.pipeline.test_messages import MEDIA, VIDEO

FRAMES = "{25}{50}سلام دوست من\n{75}{100}خداحافظ\n"


def fetched(content: str, media: Any) -> Job:
    """A job with these subtitles, whose video was fetched."""
    options = JobOptions(target="fa", brought=True)
    own = parse_brought(options, content.encode(), "own.sub")
    stages = [Stage.FETCH, Stage.SUBTITLE]
    job = rows.job(stages=stages, cues=[as_row(cue) for cue in own.cues], notes=own.notes, options=options.as_json())
    claim = rows.claim("media")
    artifacts.make_job_dir(job.pk)
    artifacts.make_attempt_dir(job.pk, claim.attempt)
    recorder = StageRecorder(claim)
    outcome = {"media": to_builtins(media), "title": "talk"}
    recorder.finish(messages.Done("a", {}, outcome))
    assert rows.stages(job.pk)[Stage.FETCH] == "done"
    return Job.objects.get(pk=job.pk)


def times(job: Job) -> list[tuple[float, float]]:
    return [(round(cue.start, 3), round(cue.end, 3)) for cue in job.cues.all()]


@pytest.mark.usefixtures("database", "media_root")
def test_the_rate_of_the_video_is_used() -> None:
    job = fetched(FRAMES, replace(MEDIA, video=replace(VIDEO, fps=25.0)))
    assert times(job) == [(1.0, 2.0), (3.0, 4.0)]
    assert job.notes == [{"code": NoteCode.FRAME_RATE_OF_VIDEO, "params": {"rate": "25"}}]


@pytest.mark.usefixtures("database", "media_root")
def test_a_rate_that_the_file_states_stays() -> None:
    job = fetched("{1}{1}50\n" + FRAMES, replace(MEDIA, video=replace(VIDEO, fps=25.0)))
    assert times(job) == [(0.5, 1.0), (1.5, 2.0)]
    assert job.notes == []


@pytest.mark.usefixtures("database", "media_root")
def test_without_a_picture_the_assumed_rate_is_noted() -> None:
    job = fetched(FRAMES, replace(MEDIA, video=None))
    assert times(job)[0] == (1.043, 2.085)
    assert {"code": NoteCode.FRAME_RATE_ASSUMED, "params": {"rate": "23.976"}} in job.notes

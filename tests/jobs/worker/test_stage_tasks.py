"""The tasks built from rows, and the cache of translations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from jobs import cues, lifecycle
from jobs.engines.registry import DIARIZERS
from jobs.intake import submit
from jobs.intake.options import JobOptions, mode_of, stages_of
from jobs.models import Artifact, Cue, Job, SourceKind, StageRun, TranslationCache
from jobs.pipeline import errors
from jobs.pipeline.media.probe import probe
from jobs.pipeline.media.streams import AudioStream, Media, VideoStream
from jobs.pipeline.process.messages import (
    DiarizeTask,
    FetchTask,
    RecogniseTask,
    RenderTask,
    Run,
    SubtitleTask,
    TranslateTask,
    decode_command,
    encode,
    to_builtins,
)
from jobs.pipeline.protocols import Brief, Readiness
from jobs.pipeline.speech.speakers import Speakers
from jobs.pipeline.stage import Stage
from jobs.storage import artifacts
from jobs.worker import report, stage_tasks, translation_cache
from tests.jobs import rows
from tests.pipeline.clips import Clips

pytestmark = pytest.mark.usefixtures("database")

ORDER = JobOptions(target="es", spoken="en", transcriber="pocketsphinx", translator="apertium")
TASK = TranslateTask(
    engine="gemini", options={"model": "small", "api_key": "one"}, brief=Brief(source="en", target="fa", topic="parks")
)


def heard(clips: Clips, order: JobOptions = ORDER, clip: str = "plain.mp4", **fields: Any) -> Job:
    """A job with a finished fetch of `clip`, its files, and two cues."""
    given = {"options": order.as_json(), "target": order.target, "spoken": "en", "stages": stages_of(order)}
    job = rows.job(**{**given, **fields})
    artifacts.make_job_dir(job.pk)
    for kind in ("source", "audio", f"{order.target}.ass", f"{order.target}.srt"):
        (artifacts.job_dir(job.pk) / kind).write_text(kind)
        Artifact.objects.create(job=job, kind=kind, name=kind, size=1)
    job.stages.filter(stage=Stage.FETCH).update(outcome={"media": to_builtins(probe(clips[clip]))})
    Cue.objects.bulk_create(rows.cue(number, job=job) for number in (1, 2))
    return job


def task(job: Job, stage: Stage) -> Any:
    return stage_tasks.task_for(job, job.stages.get(stage=stage))


# Tasks


def test_the_language_that_the_site_of_a_link_states(clips: Clips) -> None:
    """It is used as if the owner had named it, unless the owner named another."""
    for spoken, told, expected in ((None, "en", "en"), ("en", "de", "en"), (None, "", "")):
        job = heard(clips, replace(ORDER, spoken=spoken))
        run = job.stages.get(stage=Stage.FETCH)
        job.stages.filter(stage=Stage.FETCH).update(outcome={**run.outcome, "language": told})
        assert task(job, Stage.TRANSCRIBE).hints.language == expected
    job = heard(clips, replace(ORDER, spoken=None))
    job.stages.filter(stage=Stage.FETCH).update(outcome={**run.outcome, "language": "de"})
    with pytest.raises(errors.PipelineError, match="German"):
        task(job, Stage.TRANSCRIBE)


def test_the_sound_track_that_the_owner_chose(clips: Clips) -> None:
    for order, expected in (
        (replace(ORDER, audio_track="2"), ("en", "2")),
        (replace(ORDER, audio_track="2", brought=True), ("", "")),  # the language is that of the subtitles
    ):
        made = task(heard(clips, order), Stage.FETCH)
        assert (made.spoken, made.audio_track) == expected


def test_the_source_is_a_link_or_the_file_that_is_there(clips: Clips) -> None:
    link, upload = heard(clips), heard(clips, source_kind=SourceKind.UPLOAD, source="talk.mp4")
    fetched, found = task(link, Stage.FETCH), task(upload, Stage.FETCH)
    assert isinstance(fetched, FetchTask)
    assert (fetched.source, fetched.name, fetched.listen) == (link.source, "", True)
    assert (found.source, found.name) == (str(artifacts.job_dir(upload.pk) / "source"), "talk.mp4")


def test_recognition_goes_on_where_it_came_to(clips: Clips) -> None:
    job = heard(clips)
    new = task(job, Stage.TRANSCRIBE)
    assert isinstance(new, RecogniseTask)
    assert (new.start, new.first_id, new.hints.language, new.heard, new.engine) == (0.0, 1, "en", False, "pocketsphinx")
    reached = {"until": 61.5, "next": 12, "language": "en", "heard": True}
    job.stages.filter(stage=Stage.TRANSCRIBE).update(checkpoint=reached)
    again = task(job, Stage.TRANSCRIBE)
    assert (again.start, again.first_id, again.heard) == (61.5, 12, True)


def test_speakers_are_told_apart_by_the_engine_that_is_ready(clips: Clips, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = replace(DIARIZERS[-1], readiness=lambda _: Readiness(ready=True))
    monkeypatch.setattr("jobs.engines.selection.DIARIZERS", (ready,))
    wishes: dict[Speakers, DiarizeTask | None] = {
        "off": None,
        "auto": DiarizeTask(engine="senko", options={}, speakers=None),
        3: DiarizeTask(engine="senko", options={}, speakers=3),
    }
    for wish, wanted in wishes.items():
        made = task(heard(clips, replace(ORDER, speakers=wish)), Stage.TRANSCRIBE)
        assert isinstance(made, RecogniseTask)
        assert made.diarize == wanted
        assert decode_command(encode(Run("a", Path("/"), made))) == Run("a", Path("/"), made)


def test_the_tasks_of_the_later_stages(clips: Clips) -> None:
    job = heard(clips, replace(ORDER, bilingual=True))
    translation, subtitles, rendering = (task(job, stage) for stage in (Stage.TRANSLATE, Stage.SUBTITLE, Stage.RENDER))
    assert isinstance(translation, TranslateTask)
    assert (translation.engine, translation.brief.source, translation.brief.target) == ("apertium", "en", "es")
    assert isinstance(subtitles, SubtitleTask)
    assert [cue.source for cue in subtitles.cues] == ["Sentence 1.", "Sentence 2."]
    assert subtitles.forms == {"es.srt": "bilingual", "es.vtt": "bilingual", "es.ass": "bilingual", "en.srt": "source"}
    assert (subtitles.size, subtitles.portrait_margin) == ((160, 120), 20)
    assert stage_tasks.picture_size(rows.job(stages=rows.ALL)) == (1280, 720), "not known yet"
    assert isinstance(rendering, RenderTask)
    assert rendering.subtitles.name == "es.ass"
    assert task(heard(clips, replace(ORDER, mode="soft")), Stage.RENDER).subtitles.name == "es.srt"


def test_captions_need_no_engine(clips: Clips) -> None:
    job = heard(clips, JobOptions(target="en", spoken="en", bilingual=True), stages=rows.ALL)  # of an earlier version
    assert task(job, Stage.TRANSLATE).engine is None
    assert set(task(job, Stage.SUBTITLE).forms.values()) == {"target"}


def test_a_file_that_is_gone_is_named(clips: Clips) -> None:
    job = heard(clips)
    (artifacts.job_dir(job.pk) / "es.ass").unlink()
    with pytest.raises(errors.HostError) as told:
        task(job, Stage.RENDER)
    assert "es.ass" in told.value.detail


@pytest.mark.parametrize(
    ("brought", "mode", "without"),
    [
        (False, "burn", []),
        (True, "soft", [Stage.TRANSCRIBE]),
        (False, "none", [Stage.RENDER]),
        (True, "none", [Stage.TRANSCRIBE, Stage.RENDER]),
    ],
)
def test_the_stages_of_an_order(brought: bool, mode: Any, without: list[Stage]) -> None:
    order = JobOptions(target="fa", spoken="en", brought=brought, mode=mode)
    assert stages_of(order) == [stage for stage in Stage if stage not in without]
    assert stages_of(replace(order, spoken="fa")) == [
        stage for stage in Stage if stage not in {*without, Stage.TRANSLATE}
    ]
    unsaid = stages_of(replace(order, spoken=None))
    assert (Stage.TRANSLATE in unsaid) != brought, "finished subtitles are in the target language"


def test_what_can_be_rendered(clips: Clips) -> None:
    sound, video = probe(clips["sound.mp3"]), probe(clips["plain.mp4"])
    assert isinstance(video.video, VideoStream)
    assert isinstance(sound.audio[0], AudioStream)
    assert isinstance(sound, Media)
    assert [mode_of(replace(ORDER, mode=mode), video) for mode in ("burn", "soft", "none")] == [
        "burn",
        "soft",
        "none",
    ]
    assert [mode_of(replace(ORDER, mode=mode), sound) for mode in ("burn", "none")] == ["none", "none"]
    with pytest.raises(errors.NoVideoStream):
        mode_of(replace(ORDER, mode="soft"), sound)


def test_media_children_are_limited_and_engines_are_not() -> None:
    assert stage_tasks.limits_for(Stage.TRANSCRIBE, 60).cpu is None
    limits = stage_tasks.limits_for(Stage.RENDER, 60)
    assert limits.cpu == 1800 + 3600
    assert limits.file_size
    assert limits.open_files


def test_a_cue_comes_back_as_it_went() -> None:
    job = rows.job()
    cues.as_row(cues.as_cue(rows.cue(3, job=job, target="Frase 3.", speaker="A", flags=["unsure"])), job).save()
    row = job.cues.get()
    assert (row.number, row.source, row.target, row.speaker, row.flags) == (
        3,
        "Sentence 3.",
        "Frase 3.",
        "A",
        ["unsure"],
    )


# What was translated before


def keys(task: TranslateTask = TASK, *sources: str, before: str = "") -> list[str]:
    cues = [rows.cue(number, source=text) for number, text in enumerate(sources or ("Yes.", "No."), start=1)]
    return list(translation_cache.cache_keys(task, cues, before).values())


CHANGES: dict[str, Callable[[], list[str]]] = {
    "another engine": lambda: keys(TranslateTask(engine="apertium", options=TASK.options, brief=TASK.brief)),
    "another model": lambda: keys(TranslateTask(engine="gemini", options={"model": "large"}, brief=TASK.brief)),
    "another tone": lambda: keys(
        TranslateTask(engine="gemini", options=TASK.options, brief=replace(TASK.brief, formality="formal"))
    ),
    "another target": lambda: keys(
        TranslateTask(engine="gemini", options=TASK.options, brief=replace(TASK.brief, target="ar"))
    ),
    "another term": lambda: keys(
        TranslateTask(engine="gemini", options=TASK.options, brief=replace(TASK.brief, glossary=(("yes", "آری"),)))
    )[:1],
    "another suggestion": lambda: keys(
        TranslateTask(engine="gemini", options=TASK.options, brief=replace(TASK.brief, suggested=(("yes", "آری"),)))
    )[:1],
    "another topic": lambda: keys(
        TranslateTask(engine="gemini", options=TASK.options, brief=replace(TASK.brief, topic="whales"))
    ),
    "careful mode": lambda: keys(
        TranslateTask(engine="gemini", options=TASK.options, brief=replace(TASK.brief, careful=True))
    ),
    "other words before": lambda: keys(before="Do you agree?")[:1],
    "another line": lambda: keys(TASK, "Yes!", "No!"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_key_depends_on(change: str) -> None:
    assert not set(CHANGES[change]()) & set(keys())


def test_the_key_does_not_depend_on_secrets_or_on_where_lots_begin() -> None:
    other = TranslateTask(engine="gemini", options={"model": "small", "api_key": "two"}, brief=TASK.brief)
    assert keys(other) == keys()
    assert keys(TASK, "No.", before="Yes.") == keys()[1:]
    assert len(set(keys(TASK, "Yes.", "Yes."))) == 2


def test_the_key_does_not_depend_on_terms_that_do_not_occur() -> None:
    brief = replace(TASK.brief, glossary=(("whale", "نهنگ"),), suggested=(("Ada", "ایدا"),), notes=(("whale", "x"),))
    assert keys(TranslateTask(engine="gemini", options=TASK.options, brief=brief)) == keys()


def test_only_what_this_owner_had_translated_is_remembered() -> None:
    shirin, omid = rows.owner("shirin"), rows.owner("omid")
    translation_cache.remember(shirin.pk, {"a": "یک", "b": "دو"})
    translation_cache.remember(omid.pk, {"a": "یک دیگر"})
    assert translation_cache.remembered(shirin.pk, ["a", "c"]) == {"a": "یک"}
    assert translation_cache.remembered(omid.pk, ["a", "b"]) == {"a": "یک دیگر"}
    translation_cache.remember(shirin.pk, {"a": "یکم"})
    assert translation_cache.remembered(shirin.pk, ["a", "b"]) == {"a": "یکم", "b": "دو"}
    translation_cache.remember(shirin.pk, {})
    assert TranslationCache.objects.count() == 3


def test_what_is_used_again_is_kept_for_longer() -> None:
    shirin = rows.owner()
    translation_cache.remember(shirin.pk, {"a": "یک", "b": "دو"})
    long_ago = timezone.now() - timedelta(days=89)
    TranslationCache.objects.update(used=long_ago)
    translation_cache.remembered(shirin.pk, ["a"])
    assert list(TranslationCache.objects.filter(used=long_ago).values_list("key", flat=True)) == ["b"]


def test_a_job_that_starts_again_asks_by_the_same_keys(clips: Clips) -> None:
    old = submit.accept_link(rows.owner(), "https://example.org/v", ORDER)
    asked = []
    for job in (old, None):
        if job is None:
            lifecycle.cancel(old.pk, actor="shirin")
            lifecycle.finish_cancel(old.pk)
            job = submit.start_again(old.pk, rows.owner())
        Job.objects.filter(pk=job.pk).update(spoken="en")
        run = StageRun.objects.get(job=job, stage=Stage.TRANSLATE)
        translation = stage_tasks.task_for(Job.objects.get(pk=job.pk), run)
        assert isinstance(translation, TranslateTask)
        asked.append(keys(translation))
    assert asked[0] == asked[1]


def test_the_report(clips: Clips, tmp_path: Path) -> None:
    job = heard(clips, seconds=2.0, title="Talk", engines={"translate": "apertium"})
    job.stages.filter(stage=Stage.SUBTITLE).update(outcome={"quality": {"cues": 2}})
    began = timezone.now()
    job.stages.filter(stage=Stage.FETCH).update(started=began, ended=began + timedelta(seconds=1.5))
    for engine, tokens in (("apertium", 3), ("gemini", 4)):
        job.usage.create(owner=job.owner, stage="translate", engine=engine, input_tokens=tokens, output_tokens=1)
    found = report.report_of(job)
    assert found["seconds"] == {"fetch": 1.5}
    assert found["usage"] == {"input_tokens": 7, "output_tokens": 2}
    assert found["files"] == ["es.ass", "es.srt"]
    assert (found["quality"], found["title"]) == ({"cues": 2}, "Talk")
    assert found["speakers"] == {}
    Cue.objects.filter(job=job, number=1).update(speaker="S1", start=1.0, end=2.5)
    Cue.objects.filter(job=job, number=2).update(speaker="S1 S2", start=3.0, end=4.0)
    assert report.report_of(job)["speakers"] == {"S1": {"cues": 2, "seconds": 2.5}, "S2": {"cues": 1, "seconds": 1.0}}

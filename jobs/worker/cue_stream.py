"""What passes between the database and a translating child: cues go to it as they are recognised, texts come back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from django.db.models import Sum

from jobs import cues, lifecycle, models
from jobs.lifecycle import Claim
from jobs.models import Cue, Job, StageRun, StageStatus
from jobs.pipeline.process import messages
from jobs.pipeline.process.messages import Cues, End, TranslateTask
from jobs.pipeline.stage import Stage
from jobs.pipeline.subtitles import segmentation
from jobs.worker import translation_cache, usage
from jobs.worker.child import Child


@dataclass(slots=True)
class Translation:
    """One attempt to translate, and how far its cues have been handed to the child."""

    _claim: Claim
    _job: Job
    _task: TranslateTask
    _sent: int = 0
    _whole: bool = False
    _before: str = ""
    _keys: dict[int, str] = field(default_factory=dict)

    def hand_over(self, child: Child) -> None:
        """Send the cues that have been recognised since the last time; whether these are all is asked before."""
        if self._whole:
            return
        whole = not self._is_recognising()
        rows = list(self._job.cues.filter(number__gt=self._sent))
        if rows:
            done = {row.number: row.target for row in rows if row.answered} | self._remembered(rows)
            sources = tuple(replace(cue, target="", flags=_own(cue)) for cue in map(cues.as_cue, rows))
            child.send(Cues(str(self._claim.attempt), sources, done))
            self._sent, self._before = rows[-1].number, rows[-1].source
        if whole:
            self._whole = True
            child.send(End(str(self._claim.attempt)))

    def _is_recognising(self) -> bool:
        hearing = StageRun.objects.filter(job=self._claim.job_id, stage=Stage.TRANSCRIBE)
        return hearing.exclude(status=StageStatus.DONE).exists()

    def _remembered(self, rows: list[Cue]) -> dict[int, str]:
        """Fill in what this owner had translated before."""
        if not self._task.engine:
            return {}
        keys = translation_cache.cache_keys(self._task, rows, self._before)
        self._keys |= keys
        known = translation_cache.remembered(self._job.owner_id, keys.values())
        found = [row for row in rows if not row.answered and keys[row.number] in known]
        for row in found:
            row.target, row.answered = known[keys[row.number]], True
        with lifecycle.fenced(self._claim.attempt):
            Cue.objects.bulk_update(found, ["target", "answered"])
        return {row.number: row.target for row in found}

    def keep(self, part: messages.Translated) -> None:
        """Write what the child translated. Raises LostAttempt."""
        flags = {cue.id: list(cue.flags) for cue in part.cues}
        texts = {cue.id: cue.target for cue in part.cues}
        with lifecycle.fenced(self._claim.attempt) as (job, run):
            lifecycle.reset_attempts(run)
            rows = list(job.cues.filter(number__in=texts))
            for row in rows:
                row.target, row.flags, row.answered = texts[row.number], flags[row.number], True
            Cue.objects.bulk_update(rows, ["target", "flags", "answered"])
            tokens = {"input_tokens": part.usage.input_tokens, "output_tokens": part.usage.output_tokens}
            usage.account(job, self._claim.stage, **tokens)
            if self._task.engine:
                good = {self._keys[cue.id]: cue.target for cue in part.cues if _is_good(cue.flags, cue.target)}
                translation_cache.remember(job.owner_id, good)
            Job.objects.filter(pk=job.pk).update(**models.bumped())

    def share(self) -> float:
        """Of the whole: the answered cues of those known, times how much has been recognised."""
        known = self._job.cues.count()
        hearing = StageRun.objects.filter(job=self._claim.job_id, stage=Stage.TRANSCRIBE)
        recognised = hearing.aggregate(share=Sum("progress"))["share"]
        share = 1.0 if recognised is None else recognised
        return share * self._job.cues.filter(answered=True).count() / known if known else 0.0


def _own(cue: segmentation.Cue) -> tuple[str, ...]:
    """The flags of recognition; those of an earlier translation do not count for a new one."""
    return tuple(flag for flag in cue.flags if flag == "unsure")


def _is_good(flags: tuple[str, ...], text: str) -> bool:
    """Whether a translation is worth keeping for another time."""
    return bool(text) and not set(flags) - {"unsure", "too_long"}

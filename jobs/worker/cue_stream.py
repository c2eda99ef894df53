"""The stream between the database and a translating child: recognised cues go out, translated texts come back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from django.db.models import Sum

from jobs import cues, lifecycle, models
from jobs.lifecycle import Claim
from jobs.lifecycle.db_retry import with_retry
from jobs.models import Cue, Job, StageRun, StageStatus
from jobs.pipeline.process import messages
from jobs.pipeline.process.messages import Cues, End, TranslateTask
from jobs.pipeline.stage import Stage
from jobs.pipeline.subtitles.cue import Cue as PipelineCue
from jobs.worker import translation_cache
from jobs.worker.child import Child
from jobs.worker.usage import CallLedger


@dataclass(slots=True)
class CueStream:
    """The cues of one attempt to translate, with the number of the last cue that was sent to the child.

    `ledger` takes down the calls of the child.
    """

    _claim: Claim
    _job: Job
    _task: TranslateTask
    ledger: CallLedger
    _sent: int = 0
    _whole: bool = False
    _before: str = ""
    _keys: dict[int, str] = field(default_factory=dict)

    @with_retry
    def send_new(self, child: Child) -> None:
        """Send the cues recognised since the last call, and `End` when recognition is done."""
        if self._whole:
            return
        whole = not self._is_recognising()  # read before the cues, so that none is missed
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
        transcribing = StageRun.objects.filter(job=self._claim.job_id, stage=Stage.TRANSCRIBE)
        return transcribing.exclude(status=StageStatus.DONE).exists()

    def _remembered(self, rows: list[Cue]) -> dict[int, str]:
        """Save the cached translations of this owner's earlier jobs; returns the texts by cue number."""
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

    @with_retry
    def keep(self, part: messages.Translated) -> None:
        """Save the translations of the child, and cache its texts. Raises LostAttempt."""
        flags = {cue.id: list(cue.flags) for cue in part.cues}
        texts = {cue.id: cue.target for cue in part.cues}
        with lifecycle.fenced(self._claim.attempt) as (job, run):
            lifecycle.reset_attempts(run)
            rows = list(job.cues.filter(number__in=texts))
            for row in rows:
                row.target, row.flags, row.answered = texts[row.number], flags[row.number], True
            Cue.objects.bulk_update(rows, ["target", "flags", "answered"])
            self.ledger.add(job, part.usage)
            if self._task.engine:
                good = {self._keys[cue.id]: cue.target for cue in part.cues if _is_good(cue.flags, cue.target)}
                translation_cache.remember(job.owner_id, good)
            Job.objects.filter(pk=job.pk).update(**models.bumped())

    @with_retry
    def share(self) -> float:
        """The share of the translation that is done, 0 to 1: translated of known cues, times the share recognised."""
        known = self._job.cues.count()
        hearing = StageRun.objects.filter(job=self._claim.job_id, stage=Stage.TRANSCRIBE)
        recognised = hearing.aggregate(share=Sum("progress"))["share"]
        share = 1.0 if recognised is None else recognised
        return share * self._job.cues.filter(answered=True).count() / known if known else 0.0


def _own(cue: PipelineCue) -> tuple[str, ...]:
    """The flags of recognition, without those of an earlier translation."""
    return tuple(flag for flag in cue.flags if flag == "unsure")


def _is_good(flags: tuple[str, ...], text: str) -> bool:
    """Whether a translation may be cached: it is not empty, and has no flags but `unsure` and `too_long`."""
    return bool(text) and not set(flags) - {"unsure", "too_long"}

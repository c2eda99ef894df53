"""The stream between the database and a translating child: recognised cues go out, translated texts come back.

Where the translator reads the whole transcript first, its cues go out twice: once when recognition is done, to be read,
and again with the brief, to be translated.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from django.db.models import Sum
from msgspec.structs import replace as replace_fields

from jobs import briefs, cues, lifecycle, models
from jobs.lifecycle import Claim
from jobs.lifecycle.db_retry import with_retry
from jobs.models import Cue, Job, StageRun, StageStatus
from jobs.pipeline.process import messages
from jobs.pipeline.process.messages import Cues, End, NewBrief, TranslateTask
from jobs.pipeline.protocols import Brief, Document
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
    _reading: bool = False
    _revision: int = 0
    _brief: Brief = field(init=False)

    def __post_init__(self) -> None:
        self._reading = self._task.reading is not None
        self._use(self._task.document, self._task.revision)

    @with_retry
    def send_new(self, child: Child) -> None:
        """Send a changed brief, the cues recognised since the last call, and `End` when recognition is done."""
        self._send_brief(child)
        if self._whole:
            return
        whole = not self._is_recognising()  # read before the cues, so that none is missed
        if self._reading and not whole:
            return
        rows = list(self._job.cues.filter(number__gt=self._sent))
        if rows:
            known = {} if self._reading else self._remembered(rows)
            done = {row.number: row.target for row in rows if row.answered} | known
            sources = tuple(replace(cue, target="", flags=_own(cue)) for cue in map(cues.as_cue, rows))
            child.send(Cues(str(self._claim.attempt), sources, done))
            self._sent, self._before = rows[-1].number, rows[-1].source
        if whole:
            self._whole = True
            child.send(End(str(self._claim.attempt)))

    def _send_brief(self, child: Child) -> None:
        revision, document = briefs.newest(self._claim.job_id)
        if document and revision > self._revision:
            child.send(NewBrief(str(self._claim.attempt), document, revision))
            self._use(document, revision)

    def _use(self, document: Document | None, revision: int) -> None:
        """Use this brief for the cache keys of later translations; those made so far are discarded."""
        self._revision, self._keys = revision, {}
        self._brief = self._task.brief.with_document(document)

    @with_retry
    def keep_brief(self, part: messages.Briefed) -> None:
        """Save what was read of the transcript, so that nothing is read twice, and count its tokens. When the brief is
        complete, the cues are sent again, to be translated. Raises LostAttempt.
        """
        with lifecycle.fenced(self._claim.attempt) as (job, run):
            lifecycle.reset_attempts(run)
            self.ledger.add(job, part.usage)
            if part.whole:
                briefs.save(job.pk, part.document, after=0)
            else:
                reading = {"document": messages.to_builtins(part.document), "upto": part.upto}
                StageRun.objects.filter(pk=run.pk).update(checkpoint={**run.checkpoint, "reading": reading})
        if part.whole:
            self._reading, self._whole, self._sent, self._before = False, False, 0, ""

    def _is_recognising(self) -> bool:
        transcribing = StageRun.objects.filter(job=self._claim.job_id, stage=Stage.TRANSCRIBE)
        return transcribing.exclude(status=StageStatus.DONE).exists()

    def _remembered(self, rows: list[Cue]) -> dict[int, str]:
        """Save the cached translations of this owner's earlier jobs; returns the texts by cue number."""
        if not self._task.engine:
            return {}
        keys = translation_cache.cache_keys(replace_fields(self._task, brief=self._brief), rows, self._before)
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
            if self._task.engine and part.revision == self._revision:
                keys = self._keys if all(cue.id in self._keys for cue in part.cues) else self._new_keys()
                good = {keys[cue.id]: cue.target for cue in part.cues if _is_good(cue.flags, cue.target)}
                translation_cache.remember(job.owner_id, good)
            Job.objects.filter(pk=job.pk).update(**models.bumped())

    def _new_keys(self) -> dict[int, str]:
        """The keys of all cues that were sent, under a brief that was changed in the meantime."""
        rows = list(self._job.cues.filter(number__lte=self._sent))
        self._keys = translation_cache.cache_keys(replace_fields(self._task, brief=self._brief), rows, "")
        return self._keys

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

"""The database models. A job's rows are its only state; only `lifecycle` writes a status."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class JobStatus(models.TextChoices):
    """The status of a job; `lifecycle.transitions` has the transitions."""

    UPLOADING = "uploading"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


UNFINISHED = (JobStatus.UPLOADING, JobStatus.QUEUED, JobStatus.RUNNING)
"""The statuses in which a job is cancelled when its owner leaves. A paused job is not: nothing of it runs, and what was
paid for would be lost.
"""

CANCELLABLE = (*UNFINISHED, JobStatus.PAUSED)
"""The statuses in which a job can be cancelled by a person."""

FINAL = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)
"""The statuses of a job that has ended."""


class StageStatus(models.TextChoices):
    """The status of a stage; `lifecycle.transitions` has the transitions."""

    WAITING = "waiting"
    READY = "ready"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


class Reason(models.TextChoices):
    """The reason of a status change that its owner did not ask for. Failures have the code of their error instead."""

    PAGES_CLOSED = "pages_closed"
    NO_SIGN_OF_LIFE = "no_sign_of_life"
    COMMAND_KILLED = "command_killed"
    COMMAND_INTERRUPTED = "command_interrupted"
    UPLOAD_EXPIRED = "upload_expired"
    UPLOAD_WITHDRAWN = "upload_withdrawn"
    UPLOAD_REPLACED = "upload_replaced"
    PAUSE_EXPIRED = "pause_expired"
    ADMIN = "admin"


class Queue(models.TextChoices):
    """The Django-Q clusters: `speech` for recognition, `text` for translation, `media` for ffmpeg and downloads."""

    SPEECH = "speech"
    TEXT = "text"
    MEDIA = "media"


class SourceKind(models.TextChoices):
    """The kind of a job's source: `upload` is stored in the job's directory, `link` is downloaded into it, `file` is a
    file of this machine, linked by the command line, `sample` is the bundled clip.
    """

    UPLOAD = "upload"
    LINK = "link"
    FILE = "file"
    SAMPLE = "sample"


class Job(models.Model):
    """One video to translate for one owner.

    `options` are its `intake.options.JobOptions`, `notes` a list of NoteCodes with parameters, `error` an
    errors.ErrorRecord, `result` the report of a completed job. Until `grace_until` the owner counts as present.
    `max_cost` and `max_tokens` are the job's own caps (`queueing.caps`); null: those of its owner.
    `brief` is the document with which the job is translated (see `briefs`); null: none.
    `version` rises with every change that a page shows. `edited` starts the retention time: the job's end, then each
    correction of a subtitle. `notify` asks for an e-mail at the end: its `language`, and the `address` of the job's
    page; null: no e-mail. `told` in it: the e-mail of a pause was sent.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="jobs", verbose_name=_("owner")
    )
    status = models.CharField(max_length=12, choices=JobStatus, default=JobStatus.UPLOADING, editable=False)
    source_kind = models.CharField(max_length=6, choices=SourceKind)
    source = models.TextField(help_text="a link, a path, or the name of the uploaded file")
    size = models.PositiveBigIntegerField(default=0, help_text="bytes that were promised of an upload; 0: not known")
    title = models.CharField(max_length=300, blank=True)
    options = models.JSONField(default=dict)
    brief = models.JSONField(null=True, editable=False)
    target = models.CharField(max_length=16)
    spoken = models.CharField(max_length=16, blank=True)
    engines = models.JSONField(default=dict)
    seconds = models.FloatField(default=0, help_text="length of the video, once it is known")
    keep_running = models.BooleanField(_("keeps running without its owner"), default=False)
    client = models.ForeignKey(
        "Process",
        null=True,
        on_delete=models.SET_NULL,
        related_name="jobs",
        help_text="the command that waits for the job: when it is killed, nobody does",
    )
    notify = models.JSONField(null=True, editable=False)
    pinned = models.BooleanField(_("pinned"), default=False)
    max_cost = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    max_tokens = models.PositiveBigIntegerField(null=True)
    notes = models.JSONField(default=list)
    error = models.JSONField(null=True, editable=False)
    result = models.JSONField(null=True, editable=False)
    version = models.PositiveBigIntegerField(default=1)
    created = models.DateTimeField(default=timezone.now)
    changed = models.DateTimeField(default=timezone.now)
    ended = models.DateTimeField(null=True)
    edited = models.DateTimeField(null=True)
    grace_until = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name, verbose_name_plural = _("job"), _("jobs")
        constraints: ClassVar = [
            models.CheckConstraint(name="job_status_is_known", condition=Q(status__in=JobStatus.values)),
            models.CheckConstraint(
                name="completed_job_has_a_result", condition=~Q(status=JobStatus.COMPLETED) | Q(result__isnull=False)
            ),
            models.CheckConstraint(
                name="failed_job_has_an_error", condition=~Q(status=JobStatus.FAILED) | Q(error__isnull=False)
            ),
            models.CheckConstraint(
                name="paused_job_has_an_error", condition=~Q(status=JobStatus.PAUSED) | Q(error__isnull=False)
            ),
            models.CheckConstraint(
                name="final_job_has_an_end",
                condition=Q(status__in=FINAL, ended__isnull=False) | ~Q(status__in=FINAL) & Q(ended__isnull=True),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="job_by_owner", fields=["owner", "-created"]),
            models.Index(name="job_by_age", fields=["-created"]),
            models.Index(name="job_by_status", fields=["status", "-created"]),
            models.Index(name="job_unfinished", fields=["owner", "status"], condition=Q(status__in=UNFINISHED)),
            models.Index(
                name="job_abandonable", fields=["grace_until"], condition=Q(status__in=UNFINISHED, keep_running=False)
            ),
            models.Index(name="job_cancelling", fields=["changed"], condition=Q(status=JobStatus.CANCELLING)),
            models.Index(name="job_paused", fields=["changed"], condition=Q(status=JobStatus.PAUSED)),
            models.Index(name="job_uploading", fields=["changed"], condition=Q(status=JobStatus.UPLOADING)),
            models.Index(name="job_to_be_told_of", fields=["ended"], condition=Q(notify__isnull=False)),
            models.Index(name="job_past_retention", fields=["edited"], condition=Q(pinned=False)),
            models.Index(name="job_by_change", fields=["changed"]),
        ]

    def __str__(self) -> str:
        return self.title or self.source


class StageRun(models.Model):
    """One stage of one job. `attempt` is its fencing token: its worker writes under it or not at all.

    `owner` is the job's, repeated so that a claim needs no join. `progress` is the share that is done, with
    `progress_before` of it by earlier attempts, `step` a `stage.StepName` while it lasts. `checkpoint` is the state
    from which the next attempt continues, `outcome` the result that later stages need. `group` is the process group
    that works for the attempt: its id on `host` since boot `boot_id`; its leader started `group_started` clock ticks
    after the boot.
    """

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="stages")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    stage = models.CharField(max_length=10)
    number = models.PositiveSmallIntegerField()
    queue = models.CharField(max_length=6, choices=Queue)
    status = models.CharField(max_length=7, choices=StageStatus, default=StageStatus.WAITING, editable=False)
    attempt = models.UUIDField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    progress = models.FloatField(default=0)
    progress_before = models.FloatField(default=0)
    step = models.CharField(max_length=20, blank=True)
    ready_at = models.DateTimeField(null=True)
    started = models.DateTimeField(null=True)
    ended = models.DateTimeField(null=True)
    heartbeat = models.DateTimeField(null=True)
    worker = models.ForeignKey("Process", null=True, on_delete=models.SET_NULL, related_name="stages")
    host = models.CharField(max_length=255, blank=True)
    boot_id = models.CharField(max_length=36, blank=True)
    group = models.PositiveIntegerField(null=True)
    group_started = models.PositiveBigIntegerField(null=True)
    checkpoint = models.JSONField(default=dict)
    outcome = models.JSONField(default=dict)
    error = models.JSONField(null=True)

    class Meta:
        verbose_name, verbose_name_plural = _("stage"), _("stages")
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="one_run_a_stage", fields=["job", "stage"]),
            models.UniqueConstraint(name="one_stage_an_attempt", fields=["attempt"]),
            models.CheckConstraint(name="stage_status_is_known", condition=Q(status__in=StageStatus.values)),
            models.CheckConstraint(
                name="running_stage_has_an_attempt_and_a_heartbeat",
                condition=Q(status=StageStatus.RUNNING, attempt__isnull=False, heartbeat__isnull=False)
                | ~Q(status=StageStatus.RUNNING) & Q(attempt__isnull=True, heartbeat__isnull=True),
            ),
            models.CheckConstraint(
                name="only_a_running_stage_has_a_group", condition=Q(status=StageStatus.RUNNING) | Q(group__isnull=True)
            ),
            models.CheckConstraint(
                name="ready_stage_has_a_time", condition=~Q(status=StageStatus.READY) | Q(ready_at__isnull=False)
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="stage_ready", fields=["queue", "owner", "ready_at"], condition=Q(status=StageStatus.READY)
            ),
            models.Index(name="stage_running", fields=["owner", "heartbeat"], condition=Q(status=StageStatus.RUNNING)),
            models.Index(name="stage_paused", fields=["owner"], condition=Q(status=StageStatus.PAUSED)),
            models.Index(name="stage_turns", fields=["owner", "queue", "-started"]),
        ]

    def __str__(self) -> str:
        return f"{self.stage} of {self.job_id}"


class Transition(models.Model):
    """One change of a status, written in its transaction. `stage` is empty for a change of the job's own status."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="transitions")
    stage = models.CharField(max_length=10, blank=True)
    attempt = models.UUIDField(null=True)
    from_status = models.CharField(max_length=12, blank=True)
    to_status = models.CharField(max_length=12)
    at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=150, help_text="a user's name, `system`, or `presence`")
    reason = models.CharField(max_length=64, blank=True, help_text="a Reason, or the code of an error")

    class Meta:
        verbose_name, verbose_name_plural = _("status change"), _("status changes")
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.stage or 'job'}: {self.from_status or 'new'} → {self.to_status}"


class Cue(models.Model):
    """One editable subtitle; times in seconds. `answered`: a translator returned it. `flags`: of `protocols.FLAGS`.

    `language` is the code of what is said; empty: that of the job.
    """

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="cues")
    number = models.PositiveIntegerField()
    start = models.FloatField()
    end = models.FloatField()
    source = models.TextField()
    target = models.TextField(blank=True)
    speaker = models.CharField(max_length=50, blank=True)
    flags = models.JSONField(default=list)
    answered = models.BooleanField(default=False)
    language = models.CharField(max_length=20, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("subtitle"), _("subtitles")
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [models.UniqueConstraint(name="one_cue_a_number", fields=["job", "number"])]

    def __str__(self) -> str:
        return f"{self.number}: {self.target or self.source}"


class Artifact(models.Model):
    """A published file of a job: `name` is its path below the job's directory and begins with the attempt."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="artifacts")
    kind = models.CharField(max_length=40, help_text="source, audio, video, poster, or a subtitle such as fa.srt")
    name = models.CharField(max_length=300)
    size = models.PositiveBigIntegerField()
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name, verbose_name_plural = _("file"), _("files")
        constraints: ClassVar = [models.UniqueConstraint(name="one_artifact_a_kind", fields=["job", "kind"])]

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


class PageLease(models.Model):
    """One page of a signed-in user. The user is present until the last lease expires."""

    page_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="pages")
    opened = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField()
    closed = models.BooleanField(default=False)

    class Meta:
        verbose_name, verbose_name_plural = _("open page"), _("open pages")
        indexes: ClassVar = [
            models.Index(name="lease_by_owner", fields=["owner", "expires"]),
            models.Index(name="lease_by_end", fields=["expires"]),
        ]

    def __str__(self) -> str:
        return f"{self.page_id} of {self.owner_id}"


class Process(models.Model):
    """A running process: a worker of a cluster, a web server, a reaper or a command.

    `cluster_pid` is the process that supervisord restarts. `busy`: it acts on a ticket or on a scheduled task.

    `started` and `cluster_started` are clock ticks after the boot, which tell a process from a later one with its pid.
    """

    WEB, REAPER = "web", "reaper"

    cluster = models.CharField(max_length=10)
    host = models.CharField(max_length=255)
    boot_id = models.CharField(max_length=36)
    pid = models.PositiveIntegerField()
    started = models.PositiveBigIntegerField()
    cluster_pid = models.PositiveIntegerField(null=True)
    cluster_started = models.PositiveBigIntegerField(null=True)
    born = models.DateTimeField(default=timezone.now)
    seen = models.DateTimeField(default=timezone.now)
    last_claim = models.DateTimeField(null=True)
    last_ticket = models.DateTimeField(null=True)
    busy = models.BooleanField(default=False)

    class Meta:
        verbose_name, verbose_name_plural = _("process"), _("processes")
        constraints: ClassVar = [
            models.UniqueConstraint(name="one_row_a_process", fields=["host", "boot_id", "pid", "started", "cluster"])
        ]
        indexes: ClassVar = [models.Index(name="process_by_cluster", fields=["cluster", "seen"])]

    def __str__(self) -> str:
        return f"{self.cluster} {self.host}:{self.pid}"


class UsageEntry(models.Model):
    """The usage of an engine for a job. Kept when the job is deleted."""

    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="usage")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="usage")
    stage = models.CharField(max_length=10)
    engine = models.CharField(max_length=40)
    input_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    seconds = models.FloatField(default=0, help_text="of sound that was recognised")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name, verbose_name_plural = _("usage entry"), _("usage entries")
        indexes: ClassVar = [models.Index(name="usage_by_owner", fields=["owner", "at"])]

    def __str__(self) -> str:
        return self.engine


class CallStatus(models.TextChoices):
    """The state of a call. `asked`: its answer is not there, or was lost with its process; `counted` by the service;
    `estimated`, because the service did not count; `failed`: it cost nothing.
    """

    ASKED = "asked"
    COUNTED = "counted"
    ESTIMATED = "estimated"
    FAILED = "failed"


class Call(models.Model):
    """One call of a paid engine, in the ledger of its owner. Kept when the job is deleted.

    It is written before the call, with the tokens that are expected, and corrected after it. `cost` is in `currency`;
    null: the price of the model is not known.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="calls")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="calls")
    engine = models.CharField(max_length=40)
    model = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=9, choices=CallStatus, default=CallStatus.ASKED)
    input_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    cost = models.DecimalField(max_digits=16, decimal_places=8, null=True)
    currency = models.CharField(max_length=3, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name, verbose_name_plural = _("call"), _("calls")
        constraints: ClassVar = [
            models.CheckConstraint(name="call_status_is_known", condition=Q(status__in=CallStatus.values))
        ]
        indexes: ClassVar = [
            models.Index(name="call_by_owner", fields=["owner", "at"]),
            models.Index(name="call_by_time", fields=["-at"]),
        ]

    def __str__(self) -> str:
        return self.model or self.engine


class TranslationCache(models.Model):
    """A cached translation of a line for one owner. `key` is a hash of everything that the translation depends on."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=64)
    text = models.TextField()
    used = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name, verbose_name_plural = _("cached translation"), _("cached translations")
        constraints: ClassVar = [models.UniqueConstraint(name="one_translation_a_key", fields=["owner", "key"])]
        indexes: ClassVar = [models.Index(name="translation_by_use", fields=["used"])]

    def __str__(self) -> str:
        return self.text


class Glossary(models.Model):
    """A saved glossary of one user. `entries` are [term, translation, note]."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="glossaries")
    name = models.CharField(_("name"), max_length=100)
    entries = models.JSONField(default=list)
    changed = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name, verbose_name_plural = _("glossary"), _("glossaries")
        ordering: ClassVar = ["name", "id"]
        constraints: ClassVar = [models.UniqueConstraint(name="one_glossary_a_name", fields=["owner", "name"])]

    def __str__(self) -> str:
        return self.name


class OwnerLimits(models.Model):
    """The quotas of one owner that differ from the settings; null: as in the settings."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="limits", verbose_name=_("owner")
    )
    running = models.PositiveIntegerField(_("jobs running at once"), null=True, blank=True)
    queued = models.PositiveIntegerField(_("jobs waiting or uploading"), null=True, blank=True)
    minutes_a_day = models.PositiveIntegerField(_("minutes of video in 24 hours"), null=True, blank=True)
    stored_bytes = models.PositiveBigIntegerField(_("storage in bytes"), null=True, blank=True)
    cost_a_job = models.DecimalField(_("cost of one job"), max_digits=12, decimal_places=2, null=True, blank=True)
    cost_a_month = models.DecimalField(_("cost in a month"), max_digits=12, decimal_places=2, null=True, blank=True)
    tokens_a_job = models.PositiveBigIntegerField(_("tokens of one job"), null=True, blank=True)
    tokens_a_month = models.PositiveBigIntegerField(_("tokens in a month"), null=True, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("user quota"), _("user quotas")

    def __str__(self) -> str:
        return gettext("quota of {owner}").format(owner=self.owner)


class Installation(models.Model):
    """This installation, in one row. `disk` is the id of the disk with its files, `marked` whether the disk has the id
    (`storage.installation`).
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    disk = models.UUIDField()
    marked = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(name="one_installation", condition=Q(id=1))]

    def __str__(self) -> str:
        return str(self.disk)


def bumped(**fields: object) -> dict[str, object]:
    """The fields of an UPDATE that changes a job's pages: `fields`, the next version, and the time of the change."""
    return {**fields, "version": F("version") + 1, "changed": timezone.now()}

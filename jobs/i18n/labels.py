"""Labels of statuses, stages and kinds of sources."""

from __future__ import annotations

from django.utils.translation import gettext_lazy, pgettext_lazy

from jobs.models import CallStatus, JobStatus, SourceKind, StageStatus
from jobs.pipeline.stage import Stage

STATUSES = {
    JobStatus.UPLOADING: pgettext_lazy("status", "Uploading"),
    JobStatus.QUEUED: pgettext_lazy("status", "Waiting"),
    JobStatus.RUNNING: pgettext_lazy("status", "Running"),
    JobStatus.PAUSED: pgettext_lazy("status", "Paused"),
    JobStatus.COMPLETED: pgettext_lazy("status", "Done"),
    JobStatus.FAILED: pgettext_lazy("status", "Failed"),
    JobStatus.CANCELLING: pgettext_lazy("status", "Cancelling"),
    JobStatus.CANCELLED: pgettext_lazy("status", "Cancelled"),
}
STAGES = {
    Stage.FETCH: pgettext_lazy("stage", "Fetch"),
    Stage.TRANSCRIBE: pgettext_lazy("stage", "Transcribe"),
    Stage.TRANSLATE: pgettext_lazy("stage", "Translate"),
    Stage.SUBTITLE: pgettext_lazy("stage", "Subtitle"),
    Stage.RENDER: pgettext_lazy("stage", "Render"),
}
STAGE_STATUSES = {
    StageStatus.WAITING: pgettext_lazy("status of a stage", "Waiting"),
    StageStatus.READY: pgettext_lazy("status of a stage", "Ready"),
    StageStatus.RUNNING: pgettext_lazy("status", "Running"),
    StageStatus.PAUSED: pgettext_lazy("status", "Paused"),
    StageStatus.DONE: pgettext_lazy("status", "Done"),
    StageStatus.FAILED: pgettext_lazy("status", "Failed"),
    StageStatus.STOPPED: pgettext_lazy("status of a stage", "Stopped"),
}
CALL_STATUSES = {
    CallStatus.ASKED: pgettext_lazy("tokens of a call", "Expected"),
    CallStatus.COUNTED: pgettext_lazy("tokens of a call", "Counted"),
    CallStatus.ESTIMATED: pgettext_lazy("tokens of a call", "Estimated"),
    CallStatus.FAILED: pgettext_lazy("tokens of a call", "None (failed)"),
}
SOURCES = {
    SourceKind.UPLOAD: gettext_lazy("Upload"),
    SourceKind.LINK: gettext_lazy("Link"),
    SourceKind.FILE: gettext_lazy("File"),
    SourceKind.SAMPLE: gettext_lazy("Sample"),
}

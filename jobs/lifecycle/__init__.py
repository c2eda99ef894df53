"""The state machines of jobs and of their stages: the only code that writes a status.

`transitions` has the tables of both machines, `jobs`, `claims` and `stages` the functions that move along them,
`changes` the notifications, `db_retry` the repetition of calls that fail while the database is unavailable.
"""

from jobs.lifecycle.claims import Claim, claim
from jobs.lifecycle.jobs import (
    UPLOAD_EXPIRY,
    can_finish_cancel,
    cancel,
    create,
    delete_row,
    finish_cancel,
    refresh_pages,
    retry,
    set_keep_running,
    set_notify,
    set_pinned,
    submit,
    uploaded_more,
)
from jobs.lifecycle.stages import (
    MAX_ATTEMPTS,
    commit_window,
    fail_stage,
    fenced,
    finish_stage,
    heartbeat,
    must_stop,
    record_group,
    reset_attempts,
    skip_stage,
    stop_stage,
    take_over,
)
from jobs.lifecycle.transitions import PRESENCE, SYSTEM, IllegalTransition, LostAttempt

__all__ = [
    "MAX_ATTEMPTS",
    "PRESENCE",
    "SYSTEM",
    "UPLOAD_EXPIRY",
    "Claim",
    "IllegalTransition",
    "LostAttempt",
    "can_finish_cancel",
    "cancel",
    "claim",
    "commit_window",
    "create",
    "delete_row",
    "fail_stage",
    "fenced",
    "finish_cancel",
    "finish_stage",
    "heartbeat",
    "must_stop",
    "record_group",
    "refresh_pages",
    "reset_attempts",
    "retry",
    "set_keep_running",
    "set_notify",
    "set_pinned",
    "skip_stage",
    "stop_stage",
    "submit",
    "take_over",
    "uploaded_more",
]

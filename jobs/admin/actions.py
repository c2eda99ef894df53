"""Actions on selected jobs. Each calls the state machine job by job and reports how many succeeded."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs import lifecycle
from jobs.admin.base import ReadOnly
from jobs.i18n import formats
from jobs.i18n.labels import STATUSES
from jobs.models import FINAL, UNFINISHED, Artifact, Job, JobStatus, Reason
from jobs.storage import deletion

_MAX_LISTED = 20
"""The most jobs that the confirmation page of a deletion lists by name."""


class JobActions(ReadOnly):
    """The actions of the list of jobs, with their permissions."""

    actions = ("cancel", "retry", "keep_running_on", "keep_running_off", "pin", "unpin", "delete_files")

    def has_steer_permission(self, request: HttpRequest) -> bool:
        """Whether the user may run actions: they need the permission to change jobs."""
        return request.user.has_perm("jobs.change_job")

    def has_discard_permission(self, request: HttpRequest) -> bool:
        """Whether the user may delete jobs with their files: they need the permission to delete jobs."""
        return request.user.has_perm("jobs.delete_job")

    @admin.action(description=gettext_lazy("Cancel"), permissions=["steer"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Cancel the selected jobs."""
        stop = partial(lifecycle.cancel, actor=request.user.get_username(), reason=Reason.ADMIN)
        refused = _("Not cancelled (already finished or being cancelled): {n}.")
        self._each(request, queryset, stop, _("Cancelling: {n}."), refused)

    @admin.action(description=gettext_lazy("Resume failed jobs"), permissions=["steer"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Resume the selected jobs that have failed."""
        again = partial(_retry, actor=request.user.get_username())
        refused = _("Not resumed (they have not failed): {n}.")
        self._each(request, queryset, again, _("Queued again: {n}."), refused)

    @admin.action(description=gettext_lazy("Keep running when the owner leaves"), permissions=["steer"])
    def keep_running_on(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Let the selected jobs run on when their owners leave."""
        refused = _("Skipped (already finished): {n}.")
        self._each(request, queryset, partial(_keep, keep=True), _("Will keep running: {n}."), refused)

    @admin.action(description=gettext_lazy("Cancel when the owner leaves"), permissions=["steer"])
    def keep_running_off(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Let the selected jobs be cancelled when their owners leave."""
        refused = _("Skipped (already finished): {n}.")
        self._each(
            request, queryset, partial(_keep, keep=False), _("Will be cancelled when the owner leaves: {n}."), refused
        )

    @admin.action(description=gettext_lazy("Pin (never delete automatically)"), permissions=["steer"])
    def pin(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Exempt the selected jobs from automatic deletion."""
        refused = _("Not pinned (cancelled): {n}.")
        self._each(request, queryset, partial(_pin, pinned=True), _("Pinned: {n}."), refused)

    @admin.action(description=gettext_lazy("Unpin"), permissions=["steer"])
    def unpin(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Undo `pin`."""
        refused = _("Skipped (cancelled): {n}.")
        self._each(request, queryset, partial(_pin, pinned=False), _("Unpinned: {n}."), refused)

    @admin.action(description=gettext_lazy("Delete finished jobs and their files…"), permissions=["discard"])
    def delete_files(self, request: HttpRequest, queryset: QuerySet[Job]) -> HttpResponseBase | None:
        """Delete the selected jobs that have ended, with their files, after a confirmation page."""
        unfinished = queryset.exclude(status__in=FINAL).count()
        ended = queryset.filter(status__in=FINAL)
        if "confirmed" not in request.POST and ended.exists():
            return self._confirmation(request, ended, unfinished)
        if unfinished:
            refused = _("Not deleted (not finished; cancel them first): {n}.")
            self.message_user(request, refused.format(n=formats.number(unfinished)), messages.WARNING)
        delete = partial(self._delete, request)
        self._each(request, ended, delete, _("Deleted: {n}."), _("Not deleted (files could not be removed): {n}."))
        return None

    def _confirmation(self, request: HttpRequest, ended: QuerySet[Job], unfinished: int) -> HttpResponseBase:
        size = Artifact.objects.filter(job__in=ended.order_by().values("pk")).aggregate(Sum("size"))["size__sum"] or 0
        context = {
            **self.admin_site.each_context(request),
            "title": _("Delete jobs and their files"),
            "opts": self.opts,
            "jobs": [(job, STATUSES[JobStatus(job.status)]) for job in ended[:_MAX_LISTED]],
            "more": max(0, ended.count() - _MAX_LISTED),
            "unfinished": unfinished,
            "size": formats.size(size),
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "select_across": request.POST.get("select_across", "0"),
        }
        return TemplateResponse(request, "admin/jobs/job/delete_files.html", context)

    def _delete(self, request: HttpRequest, job_id: uuid.UUID) -> bool:
        deleted = list(Job.objects.filter(pk=job_id))
        gone = deletion.delete(job_id)
        if gone:
            self.log_deletions(request, deleted)  # type: ignore[arg-type]  # typed as a QuerySet, iterated only
        return gone

    def _each(
        self, request: HttpRequest, queryset: QuerySet[Job], act: Callable[[uuid.UUID], bool], done: str, refused: str
    ) -> None:
        """Call `act` with each id; report `done` with the number of successes, `refused` with that of the others."""
        outcomes = [_succeeds(act, job_id) for job_id in queryset.order_by().values_list("pk", flat=True)]
        if count := outcomes.count(True):
            self.message_user(request, done.format(n=formats.number(count)), messages.SUCCESS)
        if count := outcomes.count(False):
            self.message_user(request, refused.format(n=formats.number(count)), messages.WARNING)


def _succeeds(act: Callable[[uuid.UUID], bool], job_id: uuid.UUID) -> bool:
    try:
        return act(job_id)
    except (lifecycle.IllegalTransition, OSError):
        return False


def _retry(job_id: uuid.UUID, actor: str) -> bool:
    lifecycle.retry(job_id, actor)
    return True


def _keep(job_id: uuid.UUID, keep: bool) -> bool:
    unfinished = Job.objects.filter(pk=job_id, status__in=UNFINISHED).exists()
    if unfinished:
        lifecycle.set_keep_running(job_id, keep)
    return unfinished


def _pin(job_id: uuid.UUID, pinned: bool) -> bool:
    stays = Job.objects.filter(pk=job_id).exclude(status__in=(JobStatus.CANCELLING, JobStatus.CANCELLED)).exists()
    if stays:
        lifecycle.set_pinned(job_id, pinned)
    return stays

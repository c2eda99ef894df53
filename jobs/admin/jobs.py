"""Admin pages of jobs: the list, and one job with its stages, transitions, usage and files."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from jobs.admin import display
from jobs.admin.actions import JobActions
from jobs.admin.base import ReadOnlyInline
from jobs.admin.filters import AgeFilter, OwnerFilter, StageFilter, StatusFilter
from jobs.admin.usage import USAGE_FIELDS
from jobs.i18n import formats
from jobs.models import Artifact, Job, SourceKind, StageRun, Transition, UsageEntry
from jobs.monitoring.estimates import share_done


class StageInline(ReadOnlyInline):
    """The stages of a job."""

    model = StageRun
    fields = (
        display.field("stage", _("stage"), display.stage),
        display.field("status", _("status"), display.stage_status),
        display.field("progress", _("progress"), display.bar),
        "took",
        display.field("attempts", _("attempts"), formats.number),
        display.field("queue", _("cluster"), display.code),
        display.field("worker", _("worker"), display.code),
        display.field("group", _("process group"), display.code),
        display.field("attempt", _("attempt ID"), display.code),
        display.field("error", _("error"), display.failure),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[StageRun]:
        """The stages, with their workers in the same query."""
        return super().get_queryset(request).select_related("worker")

    @admin.display(description=_("duration"))
    def took(self, run: StageRun) -> str:
        """The time that the last attempt took."""
        return display.span(display.took(run))


class TransitionInline(ReadOnlyInline):
    """The state changes of a job, in the terms of the log."""

    model = Transition
    fields = (
        display.field("at", _("time"), display.exactly),
        display.field("stage", _("stage"), display.code),
        display.field("from_status", _("old status"), display.code),
        display.field("to_status", _("new status"), display.code),
        display.field("actor", _("changed by"), display.code),
        display.field("reason", _("reason"), display.code),
        display.field("attempt", _("attempt ID"), display.code),
    )


class UsageInline(ReadOnlyInline):
    """The usage of a job."""

    model = UsageEntry
    verbose_name_plural = _("usage")
    fields = (*USAGE_FIELDS, display.field("at", _("time"), display.when))
    ordering = ("at",)


class ArtifactInline(ReadOnlyInline):
    """The published files of a job."""

    model = Artifact
    fields = (
        display.field("kind", _("kind"), display.code),
        display.field("name", _("name"), display.code),
        display.field("size", _("size"), formats.size),
        display.field("created", _("created"), display.when),
    )


class JobList(ChangeList):
    """Loads only the columns that the list shows: no options, result or error."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Job]:
        """The filtered jobs, without the columns that the list does not show."""
        columns = ("title", "source", "status", "owner", "created", "ended", *FLAGS)
        return super().get_queryset(request, exclude_parameters).only(*columns)


FLAGS = ("keep_running", "pinned")


@admin.register(Job)
class JobAdmin(JobActions):
    """The list of jobs and the page of one job."""

    list_display = (
        "name",
        display.field("status", _("status"), display.status),
        "at_stage",
        "bar",
        "owned_by",
        "age",
        "waited",
        "worked",
        *FLAGS,
    )
    list_filter = (StatusFilter, StageFilter, OwnerFilter, AgeFilter)
    ordering = ("-created",)
    search_fields = ("title", "source", "owner__username")
    search_help_text = _("Search by title, link, file name, user name or job ID")
    inlines = (StageInline, TransitionInline, UsageInline, ArtifactInline)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    display.field("status", _("status"), display.status),
                    "at_stage",
                    "bar",
                    display.field("error", _("error"), display.failure),
                    display.field("notes", _("notes"), display.notes),
                )
            },
        ),
        (
            _("Video"),
            {
                "fields": (
                    display.field("title", _("title"), display.name),
                    display.field("source_kind", _("source"), display.source_kind),
                    "where",
                    display.field("seconds", _("length"), display.seconds),
                    display.field("spoken", _("spoken language"), display.language),
                    display.field("target", _("target language"), display.language),
                )
            },
        ),
        (
            _("Owner"),
            {
                "fields": (
                    "owner",
                    "keep_running",
                    display.field("grace_until", _("counted as present until"), display.when),
                    "pinned",
                )
            },
        ),
        (
            _("Times"),
            {
                "fields": (
                    display.field("created", _("created"), display.when),
                    "waited",
                    "worked",
                    display.field("ended", _("ended"), display.when),
                    display.field("edited", _("last edited"), display.when),
                )
            },
        ),
        (
            _("Details"),
            {
                "classes": ("collapse",),
                "fields": (
                    display.field("id", _("ID"), display.code),
                    display.field("version", _("version"), formats.number),
                    display.field("options", _("options"), display.data),
                    display.field("engines", _("engines"), display.data),
                    display.field("result", _("result"), display.data),
                ),
            },
        ),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        """The change list that loads few columns."""
        return JobList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        """Jobs with owners and stages, one query for each: to join owners, SQLite would sort all jobs for one page."""
        stages = StageRun.objects.only("job", "stage", "number", "status", "progress", "started", "ended")
        owners = get_user_model().objects.only(get_user_model().USERNAME_FIELD)
        return super().get_queryset(request).prefetch_related(Prefetch("stages", stages), Prefetch("owner", owners))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Job], search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        """The job with the id `search_term`, else Django's search."""
        try:
            return queryset.filter(pk=uuid.UUID(search_term.strip())), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term)

    # Columns

    @admin.display(description=_("job"), ordering="title")
    def name(self, job: Job) -> SafeString:
        """The title, in at most 60 characters."""
        text = str(job)
        return display.name(text if len(text) <= 60 else f"{text[:59]}…")

    @admin.display(description=_("current stage"))
    def at_stage(self, job: Job) -> str:
        """The current stages with their statuses."""
        return display.current(job.stages.all())

    @admin.display(description=_("progress"))
    def bar(self, job: Job) -> SafeString:
        """The progress of the whole job."""
        return display.bar(share_done(job.stages.all()))

    @admin.display(description=_("owner"), ordering="owner__username")
    def owned_by(self, job: Job) -> SafeString:
        """The owner, linked to the list of their jobs."""
        name = job.owner.get_username()
        address = f"{reverse('admin:jobs_job_changelist')}?{urlencode({'owner': name})}"
        return format_html('<a href="{}">{}</a>', address, display.name(name))

    @admin.display(description=_("created"), ordering="created")
    def age(self, job: Job) -> str:
        """The time since the job was created."""
        return display.ago(job.created)

    @admin.display(description=_("waiting time"))
    def waited(self, job: Job) -> str:
        """The time from creation to the first work."""
        return display.span(display.waited(job, job.stages.all()))

    @admin.display(description=_("processing time"))
    def worked(self, job: Job) -> str:
        """The time from the first work to the end."""
        return display.span(display.worked(job, job.stages.all()))

    @admin.display(description=_("link or file"))
    def where(self, job: Job) -> str:
        """The source: the name of an uploaded file as text, a link or path as code."""
        return display.name(job.source) if job.source_kind == SourceKind.UPLOAD else display.code(job.source)

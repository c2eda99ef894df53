"""The admin, for the person who runs the place: look at everything, steer by actions, write no status by hand."""

from __future__ import annotations

import uuid
from datetime import timedelta
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
from django_q import admin as _django_q  # registers its models now, whatever the order of the apps
from django_q.models import Failure, OrmQ, Schedule, Success

from jobs import admin_clusters as admin_clusters  # registers its page
from jobs import admin_shown as shown
from jobs.admin_actions import JobActions
from jobs.admin_filters import AgeFilter, OwnerFilter, StageFilter, UsageAgeFilter
from jobs.admin_read_only import ReadOnly, ReadOnlyInline
from jobs.estimates import share_done
from jobs.models import Artifact, Job, OwnerLimits, StageRun, Transition, UsageEntry
from jobs.pipeline.limits import bytes_text

assert _django_q
admin.site.unregister((Schedule, OrmQ, Success, Failure))  # type: ignore[arg-type]
"""A schedule may name any function: whoever could add one here could run anything. Ours is written by `jobs.apps`."""


class StageInline(ReadOnlyInline):
    model = StageRun
    fields = ("stage", "status", "bar", "took", "tries", "queue", "worker", "group", "attempt", "failure")

    def get_queryset(self, request: HttpRequest) -> QuerySet[StageRun]:
        return super().get_queryset(request).select_related("worker")

    @admin.display(description="progress")
    def bar(self, run: StageRun) -> str:
        return shown.bar(run.progress)

    def took(self, run: StageRun) -> str:
        return shown.span(shown.took(run))

    @admin.display(description="error")
    def failure(self, run: StageRun) -> str:
        return shown.failure(run.error)


class TransitionInline(ReadOnlyInline):
    model = Transition
    fields = ("exact_time", "stage", "was", "now", "who", "why", "attempt")

    @admin.display(description="at")
    def exact_time(self, transition: Transition) -> str:
        return shown.exactly(transition.at)


class UsageInline(ReadOnlyInline):
    model = UsageEntry
    fields = ("stage", "engine", "input_tokens", "output_tokens", "seconds", "at")
    ordering = ("at",)


class ArtifactInline(ReadOnlyInline):
    model = Artifact
    verbose_name_plural = "files"
    fields = ("kind", "name", "bytes", "created")

    @admin.display(description="size")
    def bytes(self, artifact: Artifact) -> str:
        return bytes_text(artifact.size)


class JobList(ChangeList):
    """Reads of each job only what the list shows: no order, no result, no error."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Job]:
        columns = ("title", "source", "status", "owner", "created", "ended", *FLAGS)
        return super().get_queryset(request, exclude_parameters).only(*columns)


FLAGS = ("keep_running", "pinned")


@admin.register(Job)
class JobAdmin(JobActions):
    list_display = (
        "name",
        "status",
        "at_stage",
        "bar",
        "owned_by",
        "age",
        "waited",
        "worked",
        *FLAGS,
    )
    list_filter = ("status", StageFilter, OwnerFilter, AgeFilter)
    ordering = ("-created",)
    search_fields = ("title", "source", "owner__username")
    search_help_text = "Words of the title, the link or the file, an owner, or the id of a job as logs name it"
    inlines = (StageInline, TransitionInline, UsageInline, ArtifactInline)
    fieldsets = (
        (None, {"fields": ("status", "at_stage", "bar", "failure", "notes")}),
        ("Video", {"fields": ("title", "source_kind", "source", "length", "spoken", "target")}),
        ("Owner", {"fields": ("owner", "keep_running", "grace_until", "pinned")}),
        ("Times", {"fields": ("created", "waited", "worked", "ended", "edited")}),
        ("Details", {"classes": ("collapse",), "fields": ("id", "version", "order", "engines", "result")}),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        return JobList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        """With owners and stages, one query for each: SQLite would sort all jobs to join the owners of one page."""
        stages = StageRun.objects.only("job", "stage", "number", "status", "progress", "started", "ended")
        owners = get_user_model().objects.only(get_user_model().USERNAME_FIELD)
        return super().get_queryset(request).prefetch_related(Prefetch("stages", stages), Prefetch("owner", owners))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Job], search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        try:
            return queryset.filter(pk=uuid.UUID(search_term.strip())), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term)

    # Columns

    @admin.display(description="job", ordering="title")
    def name(self, job: Job) -> str:
        text = str(job)
        return text if len(text) <= 60 else f"{text[:59]}…"

    @admin.display(description="current stage")
    def at_stage(self, job: Job) -> str:
        return shown.current(job.stages.all())

    @admin.display(description="progress")
    def bar(self, job: Job) -> SafeString:
        return shown.bar(share_done(job.stages.all()))

    @admin.display(description="owner", ordering="owner__username")
    def owned_by(self, job: Job) -> SafeString:
        name = job.owner.get_username()
        address = f"{reverse('admin:jobs_job_changelist')}?{urlencode({'owner': name})}"
        return format_html('<a href="{}">{}</a>', address, name)

    @admin.display(ordering="created")
    def age(self, job: Job) -> str:
        return shown.ago(job.created)

    def waited(self, job: Job) -> str:
        return shown.span(shown.waited(job, job.stages.all()))

    def worked(self, job: Job) -> str:
        return shown.span(shown.worked(job, job.stages.all()))

    def length(self, job: Job) -> str:
        return shown.span(timedelta(seconds=job.seconds)) if job.seconds else shown.NOTHING

    @admin.display(description="error")
    def failure(self, job: Job) -> str:
        return shown.failure(job.error)


@admin.register(OwnerLimits)
class OwnerLimitsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The one thing that is written here. An empty field means: as the settings say; 0 means no limit."""

    autocomplete_fields = ("owner",)
    list_display = ("owner", "running", "queued", "minutes_a_day", "stored_bytes")
    list_select_related = ("owner",)
    search_fields = ("owner__username",)
    fieldsets = ((None, {"fields": list_display, "description": "Empty: as the settings say. 0: no limit."}),)


@admin.register(UsageEntry)
class UsageEntryAdmin(ReadOnly):
    list_display = ("at", "owner", "job", "stage", "engine", "input_tokens", "output_tokens", "seconds")
    list_filter = (UsageAgeFilter, "engine")
    ordering = ("-at",)
    search_fields = ("owner__username", "engine")

    def get_queryset(self, request: HttpRequest) -> QuerySet[UsageEntry]:
        used = ("stage", "engine", "input_tokens", "output_tokens", "seconds", "at")
        people = (f"owner__{get_user_model().USERNAME_FIELD}", "job__title", "job__source")
        return super().get_queryset(request).select_related("owner", "job").only(*used, *people)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Accounts go with their owner only: otherwise nobody who used anything could be deleted."""
        owner = get_user_model()._meta
        page = str(request.resolver_match.url_name) if request.resolver_match else ""
        with_owner = page.startswith(f"{owner.app_label}_{owner.model_name}_")
        return with_owner and admin.ModelAdmin.has_delete_permission(self, request, obj)

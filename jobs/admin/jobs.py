"""The admin, for the person who runs the place: look at everything, steer by actions, write no status by hand."""

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
from django_q import admin as _django_q  # registers its models now, whatever the order of the apps
from django_q.models import Failure, OrmQ, Schedule, Success

from jobs.admin import display as shown
from jobs.admin.actions import JobActions
from jobs.admin.base import ReadOnly, ReadOnlyInline
from jobs.admin.filters import AgeFilter, EngineFilter, OwnerFilter, StageFilter, StatusFilter, UsageAgeFilter
from jobs.i18n import formats
from jobs.models import Artifact, Job, OwnerLimits, SourceKind, StageRun, Transition, UsageEntry
from jobs.monitoring.estimates import share_done

admin.site.site_header = admin.site.site_title = _("Zirnevis administration")
assert _django_q
admin.site.unregister((Schedule, OrmQ, Success, Failure))
"""A schedule may name any function: whoever could add one here could run anything. Ours is written by `jobs.apps`."""


class StageInline(ReadOnlyInline):
    model = StageRun
    fields = (
        shown.field("stage", _("stage"), shown.stage),
        shown.field("status", _("status"), shown.stage_status),
        shown.field("progress", _("progress"), shown.bar),
        "took",
        shown.field("attempts", _("attempts"), formats.number),
        shown.field("queue", _("cluster"), shown.code),
        shown.field("worker", _("worker"), shown.code),
        shown.field("group", _("process group"), shown.code),
        shown.field("attempt", _("attempt ID"), shown.code),
        shown.field("error", _("error"), shown.failure),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[StageRun]:
        return super().get_queryset(request).select_related("worker")

    @admin.display(description=_("duration"))
    def took(self, run: StageRun) -> str:
        return shown.span(shown.took(run))


class TransitionInline(ReadOnlyInline):
    """As logs have it."""

    model = Transition
    fields = (
        shown.field("at", _("time"), shown.exactly),
        shown.field("stage", _("stage"), shown.code),
        shown.field("from_status", _("old status"), shown.code),
        shown.field("to_status", _("new status"), shown.code),
        shown.field("actor", _("changed by"), shown.code),
        shown.field("reason", _("reason"), shown.code),
        shown.field("attempt", _("attempt ID"), shown.code),
    )


USED = (
    shown.field("stage", _("stage"), shown.stage),
    shown.field("engine", _("engine"), shown.code),
    shown.field("input_tokens", _("input tokens"), formats.number),
    shown.field("output_tokens", _("output tokens"), formats.number),
    shown.field("seconds", _("speech transcribed"), shown.seconds),
)


class UsageInline(ReadOnlyInline):
    model = UsageEntry
    verbose_name_plural = _("usage")
    fields = (*USED, shown.field("at", _("time"), shown.when))
    ordering = ("at",)


class ArtifactInline(ReadOnlyInline):
    model = Artifact
    fields = (
        shown.field("kind", _("kind"), shown.code),
        shown.field("name", _("name"), shown.code),
        shown.field("size", _("size"), formats.size),
        shown.field("created", _("created"), shown.when),
    )


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
        shown.field("status", _("status"), shown.status),
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
                    shown.field("status", _("status"), shown.status),
                    "at_stage",
                    "bar",
                    shown.field("error", _("error"), shown.failure),
                    shown.field("notes", _("notes"), shown.notes),
                )
            },
        ),
        (
            _("Video"),
            {
                "fields": (
                    shown.field("title", _("title"), shown.name),
                    shown.field("source_kind", _("source"), shown.source_kind),
                    "where",
                    shown.field("seconds", _("length"), shown.seconds),
                    shown.field("spoken", _("spoken language"), shown.language),
                    shown.field("target", _("target language"), shown.language),
                )
            },
        ),
        (
            _("Owner"),
            {
                "fields": (
                    "owner",
                    "keep_running",
                    shown.field("grace_until", _("counted as present until"), shown.when),
                    "pinned",
                )
            },
        ),
        (
            _("Times"),
            {
                "fields": (
                    shown.field("created", _("created"), shown.when),
                    "waited",
                    "worked",
                    shown.field("ended", _("ended"), shown.when),
                    shown.field("edited", _("last edited"), shown.when),
                )
            },
        ),
        (
            _("Details"),
            {
                "classes": ("collapse",),
                "fields": (
                    shown.field("id", _("ID"), shown.code),
                    shown.field("version", _("version"), formats.number),
                    shown.field("options", _("options"), shown.data),
                    shown.field("engines", _("engines"), shown.data),
                    shown.field("result", _("result"), shown.data),
                ),
            },
        ),
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

    @admin.display(description=_("job"), ordering="title")
    def name(self, job: Job) -> SafeString:
        text = str(job)
        return shown.name(text if len(text) <= 60 else f"{text[:59]}…")

    @admin.display(description=_("current stage"))
    def at_stage(self, job: Job) -> str:
        return shown.current(job.stages.all())

    @admin.display(description=_("progress"))
    def bar(self, job: Job) -> SafeString:
        return shown.bar(share_done(job.stages.all()))

    @admin.display(description=_("owner"), ordering="owner__username")
    def owned_by(self, job: Job) -> SafeString:
        name = job.owner.get_username()
        address = f"{reverse('admin:jobs_job_changelist')}?{urlencode({'owner': name})}"
        return format_html('<a href="{}">{}</a>', address, shown.name(name))

    @admin.display(description=_("created"), ordering="created")
    def age(self, job: Job) -> str:
        return shown.ago(job.created)

    @admin.display(description=_("waiting time"))
    def waited(self, job: Job) -> str:
        return shown.span(shown.waited(job, job.stages.all()))

    @admin.display(description=_("processing time"))
    def worked(self, job: Job) -> str:
        return shown.span(shown.worked(job, job.stages.all()))

    @admin.display(description=_("link or file"))
    def where(self, job: Job) -> str:
        """An uploaded file has a name that a person gave it."""
        return shown.name(job.source) if job.source_kind == SourceKind.UPLOAD else shown.code(job.source)


LIMITS = [field for field in OwnerLimits._meta.fields if field.name not in {"id", "owner"}]


@admin.register(OwnerLimits)
class OwnerLimitsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The one thing that is written here. An empty field means: as the settings say; 0 means no limit."""

    autocomplete_fields = ("owner",)
    list_display = ("owner", *(shown.field(limit.name, limit.verbose_name, shown.count) for limit in LIMITS))
    list_select_related = ("owner",)
    search_fields = ("owner__username",)
    fieldsets = (
        (
            None,
            {
                "fields": ("owner", *(limit.name for limit in LIMITS)),
                "description": _("Leave a field empty to use the value from the settings. 0 means no limit."),
            },
        ),
    )


@admin.register(UsageEntry)
class UsageEntryAdmin(ReadOnly):
    list_display = (shown.field("at", _("time"), shown.when), "who", "what", *USED)
    fieldsets = ((None, {"fields": list_display}),)
    list_filter = (UsageAgeFilter, EngineFilter)
    ordering = ("-at",)
    search_fields = ("owner__username", "engine")

    def get_queryset(self, request: HttpRequest) -> QuerySet[UsageEntry]:
        used = ("stage", "engine", "input_tokens", "output_tokens", "seconds", "at")
        people = (f"owner__{get_user_model().USERNAME_FIELD}", "job__title", "job__source")
        return super().get_queryset(request).select_related("owner", "job").only(*used, *people)

    @admin.display(description=_("owner"), ordering="owner")
    def who(self, entry: UsageEntry) -> SafeString:
        return shown.name(entry.owner.get_username())

    @admin.display(description=_("job"), ordering="job")
    def what(self, entry: UsageEntry) -> str:
        return shown.name(str(entry.job)) if entry.job else shown.NOTHING

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Accounts go with their owner only: otherwise nobody who used anything could be deleted."""
        owner = get_user_model()._meta
        page = str(request.resolver_match.url_name) if request.resolver_match else ""
        with_owner = page.startswith(f"{owner.app_label}_{owner.model_name}_")
        return with_owner and admin.ModelAdmin.has_delete_permission(self, request, obj)

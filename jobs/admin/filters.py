"""Filters of the lists of jobs and of usage."""

# ruff: noqa: ARG002  Signatures are Django's.

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from jobs.admin.display import AT_WORK, name
from jobs.i18n import formats
from jobs.i18n.labels import CALL_STATUSES, STAGES, STATUSES
from jobs.models import Call, Job, StageRun, UsageEntry

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as Words

_AGES = {
    "hour": (_("the last hour"), timedelta(hours=1)),
    "day": (_("the last 24 hours"), timedelta(days=1)),
    "week": (_("the last 7 days"), timedelta(days=7)),
}
_OLDER = "older"

_MAX_OWNERS = 20
"""The most owners that the filter offers, those with the most jobs; others are found by search or a click on a name."""


class StatusFilter(admin.SimpleListFilter):
    """Jobs by status."""

    title = _("status")
    parameter_name = "status__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Words]]:
        return [(status.value, label) for status, label in STATUSES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(status=self.value()) if self.value() else queryset


class StageFilter(admin.SimpleListFilter):
    """Jobs by current or failed stage."""

    title = _("current stage")
    parameter_name = "stage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Words]]:
        return [(stage.value, label) for stage, label in STAGES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        if stage := self.value():
            runs = StageRun.objects.filter(stage=stage, status__in=AT_WORK).order_by()
            return queryset.filter(pk__in=runs.values("job"))
        return queryset


class OwnerFilter(admin.SimpleListFilter):
    """Jobs by owner."""

    title = _("owner")
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, SafeString]]:
        counted = Job.objects.values_list("owner__username").annotate(jobs=Count("pk"))
        offered = [
            (who, _counted(who, jobs)) for who, jobs in counted.order_by("-jobs", "owner__username")[:_MAX_OWNERS]
        ]
        chosen = self.value()
        return offered if not chosen or chosen in dict(offered) else [(chosen, name(chosen)), *offered]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(owner__username=self.value()) if self.value() else queryset


def _counted(who: str, jobs: int) -> SafeString:
    return format_html("{} ({})", name(who), formats.number(jobs))


class AgeFilter(admin.SimpleListFilter):
    """Rows by the age of the time in `field`."""

    title = _("created")
    parameter_name = "age"
    field = "created"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Words]]:
        return [*((key, label) for key, (label, _span) in _AGES.items()), (_OLDER, _("older than 7 days"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        age = self.value()
        if age == _OLDER:
            return queryset.filter(**{f"{self.field}__lt": timezone.now() - _AGES["week"][1]})
        if age in _AGES:
            return queryset.filter(**{f"{self.field}__gte": timezone.now() - _AGES[age][1]})
        return queryset


class UsageAgeFilter(AgeFilter):
    """Usage entries by age."""

    field = "at"


class CallAgeFilter(AgeFilter):
    """Calls by age."""

    title = _("time")
    field = "at"


class CallStatusFilter(admin.SimpleListFilter):
    """Calls by how their tokens are known."""

    title = _("token count")
    parameter_name = "status__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Words]]:
        return [(status.value, label) for status, label in CALL_STATUSES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Call]) -> QuerySet[Call]:
        return queryset.filter(status=self.value()) if self.value() else queryset


class EngineFilter(admin.SimpleListFilter):
    """Usage entries by engine."""

    title = _("engine")
    parameter_name = "engine__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, SafeString]]:
        used = UsageEntry.objects.order_by("engine").values_list("engine", flat=True).distinct()
        return [(engine, name(engine)) for engine in used]

    def queryset(self, request: HttpRequest, queryset: QuerySet[UsageEntry]) -> QuerySet[UsageEntry]:
        return queryset.filter(engine=self.value()) if self.value() else queryset

"""How the admin narrows a list of jobs, or of what they used."""

# ruff: noqa: ARG002  Django hands these methods more than they need.

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from jobs.admin_shown import AT_WORK
from jobs.models import Job, StageRun
from jobs.pipeline.stages import Stage

_AGES = {
    "hour": ("the last hour", timedelta(hours=1)),
    "day": ("the last 24 hours", timedelta(days=1)),
    "week": ("the last 7 days", timedelta(days=7)),
}
_OLDER = "older"

_OWNERS = 20
"""So many are offered, those with the most jobs; the others are found by search, or by a click on their name."""


class StageFilter(admin.SimpleListFilter):
    """Jobs that are at a stage now, or failed in it."""

    title = "current stage"
    parameter_name = "stage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(stage.value, stage.value) for stage in Stage]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        if stage := self.value():
            there = StageRun.objects.filter(stage=stage, status__in=AT_WORK).order_by()
            return queryset.filter(pk__in=there.values("job"))
        return queryset


class OwnerFilter(admin.SimpleListFilter):
    title = "owner"
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        counted = Job.objects.values_list("owner__username").annotate(jobs=Count("pk"))
        offered = [(name, f"{name} ({jobs})") for name, jobs in counted.order_by("-jobs", "owner__username")[:_OWNERS]]
        chosen = self.value()
        return offered if not chosen or chosen in dict(offered) else [(chosen, chosen), *offered]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(owner__username=self.value()) if self.value() else queryset


class AgeFilter(admin.SimpleListFilter):
    """Of rows by the time in `field`."""

    title = "age"
    parameter_name = "age"
    field = "created"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((key, words) for key, (words, _) in _AGES.items()), (_OLDER, "older than 7 days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        age = self.value()
        if age == _OLDER:
            return queryset.filter(**{f"{self.field}__lt": timezone.now() - _AGES["week"][1]})
        if age in _AGES:
            return queryset.filter(**{f"{self.field}__gte": timezone.now() - _AGES[age][1]})
        return queryset


class UsageAgeFilter(AgeFilter):
    field = "at"

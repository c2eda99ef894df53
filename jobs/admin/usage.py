"""Admin pages of what jobs used: tokens, seconds of speech."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from jobs.admin import display
from jobs.admin.base import ReadOnly
from jobs.admin.filters import EngineFilter, UsageAgeFilter
from jobs.i18n import formats
from jobs.models import UsageEntry

USAGE_FIELDS = (
    display.field("stage", _("stage"), display.stage),
    display.field("engine", _("engine"), display.code),
    display.field("input_tokens", _("input tokens"), formats.number),
    display.field("output_tokens", _("output tokens"), formats.number),
    display.field("seconds", _("speech transcribed"), display.seconds),
)


@admin.register(UsageEntry)
class UsageEntryAdmin(ReadOnly):
    """The list of usage entries."""

    list_display = (display.field("at", _("time"), display.when), "who", "what", *USAGE_FIELDS)
    fieldsets = ((None, {"fields": list_display}),)
    list_filter = (UsageAgeFilter, EngineFilter)
    ordering = ("-at",)
    search_fields = ("owner__username", "engine")

    def get_queryset(self, request: HttpRequest) -> QuerySet[UsageEntry]:
        """Usage entries with their owners and jobs, in one query of the columns that are display."""
        columns = ("stage", "engine", "input_tokens", "output_tokens", "seconds", "at")
        related = (f"owner__{get_user_model().USERNAME_FIELD}", "job__title", "job__source")
        return super().get_queryset(request).select_related("owner", "job").only(*columns, *related)

    @admin.display(description=_("owner"), ordering="owner")
    def who(self, entry: UsageEntry) -> SafeString:
        """The name of the owner."""
        return display.name(entry.owner.get_username())

    @admin.display(description=_("job"), ordering="job")
    def what(self, entry: UsageEntry) -> str:
        """The title of the job."""
        return display.name(str(entry.job)) if entry.job else display.NOTHING

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow deletion together with the owner only."""
        return deleted_with_owner(self, request, obj)


def deleted_with_owner(page: ReadOnly, request: HttpRequest, obj: Any) -> bool:
    """Whether rows may be deleted because their owner is: otherwise no user with such rows could be deleted."""
    owner = get_user_model()._meta
    name = str(request.resolver_match.url_name) if request.resolver_match else ""
    with_owner = name.startswith(f"{owner.app_label}_{owner.model_name}_")
    return with_owner and admin.ModelAdmin.has_delete_permission(page, request, obj)

"""Admin pages of the limits of single users."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from jobs.admin import display
from jobs.models import OwnerLimits

_LIMIT_FIELDS = [field for field in OwnerLimits._meta.fields if field.name not in {"id", "owner"}]


@admin.register(OwnerLimits)
class OwnerLimitsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The only editable rows of the admin. An empty field means the value of the settings; 0 means no limit."""

    autocomplete_fields = ("owner",)
    list_display = ("owner", *(display.field(limit.name, limit.verbose_name, display.count) for limit in _LIMIT_FIELDS))
    list_select_related = ("owner",)
    search_fields = ("owner__username",)
    fieldsets = (
        (
            None,
            {
                "fields": ("owner", *(limit.name for limit in _LIMIT_FIELDS)),
                "description": _("Leave a field empty to use the value from the settings. 0 means no limit."),
            },
        ),
    )

"""Admin pages of the ledger: the calls of paid services, with the totals of each owner and month."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncMonth
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from jobs.admin import display
from jobs.admin.base import ReadOnly
from jobs.admin.filters import CallAgeFilter, CallStatusFilter
from jobs.admin.usage import deleted_with_owner
from jobs.i18n import formats
from jobs.models import Call

_MOST_TOTALS = 60
"""The most rows of totals that the page shows, the newest months first, and in each the owners who cost most."""


@admin.register(Call)
class CallAdmin(ReadOnly):
    """The list of calls, below the totals of what is listed."""

    change_list_template = "admin/jobs/call/change_list.html"
    list_display = (
        display.field("at", _("time"), display.when),
        "who",
        "what",
        display.field("model", _("model"), display.code),
        display.field("status", _("token count"), display.call_status),
        display.field("input_tokens", _("input tokens"), formats.number),
        display.field("output_tokens", _("output tokens"), formats.number),
        "price",
    )
    fieldsets = ((None, {"fields": (*list_display, display.field("engine", _("engine"), display.code))}),)
    list_filter = (CallAgeFilter, CallStatusFilter)
    ordering = ("-at",)
    search_fields = ("owner__username", "engine", "model")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Call]:
        """Calls with their owners and jobs, in one query."""
        return super().get_queryset(request).select_related("owner", "job")

    @admin.display(description=_("owner"), ordering="owner")
    def who(self, call: Call) -> SafeString:
        """The name of the owner."""
        return display.name(call.owner.get_username())

    @admin.display(description=_("job"), ordering="job")
    def what(self, call: Call) -> str:
        """The title of the job."""
        return display.name(str(call.job)) if call.job else display.NOTHING

    @admin.display(description=_("cost"), ordering="cost")
    def price(self, call: Call) -> str:
        """The cost of the call; nothing where the price of the model was not known."""
        return display.NOTHING if call.cost is None else display.cost(call.cost, call.currency)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the totals of each owner and month."""
        return super().changelist_view(request, {**(extra_context or {}), "totals": totals()})

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow deletion together with the owner only."""
        return deleted_with_owner(self, request, obj)


def totals() -> list[dict[str, Any]]:
    """The sums of each owner in each month (of TIME_ZONE) and currency, as texts."""
    username = get_user_model().USERNAME_FIELD
    groups = Call.objects.annotate(month=TruncMonth("at")).order_by().values("month", f"owner__{username}", "currency")
    sums = groups.annotate(
        calls=Count("pk"),
        tokens=Coalesce(Sum(F("input_tokens") + F("output_tokens")), 0),
        cost=Coalesce(Sum("cost"), Decimal(0)),
    )
    return [
        {
            "month": formats.month(row["month"]),
            "owner": row[f"owner__{username}"],
            "calls": formats.number(row["calls"]),
            "tokens": formats.number(row["tokens"]),
            "cost": display.cost(row["cost"], row["currency"]) if row["currency"] else display.NOTHING,
        }
        for row in sums.order_by("-month", "-cost", "-tokens")[:_MOST_TOTALS]
    ]

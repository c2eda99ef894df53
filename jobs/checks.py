"""System checks of Django: refuse combinations of settings that cannot work."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register

from jobs.engines.registry import TRANSCRIBERS, TRANSLATORS
from jobs.engines.selection import AUTO
from jobs.models import Queue

MAX_RETRY = 300
"""The longest `retry` of the queue in seconds, after which the ticket of a dead worker is delivered again."""


@register
def queues(**_: Any) -> list[CheckMessage]:
    """Check that every queue has a cluster, is in the database of the jobs, and redelivers tickets of dead workers."""
    found: list[CheckMessage] = []
    conf: dict[str, Any] = settings.Q_CLUSTER
    if conf.get("orm") != "default":
        found.append(_error(1, "The queue must use the database of the jobs.", 'Set Q_CLUSTER["orm"] to "default".'))
    if missing := set(Queue.values) - set(conf.get("ALT_CLUSTERS", {})):
        found.append(_error(2, f"These queues have no cluster: {_list(missing)}.", "Add them to ALT_CLUSTERS."))
    if settings.CLUSTER and settings.CLUSTER not in Queue.values:
        found.append(
            _error(
                3,
                f"The cluster “{settings.CLUSTER}” does not exist.",
                f"Set Q_CLUSTER_NAME to one of {_list(Queue.values)}.",
            )
        )
    if not conf["timeout"] < conf["retry"] <= MAX_RETRY:
        hint = f"Keep timeout below retry, and retry at most {MAX_RETRY} s."
        found.append(_error(4, "Tickets of a dead worker would be delivered again too late or too early.", hint))
    if any(workers < 1 for workers in settings.CLUSTERS.values()):
        found.append(_error(5, "A cluster has no workers.", "Set each …_WORKERS to 1 or more."))
    return found


@register
def engines(**_: Any) -> list[CheckMessage]:
    """Check that the engines that the settings name exist."""
    found: list[CheckMessage] = []
    for setting, specs in (("TRANSCRIBER", TRANSCRIBERS), ("TRANSLATOR", TRANSLATORS)):
        known = [AUTO, *(spec.name for spec in specs)]
        if (name := getattr(settings, setting)) not in known:
            found.append(_error(6, f"{setting} names an unknown engine: “{name}”.", f"Choose one of {_list(known)}."))
    return found


@register
def numbers(**_: Any) -> list[CheckMessage]:
    """Check the ranges of times and limits."""
    found: list[CheckMessage] = []
    if settings.PAGE_LEASE < 60:
        found.append(_error(7, "PAGE_LEASE is too short: open pages renew it every 15 s.", "Set it to 60 or more."))
    if not 0 <= settings.TAB_CLOSE_GRACE <= settings.PAGE_LEASE:
        found.append(_error(8, "TAB_CLOSE_GRACE is out of range.", "Set it between 0 and PAGE_LEASE."))
    if settings.RETENTION_HOURS < 1:
        found.append(
            _error(9, "RETENTION_HOURS is too short: results would be deleted at once.", "Set it to 1 or more.")
        )
    return found


@register
def costs(**_: Any) -> list[CheckMessage]:
    """Check the currency and the caps of cost."""
    found: list[CheckMessage] = []
    if not re.fullmatch("[A-Z]{3}", settings.CURRENCY):
        found.append(_error(11, f"CURRENCY is not a currency: “{settings.CURRENCY}”.", "Set a code such as USD."))
    for name in ("LIMIT_COST_A_JOB", "LIMIT_COST_A_MONTH", "LIMIT_TOKENS_A_JOB", "LIMIT_TOKENS_A_MONTH"):
        limit = Decimal(getattr(settings, name))
        if not (limit.is_finite() and 0 <= limit < 10**9):
            found.append(
                _error(12, f"{name} is out of range.", "Set it to 0, for no cap, or to the most that may be used.")
            )
    if settings.PAUSED_DAYS < 1:
        found.append(_error(13, "PAUSED_DAYS is too short: paused jobs would be lost.", "Set it to 1 or more."))
    return found


@register
def sqlite(**_: Any) -> list[CheckMessage]:
    """Check that SQLite waits for its lock at the start of a transaction: later it fails at once."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3") and database.get("OPTIONS", {}).get("transaction_mode") != "IMMEDIATE":
        return [checks.Warning("SQLite without IMMEDIATE transactions fails under load.", id="jobs.W010")]
    return []


def _error(number: int, message: str, hint: str) -> Error:
    return Error(message, hint=hint, id=f"jobs.E{number:03}")


def _list(names: Any) -> str:
    return ", ".join(sorted(names))

"""`manage.py check`: combinations of settings that cannot work are refused before anything starts."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register

from jobs.engines.registry import TRANSCRIBERS, TRANSLATORS
from jobs.engines.selection import AUTO
from jobs.models import Queue

LONGEST_RETRY = 300


@register
def queues(**_: Any) -> list[CheckMessage]:
    """Tickets reach somebody, are stored with the jobs, and come again soon after a worker died."""
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
    if not conf["timeout"] < conf["retry"] <= LONGEST_RETRY:
        hint = f"Keep timeout below retry, and retry at most {LONGEST_RETRY} s."
        found.append(_error(4, "Tickets of a dead worker would be delivered again too late or too early.", hint))
    if any(workers < 1 for workers in settings.CLUSTERS.values()):
        found.append(_error(5, "A cluster has no workers.", "Set each …_WORKERS to 1 or more."))
    return found


@register
def engines(**_: Any) -> list[CheckMessage]:
    """The engines that the settings name exist."""
    found: list[CheckMessage] = []
    for setting, specs in (("TRANSCRIBER", TRANSCRIBERS), ("TRANSLATOR", TRANSLATORS)):
        known = [AUTO, *(spec.name for spec in specs)]
        if (name := getattr(settings, setting)) not in known:
            found.append(_error(6, f"{setting} names an unknown engine: “{name}”.", f"Choose one of {_list(known)}."))
    return found


@register
def numbers(**_: Any) -> list[CheckMessage]:
    """Times and limits that make sense together."""
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
def sqlite(**_: Any) -> list[CheckMessage]:
    """SQLite has to wait for its lock at the start of a transaction, not to fail in the middle."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3") and database.get("OPTIONS", {}).get("transaction_mode") != "IMMEDIATE":
        return [checks.Warning("SQLite without IMMEDIATE transactions fails under load.", id="jobs.W010")]
    return []


def _error(number: int, message: str, hint: str) -> Error:
    return Error(message, hint=hint, id=f"jobs.E{number:03}")


def _list(names: Any) -> str:
    return ", ".join(sorted(names))

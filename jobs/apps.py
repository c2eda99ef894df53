"""The Django app of the project."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy


class JobsConfig(AppConfig):
    """The app `jobs`: registers the checks, connects the signals of Django-Q, and schedules the cleanup."""

    name = "jobs"
    verbose_name = gettext_lazy("Zirnevis")

    def ready(self) -> None:
        """Register checks and signals. Django calls it once in each process."""
        from jobs import checks, tasks

        assert checks  # registered by being imported
        tasks.connect()
        post_migrate.connect(_schedule_cleanup, sender=self)


def _schedule_cleanup(**_: Any) -> None:
    """Schedule the hourly cleanup. It names a cluster, because no cluster runs a schedule without a name."""
    from django_q.models import Schedule

    hourly = {
        "func": "jobs.storage.retention.scheduled",
        "schedule_type": Schedule.HOURLY,
        "repeats": -1,
        "cluster": "media",
    }
    Schedule.objects.update_or_create(name="cleanup", defaults=hourly)

"""Django's admin for this site: jobs, processes, usage and limits.

Importing the package registers all pages. Rows are looked at and changed by actions only; no form writes a status.
"""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from django_q import admin as django_q_admin  # imported for its registrations, which are undone below
from django_q.models import Failure, OrmQ, Schedule, Success

from jobs.admin import calls, jobs, limits, processes, usage

__all__ = ["calls", "django_q_admin", "jobs", "limits", "processes", "usage"]

admin.site.site_header = admin.site.site_title = _("Zirnevis administration")

# A schedule may name any function, so a user who could add one could run anything. `jobs.apps` writes the only one.
admin.site.unregister((Schedule, OrmQ, Success, Failure))

"""The pages of Django's admin: jobs, processes, usage and limits."""

from jobs.admin import jobs, processes

__all__ = ["jobs", "processes"]

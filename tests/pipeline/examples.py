"""Numbers of examples that Hypothesis tries of properties that take long."""

from __future__ import annotations

from hypothesis import settings

SOAK = "soak"
"""The profile that tests/conftest.py loads in `make soak`."""


def few(count: int) -> settings:
    """Settings of a slow property: `count` examples, and in `make soak` those of its profile."""
    soaked = settings.get_current_profile_name() == SOAK
    return settings(deadline=None) if soaked else settings(max_examples=count, deadline=None)

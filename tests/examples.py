"""Settings of Hypothesis, which do not depend on the speed of the machine, and the numbers of examples."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

SOAK = "soak"
"""The profile of `make soak`."""

SLOW = (HealthCheck.too_slow,)
WITH_FIXTURES = (*SLOW, HealthCheck.function_scoped_fixture)
"""Checks to suppress in a test that uses one directory for all its examples; they replace those of the profile."""


def load(*, soak: bool) -> None:
    """Load the profile: no test has a time limit of its own, nor fails because its examples are made slowly."""
    settings.register_profile("default", deadline=None, suppress_health_check=SLOW)
    settings.register_profile(SOAK, max_examples=300, deadline=None, suppress_health_check=SLOW)
    settings.load_profile(SOAK if soak else "default")


def few(count: int) -> settings:
    """Settings of a slow property: `count` examples, and in `make soak` those of its profile."""
    return settings() if settings.get_current_profile_name() == SOAK else settings(max_examples=count)

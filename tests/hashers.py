"""A hasher of passwords for the tests: the real algorithm with one round, which a site with its own settings reads."""

from __future__ import annotations

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    """PBKDF2 with one round instead of about a million, which take a second."""

    iterations = 1

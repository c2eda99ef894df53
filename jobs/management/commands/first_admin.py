"""`manage.py first_admin`: prints a one-time link for the password of the administrator; there is no default one."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.tokens import default_token_generator
from django.core.management.base import BaseCommand
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

NAME = "admin"
"""User name of the administrator."""


class Command(BaseCommand):
    """The command `first_admin`; `help` describes it."""

    help = "Print a one-time link to choose the password of the administrator, unless one is set already."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--address", default="http://127.0.0.1:8000", help="address of the site")

    def handle(self, *_args: Any, **options: Any) -> None:
        users = get_user_model()
        if any(one.has_usable_password() for one in users.objects.filter(is_superuser=True, is_active=True)):
            return
        administrator, made = users.objects.get_or_create(
            username=NAME, defaults={"is_staff": True, "is_superuser": True}
        )
        if made:
            administrator.set_unusable_password()
            administrator.save()
        if not administrator.is_superuser:
            self.stdout.write("This site has no administrator yet. Run: manage.py createsuperuser")
            return
        # The link works once: its token is derived from the password that it replaces.
        token = default_token_generator.make_token(administrator)
        page = reverse("password_reset_confirm", args=[urlsafe_base64_encode(force_bytes(administrator.pk)), token])
        self.stdout.write(f"Choose a password for “{NAME}” with this one-time link:")
        self.stdout.write(f"  {options['address']}{page}")

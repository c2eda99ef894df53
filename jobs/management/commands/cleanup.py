"""`manage.py cleanup`: deletes expired results, incomplete uploads and orphaned files, and reports what was freed."""

from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from jobs.storage.retention import clean_up

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Command(BaseCommand):
    """The command `cleanup`; `help` describes it."""

    help = (
        "Delete expired results (pinned ones are kept), incomplete uploads, orphaned directories, the trash, and rows "
        "whose files are gone. Safe while jobs run, and safe to run twice at once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="delete nothing, list what would be deleted")
        parser.add_argument(
            "--older-than",
            type=age,
            default=timedelta(hours=settings.RETENTION_HOURS),
            metavar="AGE",
            help=f"such as 24h, 90m or 7d, since the last edit or byte (default: {settings.RETENTION_HOURS}h)",
        )
        parser.add_argument("--orphans", action="store_true", help="delete orphaned directories only")

    def handle(self, *_args: Any, **options: Any) -> None:
        dry_run: bool = options["dry_run"]
        found = clean_up(options["older_than"], dry_run=dry_run, orphans_only=options["orphans"])
        lines = [freed.told(dry_run=dry_run) for freed in found if freed.count]
        self.stdout.write("\n".join(lines) or "Nothing to remove.")


def age(text: str) -> timedelta:
    """Parse an age such as 90m, 24h or 7d. Raises ArgumentTypeError."""
    if parts := re.fullmatch(r"(\d{1,5})([mhd])", text):
        return timedelta(**{_UNITS[parts[2]]: int(parts[1])})
    raise ArgumentTypeError(f"“{text}” is not an age such as 90m, 24h or 7d.")

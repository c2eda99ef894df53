"""`manage.py adopt_disk`: declares the disk at MEDIA_ROOT the one of this installation."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.storage import installation
from jobs.storage.installation import Disk


class Command(BaseCommand):
    """The command `adopt_disk`; `help` describes it."""

    help = (
        "Make the disk at MEDIA_ROOT the one of this installation, after it was moved or the database was restored. "
        "An installation that used it before stops working with it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--force", action="store_true", help="even if most files of the jobs are missing")

    def handle(self, *_args: Any, **options: Any) -> None:
        if installation.look() == Disk.RIGHT:
            self.stdout.write(f"{installation.place()} is already the disk of this installation.")
            return
        found = installation.files()
        if not found.fit and not options["force"]:
            raise CommandError(
                f"Only {found.here} of the {found.known} newest jobs with files have a directory in "
                f"{installation.place()}. Results without files are deleted by the next cleanup. Mount the right disk, "
                "or run this again with --force."
            )
        try:
            installation.adopt()
        except OSError as error:
            raise CommandError(f"{installation.place()} is not writable: {error.strerror}.") from None
        self.stdout.write(f"{installation.place()} is now the disk of this installation.")

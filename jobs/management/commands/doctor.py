"""`manage.py doctor`: shows what is installed and how to install what is missing. Exits with 1 if needed parts lack."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from jobs.monitoring.doctor import Finding, examine


class Command(BaseCommand):
    """The command `doctor`; `help` describes it."""

    help = "Show what is installed, which engines handle which languages, and how to install what is missing."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="write one JSON list, for scripts")

    def handle(self, *_args: Any, **options: Any) -> None:
        findings = list(examine())
        if options["json"]:
            self.stdout.write(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False))
        else:
            for finding in findings:
                self._show(finding)
        if any(finding.needed and not finding.good for finding in findings):
            sys.exit(1)

    def _show(self, finding: Finding) -> None:
        paint = self.style.SUCCESS if finding.good else self.style.ERROR if finding.needed else self.style.WARNING
        mark = "✓" if finding.good else "✗" if finding.needed else "–"
        self.stdout.write(f"{paint(mark)} {finding.subject}: {finding.detail}")
        if finding.remedy and not finding.good:
            self.stdout.write(f"    → {finding.remedy}")

"""`manage.py reap`: runs the reaper once, or with `--loop` every second until it is stopped."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from jobs import emails
from jobs.models import Process
from jobs.queueing import processes
from jobs.worker.reaper import Reaper


class Command(BaseCommand):
    """The command `reap`; `help` describes it."""

    help = "Recover the stages of dead workers, cancel abandoned jobs and re-queue lost tickets."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--loop", action="store_true", help="repeat every second until stopped")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not options["loop"]:
            Reaper().sweep()
            return
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        reaper = Reaper()
        processes.start_heartbeat(Process.REAPER, lives=reaper.lives)
        # In its own thread, so that a mail server that hangs does not stop the reaper.
        threading.Thread(target=emails.deliver, args=(stop,), daemon=True, name="emails").start()
        reaper.run(stop)

"""Sets the same process state for tests started from a terminal, a script, nohup or a service."""

from __future__ import annotations

import os
import signal

USUAL = {"LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
UNSET = {"LANGUAGE", "TZ", "NO_COLOR", "FORCE_COLOR", "PYTHONWARNINGS", "PYTHONUNBUFFERED", "DJANGO_ALLOW_ASYNC_UNSAFE"}
PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy")

KEPT = {signal.SIGPIPE, signal.SIGXFSZ}
"""Signals that Python ignores itself, and `subprocess` does not for its children."""


def settle() -> None:
    """Make the surroundings of this process, and so of all that it starts, the usual ones."""
    for name in [name for name in os.environ if name in UNSET or name.lower() in PROXIES]:
        del os.environ[name]
    os.environ.update(USUAL)
    os.umask(0o022)
    _hand_on_no_signal_as_ignored()


def _hand_on_no_signal_as_ignored() -> None:
    """Keep ignoring signals that the caller ignores (nohup relies on it), but let child processes have their defaults.

    A program inherits SIG_IGN but no handler, so the signals get a handler that does nothing. Blocked signals are
    unblocked.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in signal.valid_signals() - KEPT:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, _ignore)


def _ignore(*_: object) -> None:
    """Do nothing."""

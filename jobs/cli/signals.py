"""Signals of a command that cleans up when it is interrupted."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any, NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def handle_signals() -> dict[signal.Signals, Any]:
    """Turn the first signal into KeyboardInterrupt and ignore later ones; return the previous handlers.

    SIGHUP and SIGINT stay ignored where the caller ignores them: nohup does, and a shell that is not interactive for
    what it runs in the background.
    """
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        ignore_signals()
        raise KeyboardInterrupt

    for number, handler in before.items():
        if number == signal.SIGTERM or handler != signal.SIG_IGN:
            signal.signal(number, interrupt)
    return before


def ignore_signals() -> None:
    """Ignore signals from here on."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def restore_signals(before: dict[signal.Signals, Any]) -> None:
    """Restore the handlers for code that calls this command."""
    for number, handler in before.items():
        signal.signal(number, handler)

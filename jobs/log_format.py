"""Log lines that people can read and programs can split: time, level, logger, sentence, then name=value facts."""

from __future__ import annotations

import logging
import shlex

FACTS = ("job", "stage", "attempt", "actor", "reason")


class Facts(logging.Formatter):
    """Appends those of FACTS that the record carries (`extra`) and that say something."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name that logging calls
        # Without line breaks: who chooses a name must not be able to write lines of the log.
        found = ((name, " ".join(str(vars(record).get(name) or "").split())) for name in FACTS)
        facts = [f"{name}={shlex.quote(value)}" for name, value in found if value]
        return " ".join([super().formatMessage(record), *facts])

"""The format of log lines: time, level, logger, sentence, then name=value fields."""

from __future__ import annotations

import logging
import shlex

FIELDS = ("job", "stage", "attempt", "actor", "reason")


class FieldFormatter(logging.Formatter):
    """Appends those of FIELDS that the record has (by `extra`) and that are not empty."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name that logging calls
        # Without line breaks, so that a user name cannot forge log lines.
        found = ((name, " ".join(str(vars(record).get(name) or "").split())) for name in FIELDS)
        fields = [f"{name}={shlex.quote(value)}" for name, value in found if value]
        return " ".join([super().formatMessage(record), *fields])

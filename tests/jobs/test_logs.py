"""Log lines: a sentence, then fields that a program can parse."""

from __future__ import annotations

import logging
import shlex
import uuid
from typing import Any

import pytest

from jobs import lifecycle
from jobs.log_format import FIELDS, FieldFormatter
from tests.jobs import rows


def line(message: str, **facts: Any) -> str:
    record = logging.LogRecord("jobs.test", logging.INFO, __file__, 1, message, None, None)
    vars(record).update(facts)
    return FieldFormatter().format(record)


def facts_of(text: str) -> dict[str, str]:
    found = (word.partition("=") for word in shlex.split(text) if "=" in word)
    return {name: value for name, _, value in found if name in FIELDS}


def test_facts_come_after_the_sentence_in_one_order() -> None:
    said = line("begins", reason="it is time", stage="fetch", job=uuid.UUID(int=1), other="not a fact")
    assert " INFO jobs.test begins job=00000000-0000-0000-0000-000000000001 stage=fetch reason='it is time'" in said
    assert "not a fact" not in said


def test_what_says_nothing_is_left_out() -> None:
    assert line("begins", stage="", attempt=None).endswith("jobs.test begins")


@pytest.mark.parametrize("value", ["two words", "quote's", 'double "quotes"', "a=b", "ویدیو", "$(rm -rf)"])
def test_any_value_can_be_read_back(value: str) -> None:
    assert facts_of(line("begins", actor=value)) == {"actor": value}


def test_a_line_is_one_line() -> None:
    """Line breaks in a value are removed, so that a user cannot forge log lines."""
    assert len(line("begins", reason="first\nINFO jobs.lifecycle forged").splitlines()) == 1


@pytest.mark.usefixtures("database")
def test_each_transition_is_a_line(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("jobs"), "propagate", True)
    claim = rows.up_to(rows.ALL[0])
    lifecycle.cancel(claim.job_id, actor="shirin", reason="no time")
    lines = [FieldFormatter().format(record) for record in caplog.records if record.name == "jobs.lifecycle"]
    told = rows.told(claim.job_id)
    assert len(lines) == len(told)
    for (stage, was, now), text in zip(told, lines, strict=True):
        assert f" {was or 'new'} → {now} " in text
        assert facts_of(text)["job"] == str(claim.job_id)
        assert facts_of(text).get("stage", "") == stage
    assert facts_of(lines[-1]) == {"job": str(claim.job_id), "actor": "shirin", "reason": "no time"}
    running = next(text for text in lines if "ready → running" in text)
    assert facts_of(running)["attempt"] == str(claim.attempt)

"""`manage.py check`: each combination that cannot work is refused, and the usual one is not."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as usual
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from jobs import checks


def queue(**changes: Any) -> dict[str, Any]:
    return {"Q_CLUSTER": {**usual.Q_CLUSTER, **changes}}


BROKEN: dict[str, list[dict[str, Any]]] = {
    "jobs.E001": [queue(orm="elsewhere"), queue(orm=None)],
    "jobs.E002": [queue(ALT_CLUSTERS={"speech": {}, "text": {}}), queue(ALT_CLUSTERS={})],
    "jobs.E003": [{"CLUSTER": "vision"}],
    "jobs.E004": [queue(timeout=60), queue(retry=3600), queue(retry=40)],
    "jobs.E005": [{"CLUSTERS": {"speech": 0, "text": 1, "media": 1}}],
    "jobs.E006": [{"TRANSCRIBER": "apertium"}, {"TRANSLATOR": "whisperx"}, {"TRANSLATOR": ""}],
    "jobs.E007": [{"PAGE_LEASE": 59}],
    "jobs.E008": [{"TAB_CLOSE_GRACE": -1}, {"TAB_CLOSE_GRACE": 181}],
    "jobs.E009": [{"RETENTION_HOURS": 0}],
    "jobs.E011": [{"CURRENCY": "$"}, {"CURRENCY": "usd"}],
    "jobs.E012": [
        {"LIMIT_COST_A_JOB": Decimal(-1)},
        {"LIMIT_COST_A_MONTH": Decimal("NaN")},
        {"LIMIT_TOKENS_A_JOB": -1},
        {"LIMIT_TOKENS_A_MONTH": 10**10},
    ],
    "jobs.E013": [{"PAUSED_DAYS": 0}],
}


CASES = [pytest.param(code, change, id=code) for code, changes in BROKEN.items() for change in changes]


@pytest.mark.parametrize(("code", "change"), CASES)
def test_a_broken_combination_is_refused(code: str, change: dict[str, Any], settings: Any) -> None:
    for name, value in change.items():
        setattr(settings, name, value)
    with pytest.raises(SystemCheckError) as refused:
        call_command("check")
    assert code in str(refused.value)
    assert str(refused.value).count("(jobs.E") == 1
    assert "HINT" in str(refused.value)


def test_sqlite_that_fails_under_load_is_warned_of(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.sqlite() == []
    monkeypatch.setitem(settings.DATABASES["default"], "OPTIONS", {})
    with pytest.raises(SystemCheckError, match=r"jobs\.W010"):
        call_command("check", fail_level="WARNING")
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.postgresql")
    assert checks.sqlite() == []


def test_every_check_is_broken_here() -> None:
    assert Path(checks.__file__).read_text().count("_error(") - 1 == len(BROKEN)


@pytest.mark.parametrize("cluster", ["", "speech", "text", "media"])
def test_the_usual_settings_pass(cluster: str, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.CLUSTER = cluster
    call_command("check", fail_level="WARNING")
    assert "no issues" in capsys.readouterr().out


@pytest.mark.parametrize("grace", [0, 180])
def test_the_bounds_themselves_pass(grace: int, settings: Any) -> None:
    settings.TAB_CLOSE_GRACE, settings.PAGE_LEASE, settings.RETENTION_HOURS = grace, 180, 1
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "timeout": 299, "retry": 300}
    assert [*checks.numbers(), *checks.queues()] == []

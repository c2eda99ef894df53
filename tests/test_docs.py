"""What people can set or call is described: each environment variable, each command, each option of `translate`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.urls import URLResolver, get_resolver

from jobs.engines.registry import SPECS
from jobs.engines.spec import TranslatorSpec, read_options, variable
from jobs.models import JobStatus
from jobs.pipeline.protocols import Brief, Line
from jobs.web import problems
from jobs.web.forms import OrderForm
from translator import __version__

ROOT = Path(settings.BASE_DIR)
SETTINGS = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")

API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

CATALOGUE = (ROOT / "translator" / "locale" / "fa" / "LC_MESSAGES" / "django.po").read_text(encoding="utf-8")
SOURCES, PERSIAN = ("\n".join(re.findall(rf'^{word} "(.*)"', CATALOGUE, re.MULTILINE)) for word in ("msgid", "msgstr"))
"""What pages say, in English and in Persian."""

SOURCE = (ROOT / "translator" / "settings.py").read_text(encoding="utf-8")
READ = set(re.findall(r'(?:_flag|_number|_list|_secret|_env\.get|environ\.get)\(\s*"([A-Z_]+)"', SOURCE))
KNOWN = READ | {variable(spec, field) for spec in SPECS for field in fields(spec.options)}
OURS = sorted(name for name, app in get_commands().items() if app == "jobs")


def test_every_variable_is_described() -> None:
    assert [name for name in sorted(KNOWN) if f"`{name}`" not in SETTINGS] == []


def test_no_variable_is_described_that_nobody_reads() -> None:
    assert set(re.findall(r"^\| `([A-Z_]+)`", SETTINGS, re.MULTILINE)) == KNOWN


def test_the_settings_were_found() -> None:
    assert {"SECRET_KEY", "DEBUG", "DATABASE_URL", "MAX_MINUTES", "ENV_FILE"} <= READ


def test_every_command_is_in_the_readme() -> None:
    assert [name for name in OURS if f"manage.py {name}" not in README] == []


def test_every_option_of_translate_is_in_the_readme() -> None:
    ours = {option for option in _options("translate") - _options("doctor") if option.startswith("--")}
    assert "--glossary" in ours
    assert not [option for option in ours if f"`{option}" not in README]


def test_every_route_of_the_api_is_described() -> None:
    asked = {re.sub(r"<\w+:(\w+)>", r"<\1>", route) for route in _routes(get_resolver()) if route.startswith("api/")}
    assert len(asked - {"api/"}) >= 6
    assert not [route for route in asked - {"api/"} if f"/{route}`" not in API]


def test_every_field_of_an_upload_is_described() -> None:
    """Subtitles that one has come by the page alone."""
    fields = {"filename", *OrderForm.base_fields} - {"subtitles", "subtitles_are"}
    table = API[API.index("## Uploads") : API.index("## Scripts")]
    assert fields == set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE))))


@pytest.mark.parametrize(("guide", "quoted"), [("usage.md", "“([^”]+)”"), ("fa/usage.md", "«([^»]+)»")])
def test_what_you_see_is_what_pages_say(guide: str, quoted: str) -> None:
    """The first column of the table of troubles quotes them."""
    text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    sentences = SOURCES if guide == "usage.md" else PERSIAN
    cells = [cell for cell in re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE) if re.search(quoted, cell)]
    quotes = [quote.strip("… ") for cell in cells for quote in re.findall(quoted, cell)]
    assert len(quotes) >= 5
    assert [quote for quote in quotes if not re.search(rf"\b{re.escape(quote)}\b", sentences)] == []


def test_every_refusal_of_the_api_is_described() -> None:
    refusing = ("api", "api_pages", "border", "received", "tus", "uploads")
    sources = [(ROOT / "jobs" / "web" / f"{name}.py").read_text(encoding="utf-8") for name in refusing]
    said = set(re.findall(r"\b(?:answer|Problem)\((\d{3})\b", "".join(sources)))
    said |= {str(status) for _, status in problems._STATUSES}
    assert {"400", "403", "412", "507"} <= said
    described = re.findall(r"^\| ([\d, ]+) \|", API, re.MULTILINE)
    assert said == set(", ".join(described).split(", "))


def test_the_newest_version_of_the_changelog_is_the_codes() -> None:
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}$", CHANGELOG, re.MULTILINE)
    assert released[0] == __version__ == settings.VERSION
    assert re.findall(r"^## (.*)$", CHANGELOG, re.MULTILINE)[0] == "[Unreleased]"


def test_the_changelog_keeps_its_form() -> None:
    """*Keep a Changelog*: every entry stands under the kind of change that it is."""
    kinds = set(re.findall(r"^### (.*)$", CHANGELOG, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    parts = re.split(r"^##", CHANGELOG, flags=re.MULTILINE)[1:]
    assert not [part for part in parts if not part.startswith("#") and re.search(r"^- ", part, re.MULTILINE)]


def _routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        yield from _routes(pattern, route) if isinstance(pattern, URLResolver) else (route,)


def test_every_state_of_a_job_is_described() -> None:
    assert [status for status in JobStatus.values if status not in ARCHITECTURE] == []


def _options(command: str) -> set[str]:
    parser = load_command_class("jobs", command).create_parser("manage.py", command)
    return {option for action in parser._actions for option in action.option_strings}


def test_the_engine_of_contributing_works(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    example = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert example
    module = ModuleType("shout")
    monkeypatch.setitem(sys.modules, "shout", module)
    exec(example[1], module.__dict__)
    spec: TranslatorSpec = module.__dict__["ENGINE"]
    options = read_options(spec, {"SHOUT_MARK": "?"})
    assert spec.readiness(options).ready
    lines = [Line(id=1, text="hello", budget=40), Line(id=2, text="you", budget=40)]
    answers = [
        one
        for batch in spec.create(options).translate(lines, Brief(source="en", target="en"), {2: "YOU"})
        for one in batch.translations
    ]
    assert [(one.id, one.text) for one in answers] == [(1, "HELLO?")]

"""Tests that each environment variable, command, option, make target and engine is documented."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest
from django.conf import settings
from django.core.management import BaseCommand, get_commands, load_command_class
from django.urls import URLResolver, get_resolver

from jobs.engines.registry import SPECS
from jobs.engines.spec import TranslatorSpec, read_options, variable
from jobs.log_format import FIELDS
from jobs.models import JobStatus, Reason
from jobs.pipeline.protocols import Brief, Line
from jobs.web import problems
from jobs.web.forms import JobOptionsForm
from translator import __version__

ROOT = Path(settings.BASE_DIR)
SETTINGS = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
CLI = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")

API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

CATALOGUE = (ROOT / "translator" / "locale" / "fa" / "LC_MESSAGES" / "django.po").read_text(encoding="utf-8")
SOURCES, PERSIAN = ("\n".join(re.findall(rf'^{word} "(.*)"', CATALOGUE, re.MULTILINE)) for word in ("msgid", "msgstr"))
"""Sentences of pages, in English and Persian."""

SOURCE = (ROOT / "translator" / "settings.py").read_text(encoding="utf-8")
READ = set(re.findall(r'(?:_flag|_number|_amount|_list|_secret|_env\.get|environ\.get)\(\s*"([A-Z_]+)"', SOURCE))
KNOWN = READ | {variable(spec, field) for spec in SPECS for field in fields(spec.options)}
PLACES = ("jobs", "translator", "tests", "static", "templates", "deploy", "requirements")
OURS = sorted(name for name, app in get_commands().items() if app == "jobs")


def test_every_variable_is_described() -> None:
    assert [name for name in sorted(KNOWN) if f"`{name}`" not in SETTINGS] == []


def test_no_variable_is_described_that_nobody_reads() -> None:
    assert set(re.findall(r"^\| `([A-Z_]+)`", SETTINGS, re.MULTILINE)) == KNOWN


def test_the_settings_were_found() -> None:
    assert {"SECRET_KEY", "DEBUG", "DATABASE_URL", "MAX_MINUTES", "ENV_FILE"} <= READ


def test_every_option_of_every_command_is_described() -> None:
    assert [name for name in OURS if f"`manage.py {name}`" not in CLI] == []
    assert [(name, one) for name in OURS for one in _options(name) if f"`{one}" not in _described(name)] == []


def test_no_option_of_translate_is_described_that_does_not_exist() -> None:
    described = set(re.findall(r"^\| `(--[a-z-]+)", _described("translate"), re.MULTILINE))
    assert "--glossary" in described
    assert described == {option for option in _options("translate") if option.startswith("--")}


def _described(command: str) -> str:
    """Its section of docs/cli.md."""
    return CLI[CLI.index(f"## manage.py {command}\n") :].split("\n## ")[0]


def _options(command: str) -> set[str]:
    """The longest form of each option that is not common to all Django commands."""
    shared = _option_strings(BaseCommand())
    return _option_strings(load_command_class("jobs", command)) - shared


def _option_strings(command: BaseCommand) -> set[str]:
    parser = command.create_parser("manage.py", "any")
    return {max(action.option_strings, key=len) for action in parser._actions if action.option_strings}


def test_every_make_target_is_described() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE)) - {"help"}
    assert {"demo", "run", "test"} <= targets
    assert targets == set(re.findall(r"^\| `make ([a-z-]+)`", CLI, re.MULTILINE))


def test_every_engine_is_described() -> None:
    assert [spec.name for spec in SPECS if f"`{spec.name}`" not in CLI or f"`{spec.name}`" not in SETTINGS] == []


def test_every_file_that_the_docs_name_exists() -> None:
    path = rf"`((?:{'|'.join(PLACES)})/[\w./-]*)`"
    named = {found for text in _pages().values() for found in re.findall(path, text)}
    assert "jobs/pipeline/errors.py" in named
    assert [path for path in named - {"jobs/engines/shout.py"} if not (ROOT / path).exists()] == []


def test_every_link_between_the_docs_leads_somewhere() -> None:
    """Links lead to a file or to a heading, by its anchor on repository hosts."""
    links = [(page, link) for page, text in _pages().items() for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    assert len(links) > 20
    assert [link for page, link in links if "://" not in link and not _leads(page, link)] == []


def _pages() -> dict[Path, str]:
    paths = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    return {path: path.read_text(encoding="utf-8") for path in paths}


def _leads(page: Path, link: str) -> bool:
    path, _, heading = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not heading or heading in _headings(target))


def _headings(page: Path) -> set[str]:
    found = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_every_route_of_the_api_is_described() -> None:
    asked = {re.sub(r"<\w+:(\w+)>", r"<\1>", route) for route in _routes(get_resolver()) if route.startswith("api/")}
    assert len(asked - {"api/"}) >= 6
    assert not [route for route in asked - {"api/"} if f"/{route}`" not in API]


def test_every_field_of_an_upload_is_described() -> None:
    """Subtitles that one has come by the page alone."""
    fields = {"filename", *JobOptionsForm.base_fields} - {
        "subtitles",
        "subtitles_are",
        "whole_subtitles",
        "unrepaired_subtitles",
    }
    table = API[API.index("## Uploads") : API.index("## Keeping")]
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


@pytest.mark.parametrize("guide", ["usage.md", "fa/usage.md"])
def test_the_log_lines_of_a_guide_name_what_the_log_names(guide: str) -> None:
    lines = re.findall(r"^    … .* → .*$", (ROOT / "docs" / guide).read_text(encoding="utf-8"), re.MULTILINE)
    assert len(lines) >= 3
    assert set(re.findall(r"\b(\w+)=", "".join(lines))) <= set(FIELDS)
    assert set(re.findall(r"\breason=(\w+)", "".join(lines))) <= set(Reason.values)


def test_every_refusal_of_the_api_is_described() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "jobs" / "web").rglob("*.py")]
    said = set(re.findall(r"\b(?:problem_response|Problem)\(\s*(\d{3})\b", "".join(sources)))
    said |= {str(status) for _, status in problems._STATUSES}
    said -= {"422"}  # the page of a new job answers its own form
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

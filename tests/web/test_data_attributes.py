"""`data-*` attributes tie pages to scripts and style sheets: each end has its other one."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)


def source(folder: str, *endings: str) -> str:
    files = (path for path in sorted((ROOT / folder).rglob("*")) if path.suffix in endings)
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


TEMPLATES = source("templates", ".html")
SCRIPTS = source("static/web", ".js")
STYLES = source("static/web", ".css")


def attribute(name: str) -> str:
    """`pageId` is `data-page-id`."""
    return "data-" + re.sub("[A-Z]", lambda found: "-" + found[0].lower(), name)


def written() -> set[str]:
    """The data attributes that templates write."""
    return set(re.findall(r"(?<![\w-])(data-[a-z-]+)", TEMPLATES))


def set_by_scripts() -> set[str]:
    """On rows that they make, and on the root of the document."""
    names = re.findall(r"dataset\.(\w+) = ", SCRIPTS)
    return set(re.findall(r'"(data-[a-z-]+)":', SCRIPTS)) | {attribute(name) for name in names}


def selected() -> set[str]:
    return set(re.findall(r"""\[(data-[a-z-]+)[\]=]""", SCRIPTS + STYLES))


def read() -> set[str]:
    """The data attributes that scripts read: by selector, by name, and as `dataset`."""
    names = set(re.findall(r"(?:dataset|\bpage)\??\.(\w+)", SCRIPTS))
    for taken in re.findall(r"\{ ([^{}]*) \} = [\w.]+\.dataset", SCRIPTS):
        names |= {part.partition(":")[0].strip() for part in taken.split(",")}
    return (
        selected() | {attribute(name) for name in names} | set(re.findall(r'hasAttribute\("(data-[a-z-]+)"', SCRIPTS))
    )


def test_every_attribute_of_a_page_is_read() -> None:
    assert written() - read() == set()


def test_every_attribute_that_is_selected_is_on_a_page() -> None:
    assert selected() - written() - set_by_scripts() == set()


def test_they_were_found() -> None:
    assert {"data-page-id", "data-socket", "data-status", "data-source-lang", "data-upload"} <= written() & read()

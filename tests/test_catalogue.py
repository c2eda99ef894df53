"""The Persian catalogue is complete, careful and compiled."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
GUIDE = ROOT / "docs" / "fa" / "usage.md"
STIFF = re.compile("شیار|منتظر خطا|آسیب دیده|اجازهٔ این کار|بارگیری دوباره|نگهبانی کرد|هیچ کاری کار")
"""English words in Persian script that must not return."""

PO = ROOT / "translator" / "locale" / "fa" / "LC_MESSAGES" / "django.po"


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="fa")


def messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def key(message: Message) -> tuple[str | None, str]:
    return message.context, message.id if isinstance(message.id, str) else message.id[0]


def texts(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The catalogue extracted from the current sources, without translations."""
    place = tmp_path_factory.mktemp("sources")
    for name in ("jobs", "templates", "translator"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__", "*.po", "*.mo"))
    shutil.copy(ROOT / "manage.py", place)
    command = [sys.executable, "manage.py", "makemessages", "--locale", "fa", "--no-location"]
    environment = {"PATH": "/usr/bin:/bin", "ENV_FILE": "", "DEBUG": "1", "LANG": "C.UTF-8"}
    (place / "translator" / "locale").mkdir(exist_ok=True)
    subprocess.run(command, cwd=place, env=environment, check=True, capture_output=True)
    return read(place / PO.relative_to(ROOT))


def test_every_sentence_of_the_sources_is_in_it(extracted: Catalog) -> None:
    assert {key(message) for message in messages(extracted)} == {key(message) for message in messages(read(PO))}


WRONG: dict[str, str | re.Pattern[str]] = {
    "Arabic letters or digits": "[يكة٠-٩]",
    "Latin punctuation": r"[\u0600-\u06ff] ?[,;?]",
    "no half-space after می": r"\bن?می [\u0600-\u06ff]",
    "no half-space before ها": r"[\u0600-\u06ff] ها(ی|یی)?\b",
    "stiff": STIFF,
}


def test_each_is_translated_with_care() -> None:
    """The failure names every sentence that is not, with what is wrong with it."""
    wrong = [f"{key(message)[1]!r}: {fault}" for message in messages(read(PO)) for fault in faults(message)]
    assert not wrong, "\n".join(wrong)


def faults(message: Message) -> Iterator[str]:
    if message.fuzzy:
        yield "fuzzy"
    for text in texts(message):
        if not text.strip():
            yield "missing"
        yield from (f"{fault}: {text}" for fault, pattern in WRONG.items() if re.search(pattern, text))
        if placeholders(text) != placeholders(key(message)[1]):
            yield f"other placeholders: {text}"


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"{\w+}|%\(\w+\)s", text))


def test_so_is_the_guide() -> None:
    assert not STIFF.search(GUIDE.read_text(encoding="utf-8"))


def test_the_compiled_one_is_in_step(tmp_path: Path) -> None:
    subprocess.run(["msgfmt", "--output-file", tmp_path / "fresh.mo", PO], check=True)
    assert said(PO.with_suffix(".mo")) == said(tmp_path / "fresh.mo")


def said(path: Path) -> dict[Any, str]:
    with path.open("rb") as file:
        catalogue: dict[Any, str] = vars(GNUTranslations(file))["_catalog"]
    return catalogue

"""Sentences with their human translations, from the catalogues of installed programs."""

from __future__ import annotations

import random
from functools import cache
from gettext import GNUTranslations
from pathlib import Path

import django

from jobs.engines.llm import answers
from jobs.pipeline.protocols import Line
from jobs.pipeline.text.languages import language

Pair = tuple[str, str]

_PROGRAMS = ("gtk30", "gtk20", "glib20", "at-spi2-core", "avahi")
"""Catalogues that come with Chromium, which the tests install."""

_SYSTEM = Path("/usr/share/locale")
_FEWEST_LETTERS = 4
_FEWEST_PAIRS = 400  # of the programs, below which Django's own are taken as well


@cache
def of_django(code: str) -> tuple[Pair, ...]:
    """English texts of Django, which the checks were tuned on, with their translations."""
    return _pairs(sorted(Path(django.__file__).parent.rglob(f"locale/{code}/LC_MESSAGES/django.mo")), code)


@cache
def unseen(code: str) -> tuple[Pair, ...]:
    """English texts of other programs, which nothing was tuned on; with those of Django if these are too few."""
    paths = [_SYSTEM / code / "LC_MESSAGES" / f"{program}.mo" for program in _PROGRAMS]
    found = _pairs([path for path in paths if path.exists()], code)
    return found if len(found) >= _FEWEST_PAIRS else found + of_django(code)


def sample(direction: str, count: int, chance: random.Random) -> list[Pair]:
    """So many different pairs of a direction such as “en-fa” or “fa-en”."""
    source, target = direction.split("-")
    found = unseen(target if source == "en" else source)
    chosen, seen = list[Pair](), set[str]()
    for one, two in chance.sample(found, len(found)):
        pair = (one, two) if source == "en" else (two, one)
        if len(chosen) < count and not seen & set(pair):
            chosen.append(pair)
            seen |= set(pair)
    return chosen


def _pairs(paths: list[Path], code: str) -> tuple[Pair, ...]:
    found: dict[str, str] = {}
    for path in paths:
        with path.open("rb") as file:
            catalogue = GNUTranslations(file)._catalog  # type: ignore[attr-defined]
        found |= {key: text for key, text in catalogue.items() if isinstance(key, str) and isinstance(text, str)}
    return tuple((source, text) for source, text in sorted(found.items()) if _is_usable(source, text, code))


def _is_usable(source: str, text: str, code: str) -> bool:
    """Whether a good translator could give this text: no placeholders, and accepted in both directions."""
    if len(source) < _FEWEST_LETTERS or any(sign in source + text for sign in "%{}<>\n\x04_") or source == text:
        return False
    return all(
        not answers.rejection_reason(line(1, one), answers.clean(two, language(to)), language(to), again=False)
        for one, two, to in ((source, text, code), (text, source, "en"))
    )


def line(number: int, text: str) -> Line:
    """A line without a limit that ends a sentence."""
    return Line(id=number, text=text, budget=0, ends_sentence=True)

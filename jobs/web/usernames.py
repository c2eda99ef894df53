"""Which names people may choose when they sign up: none that is reserved, or that readers take for somebody else's.

Unicode's whole table of confusable characters would be a package of its own; asked for here is only what can pass for a
Latin or Persian name. Letters that are variants of a Latin one say so in their own Unicode names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from jobs.lifecycle import PRESENCE, SYSTEM
from jobs.worker.in_process import COMMAND

_RESERVED = (
    *(COMMAND, SYSTEM, PRESENCE),
    *("admin", "administrator", "root", "superuser", "staff", "moderator", "support", "help", "security"),
    *("zirnevis", "reaper", "worker", "server", "anonymous", "nobody", "everyone"),
    *("مدیر", "مدیر سایت", "ادمین", "پشتیبانی", "سامانه", "سیستم", "زیرنویس"),
)

_LOOK = {
    # Cyrillic
    **dict(zip("авсԁеԍһіјкӏмпоорԛгѕтцхуѵѡшьв", "abcdeghijklmnoopqrstuxyvwwbb", strict=True)),
    **dict(zip("нзбґєуҽҫүұѐёйї", "h36reyecyyeeni", strict=True)),
    # Greek
    **dict(zip("αβγδεζηθικλμνξοπρστυφχψω", "abydeznoiklmnxonpotuqxyw", strict=True)),
    "ς": "s",
    "ϲ": "c",
    "ϳ": "j",
    "ϱ": "p",
    # Armenian, Cherokee in small letters, and others
    **dict(zip("աԁոսօհզցյբԛպտրղձ", "wdnuohqgjpqwmnnd", strict=True)),
    **dict(zip("ꭺꮯꭼꮋꭻꮶꮮꮇꮲꮪꭲꮩꮃꮓ", "acehjklmpstvwz", strict=True)),
    **dict(zip("ɑɡıɩʀɪʟɴꜱᴛᴜᴠᴡᴢᴀʙᴄᴅᴇꜰɢʜᴊᴋᴍᴏᴘʏ", "agiirilnstuvwzabcdefghjkmopy", strict=True)),
    # Arabic letters that Persian writes with others
    **dict(zip("يىكةہھێۆ", "ییکهههیو", strict=True)),
    # Digits and signs
    **dict(zip("013457|!$@", "oieastiisa", strict=True)),
}
"""Small letters that look like others."""

_VARIANT = re.compile(r"LATIN (?:SMALL LETTER|LETTER SMALL CAPITAL) ([A-Z])(?: WITH .*)?")

_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "COPTIC", "ARMENIAN", "CHEROKEE", "LISU", "GEORGIAN")
"""Scripts with letters that look like those of another one: no name needs two of them."""


def is_reserved(name: str) -> bool:
    """Whether `name` looks like one that the site uses itself, whatever stands between its letters."""
    return _letters(_skeleton(name)) in _reserved()


def mixes_scripts(name: str) -> bool:
    """Whether `name` has letters of two scripts that resemble each other."""
    named = (unicodedata.name(letter, "") for letter in unicodedata.normalize("NFKC", name))
    return len({script for letter in named for script in _SCRIPTS if letter.startswith(f"{script} ")}) > 1


def is_taken(name: str, others: Iterable[tuple[str, bool]]) -> bool:
    """Whether one of `others` (name, and whether they are staff) has it already: but for capitals and for ways to write
    the same letters, and of staff, whom others trust, also a name that only looks the same."""
    folded, skeleton = _folded(name), _skeleton(name)
    return any(_folded(other) == folded or (staff and _skeleton(other) == skeleton) for other, staff in others)


def _folded(name: str) -> str:
    """What is the same for two ways to write one name."""
    visible = "".join(letter for letter in name if unicodedata.category(letter) not in {"Cf", "Cc"})
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())


def _skeleton(name: str) -> str:
    """The same for names that look the same: plain letters, without marks."""
    parts = unicodedata.normalize("NFKD", _folded(name))
    plain = "".join(map(_plain, (letter for letter in parts if not unicodedata.category(letter).startswith("M"))))
    return plain.replace("rn", "m").replace("vv", "w").replace("l", "i")


def _plain(letter: str) -> str:
    if letter in _LOOK:
        return _LOOK[letter]
    variant = _VARIANT.fullmatch(unicodedata.name(letter, ""))
    return variant[1].lower() if variant else letter


def _letters(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum())


def _reserved() -> frozenset[str]:
    return frozenset(_letters(_skeleton(name)) for name in _RESERVED)

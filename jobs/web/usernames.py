"""Checks of user names at sign-up: reserved names, and names that look like those of other users.

Covers characters that resemble Latin or Persian ones, not the whole table of confusable characters of Unicode
(UTS #39). Variants of Latin letters are recognised by their Unicode names.
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

_LOOKALIKES = {
    # Cyrillic
    **dict(zip("авсԁеԍһіјкӏмпоорԛгѕтцхуѵѡшьв", "abcdeghijklmnoopqrstuxyvwwbb", strict=True)),
    **dict(zip("нзбґєуҽҫүұѐёйї", "h36reyecyyeeni", strict=True)),
    # Greek
    **dict(zip("αβγδεζηθικλμνξοπρστυφχψω", "abydeznoiklmnxonpotuqxyw", strict=True)),
    "ς": "s",
    "ϲ": "c",
    "ϳ": "j",
    "ϱ": "p",
    # Armenian, lower-case Cherokee, and others
    **dict(zip("աԁոսօհզցյբԛպտրղձ", "wdnuohqgjpqwmnnd", strict=True)),
    **dict(zip("ꭺꮯꭼꮋꭻꮶꮮꮇꮲꮪꭲꮩꮃꮓ", "acehjklmpstvwz", strict=True)),
    **dict(zip("ɑɡıɩʀɪʟɴꜱᴛᴜᴠᴡᴢᴀʙᴄᴅᴇꜰɢʜᴊᴋᴍᴏᴘʏ", "agiirilnstuvwzabcdefghjkmopy", strict=True)),
    # Arabic letters and their Persian counterparts
    **dict(zip("يىكةہھێۆ", "ییکهههیو", strict=True)),
    # Digits and signs
    **dict(zip("013457|!$@", "oieastiisa", strict=True)),
}
"""Lower-case characters, each with the one that it resembles."""

_VARIANT = re.compile(r"LATIN (?:SMALL LETTER|LETTER SMALL CAPITAL) ([A-Z])(?: WITH .*)?")

_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "COPTIC", "ARMENIAN", "CHEROKEE", "LISU", "GEORGIAN")
"""Scripts that resemble each other: a name may use one of them only."""


def is_reserved(name: str) -> bool:
    """Whether `name` looks like a reserved one, ignoring everything but letters and digits."""
    return _letters(_skeleton(name)) in _reserved()


def mixes_scripts(name: str) -> bool:
    """Whether `name` has letters of two of the scripts that resemble each other."""
    named = (unicodedata.name(letter, "") for letter in unicodedata.normalize("NFKC", name))
    return len({script for letter in named for script in _SCRIPTS if letter.startswith(f"{script} ")}) > 1


def is_taken(name: str, others: Iterable[tuple[str, bool]]) -> bool:
    """Whether `name` equals one of `others`, pairs of a name and whether the user is staff.

    Case and compatible forms of characters are ignored. A name also counts as taken when it only looks like that of a
    staff user.
    """
    folded, skeleton = _folded(name), _skeleton(name)
    return any(_folded(other) == folded or (staff and _skeleton(other) == skeleton) for other, staff in others)


def _folded(name: str) -> str:
    """The name in NFKC, case-folded, without invisible characters."""
    visible = "".join(letter for letter in name if unicodedata.category(letter) not in {"Cf", "Cc"})
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())


def _skeleton(name: str) -> str:
    """A text that is equal for names that look the same: plain letters without marks."""
    parts = unicodedata.normalize("NFKD", _folded(name))
    plain = "".join(map(_plain, (letter for letter in parts if not unicodedata.category(letter).startswith("M"))))
    return plain.replace("rn", "m").replace("vv", "w").replace("l", "i")


def _plain(letter: str) -> str:
    if letter in _LOOKALIKES:
        return _LOOKALIKES[letter]
    variant = _VARIANT.fullmatch(unicodedata.name(letter, ""))
    return variant[1].lower() if variant else letter


def _letters(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum())


def _reserved() -> frozenset[str]:
    return frozenset(_letters(_skeleton(name)) for name in _RESERVED)

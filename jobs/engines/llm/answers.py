"""What a language model's answer is worth: which lines of it can be used.

An answer is a JSON object of texts under ids. Nothing in it is believed because of its place, only because of its id;
an answer whose ids do not fit the question is not used at all, since its texts may have slipped to their neighbours.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import cache
from itertools import pairwise

from jobs.pipeline.protocols import Line
from jobs.pipeline.text import persian
from jobs.pipeline.text.display_width import width
from jobs.pipeline.text.languages import Language

TIMES_TOO_LONG = 3
"""So many times longer than both its source and its budget, a text is no translation: languages differ by a third."""

_SHORTEST_LIMIT = 60
"""Characters no line is called absurdly long below: “No.” may become a polite sentence."""

_DENSE = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL")
_DENSE_LETTERS = 3
"""How many letters of an alphabet one Chinese, Japanese or Korean character makes in translation, at most."""

_TARGET_SHARE = 0.3
"""The least share of the letters that belong to the target's script; the rest is names, addresses and code."""

_MOST_NAMES = 4
"""A line of up to so many words can be made of names only."""

_COMPLETE_PAIR = re.compile(r'"(\d{1,9})"\s*:\s*("(?:[^"\\]|\\.)*")(?=\s*[,}])')
_LONGEST_ID = 9
"""Digits. Numbers of thousands of digits are no ids, and Python refuses to read them."""

_THOUGHTS_END = "</think>"
"""Up to here local reasoning models talk to themselves before they answer."""

# Half of a surrogate pair is no character: JSON can spell it, but no file and no database takes it.
_INVISIBLE = re.compile("[\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\x00-\x08\x0b-\x1f\x7f]")
_ADDRESS = re.compile(
    r"\S+@\S+\.\S+|(?:https?://|www\.)\S+|\S+\.(?:com|org|net|io|dev|ir|co)(?:/\S*)?[.,!?]?", re.IGNORECASE
)
_OTHER_SCRIPTS = {
    "Hans": ("CJK",),
    "Hant": ("CJK",),
    "Jpan": ("CJK", "HIRAGANA", "KATAKANA"),
    "Kore": ("HANGUL", "CJK"),
    "Beng": ("BENGALI",),
    "Orya": ("ORIYA",),
    "Cans": ("CANADIAN",),
    "Nkoo": ("NKO",),
}


class Unreadable(ValueError):
    """The answer is no JSON object of texts under ids."""


def read(text: str) -> dict[int, str]:
    """The texts of an answer under their ids, as they came. Ids that occur twice are left out.

    Takes the object out of what models put around it, and from an answer that was cut off the pairs that are whole.
    Raises Unreadable.
    """
    text = text[text.rfind(_THOUGHTS_END) + len(_THOUGHTS_END) :] if _THOUGHTS_END in text else text
    start, end = text.find("{"), text.rfind("}")
    if start < 0:
        raise Unreadable("no object")
    try:
        pairs = json.loads(text[start : end + 1], object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        pairs = _whole_pairs(text[start:])
    if len(pairs) == 1 and isinstance(pairs[0][1], _Pairs):
        pairs = pairs[0][1]
    return _texts(pairs)


class _Pairs(list[tuple[str, object]]):
    """A JSON object as it stands in the text: a key that comes twice is seen twice."""


def _whole_pairs(text: str) -> _Pairs:
    """The pairs that can be read on their own: one with a bad escape costs its own line only."""
    pairs = _Pairs()
    for match in _COMPLETE_PAIR.finditer(text):
        with suppress(ValueError):
            pairs.append((match[1], json.loads(match[2], strict=False)))
    if not pairs:
        raise Unreadable("no pair of id and text")
    return pairs


def _texts(pairs: Sequence[tuple[str, object]]) -> dict[int, str]:
    known = [(int(key), value) for key, value in pairs if isinstance(value, str) and _is_id(key.strip())]
    if not known and pairs:
        raise Unreadable("no pair of id and text")
    times = Counter(number for number, _ in known)
    return {number: value for number, value in known if times[number] == 1}


def _is_id(key: str) -> bool:
    return key.isdecimal() and len(key) <= _LONGEST_ID


def fitting(texts: Mapping[int, str], lines: Sequence[Line], context: Collection[int]) -> dict[int, str]:
    """The texts for `lines`, or none where the ids show that texts may stand under the ids of their neighbours.

    An id that was never mentioned says that lines were split; a line missing while a line of the context is answered
    says that texts moved on by one. A single line has no neighbour to be mistaken for.
    """
    asked = {line.id for line in lines}
    extra = texts.keys() - asked
    slipped = bool(extra - set(context)) or (bool(extra) and not asked <= texts.keys())
    if slipped and len(asked) > 1:
        return {}
    return {number: texts[number] for number in sorted(asked & texts.keys())}


def clean(text: str, target: Language) -> str:
    """One line of text in NFC, without invisible direction marks and markup; Persian as Persians write it."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text).replace("\\n", " ").replace("\\N", " "))
    text = re.sub(r"</?[ibu]>", "", text)
    return " ".join((persian.tidy(text) if persian.is_persian(target) else text).split())


def fault(line: Line, text: str, target: Language, *, again: bool, known: Collection[str] = ()) -> str:
    """Why `text`, cleaned, cannot stand for `line`: "empty", "long", "script", "echo", or "" when it can.

    Names, brands and addresses may stay as they are, but only when the model says so twice (`again`); `known` are
    translations that the glossary prescribes. A line without letters has nothing to translate.
    """
    if not text:
        return "empty"
    if width(text, target) > TIMES_TOO_LONG * max(_expected(line.text), line.budget, _SHORTEST_LIMIT // TIMES_TOO_LONG):
        return "long"
    if not _letters(text):
        return "" if again or not _letters(line.text) or any(map(str.isdigit, text)) else "empty"
    kept = same(line.text, text)
    foreign = _share(text, target.script) < _TARGET_SHARE
    if not (kept or foreign) or (again and may_stay(text, target, known=known)):
        return ""
    return "echo" if kept else "script"


def same(source: str, text: str) -> bool:
    """Whether `text` is the source again, whatever became of case and punctuation."""
    return _bare(source) == _bare(text)


def may_stay(text: str, target: Language, *, known: Collection[str] = ()) -> bool:
    """Whether every word of `text` is one that a translator may keep: a name, a brand, a number, an address, a term.

    Where source and target share a script a single word may also be the same in both: “hotel”, “no”.
    """
    words = text.split()
    prescribed = {word.casefold() for term in known for word in term.split()}
    if len(words) == 1 and _share(text, target.script) >= _TARGET_SHARE:
        return True
    return all(_keeps(word, prescribed) for word in words) and sum(map(bool, map(_letters, words))) <= _MOST_NAMES


def twins(lines: Sequence[Line], texts: Mapping[int, str]) -> set[int]:
    """Ids of neighbours that got the same text for different sources: one of them was filled in to keep the count."""
    pairs = [
        (one.id, other.id)
        for one, other in pairwise(lines)
        if texts.get(one.id) and texts.get(one.id) == texts.get(other.id) and not _alike(one.text, other.text)
    ]
    return {number for pair in pairs for number in pair}


def _alike(one: str, other: str) -> bool:
    """Short lines may well mean the same: “Yes.” and “Yeah.”"""
    return same(one, other) or max(len(one.split()), len(other.split())) <= 2


def _keeps(word: str, prescribed: Collection[str]) -> bool:
    letters = _letters(word)
    bare = word.strip(".,;:!?…\"'“”’()[]،؛؟").casefold()
    return (
        not letters
        or bool(_ADDRESS.fullmatch(word))
        or bare in prescribed
        or any(letter.isupper() for letter in letters)
        or any(character.isdigit() for character in word)
    )


def _bare(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isalpha())


def _expected(source: str) -> int:
    """How long a translation of `source` into an alphabet would be, in characters."""
    dense = sum(unicodedata.name(character, "").startswith(_DENSE) for character in source)
    return len(source) + (_DENSE_LETTERS - 1) * dense


def _share(text: str, script: str) -> float:
    """The share of the letters of `text` that belong to `script`, an ISO 15924 code."""
    letters = _letters(text)
    return sum(_is(letter, script) for letter in letters) / len(letters) if letters else 1.0


def _is(character: str, script: str) -> bool:
    return unicodedata.name(character, "").startswith(_names(script))


@cache
def _names(script: str) -> tuple[str, ...]:
    """What the Unicode names of the letters of `script` begin with. A script without a name here has any letter."""
    from jobs.pipeline.text.cldr import script_name

    name = script_name(script)
    return _OTHER_SCRIPTS.get(script) or (name.split()[0].upper() if name else "",)

"""Validation of a language model's answers: which translated lines can be used.

An answer holds texts under ids, which `shapes` reads. A text belongs to the line with its id, never to the line at its
place. An answer whose ids do not match the question is rejected whole, because its texts may be shifted to other lines.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from itertools import pairwise

from jobs.engines.llm import remarks
from jobs.pipeline.protocols import Line
from jobs.pipeline.text import persian
from jobs.pipeline.text.display_width import width
from jobs.pipeline.text.languages import Language

TIMES_TOO_LONG = 3
"""A text this many times longer than both its source and its budget is rejected: languages differ by a third."""

_SHORTEST_LIMIT = 60
"""Characters up to which no text is rejected as too long: “No.” may become a polite sentence."""

_DENSE = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL")
_DENSE_LETTERS = 3
"""Letters of an alphabet to which one Chinese, Japanese or Korean character is translated, at most."""

_TARGET_SHARE = 0.3
"""The least share of the letters that belong to the target's script; the rest is names, addresses and code."""

_OF_ALL = 3
"""Different lines that no translation has in common."""

_TELLING = 8
"""Letters from which on several words inside another text are not there by chance."""

_FEW_WORDS, _SHORT_TEXT = 2, 8
"""Words, or characters of a text without spaces, that different lines may have in common."""

_MOST_NAMES = 4
"""Most words of a line that may consist of names only."""

# Half a surrogate pair is included: JSON can express it, but neither UTF-8 nor a database can store it.
_INVISIBLE = re.compile("[\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\x00-\x08\x0b-\x1f\x7f]")
_ADDRESS = re.compile(
    r"\S+@\S+\.\S+|(?:https?://|www\.)\S+|\S+\.(?:com|org|net|io|dev|ir|co)(?:/\S*)?[.,!?]?", re.IGNORECASE
)
_SYMBOL = re.compile("(?<![\u0370-\u03ff])[\u0370-\u03ff](?![\u0370-\u03ff])")
"""A Greek letter alone, as in formulas and units."""
_NUMBERED = re.compile(r"\s*[\[(]?(\d{1,6})[\])]?\s*[.:)\]،-]\s+(\S.*)", re.DOTALL)
_WIDE_SCRIPTS = ("Hans", "Hant", "Jpan", "Kore")
_WIDE_SIGNS = {0x3002: ".", 0x3001: ",", **{wide: chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)}}
"""Punctuation, digits and wide letters of East Asia, which models put into lines in other languages."""
_WIDE_MARK = re.compile(r"([。，、？！：；])(?=[^\W\d])")
"""A mark that takes no space after it in East Asia only."""
_SCRIPTS = (
    *("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "CYRILLIC", "ARABIC", "HEBREW", "GREEK", "ARMENIAN"),
    *("GEORGIAN", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "TAMIL", "TELUGU", "KANNADA", "MALAYALAM"),
    *("SINHALA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN", "ETHIOPIC"),
    *("ORIYA", "MONGOLIAN", "NKO", "CHEROKEE", "THAANA", "SYRIAC", "TIFINAGH"),
)
"""Beginnings of the names of letters of scripts that a line of another language does not have by chance."""
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


def fitting(texts: Mapping[int, str], lines: Sequence[Line], context: Collection[int]) -> dict[int, str]:
    """Select the texts for `lines`; none when the ids show that texts may be shifted to neighbouring lines.

    An unknown id shows that lines were split; a missing line together with an answered line of the context shows that
    texts moved on by one. A single line cannot be shifted.
    """
    asked = {line.id for line in lines}
    extra = texts.keys() - asked
    shifted = bool(extra - set(context)) or (bool(extra) and not asked <= texts.keys())
    if shifted and len(asked) > 1:
        return {}
    return {number: texts[number] for number in sorted(asked & texts.keys())}


def filled_up(lines: Sequence[Line], texts: Mapping[int, str]) -> bool:
    """Whether an answer shows that two lines were merged and the texts after them moved up: only the last of several
    lines has no text, or one without letters, a remark, or that of the line before it once more.
    """
    if len(lines) < 2:
        return False
    empty = [line.id for line in lines if _letters(line.text) and _is_blank(line.text, texts.get(line.id, ""))]
    return empty == [lines[-1].id] or bool(repeated_neighbours(lines[-2:], texts))


def _is_blank(source: str, text: str) -> bool:
    return not _letters(text) or remarks.is_remark(source, text)


def without_numbers(lines: Sequence[Line], texts: Mapping[int, str]) -> dict[int, str]:
    """Remove the numbers that a model puts before most texts of an answer: ids, or places counted from 1."""
    numbers = {line.id: found for line in lines if (found := _NUMBERED.match(texts.get(line.id, "")))}
    own = [
        number
        for place, number in enumerate((line.id for line in lines if texts.get(line.id)), start=1)
        if number in numbers and _value(numbers[number][1]) in {number, place}
    ]
    said = sum(bool(_NUMBERED.match(line.text)) for line in lines)
    if 2 * len(own) <= len(texts) or said:
        return dict(texts)
    return {number: numbers[number][2] if number in own else text for number, text in texts.items()}


def _value(digits: str) -> int:
    return int("".join(str(unicodedata.digit(digit)) for digit in digits))


def clean(text: str, target: Language) -> str:
    """Normalise a text: one line, NFC, no direction marks, no markup, the punctuation of the target's script; Persian
    with Persian letters and digits.
    """
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text).replace("\\n", " ").replace("\\N", " "))
    text = re.sub(r"</?[ibu]>", "", text)
    if target.script not in _WIDE_SCRIPTS:
        text = _WIDE_MARK.sub(r"\1 ", text).translate(_WIDE_SIGNS)
    if persian.is_persian(target):
        text = text.replace("\u06d4", ".")  # the full stop of Urdu
    return " ".join((persian.tidy(text) if persian.is_persian(target) else text).split())


def rejection_reason(
    line: Line, text: str, target: Language, *, again: bool, known: Collection[str] = (), related: bool = False
) -> str:
    """The reason to reject `text`, already cleaned, as translation of `line`; "" when it is accepted.

    Reasons: "empty", "long" (many times its source), "remark" (something about the line), "script" (not the target's,
    or letters of a third one), "echo" (the source again, or nearly, unless the languages are `related`).
    Names, brands and addresses may stay untranslated if the model repeats them when asked again (`again`). `known` are
    translations from the glossary. A line without letters needs no translation.
    """
    if not text:
        return "empty"
    if remarks.is_remark(line.text, text):
        return "remark"
    if remarks.is_censored(line.text) and is_echo(line.text, text):
        return ""
    if _third_script(line.text, text, target):
        return "script"
    if width(text, target) > TIMES_TOO_LONG * max(_expected(line.text), line.budget, _SHORTEST_LIMIT // TIMES_TOO_LONG):
        return "long"
    if not _letters(text):
        is_short = len(line.text.split()) <= _MOST_NAMES and (again or any(map(str.isdigit, text)))
        return "" if is_short or not _letters(line.text) or any(map(str.isdigit, line.text)) else "empty"
    kept = is_echo(line.text, text) or (not related and remarks.is_nearly_source(line.text, text))
    if kept and related and again:
        return ""
    foreign = _share(text, target.script) < _TARGET_SHARE
    if not (kept or foreign) or (again and may_stay_untranslated(text, target, known=known)):
        return ""
    return "echo" if kept else "script"


def _third_script(source: str, text: str, target: Language) -> bool:
    """Whether a text has letters of a script that is neither the target's nor Latin, and that the source has not."""
    own = (*_names(target.script), "LATIN")
    text = _SYMBOL.sub("", text)
    foreign = {letter for letter in text if letter.isalpha() and not letter.isascii()} - set(source)
    return any(
        (name := unicodedata.name(letter, "")).startswith(_SCRIPTS) and not name.startswith(own) for letter in foreign
    )


def is_echo(source: str, text: str) -> bool:
    """Tell whether `text` equals the source, apart from case and punctuation."""
    return _bare(source) == _bare(text)


def may_stay_untranslated(text: str, target: Language, *, known: Collection[str] = ()) -> bool:
    """Tell whether every word of `text` may be kept untranslated: a name, brand, number, address or glossary term.

    A single word in the target's script may be the same in both languages: “hotel”, “no”.
    """
    words = text.split()
    prescribed = {word.casefold() for term in known for word in term.split()}
    if len(words) == 1 and _share(text, target.script) >= _TARGET_SHARE:
        return True
    return all(_keeps(word, prescribed) for word in words) and sum(map(bool, map(_letters, words))) <= _MOST_NAMES


def repeated_neighbours(lines: Sequence[Line], texts: Mapping[int, str]) -> set[int]:
    """Ids of neighbouring lines with the same text for different sources: models do that to fill a missing line."""
    pairs = [
        (one.id, other.id)
        for one, other in pairwise(lines)
        if texts.get(one.id) and texts.get(one.id) == texts.get(other.id) and not _alike(one.text, other.text)
    ]
    return {number for pair in pairs for number in pair}


def within_neighbours(lines: Sequence[Line], texts: Mapping[int, str]) -> set[int]:
    """Ids of neighbouring lines of which one text holds the whole other one, and its source does not hold the other
    source: two lines were merged under one id, and one of them said again.
    """
    return {
        number
        for one, two in pairwise(lines)
        for outer, inner in ((one, two), (two, one))
        if _is_merged(texts.get(outer.id, ""), texts.get(inner.id, "")) and not _holds(outer.text, inner.text)
        for number in (one.id, two.id)
    }


def _is_merged(outer: str, inner: str) -> bool:
    """Whether a text has all words of a shorter one of several words at one place."""
    words = _words(inner)
    return len(words) > 1 and len("".join(words)) >= _TELLING and _holds(outer, inner)


def _holds(outer: str, inner: str) -> bool:
    some, part = f" {' '.join(_words(outer))} ", f" {' '.join(_words(inner))} "
    return len(part) < len(some) and part in some


def _words(text: str) -> list[str]:
    return [bare for word in text.split() if (bare := _bare(word))]


def said_of_all(lines: Sequence[Line], texts: Mapping[int, str]) -> set[str]:
    """Texts that several different lines have: a refusal, or a question back, under every id. A few words, such as
    “Thank you very much”, may be the translation of several lines.
    """
    sources: dict[str, list[str]] = {}
    for line in lines:
        text = texts.get(line.id, "")
        if len(text.split()) > _FEW_WORDS or (text and " " not in text and len(text) > _SHORT_TEXT):
            sources.setdefault(text, []).append(line.text)
    return {
        text
        for text, said in sources.items()
        if sum(not any(_alike(one, other) for other in said[:at]) for at, one in enumerate(said)) >= _OF_ALL
    }


def _alike(one: str, other: str) -> bool:
    """Tell whether two lines may share a translation: equal or short ones such as “Yes.” and “Yeah.”"""
    return is_echo(one, other) or max(len(one.split()), len(other.split())) <= 2


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
    """Expected length of a translation of `source` into an alphabet, in characters."""
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
    """Prefixes of the Unicode names of the letters of `script`; a script without a known name accepts any letter."""
    from jobs.pipeline.text.cldr import script_name

    name = script_name(script)
    return _OTHER_SCRIPTS.get(script) or (name.split()[0].upper() if name else "",)

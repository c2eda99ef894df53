"""Normalisation of Persian text: Persian letters, digits and punctuation.

Rules of the Academy of Persian Language and Literature (dastur-e khatt): ی and ک, not their Arabic forms; ، ؛ ؟; the
half-space (ZWNJ) inside words only. Digits in text become Persian; those of Latin names, addresses, times and prices
are kept.
"""

from __future__ import annotations

import re

from jobs.pipeline.text.languages import Language

_LETTERS = str.maketrans("يىك", "ییک")
_ARABIC_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹")
_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
_PUNCTUATION = {",": "،", ";": "؛", "?": "؟"}

_PERSIAN_LETTER = re.compile(r"[\u0621-\u064a\u066e-\u06d3\ufb50-\ufdff\ufe70-\ufefc]")
_LATIN_LETTER = re.compile(r"[A-Za-z\u00c0-\u024f]")
_LETTER = re.compile(f"{_PERSIAN_LETTER.pattern}|{_LATIN_LETTER.pattern}")
_STRAY_ZWNJ = re.compile(r"(?:^|(?<=[\s\u200c]))\u200c+|\u200c+(?=[\s.,;:!?،؛؟»)]|$)")
_KEPT_NUMBER = re.compile(r"\d:\d|[$€£@]|://")
"""Times, prices and addresses, whose parts would be reordered between right-to-left letters."""
_THOUSANDS = re.compile(r"(?<=[۰-۹]),(?=[۰-۹]{3}(?:[^۰-۹]|$))")

_EZAFE = re.compile(r"[\u0654\u0650ۀ]$|\u200cی$|[\w\u200c]های$|\w[^\u200c]ای$|\wوی$")
"""Signs of a written ezafe: the hamza above or the kasra; the ی after ه, ها, ا and و."""
_PRESENT = "کن|شو|گوی|خواه|رو|ده|آی|گیر|توان|دان|بین|باش|مان|زن|خور|رس|یاب|ساز"
_PAST = "کرد|شد|گفت|خواست|رفت|داد|آمد|گرفت"
_CONJUGATED = re.compile(
    rf"^ن?می(?:\u200c\w|(?:{_PRESENT})(?:م|ی|د|یم|ید|ند)$|(?:{_PAST})(?:م|ی|یم|ید|ند)?$)|\w\u200c(?:ایم|اید|اند)$"
)
"""A verb with می, also where it is written without the half-space, or with an ending of the perfect."""
_PHRASE_ENDS = re.compile(r"^(?:را|نیز|هم)$|اً$|\w\u200cای$|[\u200cهای](?:اش|شان|مان|تان|یش)$|\w\wا$|\wو$")
_ADVERBS = frozenset(
    {
        *("امروز", "دیروز", "فردا", "همیشه", "اکنون", "حالا", "هنوز", "هرگز", "گاهی", "دوباره"),
        *("فقط", "تنها", "البته", "باز", "آنجا", "اینجا"),
    }
)


def is_persian(target: Language) -> bool:
    """Tell whether the language is Persian in Arabic script."""
    return target.code.split("-")[0] == "fa" and target.script == "Arab"


def has_ezafe(word: str) -> bool:
    """Tell whether an ezafe is written at the end of a word, which ties it to the next one."""
    return bool(_EZAFE.search(word)) and not is_conjugated(word)


def is_conjugated(word: str) -> bool:
    """Tell whether a word is a verb by its prefix (می) or its ending: it ends a clause."""
    return bool(_CONJUGATED.search(word))


def ends_noun_phrase(word: str) -> bool:
    """Tell whether no ezafe can follow a word: after را, an indefinite or possessive ending, and adverbs."""
    return word in _ADVERBS or bool(_PHRASE_ENDS.search(word))


def tidy(text: str) -> str:
    """Convert `text` to Persian letters, digits and punctuation; a text without a Persian letter is not changed."""
    if not _PERSIAN_LETTER.search(text):
        return text
    text = _STRAY_ZWNJ.sub("", text.translate(_LETTERS).translate(_ARABIC_DIGITS))
    return _with_punctuation(_THOUSANDS.sub("٬", _with_digits(text)))


def _with_digits(text: str) -> str:
    parts = re.split(r"(\s+)", text)
    return "".join(
        part if _keeps_digits(part, parts[at - 2] if at >= 2 else "") else part.translate(_DIGITS)
        for at, part in enumerate(parts)
    )


def _keeps_digits(word: str, before: str) -> bool:
    """Tell whether the digits of `word` belong to Latin text: GPT-4, or the 15 of iPhone 15."""
    return bool(_LATIN_LETTER.search(word) or _KEPT_NUMBER.search(word) or _LATIN_LETTER.match(before[-1:]))


def _with_punctuation(text: str) -> str:
    return re.sub(r"[,;?]", lambda found: _mark(text, found.start()), text)


def _mark(text: str, at: int) -> str:
    sign = text[at]
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if after.isalnum() and before.isalnum() and (_LATIN_LETTER.match(after) or after.isdigit()):
        return sign
    last = _LETTER.findall(text[:at])[-1:]
    following = _LETTER.search(text, at)
    if last and following and _LATIN_LETTER.match(last[0]) and _LATIN_LETTER.match(following[0]):
        return sign
    return _PUNCTUATION[sign]

"""Texts of models that are no translations: remarks on a line, refusals, notes, labels, the source again."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from jobs.engines.llm import refusals

_BRACKETED = re.compile(r"[\[(（【].*[\])）】]\.?")
_BRACKETS = "[](){}（）【】<>. "
_BRACKET = re.compile(r"[\[({（【<♪♫*]")
_TRAILING = re.compile(r"\S\s*[\[(（【]([^\[\](){}（）【】]{12,})[\])）】]\.?$")

_LABEL = re.compile(
    r"(?:(?:line|خط|سطر) \d{1,6}|(?-i:FA|EN|ES|FR|DE|RU|AR|ZH|JA|TR|PT|IT)|persian|farsi|فارسی|متن(?: فارسی)?|زیرنویس|"
    r"translation|translated(?: text| line)?|"
    r"ترجمه(?: فارسی)?|traducción|traduction|traduzione|tradução|übersetzung|перевод|"
    r"الترجمة|翻译|翻訳)\s*[:：]\s*",
    re.IGNORECASE,
)
"""A label before a translation."""

_ARROW = re.compile(r"[.!?…]*\s*(?:->|=>|→|⇒|[|=:：]|\s[-–—]\s|\n)\s*")
"""Signs between a source and its translation."""
_NOTES = r"note|notes|explanation|توجه|یادداشت|توضیح|نکته|nota|anmerkung|remarque|примечание|ملاحظة"
_NOTE = re.compile(rf"\s*\n\s*[(\[*]*(?:{_NOTES})\b.{{0,20}}[:：]", re.IGNORECASE)
"""The beginning of a note after a translation."""

_NOTE_ALONE = re.compile(rf"(?:{_NOTES})\s*[:：]", re.IGNORECASE)
_MAY_NOTE = re.compile(
    rf"[:：]|{_NOTES}|attention|warning|notice|careful|remember|mind|important|beware|achtung|vorsicht|beacht|cuidado|"
    r"atenci|attenzi|внимани|انتب|dikkat|注意|주의",
    re.IGNORECASE,
)
"""A source whose translation may begin like a note."""
_NOTHING = re.compile(r"null|[Nn]one|nil|undefined|[Nn]a[Nn]|TODO|TBD")
"""Words that programs write where there is no text."""

_NONE = re.compile(
    r"(?:no translation(?: (?:needed|available|provided|necessary))?|not translatable|untranslatable|n/a|"
    r"بدون ترجمه|ترجمه ندارد|نیاز(?:ی)? به ترجمه (?:نیست|ندارد)|(?:غیر)?قابل ترجمه نیست|غیرقابل ترجمه|ترجمه نشده|"
    r"sin traducción|no traducible|sans traduction|intraduisible|keine übersetzung|unübersetzbar|nessuna traduzione|"
    r"sem tradução|без перевода|нет перевода|لا توجد ترجمة|无翻译|翻訳なし|"
    r"(?:the )?(?:translation|translated (?:text|line))(?: here)?|ترجمه|(?:متن |خط )?ترجمه[‌ ]?شده|"
    r"traducción|traduction|перевод|"
    r"(?:same as|see|merged with) (?:the )?(?:line )?(?:above|previous|before)(?: line)?|"
    r"(?:همان|مانند|مثل|ادغام (?:شده )?با) (?:خط|سطر|جمله|متن)?[‌ی ]*(?:قبل|قبلی|بالا|بالایی))[.!。]?",
    re.IGNORECASE,
)
"""A statement that there is no translation, a place for one, or a pointer to another line."""

_PART = 0.7
"""The most that a term in brackets takes of its source."""

_CENSORED = re.compile(r"\w?\*{2,}\w*[.,!?]*|\w\*+\w[.,!?]*")
"""A word that is made unreadable on purpose: F***."""

_NEARLY = 0.75
"""The share of a source's words in small letters that a translation to another language never has in their order."""
_FEWEST = 4
"""Words in small letters of a source that is compared so."""


def is_remark(source: str, text: str) -> bool:
    """Whether a text is, or ends with, a remark about its line that the source does not have."""
    is_plain = not _BRACKET.search(source) and not _is_in_capitals(source)
    trailing = _TRAILING.search(text)
    if is_plain and (_BRACKETED.fullmatch(text) or (trailing and not _is_term(trailing[1], source))):
        return True
    if _NOTE_ALONE.match(text) and not _MAY_NOTE.search(source):
        return True
    if _NOTHING.fullmatch(text) and len(source.split()) >= _FEWEST:
        return True
    said, given = source.strip(_BRACKETS), text.strip(_BRACKETS)
    if _NONE.fullmatch(given) and not _NONE.fullmatch(said) and not refusals.ABOUT.search(source):
        return " " in said or " " in given or bool(_BRACKETED.fullmatch(text))
    return refusals.is_refusal(source, text)


def _is_term(bracketed: str, source: str) -> bool:
    """Whether what stands in brackets is a term of the source in its own language."""
    return len(bracketed) < _PART * len(source) and bracketed.casefold() in source.casefold()


def _is_in_capitals(text: str) -> bool:
    """Whether all letters of a text are capitals, as of a sound: DOOR SLAMS."""
    letters = [character for character in text if character.isalpha()]
    return bool(letters) and all(character.isupper() for character in letters)


def bare(source: str, text: str) -> str:
    """A text without its source and a label before it, and without a note after it."""
    return without_label(source, without_source(source, without_note(source, text)))


def without_label(source: str, text: str) -> str:
    """Remove “Translation:” and the like before a text whose source has no colon."""
    found = None if ":" in source or "：" in source else _LABEL.match(text)
    return text[found.end() :] if found and found.end() < len(text) else text


def without_source(source: str, text: str) -> str:
    """Remove the source before a translation: “Good day → Buenos días”."""
    said = source.rstrip(" .!?…")
    found = _ARROW.match(text, len(said)) if text.casefold().startswith(said.casefold()) else None
    return text[found.end() :] if found and found.end() < len(text) and len(said.split()) > 1 else text


def without_note(source: str, text: str) -> str:
    """Remove a note in lines of its own after a translation."""
    found = _NOTE.search(text)
    return text[: found.start()] if found and found.start() and "\n" not in source else text


def is_censored(text: str) -> bool:
    """Whether all words of a text are made unreadable, so that nothing is to be translated."""
    words = text.split()
    return bool(words) and all(_CENSORED.fullmatch(word) for word in words)


def is_nearly_source(source: str, text: str) -> bool:
    """Whether a text is its source with a few words changed. Names do not count: words with a capital or a digit."""
    said, given = _small_words(source), _small_words(text)
    if len(said) < _FEWEST:
        return False
    same = sum(block.size for block in SequenceMatcher(None, said, given, autojunk=False).get_matching_blocks())
    return same >= _NEARLY * len(said) and same >= _NEARLY * len(given)


def _small_words(text: str) -> list[str]:
    words = (word.strip(".,;:!?…\"'“”’()[]«»،؛؟¿¡") for word in text.split())
    return [word for word in words if word.isalpha() and word == word.lower()]

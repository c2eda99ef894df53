"""Texts of models that are no translations: remarks on a line, refusals, notes, labels, the source again."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

_BRACKETED = re.compile(r"[\[(（【].*[\])）】]\.?")
_BRACKETS = "[](){}（）【】<>. "
_BRACKET = re.compile(r"[\[({（【<♪♫*]")
_TRAILING = re.compile(r"\S\s*[\[(（【]([^\[\](){}（）【】]{12,})[\])）】]\.?$")

_LABEL = re.compile(
    r"(?:translation|translated(?: text| line)?|ترجمه(?: فارسی)?|traducción|traduction|traduzione|tradução|übersetzung|"
    r"перевод|الترجمة|翻译|翻訳|note|nota|توجه|یادداشت|توضیح|anmerkung|примечание|ملاحظة)\s*[:：]\s*",
    re.IGNORECASE,
)
"""A label before a translation."""

_NONE = re.compile(
    r"(?:no translation(?: (?:needed|available|provided|necessary))?|not translatable|untranslatable|n/a|"
    r"بدون ترجمه|ترجمه ندارد|نیاز(?:ی)? به ترجمه (?:نیست|ندارد)|(?:غیر)?قابل ترجمه نیست|غیرقابل ترجمه|ترجمه نشده|"
    r"sin traducción|no traducible|sans traduction|intraduisible|keine übersetzung|unübersetzbar|nessuna traduzione|"
    r"sem tradução|без перевода|нет перевода|لا توجد ترجمة|无翻译|翻訳なし)[.!。]?",
    re.IGNORECASE,
)
"""A statement that there is no translation."""

_REFUSAL = re.compile(
    r"\b(?:as an? (?:ai|language model)|(?:i am|i'm) (?:just )?an? (?:ai|language model)|"
    r"(?:can ?not|can't|unable to|won't) (?:\w+ ){0,3}translat\w*|translat\w* (?:\w+ ){0,3}(?:not possible|impossible)|"
    r"no puedo (?:\w+ ){0,2}traducir|ne peux pas (?:\w+ ){0,2}traduire|nicht übersetzen|не могу (?:\w+ ){0,2}перевести|"
    r"lo siento, pero no puedo (?:ayudar|traducir))\b|"
    r"مدل زبانی|نمی‌?توان(?:م|یم) (?:\S+ ){0,4}ترجمه|متنی برای ترجمه|لا (?:أستطيع|يمكنني) (?:\S+ ){0,2}ترجم",
    re.IGNORECASE,
)
"""A refusal that speaks of translating, or of the model."""

_ABOUT = re.compile(
    r"translat|model|модел|نموذج|\b(?:AI|IA|KI|ИИ)\b|ترجم|مدل زبان|هوش|traduc|tradui|traduz|übersetz|vertal|översätt|"
    r"oversett|oversæt|перев|перекла|tłumacz|překl|prevod|preved|çevir|תרג|翻|번역|अनुवाद|\bhelp",
    re.IGNORECASE,
)
"""A source that may speak of the same."""

_CENSORED = re.compile(r"\w?\*{2,}\w*[.,!?]*|\w\*+\w[.,!?]*")
"""A word that is made unreadable on purpose: F***."""

_NEARLY = 0.75
"""The share of a source's words in small letters that a translation to another language never has in their order."""
_FEWEST = 4
"""Words in small letters of a source that is compared so."""


def is_remark(source: str, text: str) -> bool:
    """Whether a text is, or ends with, a remark about its line that the source does not have."""
    is_plain = not _BRACKET.search(source) and not _is_in_capitals(source)
    if is_plain and (_BRACKETED.fullmatch(text) or _TRAILING.search(text)):
        return True
    said, given = source.strip(_BRACKETS), text.strip(_BRACKETS)
    if _NONE.fullmatch(given) and not _NONE.fullmatch(said) and not _ABOUT.search(source):
        return " " in said or " " in given or bool(_BRACKETED.fullmatch(text))
    return bool(_REFUSAL.search(text)) and not _ABOUT.search(source)


def _is_in_capitals(text: str) -> bool:
    """Whether all letters of a text are capitals, as of a sound: DOOR SLAMS."""
    letters = [character for character in text if character.isalpha()]
    return bool(letters) and all(character.isupper() for character in letters)


def without_label(source: str, text: str) -> str:
    """Remove “Translation:” and the like before a text whose source has no colon."""
    found = None if ":" in source or "：" in source else _LABEL.match(text)
    return text[found.end() :] if found and found.end() < len(text) else text


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

"""Comparison of a text with the language that it is said to be in, by the script and by the most frequent words.

It is no detection of languages: it tells a wrong label, such as of a German track that is tagged as English.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Literal

from jobs.pipeline.errors import OtherLanguageSubtitles
from jobs.pipeline.text.languages import language
from jobs.pipeline.text.script_detection import check_script

Verdict = Literal["yes", "no", "unknown"]

_WORDS = {
    "en": "the and you is that it this was what are have with not they do he she",
    "de": "ich du ist nicht das und der die ein wir sie was es mit auf für",
    "fr": "je vous est pas les que et des une dans nous il qui pour c'est le",
    "es": "que no el los por una con para pero es está lo qué y del muy",
    "pt": "que não você uma com para isso ele eu mas está são do da em um",
    "it": "che non di il è per sono un una questo mi ti ho della ma cosa",
    "nl": "ik je het een niet dat van en is wat we zijn voor hij maar",
    "sv": "jag är det att och inte du en som har vi på för med vad",
    "da": "jeg er det og ikke du en at har vi på til med hvad af",
    "no": "jeg er det og ikke du en at har vi på til med hva av",
    "fi": "ja on ei se että hän minä sinä mitä olen niin kun oli mutta",
    "pl": "nie to się jest na że co jak ale tak mnie jestem czy dla",
    "cs": "to je se na že co jsem ale jak tak by jsme není když",
    "tr": "bir ve bu ne için ben sen çok var değil mi ama daha gibi",
    "ro": "nu să și este un în ce pe am mai la ca ai pentru",
    "hu": "nem az hogy egy és van ez meg csak de mi te is már",
    "id": "yang tidak dan aku kau ini itu di akan dengan untuk ada saya apa",
    "ru": "не что и в я на ты это как он мы да но все",
    "uk": "не що і я на ти це як він ми так та але у",
    "bg": "не да се на и е ще ли какво за ти това съм",
    "fa": "و از به در که این را است من تو با می چه برای",
    "ar": "من في على أن لا ما هذا إلى هل كان يا أنا لقد هذه",
    "ur": "کے ہے میں کی اور سے کا یہ ہیں کو نہیں نے پر تم",
    "hi": "है के में की और से का यह हैं को नहीं ने क्या मैं",
    "mr": "आहे आणि या मी नाही तो ते काय हे पण तू मला",
}
_LISTS = {code: frozenset(words.split()) for code, words in _WORDS.items()}
_SAME = {"nb": "no", "nn": "no"}

_TOKEN = re.compile(r"[^\s\d\u200c.,;:!?…·\"„“”«»‹›()\[\]{}<>¿¡*♪♫/|_–—،؛؟。、-]+")
"""A word, with the signs of vowels that some scripts put behind letters."""
_FEWEST = 40
"""Words from which a text is judged."""
_ENOUGH = 0.07
"""Share of frequent words that a text in a language has at least; usual are 15 to 30 %."""
_NEARLY_NONE = 0.02
"""Share of frequent words that no text of `_MANY` words in a language has so few of; the least seen is 5 %."""
_MANY = 100
_SURELY_OTHER = 0.25
"""Share of frequent words of another language that no text has in a language without a list."""
_CLEAR = 2.0
"""Factor by which the words of another language must be more frequent, to be more than those that two share."""
_ONE_LANGUAGE = {"Hebr": "he", "Grek": "el", "Jpan": "ja", "Kore": "ko", "Thai": "th", "Armn": "hy", "Geor": "ka"}
"""Scripts that practically one language is written in."""


def is_in(code: str, texts: Iterable[str]) -> Verdict:
    """Whether `texts` are in the language `code`: `unknown` where there are too few words, or no list of them."""
    lines = list(texts)
    named = language(code)
    try:
        check_script(named, lines, "")
    except OtherLanguageSubtitles:
        return "no"
    if _ONE_LANGUAGE.get(named.script) == named.code.split("-")[0]:
        return "yes"
    base = named.code.split("-")[0]
    base = _SAME.get(base, base)
    found = Counter(word for line in lines for word in _TOKEN.findall(line.replace("’", "'").casefold()))
    if found.total() < _FEWEST:
        return "unknown"
    shares = {
        code: sum(count for word, count in found.items() if word in words) / found.total()
        for code, words in _LISTS.items()
    }
    own = shares.pop(base, None)
    other = max(shares.values())
    if own is None:
        return "no" if other >= _SURELY_OTHER and found.total() >= _MANY else "unknown"
    is_other = other >= _ENOUGH and other >= _CLEAR * own
    if is_other or (own < _NEARLY_NONE and found.total() >= _MANY):
        return "no"
    return "yes" if own >= _ENOUGH and own >= other else "unknown"

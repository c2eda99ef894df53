"""Costs of a break between two neighbouring words, for line breaking and segmentation.

Preferred places are those of the Netflix timed text guide: after punctuation, before conjunctions, before prepositions;
never between an article and its noun, nor between first and last name. The most frequent languages have lists of
common words; for all others only punctuation, numbers and capital letters are used.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache

from jobs.pipeline.text.display_width import Piece, joins_words
from jobs.pipeline.text.languages import Language

SENTENCE, CLAUSE, CONJUNCTION, PREPOSITION, PLAIN, BOUND = 0.0, 1.0, 2.0, 2.5, 5.0, 9.0
"""Costs of a break: after a sentence, after other punctuation, before a conjunction, before a preposition, between
words of no known kind, and between words that belong together."""

_ENDS = frozenset(".!?…。！？．؟۔।॥")
_CLAUSE_ENDS = frozenset(",;:،؛、，；：–—\u3000")
_QUOTES = "\"'”’»)]』」）】》›"
_ABBREVIATIONS = frozenset(
    {
        *("mr", "mrs", "ms", "dr", "prof", "st", "vs", "jr", "sr", "e.g", "i.e"),
        *("sra", "srta", "mme", "mlle", "bzw", "z.b", "d.h"),
    }
)
_SYLLABLE_STARTS = frozenset("เแโใไເແໂໃໄ")
"""Vowels of Thai and Lao that are written first: the only mark of a syllable border that needs no dictionary."""
_CHINESE_PARTICLES = frozenset("的了吗吧呢们着过地得么")


@dataclass(frozen=True, kw_only=True, slots=True)
class Phrases:
    """Common words of a language. `clinging` words belong to the next word, `trailing` words to the one before."""

    conjunctions: frozenset[str] = frozenset()
    prepositions: frozenset[str] = frozenset()
    clinging: frozenset[str] = frozenset()
    trailing: frozenset[str] = frozenset()
    capitals_are_names: bool = True


def _phrases(conjunctions: str, prepositions: str, clinging: str, trailing: str = "", *, names: bool = True) -> Phrases:
    return Phrases(
        conjunctions=frozenset(conjunctions.split()),
        prepositions=frozenset(prepositions.split()),
        clinging=frozenset(clinging.split()),
        trailing=frozenset(trailing.split()),
        capitals_are_names=names,
    )


_KNOWN = {
    "en": _phrases(
        "and but or nor so yet because although though while when where if unless until since that which who whose "
        "whom than whether as before after",
        "in on at to for with from by about into onto over under between among through during without within "
        "against across behind beyond near toward towards upon",
        "of a an the my your his her its our their this these those every each some any no very not i'm you're we're "
        "they're i we he she they",
    ),
    "fa": _phrases(
        "و یا اما ولی که چون زیرا اگر تا وقتی هرچند بلکه پس سپس چه یعنی",
        "از به در با بر برای بدون بین میان درباره دربارهٔ مانند مثل روی زیر بالای کنار پیش نزد",
        "این آن هر هیچ یک می نمی همین همان چند",
        "را است هست بود شد ها های هایی ام ای اند",
    ),
    "es": _phrases(
        "y e o u pero sino porque aunque mientras cuando donde si que quien cual cuyo como pues ni",
        "en a al con sin para por sobre entre hasta desde hacia según contra durante tras ante bajo",
        "de del el la los las un una unos unas lo mi mis tu tus su sus nuestro nuestra este esta estos estas ese esa "
        "cada muy no se me te le les nos",
    ),
    "fr": _phrases(
        "et ou mais donc or ni car que qui dont où quand lorsque puisque parce si comme quoique tandis",
        "en à au aux avec sans pour par sur sous dans entre chez vers depuis pendant contre avant après",
        "de du des le la les un une mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs ce cet cette ces "
        "chaque très ne je tu il elle on nous vous ils elles se me te",
        "pas",
    ),
    "de": _phrases(
        "und oder aber denn sondern weil dass wenn als ob obwohl während bevor nachdem damit sowie doch wo wie",
        "in im an am auf aus bei beim mit nach von vom zu zum zur für über unter vor hinter neben zwischen durch "
        "gegen ohne um bis seit",
        "der die das den dem des ein eine einen einem einer eines mein meine dein deine sein seine ihr ihre unser "
        "unsere dieser diese dieses jeder jede jedes kein keine sehr nicht",
        names=False,
    ),
    "ar": _phrases(
        "و أو أم لكن ولكن لأن إذا إن أن التي الذي الذين حتى عندما بينما حيث كما ثم بل وقد وأن",
        "من في إلى على عن مع بين تحت فوق أمام خلف بعد قبل عند منذ خلال حول دون ضد وفي ومن وعلى",
        "هذا هذه ذلك تلك هؤلاء كل لا لم لن ما قد سوف يا غير",
    ),
}


def cost(before: Piece, after: Piece, language: Language) -> float:
    """The cost of a break between two neighbouring pieces of a text in `language`."""
    ending = _ending(before.text)
    if ending is not None:
        return ending
    if after.inner:
        return _inner_cost(before.text, after.text, language)
    if joins_words(language) and not (before.text.isascii() and after.text.isascii()):
        return CLAUSE  # in a script without spaces, a space has the role of a comma
    return _word_cost(before.text, after.text, _KNOWN.get(language.code.split("-")[0], Phrases()))


def ends_sentence(text: str) -> bool:
    """Tell whether a sentence ends with the last word of `text`."""
    return _ending(text) == SENTENCE


def _ending(text: str) -> float | None:
    """The cost of a break after `text` by its punctuation; None if it ends with a letter or an abbreviation's dot."""
    bare = text.rstrip(_QUOTES) or text
    last = bare[-1:]
    if last in _CLAUSE_ENDS or bare.endswith(("...", "…")):
        return CLAUSE
    if last not in _ENDS or (last == "." and _is_abbreviation(bare)):
        return None
    return SENTENCE


def _is_abbreviation(text: str) -> bool:
    word = text[:-1].lstrip("([“‘\"'«¿¡").casefold()
    return word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha() and word != "i")


def _word_cost(before: str, after: str, phrases: Phrases) -> float:
    left, right = _bare(before), _bare(after)
    if left in phrases.clinging or right in phrases.trailing or _belongs(before, after, phrases):
        return BOUND
    if left in phrases.conjunctions or left in phrases.prepositions or left in _ABBREVIATIONS:
        return BOUND
    if right in phrases.conjunctions:
        return CONJUNCTION
    return PREPOSITION if right in phrases.prepositions else PLAIN


def _belongs(before: str, after: str, phrases: Phrases) -> bool:
    """Tell whether the words are a number and its noun, a title and a name, or first and last name."""
    if before[-1:].isdigit() or before.endswith("."):
        return True
    return phrases.capitals_are_names and len(before) > 1 and before[0].isupper() and after[0].isupper()


@cache
def _bare(word: str) -> str:
    return word.strip("\"'“”‘’«»()[]¿¡").casefold()


def _inner_cost(before: str, after: str, language: Language) -> float:
    """The cost of a break inside text without spaces, by the kinds of the two characters at it."""
    if language.script in {"Thai", "Laoo"}:
        return PLAIN if after[0] in _SYLLABLE_STARTS else BOUND
    if language.script in {"Hans", "Hant"}:
        return BOUND if after[0] in _CHINESE_PARTICLES else PLAIN
    kinds = _kind(before[-1]), _kind(after[0])
    if kinds[0] == "HIRAGANA" and kinds[1] != "HIRAGANA":
        return PREPOSITION
    return BOUND


@cache
def _kind(character: str) -> str:
    return unicodedata.name(character, "?").split()[0]

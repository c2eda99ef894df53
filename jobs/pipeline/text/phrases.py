"""Costs of a break between two neighbouring words, for line breaking and segmentation.

Preferred places are those of the Netflix timed text guide: after punctuation, before conjunctions, before prepositions;
never between an article and its noun, nor between first and last name. The most frequent languages have lists of
common words; for all others only punctuation, numbers and capital letters are used.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import pairwise

from jobs.pipeline.text import persian
from jobs.pipeline.text.display_width import Piece, joins_words
from jobs.pipeline.text.function_words import KNOWN, NONE, FunctionWords
from jobs.pipeline.text.languages import Language

SENTENCE, CLAUSE, VERB, CONJUNCTION, PREPOSITION, PLAIN, LOOSE, BOUND = 0.0, 1.0, 1.5, 2.0, 2.5, 5.0, 9.0, 16.0
"""Costs of a break: after a sentence, after other punctuation, after a verb that ends a clause, before a conjunction,
before a preposition, between words of no known kind, between words that mostly belong together, and between words that
belong together."""

_NEW_PHRASE = 4.0
"""Cost of a break before an article, a pronoun or an auxiliary, with which a new phrase begins."""

_LOOSE_CLAUSE = 7.0
"""Cost of a break between a pronoun or particle and a conjunction: “told him | that”."""

_BUNSETSU = 3.5
"""Cost of a break between hiragana and another kind of character, where most Japanese phrases end."""

_MAYBE_EZAFE = 8.0
"""Cost of a break between two words of no known kind in a language that seldom writes the ezafe between them."""

_ENDS = frozenset(".!?…。！？．؟۔।॥")
_CLAUSE_ENDS = frozenset(",;:،؛、，；：–—\u3000")
_QUOTES = "\"'”’»)]』」）】》›"
_ABBREVIATIONS = frozenset(
    {
        *("mr", "mrs", "ms", "dr", "prof", "st", "vs", "jr", "sr", "e.g", "i.e", "rev", "hon"),
        *("capt", "col", "gen", "lt", "sgt", "maj", "gov"),
        *("sra", "srta", "mme", "mlle", "bzw", "z.b", "d.h"),
    }
)
_INITIALS = re.compile(r"[^\W\d_](\.[^\W\d_])*")
_OPENING_QUOTES = frozenset('"“‘«„「『')
_FIRST_PERSON = re.compile(r"I\b.*")
_ADJECTIVE = re.compile(r"(ful|ous|less|able|ible|ish|ed|some|ly)$")
"""Endings of English adjectives, and of adverbs that stand before them."""
_SURE_ADJECTIVE = re.compile(r"(?:ful|ous|less|[ai]ble|ish|ive|ical|ional)$")
_LONGEST_LIST = 6
_SYLLABLE_STARTS = frozenset("เแโใไເແໂໃໄ")
"""Vowels of Thai and Lao that are written first: the only mark of a syllable border that needs no dictionary."""
_CHINESE_PARTICLES = frozenset("的了吗吧呢们着过地得么")


def costs(pieces: Sequence[Piece], language: Language) -> list[float]:
    """The costs of breaks between each two neighbours of `pieces`, a text in `language`."""
    known = KNOWN.get(language.code.partition("-")[0], NONE)
    found = [_cost(before, after, language, known) for before, after in pairwise(pieces)]
    if known.articles:
        for at in [at for at, each in enumerate(found) if each == CLAUSE and _is_in_adjectives(pieces, at, known)]:
            found[at] = LOOSE
    return found


def _cost(before: Piece, after: Piece, language: Language, known: FunctionWords) -> float:
    ending = _ending(before.text)
    if ending is not None:
        return ending
    if after.inner:
        return _inner_cost(before.text, after.text, language)
    if joins_words(language) and not (before.text.isascii() and after.text.isascii()):
        return CLAUSE  # in a script without spaces, a space has the role of a comma
    return _word_cost(before.text, after.text, known)


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
    return word in _ABBREVIATIONS or (bool(_INITIALS.fullmatch(word)) and word != "i")


def _word_cost(before: str, after: str, known: FunctionWords) -> float:
    left, right = _bare(before), _bare(after)
    if _are_bound(before, after, known) or right in known.trailing or (left, right) in known.pairs:
        return BOUND
    is_loose = left in known.loosely_clinging or right in known.loosely_trailing
    begins = right in known.conjunctions or right in known.prepositions
    if left in known.conjunctions or left in known.prepositions:
        return BOUND
    if left in known.clinging and not (is_loose and begins):
        return BOUND
    if (left in known.counting or before[-1].isdigit()) and not _is_function_word(right, known):
        return BOUND
    if is_loose:
        return _LOOSE_CLAUSE if right in known.conjunctions else LOOSE
    if known.articles and _is_adjective(left, known) and not _is_function_word(right, known):
        return LOOSE
    return min(_beginning_cost(after, right, known), _ending_cost(left, known))


def _beginning_cost(after: str, right: str, known: FunctionWords) -> float:
    """The cost of a line that begins with this word."""
    if right in known.conjunctions or after[0] in _OPENING_QUOTES:
        return CONJUNCTION
    if right in known.prepositions:
        return PREPOSITION
    if right in known.genitives or right in known.loosely_clinging:
        return BOUND
    return _NEW_PHRASE if right in known.clinging else BOUND


def _ending_cost(left: str, known: FunctionWords) -> float:
    """The cost of a line that ends with this word."""
    if left in known.clause_ends or (known.has_ezafe and persian.is_conjugated(left)):
        return VERB
    return _MAYBE_EZAFE if known.has_ezafe and not persian.ends_noun_phrase(left) else PLAIN


def _are_bound(before: str, after: str, known: FunctionWords) -> bool:
    """Tell whether the words are a title and a name, first and last name, or tied by ezafe."""
    if before.endswith(".") or (known.has_ezafe and persian.has_ezafe(before)):
        return True
    return known.capitals_are_names and len(before) > 1 and before[0].isupper() and _continues_name(before, after)


def _continues_name(before: str, after: str) -> bool:
    """Tell whether the second of two words goes on with the name of the first: in capitals only, all are words."""
    if after[0].isdigit():
        return True
    return after[0].isupper() and not (before.isupper() and after.isupper()) and not _FIRST_PERSON.fullmatch(after)


def _is_in_adjectives(pieces: Sequence[Piece], at: int, known: FunctionWords) -> bool:
    """Tell whether the comma after `pieces[at]` parts adjectives of one noun: “a tall, dark, quiet man”."""
    after = _bare(pieces[at + 1].text)
    if not pieces[at].text.endswith(",") or not after[:1].isalpha() or _is_function_word(after, known):
        return False
    for piece in reversed(pieces[max(0, at - _LONGEST_LIST) : at + 1]):
        word = _bare(piece.text)
        if word in known.articles:
            return word != _bare(pieces[at].text)
        if not (word in known.adjectives or _ADJECTIVE.search(word)):
            return False
    return False


def _is_adjective(word: str, known: FunctionWords) -> bool:
    return word in known.adjectives or bool(_SURE_ADJECTIVE.search(word))


def _is_function_word(word: str, known: FunctionWords) -> bool:
    return any(
        word in kind for kind in (known.conjunctions, known.prepositions, known.clinging, known.loosely_clinging)
    )


@lru_cache(maxsize=65536)
def _bare(word: str) -> str:
    return word.strip("\"'“”‘’«»()[]¿¡.,;:!?،؛؟…").replace("’", "'").casefold()


def _inner_cost(before: str, after: str, language: Language) -> float:
    """The cost of a break inside text without spaces, by the kinds of the two characters at it."""
    if language.script in {"Thai", "Laoo"}:
        return PLAIN if after[0] in _SYLLABLE_STARTS else BOUND
    if language.script in {"Hans", "Hant"}:
        return BOUND if after[0] in _CHINESE_PARTICLES else PLAIN
    kinds = _kind(before[-1]), _kind(after[0])
    if kinds[0] == "HIRAGANA" and kinds[1] != "HIRAGANA":
        return _BUNSETSU
    return BOUND


@cache
def _kind(character: str) -> str:
    return unicodedata.name(character, "?").split()[0]

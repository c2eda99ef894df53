"""Terms of a glossary in texts: where they occur, and whether their translations do.

Terms are compared as words, in any case, without accents of Arabic script, with ي as ی and ك as ک, and with half-spaces
as borders inside a word; inflected forms count. A term that is its own translation is to stay as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from jobs.pipeline.protocols import Brief, Line
from jobs.pipeline.text.inflection import is_form, may_be_form

Pair = tuple[str, str]
"""A term and its translation."""

_LETTERS = str.maketrans("يىكۀةإأٱ", "ییکههااا", "\u0640\u200b\u200d\u00ad\u2060\ufeff")
_DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "01234567890123456789")
_MARKS = re.compile("[\u064b-\u065f\u0670\u06d6-\u06ed]")

_WORD = re.compile(r"[^\W_]+[+#]*")
_ADDRESS = re.compile(r"https?://\S+|(?<!\S)[^\s@]*@\S+|(?<![^\W_])[^\W_]+(?:[._][^\W_]+)+")
"""Addresses, and names of files and code, in which no term occurs: contact_page.html is no page."""

_WHOLE = re.compile(r"(?:[^\W_]|[\s'’\-‐‑\u200c+#])+")
"""A term of words; one with other signs, such as .NET or R&D, is searched letter by letter."""

_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
"""Letters of scripts without spaces between words."""

_PARTICLES = frozenset(
    (
        *("ها", "های", "هایی", "هایم", "هایت", "هایش", "هایمان", "هایتان", "هایشان", "هاست"),
        *(
            "ی",
            "ای",
            "ام",
            "ات",
            "اش",
            "م",
            "ت",
            "ش",
            "مان",
            "تان",
            "شان",
            "مون",
            "تون",
            "شون",
            "اند",
            "ایم",
            "اید",
            "تر",
            "ترین",
        ),
    )
)
"""Persian endings behind a half-space."""
_PREFIXES = frozenset(("می", "نمی", "همی"))
"""Persian prefixes before a half-space, with which a word is a verb: «می‌باز» is no «باز»."""

_KEY = 3
"""Letters by which words are looked up."""

_FILLER = 2
"""Letters up to which a word of a longer translation need not be found again, such as an article."""
_SHORT = 3
"""Letters up to which a translation has to be a word of its own."""
_NEAR = 2
"""Lines of the same sentence before and after a term in which its translation may stand."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """A term in the source at `place`, the number of its line, whose translation is not in the target."""

    place: int
    term: str
    translation: str


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int
    place: int


def fold(text: str) -> str:
    """Letters in the form in which they are compared: small, Persian instead of Arabic, without vowel signs."""
    return _MARKS.sub("", _folded_letters(text)).casefold()


def _folded_letters(text: str) -> str:
    return unicodedata.normalize("NFC", text).translate(_LETTERS).translate(_DIGITS)


def occurring(glossary: Sequence[Pair], texts: Sequence[str], code: str) -> list[Pair]:
    """The pairs whose term occurs in `texts`, lines in the language `code` that follow each other. A term that occurs
    only inside a longer one is left out.
    """
    found = {number for number, _ in _found(glossary, texts, code)}
    return [pair for number, pair in enumerate(glossary) if number in found]


def violations(
    glossary: Sequence[Pair],
    sources: Sequence[str],
    targets: Sequence[str],
    runs_on: Sequence[bool],
    codes: tuple[str, str],
) -> list[Violation]:
    """The terms of `sources` whose translation is missing in `targets`, each once a line. `runs_on` tells of each line
    whether its sentence goes on in the next, where the translation may stand as well; `codes` are the languages of
    source and target. Lines without a target are not checked.
    """
    sentences = _sentences(runs_on)
    wrong = dict[tuple[int, int], Violation]()
    for number, place in _found(glossary, sources, codes[0]):
        first, last = sentences[place]
        near = targets[max(first, place - _NEAR) : min(last, place + _NEAR) + 1]
        if not targets[place].strip():
            continue
        term, translation = glossary[number]
        if not is_translated(term, translation, " ".join(near), codes[1]):
            wrong[number, place] = Violation(place=place, term=term, translation=translation)
    return [wrong[key] for key in sorted(wrong, key=lambda key: (key[1], key[0]))]


def misused(lines: Sequence[Line], texts: Mapping[int, str], brief: Brief) -> dict[int, list[Violation]]:
    """The terms of the glossary of `brief` that `texts` do not translate as it says, by the id of their line."""
    found = dict[int, list[Violation]]()
    if brief.glossary:
        for one in violations(
            brief.glossary,
            [line.text for line in lines],
            [texts.get(line.id, "") for line in lines],
            [not line.ends_sentence for line in lines],
            (brief.source, brief.target),
        ):
            found.setdefault(lines[one.place].id, []).append(one)
    return found


def is_translated(term: str, translation: str, target: str, code: str) -> bool:
    """Whether `translation` stands in `target`, in any form. A term that is its own translation has to stand there as
    it is, with an ending at most.
    """
    if term == translation:
        return _is_kept(term, target)
    wanted = _words(translation, 0)
    if _UNSPACED.search(translation) or not wanted or not _WHOLE.fullmatch(fold(translation)):
        return _squeezed(translation) in _squeezed(target)
    squeezed = _squeezed(translation)
    if len(squeezed) > _SHORT and squeezed in _squeezed(target):
        return True
    there = [word.text for word in _words(target, 0)]
    needed = [word.text for word in wanted if len(word.text) > _FILLER] or [word.text for word in wanted]
    return all(any(may_be_form(word, one, code) for one in there) for word in needed)


def _is_kept(term: str, target: str) -> bool:
    text, kept = unicodedata.normalize("NFC", target), unicodedata.normalize("NFC", term)
    for found in re.finditer(re.escape(kept), text):
        before, after = text[found.start() - 1 : found.start()], text[found.end() :]
        ending = re.match(r"['’]?[^\W_]*", after)
        rest = ending[0].lstrip("'’") if ending else ""
        is_ending = not rest or rest.isascii() != kept[-1].isascii() or is_form("term", f"term{rest.casefold()}", "")
        if is_ending and (not before.isalnum() or before.isascii() != kept[0].isascii()):
            return True
    return False


def _found(glossary: Sequence[Pair], texts: Sequence[str], code: str) -> Iterator[tuple[int, int]]:
    """The occurrences of the terms: the number of the pair, and that of the line in which the term begins."""
    words = [word for place, text in enumerate(texts) for word in _words(_ADDRESS.sub(" ", text), place)]
    index = defaultdict[str, list[int]](list)
    for at, word in enumerate(words):
        for start in _beginnings(word.text, code):
            index[start].append(at)
    spans = list[tuple[int, int, int]]()
    for number, (term, _) in enumerate(glossary):
        wanted = _words_of(term)
        if wanted is None:
            yield from ((number, place) for place, text in enumerate(texts) if _stands_in(term, text))
            continue
        for at in index.get(_beginning(wanted[0]), ()) if wanted else ():
            there = words[at : at + len(wanted)]
            if len(there) == len(wanted) and all(
                is_form(one, word.text, code) for one, word in zip(wanted, there, strict=True)
            ):
                spans.append((len(wanted), at, number))
    taken = dict[int, int]()
    for length, at, number in sorted(spans, key=lambda span: (-span[0], span[1])):
        if all(taken.get(place, length) == length for place in range(at, at + length)):
            taken |= dict.fromkeys(range(at, at + length), length)
            yield number, words[at].place


@lru_cache(16_384)
def _words_of(term: str) -> tuple[str, ...] | None:
    """The folded words of a term; None if it has to be searched letter by letter."""
    if _UNSPACED.search(term) or not _WHOLE.fullmatch(fold(term)):
        return None
    return tuple(word.text for word in _words(term, 0))


def _beginnings(word: str, code: str) -> set[str]:
    """The keys under which a word of a text is found by `_beginning` of the words that it may be a form of."""
    behind = range(4) if code.split("-")[0] in {"ar", "he"} else range(1)  # prefixes are written with the word
    return {word[start : start + length] for start in behind for length in range(1, _KEY + 1)}


def _beginning(known: str) -> str:
    """The letters that all forms of a word begin with, at most _KEY of them: the last letter may change."""
    return known[: max(1, min(_KEY, len(known) - 1))]


def _words(text: str, place: int) -> list[_Word]:
    """The folded words of a text. Persian endings behind a half-space belong to their word; of a verb with «می» only
    that is returned.
    """
    folded = fold(text)
    words = list[_Word]()
    prefixed = False
    for found in _WORD.finditer(folded):
        joined = folded[found.start() - 1 : found.start()] == "\u200c"
        if joined and (found[0] in _PARTICLES or prefixed):
            continue
        prefixed = found[0] in _PREFIXES and folded[found.end() : found.end() + 1] == "\u200c"
        words.append(_Word(found[0], found.start(), place))
    return words


def _squeezed(text: str) -> str:
    """Folded letters, digits and signs without spaces, half-spaces, hyphens and apostrophes."""
    return re.sub(r"[\s'’\-‐‑\u200c]", "", fold(text))


def _stands_in(term: str, text: str) -> bool:
    """Whether a term with signs, or of a script without spaces, stands in a text, not inside a word."""
    if _UNSPACED.search(term):
        return _squeezed(term) in _squeezed(text)
    start, end = (r"(?<![^\W_])" if term[0].isalnum() else ""), (r"(?![^\W_])" if term[-1].isalnum() else "")
    return bool(re.search(start + re.escape(fold(term)) + end, fold(text)))


def _sentences(runs_on: Sequence[bool]) -> list[tuple[int, int]]:
    """For each line, the first and the last line of its sentence."""
    bounds, start = list[tuple[int, int]](), 0
    for place, goes_on in enumerate(runs_on):
        if not goes_on or place == len(runs_on) - 1:
            bounds += [(start, place)] * (place - start + 1)
            start = place + 1
    return bounds

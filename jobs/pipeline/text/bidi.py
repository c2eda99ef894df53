"""Direction marks, which give lines of mixed direction the right order in every player.

The rules are those of the Unicode Bidirectional Algorithm (UAX #9). Marks (LRM, RLM) are used instead of isolates: all
players and fonts of the last twenty years support marks, many televisions show isolates as boxes. libass pairs brackets
only on request (N0 of UAX #9), so brackets get marks too. The order of Persian numbers follows CLDR's patterns for
`fa`: a minus, a currency sign and ٪ stand left of the number.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from jobs.pipeline.text.languages import Direction

LRM = "\u200e"
RLM = "\u200f"

_RTL = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff"
"""Letters, digits and punctuation of right-to-left scripts, as a class of regular expressions."""
_EASTERN = "\u0660-\u0669\u06f0-\u06f9"
_JOINERS = "\u200c\u200d"
_SIGNS = "%٪$€£¥₹‰°"

_BROUGHT = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_HAS_RTL = re.compile(f"[{_RTL}]")
_LETTER = re.compile(rf"[^\W\d_{_RTL}]")
_NEEDS_CARE = re.compile(rf"[^\W{_RTL}]|[{_EASTERN}]")
"""Characters without which a line is of one direction."""

_WORD = re.compile(rf"[^\s{_RTL}{_JOINERS}]*[^\W{_RTL}][^\s{_RTL}{_JOINERS}]*")
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
"""Numbers that need no marks: 99.99, 12:30, 1,000, 1/2."""
_ACRONYM = re.compile(r"(?:[^\W\d_]\.){2,}")
_AFTER_WORD = ".,:;!?…'’‘\"”“»«)]}"
_BEFORE_WORD = "'‘’\"“”«»([{…"
_PAIRS = {"(": ")", "[": "]", "{": "}", "«": "»", "“": "”"}
_OPENING = {closing: opening for opening, closing in _PAIRS.items()}
_BRACKET = re.compile(r"[][(){}«»“”\"]")

_DIGIT = re.compile(r"\d")
_GROUPS = re.compile(r"(?<![\w+])\+?\d+(?:[ -]\d+)+(?!\w)")
_EASTERN_NUMBER = re.compile(rf"([-−+]?[$€£¥₹]?[-−]?)([{_EASTERN}]+(?:[.,:/٫٬][{_EASTERN}]+)*) ?([{_SIGNS}]?)")
_RANGE = re.compile(rf"[{_EASTERN}]+(-)[{_EASTERN}]+")


class _Line:
    """A right-to-left line with its runs of left-to-right text (`islands`) and the marks to insert at each index."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.marks: defaultdict[int, str] = defaultdict(str)
        self.islands = list(_islands(text))
        self._is_left = bytearray(len(text))
        for start, end, wants in self.islands:
            if wants:
                self._is_left[start:end] = b"\1" * (end - start)

    def marked(self) -> str:
        places = sorted({0, *self.marks, len(self.text)})
        parts = (self.marks.get(at, "") + self.text[at:end] for at, end in pairwise(places))
        return RLM + "".join(parts) + self.marks.get(len(self.text), "")

    def mark(self, at: int, mark: str) -> None:
        if mark not in self.marks[at]:
            self.marks[at] += mark

    def leans_left(self, at: int, step: int) -> bool:
        """Tell whether the nearest letter or mark from `at` on, in the direction of `step`, is left-to-right."""
        while 0 <= at < len(self.text):
            character = self.text[at]
            if mark := self.marks.get(at + 1 if step < 0 else at, "")[-1 if step < 0 else 0 :][:1]:
                return mark == LRM
            if self._is_left[at] or _LETTER.match(character):
                return True
            if _HAS_RTL.match(character) and not character.isdigit():
                return False
            at += step
        return False


def strip_marks(text: str) -> str:
    """Remove the direction marks in `text`; `direct` adds those that are needed."""
    return _BROUGHT.sub("", text)


def direct(lines: Sequence[str], direction: Direction) -> list[str]:
    """Add direction marks to the lines of one subtitle.

    A right-to-left line always begins with RLM. A left-to-right line with right-to-left letters begins with LRM,
    because players guess the direction from the first letter.
    """
    mixed = any(map(_HAS_RTL.search, lines))
    if direction == "ltr":
        return [LRM + line if _HAS_RTL.search(line) else line for line in lines]
    if not mixed:
        return [f"{RLM}{LRM}{line}{LRM}" for line in lines]
    return [_right_to_left(line) for line in lines]


def _right_to_left(text: str) -> str:
    if not _NEEDS_CARE.search(text):
        return RLM + text
    line = _Line(text)
    _mark_islands(line)
    if _DIGIT.search(text):
        _mark_groups(line)
        _mark_eastern_numbers(line)
    if _BRACKET.search(text):
        _mark_brackets(line)
    _mark_commas(line)
    return line.marked()


def _islands(text: str) -> Iterator[tuple[int, int, bool]]:
    """Start and end of each Latin word, price, address and the like, and whether its ends need marks."""
    for found in _WORD.finditer(text):
        start, end = _trimmed(text, found.start(), found.end())
        word = text[start:end]
        yield start, end, not (_NUMBER.fullmatch(word) or (word[0].isalnum() and word[-1].isalnum() and word.isalnum()))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Exclude the sentence's punctuation around the word, such as a dash that begins a line or follows a letter."""
    while end > start and text[end - 1] in _AFTER_WORD and not _belongs(text[start:end]):
        end -= 1
    while start < end and text[start] in _BEFORE_WORD:
        start += 1
    while text[start] in "-–—" and (start == 0 or not text[start - 1].isspace()):
        start += 1
    return start, end


def _belongs(word: str) -> bool:
    """Tell whether the last character is part of `word`: f(x), U.S.A."""
    return bool(_ACRONYM.fullmatch(word)) or _OPENING.get(word[-1], " ") in word[1:]


def _mark_islands(line: _Line) -> None:
    for start, end, wants in line.islands:
        if wants:
            if not _LETTER.match(line.text[start]):
                line.mark(start, LRM)
            if not line.text[end - 1].isalnum():
                line.mark(end, LRM)


def _mark_groups(line: _Line) -> None:
    """Mark telephone numbers, dates with dashes and thousands separated by spaces as left-to-right, in any digits."""
    for found in _GROUPS.finditer(line.text):
        if _is_one_number(found.group()):
            line.mark(found.start(), LRM)
            line.mark(found.end(), LRM)


def _is_one_number(groups: str) -> bool:
    first, *rest = re.split("[ -]", groups)
    if groups[0] == "+" or (int(first[0]) == 0 and len(groups) > 6):
        return True
    if "-" in groups:
        return groups.count("-") > 1 and " " not in groups
    return len(first) <= 3 and all(len(group) == 3 for group in rest)


def _mark_eastern_numbers(line: _Line) -> None:
    for found in _RANGE.finditer(line.text):
        if not line.marks.get(found.start()) and not _in_group(line, found.start()):
            _keep_apart(line, found.start())
            line.mark(found.start(1), RLM)
    for found in _EASTERN_NUMBER.finditer(line.text):
        before, start, end = found.group(1), found.start(), found.end(2)
        if before and _stands_free(line.text, start):
            line.mark(start, LRM)
            line.mark(end, LRM)
        elif found.group(3):
            _keep_apart(line, start)
            line.mark(found.start(3), RLM)
        elif _after_sentence(line, start):
            line.mark(start, RLM)


def _in_group(line: _Line, at: int) -> bool:
    groups = (found for found in _GROUPS.finditer(line.text) if found.start() <= at < found.end())
    return any(_is_one_number(found.group()) for found in groups)


def _stands_free(text: str, at: int) -> bool:
    """Tell whether the sign belongs to the number: after a letter or at the start of a line it is a dash."""
    return text[at] not in "-−+" or (at > 0 and text[at - 1].isspace())


def _keep_apart(line: _Line, at: int) -> None:
    """Separate a number from a Latin word before it, which it would join."""
    if line.leans_left(at - 1, -1):
        line.mark(at, RLM)


def _after_sentence(line: _Line, at: int) -> bool:
    """Tell whether punctuation and a space separate the number from the Latin word before it."""
    return bool(re.search(r"[.!:;…)\]»”\"]\s+$", line.text[:at])) and line.leans_left(at - 1, -1)


def _mark_brackets(line: _Line) -> None:
    """Give brackets of a Latin phrase its direction, and all others that of the line."""
    for start, end in _brackets(line.text):
        if start < 0 or end == len(line.text):  # the other bracket is in another line
            _mark_phrase(line, start + 1, end)
        elif line.leans_left(start - 1, -1) and not _HAS_RTL.search(line.text[start:end]):
            line.mark(end + 1, LRM)
        else:
            _mark_phrase(line, start + 1, end)
            if line.leans_left(start - 1, -1):
                line.mark(start, RLM)
            if line.leans_left(end + 1, 1):
                line.mark(end + 1, RLM)


def _mark_phrase(line: _Line, start: int, end: int) -> None:
    """Give the signs at the ends of a Latin phrase its direction: the mark in «What?» belongs behind the word."""
    phrase = line.text[start:end].rstrip()
    if _LETTER.search(phrase) and not _HAS_RTL.search(phrase):
        if not _LETTER.match(phrase[0]):
            line.mark(start, LRM)
        if not phrase[-1].isalnum():
            line.mark(start + len(phrase), LRM)


def _brackets(text: str) -> Iterator[tuple[int, int]]:
    """Indices at which each pair of brackets or quotation marks opens and closes.

    One that opens in an earlier line has the index -1, one that closes in a later line the length of the text.
    """
    waiting: list[tuple[str, int]] = []
    for at, character in enumerate(text):
        if waiting and waiting[-1][0] == character:
            yield waiting.pop()[1], at
        elif character in _PAIRS:
            waiting.append((_PAIRS[character], at))
        elif character == '"':
            waiting.append((character, at))
        elif character in _OPENING and not waiting:
            yield -1, at
    for _, at in waiting:
        yield at, len(text)


def _mark_commas(line: _Line) -> None:
    """Mark Persian commas, which are neutral: between Latin words they would turn a list into one phrase."""
    for found in re.finditer("،", line.text):
        if line.leans_left(found.start() - 1, -1):
            line.mark(found.end(), RLM)

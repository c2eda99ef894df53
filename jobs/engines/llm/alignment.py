"""Alignment of translations with their lines, checked by what survives translation.

A model that merges two lines, splits one or leaves one out can put every text after it under the id of a neighbour,
with no id missing. Each text is scored against its own line and its neighbours by length, numbers, words that are
written alike, names and end marks; lines whose texts fit others clearly better are doubtful.

The dynamic programming is that of Gale and Church, "A program for aligning sentences in bilingual corpora" (1993), with
more features than lengths. Scores are logarithms of ratios: how much likelier a pair is if one is the translation of
the other than if they were put together by chance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from jobs.engines.llm.features import LATIN, Features, features

_SPREAD = 0.33  # standard deviation of the logarithm of the lengths' ratio of a line and its translation
_SPREAD_WITHIN = 0.5  # the same for a part of a sentence that runs over several lines
_SMOOTHED = 5.0  # letters added to each length, so that short lines are not judged by one letter
_LEAST_VARIETY = 0.2  # standard deviation that lengths of lines have at least
_LEAST_LENGTH = -4.0  # score of lengths that do not fit at all: a text may be shortened
_SAME_END = 0.9  # probability that the end mark of a translation is that of its line
_NUMBER, _OTHER_NUMBER, _NO_NUMBER = 2.5, -1.5, -0.5
_WORD, _OTHER_WORD = 2.5, -1.0
_COGNATE, _MOST_COGNATES = 1.0, 4
_NAME, _MOST_NAMES = 1.8, 2
_MERGED, _LEFT_OUT = -4.0, -5.0  # of two lines in one text or the reverse, and of a line or a text that stands alone
_DOUBT = 2.0  # gain of another alignment from which the lines that it moves are doubtful
_LEAST_DOUBT, _LONG = 1.0, 20  # the same in short batches, which have less to tell by, up to so many lines
_SWAP = 4.0  # the same of two texts that have changed places
_RINGS, _TURN = (3, 4, 5), 5.0  # the same of so many texts that have moved in a ring
_AT_THE_END = -1.0  # of a line or a text that is left over at the end: after a merger or a split there is one
_LEAST_SPREAD, _MANY = 0.18, 6  # the least spread, and the lines from which a batch tells its own
_ENOUGH, _TOLD_APART = 30, 1.0  # lines, and by how much they fit better than neighbours, so that moved texts show
_FEWEST = 3  # lines of a batch whose own lengths and marks tell what is usual

_BEFORE = 2  # lines before the first doubtful one that are doubtful as well
_REACH = 4  # places by which a text may have moved
_STEPS = ((1, 1, 0.0), (1, 0, _LEFT_OUT), (0, 1, _LEFT_OUT), (2, 1, _MERGED), (1, 2, _MERGED))


def doubtful(
    sources: Sequence[str],
    texts: Sequence[str],
    runs_on: Sequence[bool] = (),
    terms: Sequence[tuple[str, str]] = (),
) -> set[int]:
    """The places of the lines whose texts may be those of other lines. `texts` are as many as `sources`, in the same
    order; an empty one is missing. `runs_on`: whether the sentence of a line goes on in the next; `terms` are those of
    the glossary with their translations.

    Where texts have moved up or down, nothing is believed from there on, nor the lines just before: where two were
    merged is not known exactly.
    """
    if len(sources) < 2:
        return set()
    judge = _Judge(sources, texts, runs_on or [False] * len(sources), terms)
    moved = judge.moved() | judge.rotated()
    after = set(range(max(0, min(moved) - _BEFORE), len(sources))) if moved else set[int]()
    return after | judge.swapped() | judge.turned()


def would_show(sources: Sequence[str]) -> bool:
    """Whether texts of these lines under the ids of others would show: there are enough lines, and their lengths and
    end marks differ.
    """
    return len(sources) >= _ENOUGH and _Judge(sources, sources, [False] * len(sources)).told_apart() >= _TOLD_APART


class _Judge:
    """Scores of the pairs of one batch."""

    def __init__(
        self,
        sources: Sequence[str],
        texts: Sequence[str],
        runs_on: Sequence[bool],
        terms: Sequence[tuple[str, str]] = (),
    ) -> None:
        self._sources = [features(source) for source in sources]
        self._texts = [features(text) for text in texts]
        self._raw = (tuple(sources), tuple(texts))
        said = "\n".join(sources).casefold()
        self._terms = [(term.casefold(), given.casefold()) for term, given in terms if term.casefold() in said]
        self._scores: dict[tuple[int, int, int, int], float] = {}
        self._within = [on or (at > 0 and runs_on[at - 1]) for at, on in enumerate(runs_on)]
        self._doubt = max(_LEAST_DOUBT, _DOUBT * min(1.0, len(sources) / _LONG))
        pairs = [(one, two) for one, two in zip(self._sources, self._texts, strict=True) if one.length and two.length]
        logs = [math.log(one.length + _SMOOTHED) for one, _ in pairs] or [0.0]
        mean = sum(logs) / len(logs)
        self._variety = max(_LEAST_VARIETY, math.sqrt(sum((log - mean) ** 2 for log in logs) / len(logs)))
        ratios = [(two.length + _SMOOTHED) / (one.length + _SMOOTHED) for one, two in pairs]
        self._ratio = median(ratios) if len(ratios) >= _FEWEST else 1.0
        off = median(abs(math.log(ratio / self._ratio)) for ratio in ratios) if len(ratios) >= _MANY else 1.0
        self._spread = min(_SPREAD, max(_LEAST_SPREAD, 1.48 * off))
        ends = [one.end for one in self._sources]
        self._common = {end: (ends.count(end) + 0.5) / (len(ends) + 1) for end in ends}

    def moved(self) -> set[int]:
        """The places that the likeliest alignment in order does not give their own text."""
        count = len(self._sources)
        own = sum(self._pair(at, at) for at in range(count))
        best: dict[tuple[int, int], tuple[float, tuple[int, int]]] = {(0, 0): (0.0, (0, 0))}
        for source in range(count + 1):
            for text in range(max(0, source - _REACH), min(count, source + _REACH) + 1):
                if (source, text) in best:
                    self._extend(best, source, text)
        if best[count, count][0] - own < self._doubt:
            return set()
        kept, at = set[int](), (count, count)
        while at != (0, 0):
            before = best[at][1]
            if before == (at[0] - 1, at[1] - 1) and at[0] == at[1]:
                kept.add(at[0] - 1)
            at = before
        return set(range(count)) - kept

    def told_apart(self) -> float:
        """The average margin by which length and end mark of a line fit its own text better than its neighbour's."""
        return sum(
            self._length(one, one, within=False)
            + self._end(one, one)
            - self._length(one, two, within=False)
            - self._end(one, two)
            for one, two in pairwise(self._sources)
        ) / (len(self._sources) - 1)

    def _extend(self, best: dict[tuple[int, int], tuple[float, tuple[int, int]]], source: int, text: int) -> None:
        """Add the steps from a pair of places to the table."""
        score = best[source, text][0]
        for sources, texts, cost in _STEPS:
            after = (source + sources, text + texts)
            if after[0] > len(self._sources) or after[1] > len(self._texts) or abs(after[0] - after[1]) > _REACH:
                continue
            if not (sources and texts) and len(self._sources) in {source, text}:
                cost = _AT_THE_END
            gain = cost + (self._pair(source, text, sources, texts) if sources and texts else 0.0)
            if after not in best or score + gain > best[after][0]:
                best[after] = (score + gain, (source, text))

    def rotated(self) -> set[int]:
        """All places, if the texts fit their lines better that stand some places further on, counted in a ring."""
        count = len(self._sources)
        own = sum(self._pair(at, at) for at in range(count))
        turned = (sum(self._pair(at, (at + by) % count) for at in range(count)) for by in range(1, count))
        return set(range(count)) if max(turned) - own > self._doubt else set()

    def swapped(self) -> set[int]:
        """The places of two neighbours whose texts have changed places."""
        return {
            place
            for one, two in pairwise(range(len(self._sources)))
            if self._pair(one, two) + self._pair(two, one) - self._pair(one, one) - self._pair(two, two) > _SWAP
            for place in (one, two)
        }

    def turned(self) -> set[int]:
        """The places of lines whose texts are rotated by one: each has that of the next, the last that of the first."""
        count, found = len(self._sources), set[int]()
        for size in _RINGS:
            for first in range(count - size + 1):
                places = range(first, first + size)
                own = sum(self._pair(at, at) for at in places)
                for by in (1, size - 1):
                    gain = sum(self._pair(at, first + (at - first + by) % size) for at in places) - own
                    if gain > _TURN:
                        found.update(places)
        return found

    def _pair(self, source: int, text: int, sources: int = 1, texts: int = 1) -> float:
        """The score of so many sources from one place on and so many texts from another."""
        place = (source, text, sources, texts)
        if place not in self._scores:
            self._scores[place] = self._scored(*place)
        return self._scores[place]

    def _scored(self, source: int, text: int, sources: int, texts: int) -> float:
        first = self._sources[source] if sources == 1 else features(" ".join(self._raw[0][source : source + sources]))
        second = self._texts[text] if texts == 1 else features(" ".join(self._raw[1][text : text + texts]))
        if not second.length or not first.length:
            return 0.0
        within = self._within[source]
        score = self._length(first, second, within=within) + self._end(first, second) + _contents(first, second)
        return score + self._glossary(source, text, sources, texts) if self._terms else score

    def _glossary(self, source: int, text: int, sources: int, texts: int) -> float:
        """The score of terms of the glossary: both in their lines, or only one of them."""
        said = " ".join(self._raw[0][source : source + sources]).casefold()
        given = " ".join(self._raw[1][text : text + texts]).casefold()
        found = [(term in said, translation in given) for term, translation in self._terms]
        return _WORD * found.count((True, True)) + _OTHER_WORD * (
            found.count((True, False)) + found.count((False, True))
        )

    def _length(self, source: Features, text: Features, *, within: bool) -> float:
        spread = _SPREAD_WITHIN if within else self._spread
        by_chance = math.sqrt(spread**2 + 2 * self._variety**2)
        off = math.log((text.length + _SMOOTHED) / (self._ratio * (source.length + _SMOOTHED)))
        score = math.log(by_chance / spread) - off**2 / 2 * (1 / spread**2 - 1 / by_chance**2)
        return max(score, _LEAST_LENGTH)

    def _end(self, source: Features, text: Features) -> float:
        common = min(0.95, self._common.get(source.end, 0.5))
        if source.end == text.end:
            return math.log(_SAME_END / common)
        return math.log((1 - _SAME_END) / (1 - common)) if "?" in {source.end, text.end} else math.log(0.5)


def _contents(source: Features, text: Features) -> float:
    """The score of numbers, words written alike, and names."""
    score = 0.0
    if source.numbers or text.numbers:
        score += _NUMBER * len(source.numbers & text.numbers)
        score += _OTHER_NUMBER * len(text.numbers - source.numbers)
        score += _NO_NUMBER * len(source.numbers - text.numbers)
    if source.is_latin and text.is_latin:
        alike = len(source.words & text.words & {word for word in source.words if len(word) > 3})
        starts = {word[:4] for word in source.words if len(word) > 4}
        alike += len(starts & {word[:4] for word in text.words - source.words if len(word) > 4})
        return score + _COGNATE * min(alike, _MOST_COGNATES)
    kept = {word for word in text.words if LATIN.match(word)}
    given = {word for word in source.words if LATIN.match(word)}
    if not source.is_latin:
        kept, given = given, kept
    known = {word for word in given if len(word) > 1}
    score += _WORD * len(kept & known) + _OTHER_WORD * len({word for word in kept - known if len(word) > 1})
    return score + _NAME * min(len(source.names & text.names), _MOST_NAMES)

"""Segmentation: words to cues, within the limits of readable subtitles.

Rules and numbers are those of the Netflix timed text style guide (general requirements), unless another source is
named.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, groupby, pairwise

from jobs.pipeline.protocols import Word
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.word_timing import TimedPiece, timed_pieces
from jobs.pipeline.text import languages, phrases
from jobs.pipeline.text.display_width import cells_a_character, joins_words
from jobs.pipeline.text.languages import Language
from jobs.pipeline.text.line_breaking import best_break, line_cells

FRAME = 1 / 24
"""Seconds per frame. The guide counts in frames of the video; 24 per second is the lowest usual rate."""

MIN_SECONDS = 5 / 6
"""Shortest duration of a cue in seconds."""

MAX_SECONDS = 7.0
"""Longest duration of a cue in seconds."""

GAP = 2 * FRAME
"""Shortest gap between two cues in seconds."""

LINGER = 12 * FRAME
"""Longest time in seconds that a cue is shown after its last word."""

UNSURE_BELOW = math.exp(-1)
"""Mean confidence below which a cue is flagged: Whisper treats a passage as badly decoded if the mean log-probability
of its tokens is below -1 (its logprob_threshold)."""

# Costs of a segmentation, on the scale of `phrases`. Tuned on read and spoken English, Persian, Spanish and Japanese.
_CUE = 3.0
_LONG_PAUSE = 1.5
"""Seconds of silence that always separate two cues."""
_PAUSE_HEARD = 0.25
"""Seconds of silence up to which a pause costs nothing: stops and breath are part of speech."""
_PAUSE_RELIEF = 6.0
_PAUSE_CROSSED = 6.0
_SENTENCE_CROSSED = 5.0
_CLAUSE_CROSSED = 0.5
_TOO_SHORT = 10.0
_TOO_FAST = 8.0
_FRAGMENT = 4.0
_FRAGMENT_BELOW = 0.4
"""Share of a line below which a cue counts as a fragment."""
_LONE_WORD = 8.0


def segment(words: Iterable[Word], language: Language, *, first_id: int = 1, until: float = math.inf) -> list[Cue]:
    """Divide one window's `words` into cues, numbered from `first_id`; their source text is one unwrapped line.

    `until` is the end of the window in seconds: cues end a gap before it, so that those of two windows never touch.
    Every word is kept. A cue fits two lines and 7 seconds, unless a single word does not. In fast speech a cue may be
    shorter than 5/6 s or too fast to read: `quality` reports it.
    """
    parts = timed_pieces(words, language, until=until)
    if not parts:
        return []
    spans = list(pairwise(_cuts(parts, language, until)))
    times = _times([(parts[first].start, parts[last - 1].end) for first, last in spans], until)
    return [
        _cue(parts[first:last], number, start, end)
        for number, ((first, last), (start, end)) in enumerate(zip(spans, times, strict=True), start=first_id)
    ]


def segment_languages(words: Sequence[Word], *, first_id: int = 1, until: float = math.inf) -> list[Cue]:
    """Divide words that know their languages into cues of one language each (see `segment`)."""
    cues: list[Cue] = []
    runs = [list(run) for _, run in groupby(words, key=lambda word: word.language)]
    for run, following in zip(runs, [*runs, None][1:], strict=True):
        end = following[0].start if following else until
        own = segment(run, languages.language(run[0].language), first_id=first_id + len(cues), until=end)
        cues += [replace(cue, language=run[0].language) for cue in own]
    return cues


def _cue(parts: Sequence[TimedPiece], number: int, start: float, end: float) -> Cue:
    confidence = sum(part.confidence for part in parts) / len(parts)
    is_unsure = confidence < UNSURE_BELOW or any(part.doubted for part in parts)
    return Cue(
        id=number,
        start=start,
        end=end,
        source="".join(part.piece.space + part.piece.text for part in parts).strip(),
        speaker=parts[0].speaker,
        flags=("unsure",) if is_unsure else (),
    )


# Cuts: the cheapest segmentation over all borders of words, found from left to right (dynamic programming)


def _cuts(parts: Sequence[TimedPiece], language: Language, until: float) -> list[int]:
    """The borders of the cheapest segmentation, from 0 to the number of parts."""
    cue_costs = _CueCosts(parts, language, until)
    best = [0.0] + [math.inf] * len(parts)
    origin = [0] * (len(parts) + 1)
    for first in range(len(parts)):
        cue_costs.improve(best, origin, first)
    return _path(origin)


def _path(origin: Sequence[int]) -> list[int]:
    path = [len(origin) - 1]
    while path[-1]:
        path.append(origin[path[-1]])
    return path[::-1]


class _CueCosts:
    """Costs of all possible cues. Everything that does not depend on both ends of a cue is summed up beforehand."""

    def __init__(self, parts: Sequence[TimedPiece], language: Language, until: float) -> None:
        self._breaks = phrases.costs([part.piece for part in parts], language)
        neighbours = zip(pairwise(parts), self._breaks, strict=True)
        borders = [_border(after.start - before.end, cost) for (before, after), cost in neighbours]
        self._starts = [part.start for part in parts]
        self._spoken = [part.end for part in parts]
        self._latest = [start - GAP for start in [*self._starts[1:], until]]
        self._widths = list(accumulate((len(part.piece.space) + part.cells for part in parts), initial=0))
        self._begins = [end + len(part.piece.space) for end, part in zip(self._widths, parts, strict=False)]
        self._crossed = list(accumulate((crossed for _, crossed in borders), initial=0.0))
        self._cut = [cut + crossed for (cut, _), crossed in zip([*borders, (0.0, 0.0)], self._crossed, strict=True)]
        self._line_cells = line_cells(language)
        self._lone_word = 0.0 if joins_words(language) else _LONE_WORD
        self._seconds_a_cell = 1 / (language.reading_speed * cells_a_character(language))
        self._reach = self._reaches(parts)

    def _reaches(self, parts: Sequence[TimedPiece]) -> list[int]:
        """For each part, the end of the longest cue that begins with it: two lines, one speaker, no long pause."""
        count = len(parts)
        line = [*self._line_ends(count), count]
        limits = [count] * (count + 1)
        for at in range(count - 1, 0, -1):
            limits[at] = at if _must_cut(parts[at - 1], parts[at]) else limits[at + 1]
        return [min(line[line[first]], limits[first + 1]) for first in range(count)]

    def _line_ends(self, count: int) -> list[int]:
        """For each part, the end of the longest line that begins with it: at least one part."""
        ends, end = [], 0
        for first in range(count):
            end = max(end, first + 1)
            full = self._begins[first] + self._line_cells
            while end < count and self._widths[end + 1] <= full:
                end += 1
            ends.append(end)
        return ends

    def improve(self, best: list[float], origin: list[int], first: int) -> None:
        """Note in `best` and `origin` the cues that begin with part `first` and are cheaper than those found so far.

        This loop runs for every pair of borders, so it reads lists, and goes on with a cue only while it is cheaper:
        line breaks come last.
        """
        start, reach, begin = self._starts[first], self._reach[first], self._begins[first]
        base = best[first] + _CUE - self._crossed[first]
        line, seconds_a_cell = self._line_cells, self._seconds_a_cell
        small = line * _FRAGMENT_BELOW
        ends = zip(
            range(first + 1, reach + 1),
            self._widths[first + 1 : reach + 1],
            self._spoken[first:reach],
            self._latest[first:reach],
            self._cut[first:reach],
            strict=True,
        )
        for last, end, spoken, latest, cut in ends:
            if spoken - start > MAX_SECONDS and last > first + 1:
                return
            width, cost = end - begin, base + cut
            if cost >= best[last]:
                continue
            if latest - start < MIN_SECONDS:
                cost += _TOO_SHORT * (1 - (latest - start) / MIN_SECONDS)
            shown = (latest if latest < spoken + LINGER else spoken + LINGER) - start
            if width and shown < width * seconds_a_cell:
                cost += _TOO_FAST * (1 - shown / (width * seconds_a_cell))
            if width < small:
                cost += _FRAGMENT * (1 - width / small)
                if last == first + 1:
                    cost += self._lone_word
            elif width > line and cost < best[last] and last > first + 1:
                cost += best_break(self._begins, self._widths, self._breaks, (first, last), line)[0]
            if cost < best[last]:
                best[last], origin[last] = cost, first


def _must_cut(before: TimedPiece, after: TimedPiece) -> bool:
    return before.speaker != after.speaker or after.start - before.end >= _LONG_PAUSE


def _border(silence: float, cost: float) -> tuple[float, float]:
    """The cost of a cut between two parts with `silence` between them, and the cost of no cut."""
    pause = max(0.0, silence - _PAUSE_HEARD)
    crossed = _SENTENCE_CROSSED if cost == phrases.SENTENCE else _CLAUSE_CROSSED * (cost == phrases.CLAUSE)
    return max(0.0, cost - _PAUSE_RELIEF * pause), crossed + _PAUSE_CROSSED * pause


# Times


def _times(spoken: Sequence[tuple[float, float]], until: float) -> Iterator[tuple[float, float]]:
    """The times at which cues are shown, from those at which they are spoken; rounded to ms, as in SRT and WebVTT."""
    starts = list(accumulate((start for start, _ in spoken), lambda before, own: max(own, before + GAP + FRAME)))
    for start, (_, speech_end), following in zip(starts, spoken, [*starts[1:], until], strict=True):
        yield round(start, 3), round(_out_time(start, speech_end, following), 3)


def _out_time(start: float, speech_end: float, following: float) -> float:
    """The end of a cue: up to 12 frames after the last word, a gap before the next cue, 1 frame to 7 seconds long."""
    wanted = max(min(speech_end + LINGER, start + MAX_SECONDS), start + MIN_SECONDS)
    return max(min(wanted, following - GAP), start + FRAME)

"""The language of each stretch of speech, from what a recogniser finds likely for it and its neighbours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

_SWITCH = 2.0
"""Cost of a change of language, as a difference of log-probabilities: a sentence of two seconds in another language
weighs more than the change to it and back, a single word does not.
"""

_LEAST = 0.01
"""The probability that an unlikely language counts with, so that one short stretch cannot exclude it."""

_TOLD = 2.0
"""Seconds of speech from which a stretch tells its language fully; shorter ones count less."""

_CLEAR = 0.9
"""The probability from which a stretch tells its language by itself."""

_LIKELY = 0.5
"""The probability from which a language is taken into account."""

_POSSIBLE = 0.15
"""The mean probability from which the likeliest language is taken, where none is likely."""


def settled(
    stretches: Sequence[Mapping[str, float]], pairs: Sequence[Mapping[str, float]]
) -> list[Mapping[str, float]]:
    """The probabilities of languages in the stretches of a piece of speech. `pairs` has those of each two neighbours
    together, which tell more than one alone: a stretch that tells none clearly gets the mean of its pairs. So do the
    first and the last, in which languages are often seen that nobody speaks.
    """
    if not pairs:
        return list(stretches)
    return [
        stretch
        if 0 < at < len(pairs) and max(stretch.values(), default=0.0) >= _CLEAR
        else _mean(pairs[max(at - 1, 0) : at + 1])
        for at, stretch in enumerate(stretches)
    ]


def _mean(several: Sequence[Mapping[str, float]]) -> dict[str, float]:
    codes = {code for one in several for code in one}
    return {code: sum(one.get(code, 0.0) for one in several) / len(several) for code in codes}


def language_runs(likely: Sequence[Mapping[str, float]], seconds: Sequence[float], *, expected: str = "") -> list[str]:
    """The language of each stretch: the likeliest sequence in which changes of language are rare.

    `likely` has the probabilities of languages by code for each stretch, `seconds` its length. `expected` is the
    language of the speech before. Without any likely language the result is `expected` for all, which may be empty.
    """
    known = {code for stretch in likely for code, share in stretch.items() if share >= _LIKELY}
    known |= {expected} if expected else set()
    codes = sorted(known or _likeliest(likely))
    if not codes:
        return [""] * len(likely)
    best = {code: 0.0 if code == expected or not expected else -_SWITCH for code in codes}
    origins: list[dict[str, str]] = []
    for stretch, length in zip(likely, seconds, strict=True):
        weight = min(length, _TOLD) / _TOLD
        origin = max(codes, key=lambda code: best[code])
        before = {code: code if best[code] >= best[origin] - _SWITCH else origin for code in codes}
        best = {
            code: best[before[code]]
            - _SWITCH * (before[code] != code)
            + weight * math.log(max(stretch.get(code, 0.0), _LEAST))
            for code in codes
        }
        origins.append(before)
    return _path(max(codes, key=lambda code: best[code]), origins)


def _likeliest(likely: Sequence[Mapping[str, float]]) -> set[str]:
    """The language that is likeliest in all stretches together, if it is not quite unlikely: as in music."""
    total: dict[str, float] = {}
    for stretch in likely:
        for code, share in stretch.items():
            total[code] = total.get(code, 0.0) + share / len(likely)
    best = max(total, key=lambda code: total[code], default="")
    return {best} if best and total[best] >= _POSSIBLE else set()


def _path(last: str, origins: Sequence[Mapping[str, str]]) -> list[str]:
    path = [last]
    for before in reversed(origins[1:]):
        path.append(before[path[-1]])
    return path[::-1] if origins else []

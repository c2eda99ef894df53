"""Quality report: the cues that break a limit of readable subtitles, with the measured values.

The limits are those of the Netflix timed text guide, from `segmentation` and `languages`; text is checked in the lines
in which it will be shown. Persian text is also checked for Arabic letters and Latin punctuation.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, zip_longest
from typing import Any, Literal

from jobs.pipeline.gettext_marker import _
from jobs.pipeline.protocols import FLAGS
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.segmentation import GAP, MAX_SECONDS, MIN_SECONDS
from jobs.pipeline.text.display_width import width
from jobs.pipeline.text.languages import Language
from jobs.pipeline.text.line_breaking import MAX_LINES, lines_needed, unwrap, wrap
from jobs.pipeline.text.terms import Violation

Side = Literal["times", "source", "target"]

_ROUNDING = 0.0015
"""Tolerance in seconds: subtitle files have whole milliseconds, so start and end may each be half of one off."""

_ARABIC_LETTERS = re.compile("[يك]")
_LATIN_PUNCTUATION = re.compile(r"(?<=[\u0600-\u06ff\u200c]) *[,;?]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One limit broken by one cue. `kind` is a key of KINDS; `value` and `limit` have the same unit."""

    cue: int
    start: float
    side: Side
    kind: str
    value: float
    limit: float
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The findings in a number of `cues`, in their order. `source` and `target` are language codes."""

    cues: int
    source: str
    target: str
    findings: tuple[Finding, ...]

    @property
    def totals(self) -> dict[str, int]:
        """The number of findings of each kind that occurs."""
        counted = Counter(finding.kind for finding in self.findings)
        return {kind: counted[kind] for kind in KINDS if counted[kind]}

    @property
    def good(self) -> int:
        """The number of cues without a finding."""
        return self.cues - len({finding.cue for finding in self.findings})

    def as_dict(self) -> dict[str, Any]:
        """The report as types of JSON."""
        return {
            "source": self.source,
            "target": self.target,
            "cues": self.cues,
            "good": self.good,
            "totals": self.totals,
            "findings": [asdict(finding) for finding in self.findings],
        }

    def as_text(self) -> str:
        """The report as text: a summary line, the totals, then a line for each finding."""
        head = f"{self.good} of {self.cues} cues have no quality issues ({self.source} to {self.target})."
        totals = [f"{count:6}  {KINDS[kind]}" for kind, count in self.totals.items()]
        lines = [
            f"#{finding.cue} at {_clock(finding.start)}, {finding.side}: {finding.why}" for finding in self.findings
        ]
        return "\n".join([head, *totals, *lines]) + "\n"


KINDS = {
    "short": _("shown too briefly"),
    "long": _("shown too long"),
    "overlap": _("overlaps the next"),
    "gap": _("too close to the next"),
    "empty": _("without text"),
    "lines": _("too long for two lines"),
    "line_length": _("line too long"),
    "reading_speed": _("too fast to read"),
    "arabic_letters": _("Arabic letters in Persian text"),
    "latin_punctuation": _("Latin punctuation in Persian text"),
    "glossary": _("not as the glossary says"),
    "flag": _("flagged by an engine"),
}
"""Every kind of finding, in the order of the totals."""


def check(
    cues: Sequence[Cue],
    source: Language,
    target: Language,
    *,
    misused: Mapping[int, Sequence[Violation]] | None = None,
) -> Report:
    """Check `cues`, which must be in the order in which they are shown.

    Source and target texts are checked if there are any. A missing target text is a finding, unless both languages are
    the same (captions); then a missing source text is one. `misused` are the terms of the glossary, by the id of the
    cue, whose translations are not used.
    """
    wrong = misused or {}
    found = chain.from_iterable(
        chain(_times(cue, after), _texts(cue, source, target), _glossary(cue, wrong.get(cue.id, ())), _flags(cue))
        for cue, after in zip_longest(cues, cues[1:])
    )
    return Report(cues=len(cues), source=source.code, target=target.code, findings=tuple(found))


def _times(cue: Cue, following: Cue | None) -> Iterator[Finding]:
    seconds = cue.end - cue.start
    if seconds < MIN_SECONDS - _ROUNDING:
        yield _finding(cue, "times", "short", seconds, MIN_SECONDS, "shown for {} s, at least {} s")
    if seconds > MAX_SECONDS + _ROUNDING:
        yield _finding(cue, "times", "long", seconds, MAX_SECONDS, "shown for {} s, at most {} s")
    if following is None:
        return
    gap = following.start - cue.end
    if gap < -_ROUNDING:
        yield _finding(cue, "times", "overlap", -gap, 0, "overlaps the next cue by {} s")
    elif gap < GAP - _ROUNDING:
        yield _finding(cue, "times", "gap", gap, GAP, "ends {} s before the next cue, at least {} s")


def _texts(cue: Cue, source: Language, target: Language) -> Iterator[Finding]:
    captions = source.code.split("-")[0] == target.code.split("-")[0]
    if cue.source.strip():
        yield from _text(cue, "source", cue.source, source)
    elif captions:
        yield _finding(cue, "source", "empty", 0, 1, "there is no text")
    if cue.target.strip():
        yield from _text(cue, "target", cue.target, target)
    elif not captions:
        yield _finding(cue, "target", "empty", 0, 1, "there is no translation")


def _text(cue: Cue, side: Side, text: str, language: Language) -> Iterator[Finding]:
    shown = wrap(text, language)
    needed, longest = (
        lines_needed(unwrap(text, language), language),
        max(width(line, language) for line in shown.split("\n")),
    )
    if needed > MAX_LINES:
        yield _finding(cue, side, "lines", needed, MAX_LINES, "needs {} lines, at most {}")
    if longest > language.line_length:
        yield _finding(cue, side, "line_length", longest, language.line_length, "a line of {} characters, at most {}")
    speed = width(unwrap(text, language), language) / max(cue.end - cue.start, 0.001)
    if speed > language.reading_speed * 1.005:
        yield _finding(cue, side, "reading_speed", speed, language.reading_speed, "{} characters a second, at most {}")
    if language.code.split("-")[0] == "fa":
        yield from _persian(cue, side, text)


def _persian(cue: Cue, side: Side, text: str) -> Iterator[Finding]:
    if letters := _ARABIC_LETTERS.findall(text):
        yield _finding(cue, side, "arabic_letters", len(letters), 0, "{} times Arabic ي or ك instead of Persian ی or ک")
    if marks := _LATIN_PUNCTUATION.findall(text):
        yield _finding(cue, side, "latin_punctuation", len(marks), 0, "{} times Latin , ; or ? instead of ، ؛ or ؟")


def _glossary(cue: Cue, wrong: Sequence[Violation]) -> Iterator[Finding]:
    for one in wrong:
        kept = one.term == one.translation
        why = f"“{one.term}” should stay as it is" if kept else f"“{one.term}” is not translated as “{one.translation}”"
        yield Finding(cue=cue.id, start=cue.start, side="target", kind="glossary", value=1, limit=0, why=why)


def _flags(cue: Cue) -> Iterator[Finding]:
    """The flags of a cue, but for `glossary`: what stands now is checked against that."""
    for flag in (flag for flag in cue.flags if flag != "glossary"):
        yield _finding(cue, "source" if flag == "unsure" else "target", "flag", 1, 0, FLAGS.get(flag, flag))


def _finding(cue: Cue, side: Side, kind: str, value: float, limit: float, why: str) -> Finding:
    """Build a finding; `why` is a template for the value and the limit."""
    value, limit = round(value, 3), round(limit, 3)
    sentence = why.format(f"{round(value, 2):g}", f"{round(limit, 2):g}")
    return Finding(cue=cue.id, start=cue.start, side=side, kind=kind, value=value, limit=limit, why=sentence)


def _clock(seconds: float) -> str:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}.{milliseconds:03}"

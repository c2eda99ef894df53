"""Segmentation of 10,000 words into cues, and writing them as SRT, WebVTT and ASS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pysubs2

from jobs.pipeline.subtitles import writer
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.segmentation import segment
from jobs.pipeline.text.languages import language
from tests.benchmarks.material import persian_cues, words
from tests.benchmarks.measure import BUILD, Sample, alternate, middle, timed
from tests.benchmarks.rows import Row

FORMATS = ("srt", "vtt", "ass")
ENGLISH, PERSIAN = language("en"), language("fa")


def measure(*, quick: bool) -> list[Row]:
    BUILD.mkdir(parents=True, exist_ok=True)
    runs = 1 if quick else 7
    spoken = words(10_000)
    cues = _translated(segment(spoken, ENGLISH))
    segmented, written, bare = alternate(
        runs,
        partial(timed, lambda: segment(spoken, ENGLISH)),
        partial(timed, partial(_write, cues)),
        partial(timed, partial(_bare, cues)),
    )
    both = [
        Sample(wall=one.wall + other.wall, cpu=one.cpu + other.cpu)
        for one, other in zip(segmented, written, strict=True)
    ]
    return [
        _row(f"10,000 words to {len(cues)} cues and three files", both, limit=0.5),
        _row("  of it segmentation", segmented),
        _row("  of it writing in Persian", written),
        _row("  reference: pysubs2 alone writes the same texts", bare),
    ]


def _translated(cues: Sequence[Cue]) -> list[Cue]:
    """Cues with Persian texts, the most expensive to write because of their direction marks."""
    texts = [cue.target for cue in persian_cues(33)]
    return [replace(cue, target=texts[at % len(texts)]) for at, cue in enumerate(cues)]


def _write(cues: Sequence[Cue]) -> None:
    for kind in FORMATS:
        writer.write(cues, BUILD / f"layout.{kind}", form="target", source=ENGLISH, target=PERSIAN)


def _bare(cues: Sequence[Cue]) -> None:
    """Write with the library alone: no wrapping, no direction marks, no escapes."""
    for kind in FORMATS:
        subs = pysubs2.SSAFile()
        for cue in cues:
            subs.append(pysubs2.SSAEvent(start=round(cue.start * 1000), end=round(cue.end * 1000), text=cue.target))
        subs.save(str(BUILD / f"bare.{kind}"))


def _row(name: str, samples: Sequence[Sample], limit: float | None = None) -> Row:
    found = middle(samples)
    return Row(
        name=name,
        value=found.wall,
        unit="s",
        limit=limit,
        note=f"CPU {found.cpu:.3f} s, first run {samples[0].wall:.3f} s, {len(samples)} runs" if limit else "",
        detail={"wall": [sample.wall for sample in samples], "cpu": [sample.cpu for sample in samples]},
    )

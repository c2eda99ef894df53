"""Measures how well speakers are told apart: conversations of two to four voices, joined at known times.

Voices are those of people in recordings and announcements of telephone systems, and those of flite and espeak-ng. The
diarization error is the share of speech that is missed, invented or given to another speaker, with the usual tolerance
of 0.25 s on both sides of each change (pyannote.metrics).
"""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from jobs.engines.registry import DIARIZERS
from jobs.pipeline.protocols import SAMPLE_RATE, Diarizer, Samples, Turn, ignore_progress
from jobs.pipeline.speech.voice_activity import runs_of
from tests.quality import sound
from tests.quality.engines import Session
from tests.quality.material import SPEECH
from tests.quality.rows import Row, at_most, info
from tests.quality.weights import BUILD

SECTION = "speakers"
RECORDED = {"reader": "sonnet1.en.mp3", "Kennedy": "jfk.flac"}
ESPEAK = ("en-us", "en-us+f5", "de+f3", "en-gb-scotland+m7")
"""Voices of espeak-ng. Its other variants move one voice's formants, and sound the same to speaker models."""
FLITE = ("awb", "rms", "slt", "kal16")
"""Voices of flite, made from recordings of four people."""

PROMPTS = Path("/usr/share/asterisk/sounds")
"""Announcements of telephone systems, read by four people (Debian packages, see the Makefile); left out if missing."""
PEOPLE = ("es_MX_f_Allison", "it_IT_f_Menardi", "it_IT_m_Carlo", "ru_RU_f_IvrvoiceRU")

_SECONDS = 90.0  # of a conversation
_SPEECH_ABOVE = 0.3  # of the range of levels
_PAUSE = 0.25  # seconds


def measure(session: Session) -> list[Row]:
    """Measure the first diarizer that is ready; without one there are no rows."""
    spec = next((spec for spec in DIARIZERS if spec.readiness(spec.options()).ready), None)
    if spec is None:
        return []
    diarizer, voices = spec.create(spec.options()), all_voices()
    counts, seeds = ((3,), range(1)) if session.quick else ((2, 3, 4), range(4))
    conversations = {count: [conversation(voices, count, seed) for seed in seeds] for count in counts}
    return list(chain.from_iterable(_rows(diarizer, count, made) for count, made in conversations.items()))


def _rows(diarizer: Diarizer, count: int, made: Sequence[tuple[Samples, list[Turn]]]) -> list[Row]:
    """The rows of the conversations of `count` voices."""
    rows, begun = list[Row](), time.process_time()
    length = sum(len(samples) for samples, _ in made) / SAMPLE_RATE
    for known, how in ((None, "number estimated"), (count, "number given")):
        found = [diarizer.diarize(_saved(samples), known, ignore_progress) for samples, _ in made]
        errors = [diarization_error(truth, turns) for (_, truth), turns in zip(made, found, strict=True)]
        rows.append(at_most(SECTION, f"{count} voices, {how}: diarization error (%)", 100 * float(np.mean(errors)), 10))
        if known is None:
            wrong = sum(len({turn.speaker for turn in turns}) != count for turns in found)
            rows.append(at_most(SECTION, f"{count} voices: wrong numbers in {len(made)} conversations", wrong, 0))
            cpu = 60 * (time.process_time() - begun) / length
            rows.append(info(SECTION, f"{count} voices: CPU seconds for a minute", cpu))
    return rows


def _saved(samples: Samples) -> Path:
    return sound.save(samples, BUILD / "clips" / "conversation.wav")


def diarization_error(truth: Sequence[Turn], found: Sequence[Turn]) -> float:
    """The share of speech that is missed, invented or given to another speaker."""
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    sides = []
    for turns in (truth, found):
        annotation = Annotation()
        for at, turn in enumerate(turns):
            annotation[Segment(turn.start, turn.end), at] = turn.speaker
        sides.append(annotation)
    whole = Timeline([Segment(0.0, max(turn.end for turn in [*truth, *found]) + 1)])
    return float(DiarizationErrorRate(collar=0.5)(*sides, uem=whole))


def conversation(voices: dict[str, list[Samples]], count: int, seed: int) -> tuple[Samples, list[Turn]]:
    """A conversation of `count` voices, and who speaks when. The same seed gives the same."""
    chance = random.Random(1000 * count + seed)
    names = chance.sample(sorted(voices), count)
    left = {name: chance.sample(range(len(voices[name])), len(voices[name])) for name in names}
    parts: list[Samples] = [_silence(0.5)]
    turns: list[Turn] = []
    now, last = 0.5, ""
    while now < _SECONDS:
        name = chance.choice([name for name in names if name != last])
        clip = voices[name][left[name][0]]
        left[name] = [*left[name][1:], left[name][0]]
        gap = chance.uniform(0.1, 0.8)
        turns.append(Turn(start=now, end=now + len(clip) / SAMPLE_RATE, speaker=name))
        parts += [clip, _silence(gap)]
        now, last = now + len(clip) / SAMPLE_RATE + gap, name
    return np.concatenate(parts), turns


def _silence(seconds: float) -> Samples:
    return (np.random.default_rng(1).standard_normal(int(seconds * SAMPLE_RATE)) * 1e-4).astype(np.float32)


def all_voices() -> dict[str, list[Samples]]:
    """Clips of 0.8 to 5 s of each voice, from one pause to another."""
    found = {name: _clips(sound.decode(SPEECH / file)) for name, file in RECORDED.items()}
    for place in [PROMPTS / name for name in PEOPLE if (PROMPTS / name).is_dir()]:
        longest = sorted(place.glob("*.wav"), key=lambda path: (-path.stat().st_size, path.name))[:15]
        found[place.name] = [clip for path in longest for clip in _clips(sound.decode(path))]
    sentences = (SPEECH / "made" / "en.txt").read_text(encoding="utf-8").splitlines()
    for voice in ESPEAK:
        said = (_said("espeak-ng", "-v", voice, "--stdout", sentence) for sentence in sentences)
        found[f"espeak-ng {voice}"] = [clip for one in said for clip in _clips(one)]
    for voice in FLITE:
        said = (_said("flite", "-voice", voice, "-o", "/dev/stdout", "-t", sentence) for sentence in sentences)
        found[f"flite {voice}"] = [clip for one in said for clip in _clips(one)]
    return found


def _said(program: str, *options: str) -> Samples:
    place = shutil.which(program)
    if place is None:
        raise FileNotFoundError(f"{program} is not installed. On Debian or Ubuntu: apt install {program}")
    spoken = subprocess.run([place, *options], stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return sound.decode(spoken.stdout)


def _clips(samples: Samples) -> list[Samples]:
    """The stretches of 0.8 to 5 s between pauses, of the level CLEAN."""
    level = 10 * np.log10(np.square(samples[: len(samples) // 160 * 160].reshape(-1, 160)).mean(axis=1) + 1e-10)
    quiet, loud = np.percentile(level, [5, 95])
    speaks = level > quiet + _SPEECH_ABOVE * (loud - quiet)
    for first, last in runs_of(~speaks):
        if last - first < _PAUSE * 100:
            speaks[first:last] = True
    clips = [samples[first * 160 : last * 160][: 5 * SAMPLE_RATE] for first, last in runs_of(speaks)]
    return [sound.leveled(clip, sound.CLEAN) for clip in clips if len(clip) >= 0.8 * SAMPLE_RATE]

"""The speech set: recordings with the texts that were read, and sentences of espeak-ng at known times."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jobs.pipeline.protocols import SAMPLE_RATE, Samples
from tests.benchmarks.measure import ROOT
from tests.quality import sound
from tests.quality.weights import BUILD

SPEECH = ROOT / "tests" / "data" / "speech"
LANGUAGES = ("en", "de", "fr", "es", "fa", "ar")
"""Languages of made speech."""
VOICES = ("", "m3", "f5")
"""Voices of made speech by espeak-ng's names of variants: the usual one, another man's and a woman's."""

_VOICES = {"en": "en-us", "fr": "fr-fr"}
_PAUSES = (0.9, 0.5, 1.4, 0.7, 1.1)  # seconds between made sentences, in turn
_EDGE = 10 ** (-50 / 20)  # of full scale; what is quieter at the ends of a made sentence is not speech


class NoVoice(Exception):
    """The program that speaks the made sentences is not installed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sentence:
    """A sentence with the times in seconds at which its sound starts and ends."""

    start: float
    end: float
    text: str
    language: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Clip:
    """A sound with what is said in it. Recordings have no `sentences`: their times are not known."""

    name: str
    language: str
    sound: Samples
    text: str
    sentences: tuple[Sentence, ...] = ()

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return len(self.sound) / SAMPLE_RATE

    def path(self) -> Path:
        """A WAV file with the sound, as the pipeline reads it."""
        return sound.save(self.sound, BUILD / "clips" / f"{self.name}.wav")

    def changed(self, name: str, change: Callable[[Samples], Samples]) -> Clip:
        """The clip with another sound of the same length."""
        return Clip(
            name=f"{self.name}-{name}",
            language=self.language,
            sound=change(self.sound),
            text=self.text,
            sentences=self.sentences,
        )


def recordings() -> list[Clip]:
    """Human speakers: jfk (11 s), two sonnets in English (53 s each), a German title page (68 s)."""
    names = (("jfk.flac", "en"), ("sonnet1.en.mp3", "en"), ("sonnet2.en.mp3", "en"), ("simplicissimus.de.mp3", "de"))
    return [_recording(name, language) for name, language in names]


def _recording(name: str, language: str) -> Clip:
    path = SPEECH / name
    text = path.with_suffix(".txt").read_text(encoding="utf-8").strip()
    return Clip(name=name.partition(".")[0], language=language, sound=sound.decode(path), text=text)


def sentences_of(language: str) -> list[str]:
    """The sentences that are spoken by machine in a language."""
    return (SPEECH / "made" / f"{language}.txt").read_text(encoding="utf-8").splitlines()


def made(language: str, count: int | None = None, *, first: int = 0, voice: str = "") -> Clip:
    """`count` sentences (all by default) of a language from number `first` on, over and over, with pauses between.

    `voice` is one of VOICES.
    """
    texts = sentences_of(language)
    count = len(texts) if count is None else count
    spoken = [texts[(first + at) % len(texts)] for at in range(count)]
    return made_of("-".join(filter(None, ("made", language, voice, f"{first}-{count}"))), language, spoken, voice)


def made_of(name: str, language: str, texts: Sequence[str], voice: str = "") -> Clip:
    """These sentences, with pauses between."""
    return joined(name, [_spoken(text, language, voice) for text in texts])


def joined(name: str, clips: Sequence[Clip], pauses: Sequence[float] = _PAUSES) -> Clip:
    """The clips after each other, with pauses (in turn) before each and 0.5 s at the end."""
    parts, sentences, at = list[Samples](), list[Sentence](), 0.0
    for number, clip in enumerate(clips):
        pause = sound.silence(pauses[number % len(pauses)])
        at += len(pause) / SAMPLE_RATE
        sentences += [
            Sentence(start=one.start + at, end=one.end + at, text=one.text, language=one.language)
            for one in clip.sentences
        ]
        at += clip.seconds
        parts += [pause, clip.sound]
    return Clip(
        name=name,
        language=clips[0].language,
        sound=np.concatenate([*parts, sound.silence(0.5)]),
        text=" ".join(clip.text for clip in clips),
        sentences=tuple(sentences),
    )


def long_form(language: str, seconds: float) -> Clip:
    """Made speech for that many seconds: pauses up to 20 s, of which one in three has music, another noise."""
    fillers = (sound.silence, sound.music, sound.noise)
    blocks, length, number = list[Clip](), 0.0, 0
    while length < seconds:
        talk = made(language, 8, first=8 * number)
        pause = fillers[number % 3](5.0 + 5.0 * (number % 4), *(() if number % 3 == 0 else (sound.CLEAN - 10,)))
        blocks += [talk, Clip(name="pause", language=language, sound=pause, text="")]
        length, number = length + talk.seconds + len(pause) / SAMPLE_RATE, number + 1
    return joined(f"long-{language}-{seconds:.0f}", blocks, pauses=(0.0,))


def _spoken(text: str, language: str, voice: str = "") -> Clip:
    """One sentence of espeak-ng, without silence around it, at the level CLEAN."""
    samples = _espeak(text, language, voice)
    sounding = np.flatnonzero(np.abs(samples) > _EDGE)
    speech = sound.leveled(samples[sounding[0] : sounding[-1] + 1], sound.CLEAN)
    one = Sentence(start=0.0, end=len(speech) / SAMPLE_RATE, text=text, language=language)
    return Clip(name="sentence", language=language, sound=speech, text=text, sentences=(one,))


def _espeak(text: str, language: str, variant: str = "") -> Samples:
    program = shutil.which("espeak-ng")
    if program is None:
        raise NoVoice("espeak-ng is not installed. On Debian or Ubuntu: apt install espeak-ng")
    voice = "+".join(filter(None, (_VOICES.get(language, language), variant)))
    spoken = subprocess.run(
        [program, "-v", voice, "-s", "140", "--stdout", text], stdin=subprocess.DEVNULL, capture_output=True, check=True
    )
    return sound.decode(spoken.stdout)

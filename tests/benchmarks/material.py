"""The material of the benchmarks, made once from the bundled clip and voices with ffmpeg."""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

from jobs.pipeline.media.ffmpeg import ffmpeg
from jobs.pipeline.protocols import SAMPLE_RATE, Word
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.reader import read_subtitles
from tests.benchmarks.measure import BUILD, ROOT

SAMPLE = ROOT / "static" / "sample" / "sample.mp4"
VOICE = ROOT / "tests" / "data" / "sample" / "sample_rms.wav"
SENTENCES = ROOT / "tests" / "data" / "speech" / "sentences.txt"
PERSIAN = ROOT / "static" / "sample" / "sample.fa.srt"


def video(seconds: int) -> Path:
    """The bundled clip (1280x720, 24 frames a second, English speech) over and over, not encoded again."""
    path = BUILD / f"video-{seconds}.mp4"
    if not path.exists() or path.stat().st_mtime < SAMPLE.stat().st_mtime:
        BUILD.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.mp4")
        looped = ("-stream_loop", "-1", "-i", str(SAMPLE), "-t", str(seconds), "-c", "copy", str(part))
        subprocess.run([str(ffmpeg()), "-nostdin", "-v", "error", "-y", *looped], check=True)
        part.replace(path)
    return path


def speech(seconds: int) -> Path:
    """The bundled voice over and over, as `media.extract_audio` would write it: 16 kHz, mono, 16 bit."""
    path = BUILD / f"speech-{seconds}.wav"
    if path.exists():
        return path
    BUILD.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.wav")
    with wave.open(str(VOICE), "rb") as voice, wave.open(str(part), "wb") as file:
        file.setparams(voice.getparams())
        sound, left = voice.readframes(voice.getnframes()), seconds * SAMPLE_RATE * 2
        while left > 0:
            file.writeframes(sound[:left])
            left -= len(sound)
    part.replace(path)
    return path


def persian_cues(seconds: int) -> list[Cue]:
    """The bundled Persian subtitles over and over, as long as the clip of `video(seconds)`."""
    once = [(cue.start, cue.end, cue.source) for cue in read_subtitles(PERSIAN).cues]
    length = 33.5
    spans = [
        (start + turn * length, end + turn * length, text)
        for turn in range(int(seconds / length) + 1)
        for start, end, text in once
    ]
    return [
        Cue(id=number, start=start, end=end, source=text, target=text)
        for number, (start, end, text) in enumerate(spans, start=1)
        if end <= seconds
    ]


def words(count: int) -> list[Word]:
    """Read English at 150 words a minute, half a second of pause after each sentence."""
    texts = SENTENCES.read_text(encoding="utf-8").split()
    spoken, start = list[Word](), 0.5
    for at in range(count):
        text = texts[at % len(texts)]
        end = start + 0.06 * len(text) + 0.05
        spoken.append(Word(text=text, start=round(start, 3), end=round(end, 3), confidence=0.9))
        start = end + (0.5 if text[-1] in ".?!" else 0.05)
    return spoken

"""Extraction of the audio for recognition: the chosen track, mixed into one channel."""

from __future__ import annotations

import re
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jobs.pipeline import errors
from jobs.pipeline.media.encode import whole
from jobs.pipeline.media.ffmpeg import input_of, make, making, output_of
from jobs.pipeline.media.streams import AudioStream, Media
from jobs.pipeline.protocols import SAMPLE_RATE, Progress, ignore_progress
from jobs.pipeline.speech.mixdown import BLOCK, LAYOUTS, Floats, Mixer, channels_of

_MOST_CHANNELS = 16
"""Channels that are told apart; ffmpeg mixes a track with more."""


def extract_audio(
    source: Path, target: Path, *, media: Media, progress: Progress = ignore_progress
) -> dict[str, float]:
    """Write the speech track as a WAV file: mono, 16 bits, SAMPLE_RATE. Raises NoAudio, and as `encode.burn` does.

    Its first sample is the first of the track: add `media.speech.offset` to times in it. Gaps inside the track are
    filled with silence, so that times stay correct. Returns the seconds of speech by way of mixing (see `Mixer`); empty
    for a track of one channel.
    """
    if not media.speech:
        raise errors.NoAudio(name=media.name)
    given, length = input_of(source, clock=media.clock), whole(media)
    count = _channel_count(media.speech)
    sound = ("-map", f"0:{media.speech.index}", "-af", _filters(media.speech))
    if count == 1:
        with making(target) as part:
            wav = ("-ac", "1", "-c:a", "pcm_s16le", "-f", "wav")
            make([*given, *sound, *length, *wav], part, media=media, progress=progress)
        return {}
    mixer = Mixer(channels_of(media.speech.layout, count))
    raw = (*_channel_arguments(media.speech, count), "-c:a", "pcm_f32le", "-f", "f32le")
    with making(target) as part, wave.open(str(part), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        for block in _blocks([*given, *sound, *length, *raw], part.parent, media, count):
            file.writeframes((np.clip(mixer.mix(block), -1, 1) * 32767).astype("<i2").tobytes())
            progress(min(1.0, file.getnframes() / SAMPLE_RATE / media.duration))
    progress(1.0)
    return {way: round(seconds, 1) for way, seconds in mixer.seconds.items()}


def _blocks(arguments: list[str], directory: Path, media: Media, count: int) -> Iterator[Floats]:
    """Yield the samples in blocks of shape (samples, count)."""
    size = int(BLOCK * SAMPLE_RATE) * count * 4
    for data in output_of(arguments, size, directory=directory, media=media):
        samples = np.frombuffer(data[: len(data) // (4 * count) * 4 * count], dtype="<f4").reshape(-1, count)
        yield np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)


def _channel_count(track: AudioStream) -> int:
    """The number of channels to tell apart; 1 for layouts that ffmpeg has to mix."""
    if track.layout in LAYOUTS:
        return len(LAYOUTS[track.layout])
    counted = re.match(r"(\d+) channels", track.layout)
    return int(counted.group(1)) if counted and 1 < int(counted.group(1)) <= _MOST_CHANNELS else 1


def _channel_arguments(track: AudioStream, count: int) -> tuple[str, str]:
    """Arguments that keep the number and order of channels, also where a stream changes them on its way."""
    named = track.layout in LAYOUTS and not track.layout.endswith("channels")
    return ("-channel_layout", track.layout) if named else ("-ac", str(count))


def _filters(track: AudioStream) -> str:
    """Filters that fill gaps. Of ambisonic sound the first channel is the sound from all directions."""
    first = "pan=mono|c0=c0," if track.layout.startswith("ambisonic") else ""
    return f"{first}aresample={SAMPLE_RATE}:async=1"

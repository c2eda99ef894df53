"""`python -m tests.benchmarks.reference VIDEO DIRECTORY`: the script a person would write around the same engines.

It calls them as Zirnevis does and burns with the same codec and quality; everything else is as short as it gets.
"""

import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pysubs2

from jobs.engines import apertium
from jobs.engines.pocketsphinx import spec as pocketsphinx
from jobs.pipeline.protocols import SAMPLE_RATE, Brief, Hints, Line, Word, ignore_progress

video, directory = sys.argv[1], Path(sys.argv[2])
ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y", "-i", video]
sound = [*ffmpeg, "-ac", "1", "-ar", str(SAMPLE_RATE), "-f", "s16le", "-"]
pcm = subprocess.run(sound, capture_output=True, check=True).stdout
samples = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)
speech, minute, sentences = pocketsphinx.ENGINE.create(pocketsphinx.Options()), 60 * SAMPLE_RATE, list[list[Word]]([[]])
for first in range(0, len(samples), minute):
    part = samples[first : first + minute]
    for word in speech.recognise(part, speech.speech(part), Hints(language="en"), ignore_progress):
        shift = first / SAMPLE_RATE
        sentences[-1].append(Word(text=word.text, start=word.start + shift, end=word.end + shift))
        if word.text.endswith("."):
            sentences.append([])
spoken = [words for words in sentences if words]
lines = [Line(id=at, text=" ".join(word.text for word in words), budget=84) for at, words in enumerate(spoken)]
batches = apertium.ENGINE.create(apertium.Options()).translate(lines, Brief(source="en", target="es"), {})
texts = {one.id: one.text for batch in batches for one in batch.translations}
subs = pysubs2.SSAFile()
for at, words in enumerate(spoken):
    subs.append(pysubs2.SSAEvent(start=int(words[0].start * 1000), end=int(words[-1].end * 1000), text=texts[at]))
subs.save(str(directory / "reference.srt"))
subs.save(str(directory / "reference.ass"))
burn = ["-vf", f"ass={directory / 'reference.ass'}", "-c:v", "libx264", "-crf", "23", "-pix_fmt", "yuv420p"]
subprocess.run([*ffmpeg, *burn, "-c:a", "copy", "-movflags", "+faststart", directory / "reference.mp4"], check=True)

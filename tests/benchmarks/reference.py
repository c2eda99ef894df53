"""`python reference.py VIDEO DIRECTORY`: the script a person would write instead of Zirnevis, on the same engines with
the same settings. It knows nothing of ours. After each step (sound, speech, text, files, video) it says when that was,
and how much CPU time it had taken itself.
"""
# ruff: noqa: T201

import subprocess
import sys
import time
from pathlib import Path

import imageio_ffmpeg
import pysubs2
from pocketsphinx import Decoder, Segmenter

video, directory = sys.argv[1], Path(sys.argv[2])
ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y", "-i", video]
subprocess.run([*ffmpeg, "-ac", "1", "-ar", "16000", "-f", "s16le", directory / "sound.raw"], check=True)
print(time.monotonic(), time.process_time())
decoder, heard = Decoder(samprate=16000, loglevel="FATAL"), []
with (directory / "sound.raw").open("rb") as sound:
    for part in Segmenter(sample_rate=16000).segment(sound):
        decoder.start_utt()
        for at in range(0, len(part.pcm), 32000):
            decoder.process_raw(part.pcm[at : at + 32000])
        decoder.end_utt()
        if decoder.hyp():
            heard.append((part.start_time, part.end_time, decoder.hyp().hypstr.capitalize() + "."))
print(time.monotonic(), time.process_time())
english = "\n".join(text for _, _, text in heard) + "\n"
apertium = ["apertium", "-u", "-f", "line", "eng-spa"]
spanish = subprocess.run(apertium, input=english, capture_output=True, text=True, check=True).stdout.splitlines()
print(time.monotonic(), time.process_time())
subs = pysubs2.SSAFile()
for (start, end, _), text in zip(heard, spanish, strict=True):
    subs.append(pysubs2.SSAEvent(start=round(start * 1000), end=round(end * 1000), text=text))
subs.save(str(directory / "reference.srt"))
subs.save(str(directory / "reference.ass"))
print(time.monotonic(), time.process_time())
burn = ["-vf", f"ass={directory / 'reference.ass'}", "-c:v", "libx264", "-crf", "23", "-pix_fmt", "yuv420p"]
copy = ["-c:a", "copy", "-movflags", "+faststart", str(directory / "reference.mp4")]
subprocess.run([*ffmpeg, *burn, *copy], check=True)
print(time.monotonic(), time.process_time())

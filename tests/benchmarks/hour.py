"""`python -m tests.benchmarks.hour WAV WINDOW DIRECTORY`: all that is ours from sound to subtitle files, without the
engines and ffmpeg, in a process of its own. Prints JSON: resident memory in MB after the imports and at its peak, and
CPU seconds.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

from jobs.pipeline.protocols import Brief, Hints
from jobs.pipeline.stages import dispatch as pipeline
from jobs.pipeline.stages.transcribe import transcribe
from jobs.pipeline.stages.translate import translate
from jobs.pipeline.subtitles import quality, segmentation, writer
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.text.languages import language
from tests.benchmarks.doubles import Counter, Mirror

assert pipeline  # the whole pipeline is imported before anything is measured
ENGLISH, SPANISH = language("en"), language("es")


def resident(kind: str) -> float:
    """Resident memory of this process in MB: VmRSS is that of now, VmHWM the highest ever.

    Not `ru_maxrss`: a new process begins with that of its parent.
    """
    found = re.search(rf"^{kind}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found, "Linux tells it"
    return int(found[1]) / 1024


def work(audio: Path, window: float, directory: Path) -> int:
    """Do the work of the stages. Returns the number of cues."""
    heard: list[Cue] = []
    for part in transcribe(audio, Counter(window), name=audio.name, hints=Hints(language="en")):
        heard += segmentation.segment(part.words, ENGLISH, first_id=len(heard) + 1, until=part.end)
    brief = Brief(source="en", target="es")
    done = [cue for part in translate(heard, Mirror(), brief, target=SPANISH) for cue in part.cues]
    for name in ("es.srt", "es.vtt", "es.ass"):
        writer.write(done, directory / f"hour.{name}", form="target", source=ENGLISH, target=SPANISH)
    writer.write(done, directory / "hour.en.srt", form="source", source=ENGLISH, target=SPANISH)
    json.dumps(quality.check(done, ENGLISH, SPANISH).as_dict())
    return len(done)


def main(audio: str, window: str, directory: str) -> None:
    imported, began = resident("VmRSS"), time.process_time()
    count = work(Path(audio), float(window), Path(directory))
    found = {"imported": imported, "peak": resident("VmHWM"), "cpu": time.process_time() - began, "cues": count}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])

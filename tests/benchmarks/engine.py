"""`python -m tests.benchmarks.engine WAV`: the speech engine of Zirnevis as a script might call it, minute by minute.

Prints how long recognising took on the clock and of the processor, in seconds.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from jobs.engines.pocketsphinx import PocketSphinx
from jobs.pipeline.protocols import SAMPLE_RATE, ignore_progress
from jobs.pipeline.windows import open_audio


def main(path: Path) -> None:
    engine, wall, cpu = PocketSphinx(), time.monotonic(), time.process_time()
    minute = int(engine.window_seconds) * SAMPLE_RATE
    with open_audio(path) as audio:
        for first in range(0, audio.length, minute):
            engine.recognise(audio.read(first, minute), "en", ignore_progress)
    sys.stdout.write(f"{time.monotonic() - wall} {time.process_time() - cpu}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

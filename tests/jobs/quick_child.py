"""A child that does each stage at once: `quick_child.py ORDERS REPORTS`, in place of `python -m jobs.engines`.

It imports nothing of ours, so that hundreds can be started. It leaves a file behind that it does not name.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

SOUND = {"index": 1, "codec": "pcm", "language": "en", "sample_rate": 16000}
MEDIA = {"name": "v", "container": "mov", "duration": 9.0, "size": 5, "video": None, "audio": [SOUND]}
CUES = [{"id": number, "start": number, "end": number + 0.5, "source": f"Line {number}."} for number in (1, 2, 3)]

SUBTITLED = "subtitled.mov"
"""Name of a video in which subtitles are found."""
FOUND = {
    "existing": {"used": {"language": "en"}},
    "notes": [{"code": "track_used", "params": {"language": "English"}}],
}

FILES = {"fetchtask": {"source": "v.mov", "audio": "audio.wav"}, "subtitletask": {"en.srt": "subtitles.en.srt"}}
OUTCOMES: dict[str, dict[str, Any]] = {
    "fetchtask": {"media": MEDIA, "title": "A title"},
    SUBTITLED: {"media": MEDIA, "title": "A title", **FOUND},
    "recognisetask": {"spoken": "en"},
    "subtitletask": {"quality": {}},
}


def main(orders: int, reports: int) -> None:
    inbox = os.fdopen(orders, "rb")

    def say(kind: str, **fields: Any) -> None:
        os.write(reports, json.dumps({"type": kind, "attempt": attempt, **fields}).encode() + b"\n")

    for line in inbox:
        order = json.loads(line)
        if order["type"] != "run":
            continue
        attempt, task, room = order["attempt"], order["task"], Path(order["attempt_dir"])
        say("progress", share=0.5)
        kind = SUBTITLED if task.get("name") == SUBTITLED else task["type"]
        for cue in CUES if kind == SUBTITLED else ():
            say("existing", language="en", cues=[cue])
        if task["type"] == "recognisetask":
            for cue in CUES[task["first_id"] - 1 :]:
                say("window", end=cue["end"], language="en", heard=True, cues=[cue])
        if task["type"] == "translatetask":
            while (more := json.loads(inbox.readline()))["type"] == "cues":
                done = [{**cue, "target": cue["source"].upper()} for cue in more["cues"]]
                say("translated", cues=done, usage={})
        files = FILES.get(task["type"], {})
        for name in (*files.values(), "left.tmp"):
            (room / name).write_text(attempt)
        say("done", files=files, outcome=OUTCOMES.get(kind, {}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

"""Words invented where nobody speaks."""

from __future__ import annotations

from tests.quality import sound
from tests.quality.engines import Session
from tests.quality.material import Clip
from tests.quality.rows import Row, at_most

SECTION = "silence"
FAILED = 999
"""Stands for the number of words where ours ended with an error: hearing nothing is right, failing is not."""
SOUNDS = {
    "silence": sound.silence,
    "white noise": sound.noise,
    "hum": sound.hum,
    "drums": sound.drums,
    "music": sound.music,
}


def measure(session: Session) -> list[Row]:
    """Count the words on 60 s of each sound; the short form takes silence and noise."""
    chosen = ("silence", "white noise") if session.quick else tuple(SOUNDS)
    return [at_most(SECTION, f"invented words on 60 s of {name}", _invented(session, name), 0) for name in chosen]


def _invented(session: Session, name: str) -> int:
    clip = Clip(name=name.replace(" ", "-"), language="", sound=SOUNDS[name](60.0), text="")
    heard = session.ours(clip)
    return FAILED if heard.failure else len(heard.texts)

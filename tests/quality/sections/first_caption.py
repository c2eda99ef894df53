"""The time of the first caption of a long video on a machine that needs a second for a second of sound."""

from __future__ import annotations

from itertools import pairwise

from tests.quality.engines import Heard, Session
from tests.quality.material import long_form
from tests.quality.rows import Row, at_most, info

SECTION = "first_caption"
SECONDS = 600.0
TRANSLATOR = 2.0
"""Seconds of a translator; the work between the stages, which `make bench` measures, is not added."""


def measure(session: Session) -> list[Row]:
    """Recognise 10 minutes and stretch the CPU times of what happened until the whole takes 10 minutes.

    The model is loaded before. CPU time stands for time, because it depends less on what else the machine does.
    """
    heard = session.ours(long_form("en", SECONDS))
    factor = SECONDS / heard.cpu
    first = next((event["cpu"] for event in heard.events if event["kind"] == "words"), heard.cpu)
    return [
        info(SECTION, "real-time factor on this machine", heard.cpu / SECONDS),
        info(SECTION, "loading the model, CPU (s)", heard.loading),
        at_most(SECTION, "first caption of 10 minutes at real-time factor 1 (s)", first * factor, 25.0),
        at_most(SECTION, "the same, translated by a translator of 2 s (s)", first * factor + TRANSLATOR, 30.0),
        at_most(SECTION, "longest time without a change of the progress (s)", _longest_wait(heard) * factor, 15.0),
    ]


def _longest_wait(heard: Heard) -> float:
    """The most CPU seconds between two changes of the progress or new words."""
    times, shown = [0.0], -1.0
    for event in heard.events:
        if event["kind"] != "progress" or event["value"] > shown:
            times.append(event["cpu"])
        if event["kind"] == "progress":
            shown = max(shown, event["value"])
    return max(later - earlier for earlier, later in pairwise([*times, heard.cpu]))

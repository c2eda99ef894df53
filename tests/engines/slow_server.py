"""A server with so many tokens a second, whose clock is not the real one: what would take longer than its client waits
is answered like a gateway does that waits as long (504), everything else at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.engines.fake_llm_server import STREAM, Asked, Said, saying, streamed

TIMEOUT = 180.0
"""Seconds that the client of a real server waits: the default of OPENAI_COMPATIBLE_TIMEOUT."""

_READING = 10
"""Times as many tokens of a question are read in a second as are written."""

_STREAM_TIMES = 5
"""Timeouts that a streamed answer may take; the client breaks it off then."""

_LETTERS = 3
"""Letters of Persian or English in a token, fewer than usual."""

_WORDS = "این ترجمه به اندازهٔ یک زیرنویس معمولی است و شمارهٔ آن"


@dataclass
class SlowServer:
    """A behaviour of the fake server: `rate` tokens a second, answers streamed or not. `late` counts the requests that
    took too long.
    """

    rate: float
    streams: bool
    late: int = 0

    def __call__(self, asked: Asked) -> Said:
        """Answer in time, or not."""
        said = saying({number: f"{_WORDS} {number.translate(_DIGITS)}" for number in asked.lines})
        reading = tokens(asked.system + str(asked.question)) / (_READING * self.rate)
        writing = tokens(said.text) / self.rate
        silence = reading if self.streams else reading + writing
        if silence > TIMEOUT:
            self.late += 1
            return Said(raw="<html>504 Gateway Time-out</html>", status=504)
        if not self.streams:
            return said
        events = streamed(said)
        in_time = (_STREAM_TIMES * TIMEOUT - reading) / writing
        return Said(raw=events[: int(len(events) * min(1.0, in_time))], headers=STREAM)


_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def tokens(text: str) -> int:
    """An estimate that is rather too high."""
    return len(text) // _LETTERS

"""Whisper's codes of languages, where they differ from ours."""

from __future__ import annotations

_WHISPER_CODES = {"jv": "jw", "fil": "tl"}  # our code: Whisper's
_OUR_CODES = {whisper: ours for ours, whisper in _WHISPER_CODES.items()}


def whisper_code(language: str) -> str:
    """Whisper's code of a language; it does not know regions or scripts."""
    plain = language.partition("-")[0]
    return _WHISPER_CODES.get(plain, plain)


def our_code(whisper: str) -> str:
    """Our code of a language of Whisper's."""
    return _OUR_CODES.get(whisper, whisper)

"""Names of files, from titles that people and sites chose."""

from __future__ import annotations

import unicodedata
from pathlib import Path

_LONGEST = 180
"""Bytes of a name. File systems take 255, and what is added to it (`.pt-BR.srt`, `.report.json`) needs room."""


def result_name(title: str) -> str:
    """A file name made of `title`: no slash or control character, not hidden, not empty, at most 180 bytes of UTF-8."""
    kept = "".join(" " if unicodedata.category(letter) in {"Cc", "Cs"} or letter == "/" else letter for letter in title)
    name = " ".join(kept.split()).lstrip(". ")
    short = name.encode()[:_LONGEST].decode(errors="ignore").strip()
    return short or "video"


def result_file(name: str, kind: str, file: str, target: str) -> str:
    """What the file of a kind is called beside the other results of the video `name`. `file` is its name now."""
    if kind == "video":
        return f"{name}.{target}{Path(file).suffix}"
    return f"{name}{Path(file).suffix}" if kind == "poster" else f"{name}.{kind}"

"""Marker of sentences for the translation catalogues."""

from __future__ import annotations


def _(sentence: str) -> str:
    """Return `sentence` unchanged. The marker is for makemessages; the sentence is translated when it is shown."""
    return sentence

"""Translations for the controls of the player (media-chrome), which are in English otherwise."""

from __future__ import annotations

import json

from django.utils.translation import get_language, gettext, gettext_noop, pgettext

WORDS = (
    gettext_noop("video player"),
    gettext_noop("play"),
    gettext_noop("pause"),
    gettext_noop("mute"),
    gettext_noop("unmute"),
    gettext_noop("seek"),
    gettext_noop("playback time"),
    gettext_noop("video not loaded, unknown time"),
    gettext_noop("closed captions"),
    gettext_noop("enable captions"),
    gettext_noop("disable captions"),
    gettext_noop("current playback rate"),
    gettext_noop("playback rate"),
    gettext_noop("enter fullscreen mode"),
    gettext_noop("exit fullscreen mode"),
    # “1 minute, 5 seconds of 2 minutes”
    gettext_noop("hour"),
    gettext_noop("hours"),
    gettext_noop("minute"),
    gettext_noop("minutes"),
    gettext_noop("second"),
    gettext_noop("seconds"),
    gettext_noop("of"),
)


def words() -> str:
    """JSON that maps each phrase of the controls to its translation; empty on English pages."""
    if (get_language() or "en").startswith("en"):
        return ""
    own = {"second": pgettext("of time", "second")}  # not the one that follows the first
    return json.dumps({word: own.get(word) or gettext(word) for word in WORDS}, ensure_ascii=False)

"""Conversion of yt-dlp's error messages to errors of ours.

yt-dlp has few exception classes; the cause is in the message, in the words of the site or of the network library. So
the message is searched for known words, the most specific first.
"""

from __future__ import annotations

import re

from jobs.pipeline.errors import (
    BadCookies,
    BadLink,
    BrokenDownload,
    DeadLink,
    DiskFull,
    LinkError,
    LiveStream,
    NoVideoAtLink,
    PipelineError,
    SignInRequired,
    VideoUnavailable,
)

_DETAIL_LENGTH = 500  # characters

_WORDS: tuple[tuple[type[PipelineError], tuple[str, ...]], ...] = (
    (BadLink, ("no connection adapters", "unsupported url scheme")),  # a redirect to ftp: or file:
    (BadCookies, ("failed to load cookies", "cookies file must be")),
    (DiskFull, ("no space left on device", "disk quota exceeded")),
    (
        SignInRequired,
        (
            "confirm you.re not a bot",
            "confirm your age",
            "age.restricted",
            "members.only",
            "members on level",
            "join this channel to get access",
            "only available (for|to) (registered|logged.in|subscribe)",
            "(log ?in|sign.in|authentication|account) (is )?(required|needed)",
            "requires? (a )?(log ?in|authentication|an account)",
            "need to (log|sign) in",
            "must be logged in",
            "please (log|sign) in",
            "http error 401",
        ),
    ),
    (
        VideoUnavailable,
        (
            "private video",
            "is private",
            "(been|was) (removed|deleted)",
            "no longer available",
            "account (associated|has been)",
            "terminated",
            "copyright",
            "not available (in|from|on this|for|to)",
            "geo.?restrict",
            "not made this video available",
            "your (country|location|region)",
            "drm protected",
            "requires (payment|purchase)",
            "video unavailable",
            "is unavailable",
            "password protected",
            "video password",
            "video (is )?not available",
            "does not exist",
            "http error (403|451)",
        ),
    ),
    (
        LiveStream,
        (
            "live event will begin",
            "premieres? (in|will)",
            "not currently live",
            "live ?stream",
            "is offline",
            "will begin (in|shortly)",
        ),
    ),
    (
        DeadLink,
        (
            r"http error (404|410|429|5\d\d)",
            "name or service not known",
            "name resolution",
            "nodename nor servname",
            "no address associated",
            "failed to resolve",
            "connection refused",
            "no route to host",
            "network is unreachable",
            "certificate.verify",
            "ssl:",
            "unable to connect to proxy",
            "timed? ?out",
            "redirect loop",
            "too many redirects",
        ),
    ),
    (
        BrokenDownload,
        (
            "connection (was )?(reset|aborted|broken)",
            "remote end closed",
            "incomplete ?read",
            "bytes read",
            "content too short",
            r"downloaded \d+ bytes, expected",
            "eof occurred",
            "broken pipe",
            "did not get any data blocks",
            "unable to download fragment",
            "downloaded file is empty",
        ),
    ),
    (
        NoVideoAtLink,
        (
            "unsupported url",
            "no video formats",
            "no media found",
            "no videos? (could be )?found",
            "requested format is not available",
            "unable to extract",
            "there.s no video",
            "is not a valid url",
            "no suitable (extractor|infoextractor)",
            "failed to parse xml",
        ),
    ),
    (SignInRequired, ("--cookies",)),  # advice at the end of many messages, so it comes last
)
_TABLE = tuple((kind, re.compile("|".join(words), re.IGNORECASE)) for kind, words in _WORDS)
_NOT_ITS_WORDS = re.compile(r"https?://\S+|\[[^\]]+\] [^:\s]+: ")
"""Addresses and ids, which may contain any of the words above."""
_ADVICE = re.compile(r"[;.]? *please report this issue on|\.? *(Use --cookies|See +https://github\.com/yt-dlp)")


def error_for(message: str, *, hide: tuple[str, ...] = ()) -> PipelineError:
    """The error for a message of yt-dlp; LinkError when no known word is in it.

    `hide` are texts to remove from its detail (paths of this machine, the proxy with its password).
    """
    words = _NOT_ITS_WORDS.sub(" ", message)
    kind = next((kind for kind, pattern in _TABLE if pattern.search(words)), LinkError)
    return kind(detail=tidy(message, hide))


def tidy(message: str, hide: tuple[str, ...] = ()) -> str:
    """Shorten a message to one line without colours, texts to `hide`, and advice on reporting bugs to yt-dlp."""
    for secret in filter(None, hide):
        message = message.replace(secret, "…")
    message = re.sub(r"\x1b\[[0-9;]*m", "", message)
    message = _ADVICE.split(message)[0]
    return " ".join(message.removeprefix("ERROR:").split())[:_DETAIL_LENGTH]

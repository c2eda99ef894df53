"""Conversion of yt-dlp's messages, from its source and its issue tracker, to errors."""

from __future__ import annotations

import pytest

from jobs.pipeline.download.errors import error_for
from jobs.pipeline.errors import (
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

COOKIES_HINT = (
    "Use --cookies-from-browser or --cookies for the authentication. "
    "See  https://github.com/yt-dlp/yt-dlp/wiki/FAQ#how-do-i-pass-cookies-to-yt-dlp  for how to manually pass cookies"
)

MESSAGES: list[tuple[type[PipelineError], str]] = [
    (SignInRequired, f"ERROR: [youtube] dQw4w9WgXcQ: Sign in to confirm you’re not a bot. {COOKIES_HINT}"),
    (SignInRequired, "ERROR: [youtube] dQw4w9WgXcQ: Sign in to confirm you're not a bot."),
    (
        SignInRequired,
        f"[youtube] x: Sign in to confirm your age. This video may be inappropriate for some users. {COOKIES_HINT}",
    ),
    (SignInRequired, "[youtube] x: Join this channel to get access to members-only content like this video."),
    (SignInRequired, "[vimeo] 1: This video is only available for registered users. Use --cookies"),
    (SignInRequired, "[Instagram] x: Requested content is not available, rate-limit reached or login required"),
    (SignInRequired, "[TikTok] 1: You need to log in to access this content"),
    (SignInRequired, "[generic] x: Unable to download webpage: HTTP Error 401: Unauthorized"),
    (SignInRequired, f"[facebook] 1: Something happened. {COOKIES_HINT}"),
    (
        VideoUnavailable,
        f"[youtube] x: Private video. Sign in if you've been granted access to this video. {COOKIES_HINT}",
    ),
    (VideoUnavailable, "[youtube] x: Video unavailable. This video has been removed by the uploader"),
    (VideoUnavailable, "[youtube] x: This video is no longer available because the account has been terminated."),
    (VideoUnavailable, "[youtube] x: The uploader has not made this video available in your country"),
    (VideoUnavailable, "[bbc] x: This video is not available from your location due to geo restriction"),
    (VideoUnavailable, "[vimeo] 1: This video is private"),
    (VideoUnavailable, "[x] 1: This video is DRM protected"),
    (VideoUnavailable, "unable to download video data: HTTP Error 403: Forbidden"),
    (LiveStream, "[youtube] x: This live event will begin in 3 hours."),
    (LiveStream, "[youtube] x: Premieres in 20 minutes"),
    (LiveStream, "[twitch:stream] x: The channel is not currently live"),
    (
        DeadLink,
        "[generic] x: Unable to download webpage: HTTP Error 404: Not Found (caused by <HTTPError 404: Not Found>)",
    ),
    (DeadLink, "[generic] x: Unable to download webpage: HTTP Error 410: Gone"),
    (DeadLink, "[generic] x: Unable to download webpage: HTTP Error 503: Service Unavailable"),
    (DeadLink, "[generic] x: Failed to resolve 'nowhere.invalid' ([Errno -2] Name or service not known)"),
    (DeadLink, "[generic] x: Failed to establish a new connection: [Errno 111] Connection refused"),
    (DeadLink, "[generic] x: Read timed out. (read timeout=20.0)"),
    (DeadLink, "[generic] x: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate"),
    (BrokenDownload, "[download] Got error: 13364 bytes read, 13364 more expected. Giving up after 3 retries"),
    (BrokenDownload, "('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))"),
    (NoVideoAtLink, "Unsupported URL: https://example.com/"),
    (
        NoVideoAtLink,
        "[youtube] x: No video formats found!; please report this issue on  https://github.com/yt-dlp/yt-dlp",
    ),
    (NoVideoAtLink, "[youtube] x: Requested format is not available. Use --list-formats for a list"),
    (BadLink, "No connection adapters were found for 'ftp://example.com/x.mp4'"),
    (DiskFull, "unable to write data: [Errno 28] No space left on device"),
    (LinkError, "[x] 1: Something nobody has seen before"),
]


@pytest.mark.parametrize(("kind", "message"), MESSAGES)
def test_message(kind: type[PipelineError], message: str) -> None:
    assert type(error_for(message)) is kind


def test_an_address_does_not_count_as_words() -> None:
    assert type(error_for("Unsupported URL: https://example.com/private-video/livestream")) is NoVideoAtLink


def test_detail_is_tidy_and_keeps_secrets() -> None:
    message = (
        "ERROR: \x1b[0;31mcannot\x1b[0m open /srv/jobs/7/x by http://u:pw@proxy; please report this issue on  https://g"
    )
    error = error_for(message, hide=("/srv/jobs/7", "http://u:pw@proxy", ""))
    assert error.detail == "cannot open …/x by …"


def test_detail_is_short() -> None:
    assert len(error_for("x" * 10_000).detail) <= 500

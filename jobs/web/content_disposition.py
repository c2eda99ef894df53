"""The header that names a download (RFC 6266)."""

from __future__ import annotations

import re
from urllib.parse import quote

from django.utils.http import content_disposition_header

from jobs.pipeline.filenames import ascii_title


def content_disposition(title: str, ending: str, *, download: bool) -> str:
    """The header for a file that is called `title` and `ending`, to be stored (`download`) or shown.

    A name that is not ASCII has a form in ASCII beside it, as RFC 6266 recommends: some programs and televisions
    read no other.
    """
    name = title + ending
    if name.isascii():
        return content_disposition_header(as_attachment=download, filename=name) or "inline"
    plain = ascii_title(title) + re.sub(r'[^ -~]|["\\%]', "_", ending)
    kind = "attachment" if download else "inline"
    return f"{kind}; filename=\"{plain}\"; filename*=utf-8''{quote(name, safe='')}"

"""Static files: each with a hash of its contents in its name, and compressed."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage  # type: ignore[import-untyped]


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Only style sheets name other files by address. The source maps that vendored scripts name are not here."""

    patterns = tuple(rule for rule in CompressedManifestStaticFilesStorage.patterns if rule[0] == "*.css")

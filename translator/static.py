"""Storage of static files with a hash in their names, compressed."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage  # type: ignore[import-untyped]


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Rewrites addresses in style sheets only: vendored scripts name source maps that are not included."""

    patterns = tuple(rule for rule in CompressedManifestStaticFilesStorage.patterns if rule[0] == "*.css")

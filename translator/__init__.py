"""The Django project: settings, addresses and servers."""

__version__ = "0.1.0"
"""The version of Zirnevis; CHANGELOG.md has a section for it. Stated here only."""

"""The Django project: settings, addresses and servers."""

__version__ = "0.1.0"
"""The version of Zirnevis, for which CHANGELOG.md has a heading; nothing else states it."""

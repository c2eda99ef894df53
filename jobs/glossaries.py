"""The saved glossaries of users, as rows and as entries. Nobody sees those of another user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from jobs.models import Glossary
from jobs.pipeline.text.glossary import Entries, Entry

MOST = 50
"""Glossaries of one user."""


def of(owner: Any) -> QuerySet[Glossary]:
    """The glossaries of a user."""
    return Glossary.objects.filter(owner=owner.pk)


def entries_of(row: Glossary) -> Entries:
    """The entries of a saved glossary."""
    return tuple(Entry(term=term, translation=translation, note=note) for term, translation, note in row.entries)


def as_stored(entries: Sequence[Entry]) -> list[list[str]]:
    """The value of `Glossary.entries`."""
    return [[entry.term, entry.translation, entry.note] for entry in entries]

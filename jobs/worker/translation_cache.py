"""A cache of an owner's translations, so that no line is paid for twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace

from django.utils import timezone

from jobs import models
from jobs.engines.llm.prompt import PROMPT_VERSION
from jobs.engines.registry import SPECS
from jobs.models import TranslationCache
from jobs.pipeline.process.messages import TranslateTask
from jobs.pipeline.protocols import Brief
from jobs.pipeline.text.terms import occurring


def cache_keys(task: TranslateTask, rows: Sequence[models.Cue], before: str) -> dict[int, str]:
    """The cache key of each cue by its number: a hash of everything that its translation depends on. `before` is the
    text that precedes the first cue, since a short line can mean something else after another line. Of glossary and
    brief only the terms count that occur in the cue: another term changes nothing for it.
    """
    left_out = {
        each.name
        for spec in SPECS
        for each in fields(spec.options)
        if each.metadata.get("secret") or each.metadata.get("aside")
    }
    options = {name: value for name, value in task.options.items() if name not in left_out}
    brief = asdict(replace(task.brief, glossary=(), suggested=(), notes=()))
    common = json.dumps([PROMPT_VERSION, task.engine, options, brief], sort_keys=True, default=str)
    texts = [before, *(row.source for row in rows)]
    return {
        row.number: hashlib.sha256(
            json.dumps([common, _terms(task.brief, row.source), previous, row.source, row.language]).encode()
        ).hexdigest()
        for previous, row in zip(texts, rows, strict=False)
    }


def _terms(brief: Brief, text: str) -> list[object]:
    """The terms of glossary and brief that occur in a text, as the translator is told of them."""
    glossary, suggested = (occurring(pairs, [text], brief.source) for pairs in (brief.glossary, brief.suggested))
    there = {term for term, _ in glossary}
    return [glossary, suggested, [note for note in brief.notes if note[0] in there]]


def remembered(owner_id: int, keys: Iterable[str]) -> dict[str, str]:
    """The cached texts of an owner by key. Their time of use is renewed, so that they are kept longer."""
    found = TranslationCache.objects.filter(owner=owner_id, key__in=list(keys))
    found.update(used=timezone.now())
    return dict(found.values_list("key", "text"))


def remember(owner_id: int, texts: Mapping[str, str]) -> None:
    """Cache an owner's translations, by key; existing ones are replaced."""
    rows = [TranslationCache(owner_id=owner_id, key=key, text=text) for key, text in texts.items()]
    TranslationCache.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["owner", "key"], update_fields=["text", "used"]
    )

"""The brief of a translation as a text that people write and edit.

    topic: How geese migrate
    register: a narrator, friendly and formal

    names:
    Ada Lovelace = ایدا لاولیس

    terms:
    flyway = مسیر پرواز
    GPU =

The Persian words «موضوع»، «لحن»، «نام‌ها»، «واژه‌ها» do as well. Lines that begin with # are comments, and what follows
“ # ” is a remark that is not kept. A name or term without a translation stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jobs.pipeline.errors import BadBrief, NoSuchFile, NotAFile
from jobs.pipeline.protocols import Document
from jobs.pipeline.text.encoding import decode
from jobs.pipeline.text.glossary import as_line, parse_line
from jobs.pipeline.text.terms import Pair

MAX_BYTES = 1 << 18
MAX_TERMS = 500
"""Names and terms, each."""
MAX_LETTERS = 200
"""Characters of a name or term, and of its translation."""
MAX_TEXT = 1_000
"""Characters of topic and register, each."""

_TEXTS = {"topic": "topic", "register": "register", "موضوع": "topic", "لحن": "register"}
_LISTS = {
    **{"names": "names", "terms": "terms"},
    **{"نام‌ها": "names", "نامها": "names", "واژه‌ها": "terms", "واژهها": "terms", "اصطلاح‌ها": "terms"},
}
"""Words before a colon, each with the part that it begins."""


def read_file(path: Path) -> Document:
    """Read a brief from a file. Raises NoSuchFile, NotAFile, BadBrief."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise NoSuchFile(path=str(path)) from None
    except OSError as error:
        raise NotAFile(path=str(path), detail=error.strerror or "") from None
    text = decode(data) if data else ""
    if text is None or "\0" in text or len(data) > MAX_BYTES:
        raise BadBrief(line=1, name=path.name)
    return parse(text, path.name)


def parse(text: str, name: str) -> Document:
    """Parse a brief. It is one that a person signs: `edited`. Raises BadBrief with the number of the line in `name`."""
    texts, lists = {"topic": "", "register": ""}, {"names": dict[str, str](), "terms": dict[str, str]()}
    part = ""
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        said = " ".join(line.split())
        if not said or said.startswith("#"):
            continue
        word, colon, rest = (piece.strip() for piece in said.partition(":"))
        is_pair = bool(part) and "=" in said
        if colon and not is_pair and word.casefold() in _TEXTS:
            texts[_TEXTS[word.casefold()]] = rest
        elif colon and not rest and word.casefold() in _LISTS:
            part = _LISTS[word.casefold()]
        else:
            pair = parse_line(said)
            if not (part and pair) or max(map(len, pair[:2])) > MAX_LETTERS:
                raise BadBrief(line=number, name=name)
            lists[part][pair[0]] = pair[1] or pair[0]
        if max(map(len, texts.values())) > MAX_TEXT or max(map(len, lists.values())) > MAX_TERMS:
            raise BadBrief(line=number, name=name)
    names, terms = (tuple(lists[one].items()) for one in ("names", "terms"))
    return Document(topic=texts["topic"], register=texts["register"], names=names, terms=terms, edited=True)


def as_text(document: Document) -> str:
    """The brief as `parse` reads it."""
    return "\n".join(
        [
            f"topic: {document.topic}".rstrip(),
            f"register: {document.register}".rstrip(),
            "",
            "names:",
            *_lines(document.names),
            "",
            "terms:",
            *_lines(document.terms),
            "",
        ]
    )


def as_lines(pairs: Sequence[Pair]) -> str:
    """Names or terms as lines, for a field of their own."""
    return "\n".join(_lines(pairs))


def _lines(pairs: Sequence[Pair]) -> list[str]:
    return [as_line(term, translation) for term, translation in pairs]
